"""Limits of exact curves that allow for how sites differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import Cell
from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Question
from registry.reporting.estimating.clusters import NOTHING, SITES
from registry.reporting.estimating.curve_groups import THE_EVENT, groups_of
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.landmarks import median_limits
from registry.statistics.life_counts import CENSORED, LifeCounts
from registry.statistics.site_curves import ClusterMonths, jackknifed
from registry.statistics.survival import ConfidenceScale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SiteLimits:
    """Limits at the months with events, and what is said of the curve with them."""

    lower: Floats
    upper: Floats
    said: Mapping[str, Any]


def by_site(store: Store, question: Question) -> Mapping[Key, Sequence[LifeCounts]]:
    """The devices of each curve, site by site; nothing where curves are of sites already."""
    query = question.query
    if "site" in query.group_by:
        return {}
    finer = question_of(
        replace(query, group_by=(*query.group_by, "site"), cluster=None),
        question.spec,
        manifest=store.manifest,
        as_of=question.as_of,
    )
    found: dict[Key, list[LifeCounts]] = {}
    for group in groups_of(store, finer):
        found.setdefault(group.key[:-1], []).append(group.counts)
    return found


def site_limits(
    sites: Sequence[LifeCounts],
    span: tuple[int, int],
    times: Floats,
    said: Mapping[str, Any],
    *,
    incidence: bool,
    level: float,
    ci: ConfidenceScale = "log-log",
) -> SiteLimits | None:
    """The limits of one curve, robust to its sites; None where they are under ten.

    span: the curve's first and last month. times: its months with events. said: what is told of
    it, with a restricted mean whose limits are to be robust too.
    """
    months = np.arange(span[0], span[1] + 1)
    if not sites:
        return None
    table = ClusterMonths(
        at_risk=np.array([each.at_risk(months) for each in sites]),
        events=np.array([_by_month(each, span, THE_EVENT) for each in sites]),
        others=np.array([_others(each, span, incidence=incidence) for each in sites]),
    )
    found = jackknifed(table, incidence=incidence, level=level, ci=ci)
    if found is None:
        return None
    at = times.astype(np.int64) - span[0]
    lower, upper = found.lower[at], found.upper[at]
    limits = median_limits(times, lower, upper, falls=not incidence)
    told: dict[str, Any] = {"median_lower": limits[0], "median_upper": limits[1]}
    if mean := said.get("restricted_mean"):
        length = mean["until_months"] - mean["from_months"]
        half = found.mean_half_width(length, level=level)
        around = {"ci_lower": mean["mean_months"] - half, "ci_upper": mean["mean_months"] + half}
        told["restricted_mean"] = {**mean, **around}
    return SiteLimits(lower, upper, told)


def robust_to(limits: SiteLimits | None) -> Cell:
    """What a curve's limits allow for."""
    return NOTHING if limits is None else SITES


def _by_month(table: LifeCounts, span: tuple[int, int], cause: int) -> Ints:
    found = np.zeros(span[1] - span[0] + 1, dtype=np.int64)
    inside = (table.times >= span[0]) & (table.times <= span[1])
    found[(table.times[inside] - span[0]).astype(np.int64)] = table.ended_of(cause)[inside]
    return found


def _others(table: LifeCounts, span: tuple[int, int], *, incidence: bool) -> Ints:
    """Other ends that compete; of freedom from an event they censor."""
    found = np.zeros(span[1] - span[0] + 1, dtype=np.int64)
    if incidence:
        for cause in set(table.ended) - {CENSORED, THE_EVENT}:
            found = found + _by_month(table, span, cause)
    return found

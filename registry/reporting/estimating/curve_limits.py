"""Limits of exact curves that allow for patients with several devices, and for how sites differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import Cell
from registry.reporting.estimating.clusters import NOTHING, PATIENTS, SITES
from registry.reporting.estimating.curve_groups import Group
from registry.statistics.landmarks import median_limits
from registry.statistics.patient_curves import robust_to_patients
from registry.statistics.site_curves import jackknifed
from registry.statistics.survival import ConfidenceScale

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A curve's standard errors and limits at the months with events.

    half: how far limits lie from the restricted mean, where the curve has one.
    """

    se: Floats
    lower: Floats
    upper: Floats
    half: float | None


@dataclass(frozen=True, slots=True, eq=False)
class CurveLimits:
    """Limits at the months with events, and what is said of the curve with them."""

    lower: Floats
    upper: Floats
    said: Mapping[str, Any]


def curve_limits(
    group: Group,
    span: Span,
    times: Floats,
    plain: Spread,
    mean: Mapping[str, Any] | None,
    *,
    incidence: bool,
    cluster: str | None,
    level: float,
    ci: ConfidenceScale = "log-log",
) -> CurveLimits:
    """The limits of one curve, as wide as its patients and its sites ask for.

    Those of `plain` take devices as independent. Without `cluster` each limit is the widest of
    these and of the two that are robust; with it the limits are of that kind alone, where there
    are enough of it. mean: the restricted mean as told, whose limits are to be robust too.
    """
    length = mean["until_months"] - mean["from_months"] if mean else None
    asked = _CurveAsked(span, times, length, incidence, level, ci)
    found = {NOTHING: plain}
    if (patients := _of_patients(group, asked)) is not None:
        found[PATIENTS] = patients
    if (sites := _of_sites(group, asked)) is not None:
        found[SITES] = sites
    only = {"patient": PATIENTS, "site": SITES}.get(cluster or "")
    kept = {only: found[only]} if only in found else found
    lower = _extreme(np.fmin, [each.lower for each in kept.values()])
    upper = _extreme(np.fmax, [each.upper for each in kept.values()])
    limits = median_limits(times, lower, upper, falls=not incidence)
    said: dict[str, Any] = {"median_lower": limits[0], "median_upper": limits[1]}
    if mean:
        half = max(each.half or 0.0 for each in kept.values())
        around = (max(0.0, mean["mean_months"] - half), mean["mean_months"] + half)
        said["restricted_mean"] = {**mean, "ci_lower": around[0], "ci_upper": around[1]}
    said["robust_to"] = _widest(kept)
    said["standard_errors"] = _told(found, times)
    return CurveLimits(lower, upper, said)


def _extreme(pick: np.ufunc, limits: Sequence[Floats]) -> Floats:
    """The outermost of these limits at each month, of those that are defined."""
    found: Floats = pick.reduce(np.array(limits), axis=0)
    return found


def _widest(kept: Mapping[str, Spread]) -> Cell:
    """Which kind has the widest limits at the last month with an event that has any."""
    names = list(kept)
    widths = np.array([each.upper - each.lower for each in kept.values()])
    told = np.flatnonzero(~np.isnan(widths).all(axis=0))
    return names[int(np.nanargmax(widths[:, told[-1]]))] if told.size else names[0]


def _told(found: Mapping[str, Spread], times: Floats) -> dict[str, Cell] | None:
    """The standard error of each kind at the last month with an event where all have one."""
    errors = np.array([each.se for each in found.values()])
    defined = np.flatnonzero(~np.isnan(errors).any(axis=0))
    if not defined.size:
        return None
    last = defined[-1]
    own = {name: float(error) for name, error in zip(found, errors[:, last], strict=True)}
    return {
        "at_months": int(times[last]),
        "of_independent_devices": own[NOTHING],
        "robust_to_patients": own.get(PATIENTS),
        "robust_to_sites": own.get(SITES),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _CurveAsked:
    """A curve's first and last month, its months with events, and how limits are wanted.

    length: how many months its restricted mean is over, where it has one.
    """

    span: Span
    times: Floats
    length: int | None
    incidence: bool
    level: float
    ci: ConfidenceScale

    @property
    def at(self) -> Ints:
        """The places of the months with events."""
        return self.times.astype(np.int64) - self.span[0]


def _of_patients(group: Group, asked: _CurveAsked) -> Spread | None:
    if group.patients is None:
        return None
    found = robust_to_patients(
        group.counts,
        group.patients,
        asked.span,
        incidence=asked.incidence,
        level=asked.level,
        ci=asked.ci,
    )
    if found is None:
        return None
    half = None if asked.length is None else found.mean_half_width(asked.length)
    return Spread(found.se[asked.at], found.lower[asked.at], found.upper[asked.at], half)


def _of_sites(group: Group, asked: _CurveAsked) -> Spread | None:
    if group.sites is None:
        return None
    table = group.sites.months(asked.span, incidence=asked.incidence)
    found = jackknifed(table, incidence=asked.incidence, level=asked.level, ci=asked.ci)
    if found is None:
        return None
    half = None
    if asked.length is not None:
        half = found.mean_half_width(asked.length, level=asked.level)
    return Spread(found.se[asked.at], found.lower[asked.at], found.upper[asked.at], half)

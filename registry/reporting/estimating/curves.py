"""Exact survival and cumulative incidence, from devices' lifetimes to rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry.records import BadQuery, Cell, EventQuery, Fault
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.clusters import PATIENTS, SITES
from registry.reporting.estimating.curve_groups import (
    DEATH,
    EXPLANT,
    FEWEST_AT_RISK,
    STOPPED,
    THE_EVENT,
    Group,
    groups_of,
)
from registry.reporting.estimating.curve_limits import Spread, curve_limits
from registry.reporting.estimating.curve_tests import grays_test, logrank_test, within_strata
from registry.reporting.estimating.landmarks import (
    landmarks_of,
    restricted_mean_of,
    risks_of,
)
from registry.reporting.estimating.rows import shown_value
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.statistics.survival import (
    LifeCounts,
    aalen_johansen,
    product_limit,
)
from registry.vocabulary import CellStatus

FEWEST_STABLE_EVENTS = 20
MOST_ROWS = 2000
HALF = 0.5

AT_THE_END = {"event": THE_EVENT, "death": DEATH, "explant": EXPLANT, "therapy_stopped": STOPPED}

Span = tuple[int, int]
ConfidenceScale = Literal["log-log", "log", "plain"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A curve at each month with an event of interest, and its metadata."""

    times: Floats
    at_risk: Ints
    events: Ints
    estimate: Floats
    se: Floats
    lower: Floats
    upper: Floats
    said: Mapping[str, Any]


def survival_curves(store: Store, question: Question) -> tuple[list[Row], dict[str, Any]]:
    """Kaplan-Meier curves by group, and a log-rank test where there are groups.

    Raises BadQuery where the answer would be over 2,000 rows.
    """
    ci = _scale(question.query.ci)
    level = question.query.level

    def steps(counts: LifeCounts, span: Span) -> Steps:
        found = product_limit(counts, level=level, ci=ci)
        return Steps(
            found.times,
            found.at_risk,
            found.events,
            found.survival,
            found.se,
            found.lower,
            found.upper,
            {
                "median_months": found.median,
                "restricted_mean": restricted_mean_of(found, span, level=level),
            },
        )

    groups = groups_of(store, question, clusters=_clusters(question))
    rows, curves = _drawn(groups, question, store.manifest.terms, steps, start=1.0)
    said: dict[str, Any] = {"curves": curves, "logrank": None}
    if question.query.group_by:
        said["logrank"] = logrank_test(groups, question)
    if question.query.adjust:
        said["stratified_logrank"] = within_strata(store, groups, question)
    return rows, {**said, "warnings": _warnings(groups, curves)}


def incidence_curves(store: Store, question: Question) -> tuple[list[Row], dict[str, Any]]:
    """Aalen-Johansen curves by group: the event before death, explant and the end of therapy.

    Where an event and the end of follow-up share a month, the event counts as first. `at_end` of
    each curve adds up to 1. Raises BadQuery where the answer would be over 2,000 rows.
    """
    level = question.query.level

    def steps(counts: LifeCounts, span: Span) -> Steps:
        found = aalen_johansen(counts, level=level)
        nothing = np.zeros(found.times.size)
        events = found.events.get(THE_EVENT, nothing.astype(np.int64))
        own = np.flatnonzero(events)
        estimate = found.incidence.get(THE_EVENT, nothing)
        last = found.times.size - 1
        ends = {
            name: float(found.incidence[cause][last]) if cause in found.incidence else 0.0
            for name, cause in AT_THE_END.items()
        }
        free = float(found.survival[last]) if found.times.size else 1.0
        unknown = np.full(found.times.size, np.nan)
        reached = np.flatnonzero(estimate >= HALF)
        median = float(found.times[reached[0]]) if reached.size else None
        se, lower, upper = (
            each.get(THE_EVENT, unknown)[own] for each in (found.se, found.lower, found.upper)
        )
        return Steps(
            found.times[own],
            found.at_risk[own],
            events[own],
            estimate[own],
            se,
            lower,
            upper,
            {
                "median_months": median,
                "at_end": {**ends, "free": free},
            },
        )

    groups = groups_of(store, question, clusters=_clusters(question), competing=True)
    rows, curves = _drawn(groups, question, store.manifest.terms, steps, start=0.0)
    tested = grays_test(groups, question) if question.query.group_by else None
    said = {"curves": curves, "logrank": None, "gray": tested}
    return rows, {**said, "warnings": _warnings(groups, curves)}


def _clusters(question: Question) -> Collection[str]:
    """What the limits of a question's curves are to be robust to."""
    return {"patient": (PATIENTS,), "site": (PATIENTS, SITES)}.get(
        question.query.cluster or "", (PATIENTS, SITES)
    )


def _robust(curve: Steps, group: Group, span: Span, question: Question, *, start: float) -> Steps:
    """The same curve with limits that are as wide as its patients and sites ask for."""
    mean = curve.said.get("restricted_mean")
    half = None if mean is None else mean["ci_upper"] - mean["mean_months"]
    found = curve_limits(
        group,
        span,
        curve.times,
        Spread(curve.se, curve.lower, curve.upper, half),
        mean,
        incidence=not start,
        cluster=question.query.cluster,
        level=question.query.level,
        ci=_scale(question.query.ci),
    )
    return replace(curve, lower=found.lower, upper=found.upper, said={**curve.said, **found.said})


def _scale(ci: str | None) -> ConfidenceScale:
    if ci == "log":
        return "log"
    return "plain" if ci == "plain" else "log-log"


def _drawn(
    groups: Sequence[Group],
    question: Question,
    terms: Terms,
    steps: Callable[[LifeCounts, Span], Steps],
    *,
    start: float,
) -> tuple[list[Row], list[dict[str, Any]]]:
    """The rows of every curve, and the metadata of each; start: its first value."""
    rows: list[Row] = []
    curves = []
    spans = [group.span() for group in groups]
    longest = max((span[1] for span in spans if span), default=0)
    for group, span in zip(groups, spans, strict=True):
        said = named(group.key, question.query, terms)
        said |= {
            "devices": group.counts.devices,
            "events": 0,
            "events_outside": group.events,
            "median_months": None,
            "median_lower": None,
            "median_upper": None,
            "landmarks": [],
            "numbers_at_risk": [],
            "starts_at_months": None,
            "ends_at_months": None,
            "excluded_before_entry": group.before_entry,
        }
        if span is None:
            rows.append(_untold(group))
        else:
            curve = steps(group.counts.between(*span), span)
            curve = _robust(curve, group, span, question, start=start)
            drawn = (curve.times, curve.estimate, curve.lower, curve.upper)
            on_curve = int(curve.events.sum())
            said |= {
                "events": on_curve,
                "events_outside": group.events - on_curve,
                "starts_at_months": span[0],
                "ends_at_months": span[1],
                "landmarks": landmarks_of(drawn, group.counts, span, start=start),
                "numbers_at_risk": risks_of(group.counts.at_risk_by_month(), span, longest),
                **curve.said,
            }
            rows += _rows(group, span, curve, start=start)
        curves.append(said)
        if len(rows) > MOST_ROWS:
            raise BadQuery(
                Fault(
                    "group_by",
                    "too-many-cells",
                    f"The answer has over {MOST_ROWS} rows: group by fewer dimensions or filter "
                    "more.",
                )
            )
    return rows, curves


def named(key: Key, query: EventQuery, terms: Terms) -> dict[str, Any]:
    """The group of a curve, as shown in rows."""
    return {
        name: shown_value(name, value, labels=query.labels, terms=terms)
        for name, value in zip(query.group_by, key, strict=True)
    }


def _untold(group: Group) -> Row:
    """A group that never had enough at risk: its numbers, without a curve."""
    at_risk = int(group.counts.at_risk_by_month().max(initial=0))
    status = CellStatus.UNSTABLE if at_risk else CellStatus.NO_DENOMINATOR
    return Row(group.key, _numbers(0, at_risk, 0, None, None, None), status)


def _rows(group: Group, span: tuple[int, int], curve: Steps, *, start: float) -> list[Row]:
    """Rows for the first month, each month with an event, and the last; one row a month.

    A row has the number at risk before its month's events, and the estimate after them: with events
    in the first month, the first row differs from the curve's start.
    """
    first, last = span
    at_risk = group.counts.at_risk_by_month()
    events = int(curve.events.sum())
    stable = CellStatus.OK if events >= FEWEST_STABLE_EVENTS else CellStatus.UNSTABLE
    status = stable if events else CellStatus.ZERO
    told = []
    if not (curve.times.size and curve.times[0] == first):
        told.append(_numbers(first, int(at_risk[first]), 0, start, start, start))
    columns = (curve.times, curve.at_risk, curve.events, curve.estimate, curve.lower, curve.upper)
    for time, n, d, *values in zip(*(column.tolist() for column in columns), strict=True):
        told.append(_numbers(int(time), n, d, *values))
    if told[-1]["time_months"] != last:
        limits = (None, None) if not events else (told[-1]["ci_lower"], told[-1]["ci_upper"])
        told.append(_numbers(last, int(at_risk[last]), 0, told[-1]["estimate"], *limits))
    return [Row(group.key, numbers, status) for numbers in told]


def _numbers(
    time: int, at_risk: int, events: int, estimate: Any, lower: Any, upper: Any
) -> dict[str, Cell]:
    return {
        "time_months": time,
        "at_risk": at_risk,
        "events": events,
        "estimate": estimate,
        "ci_lower": defined(lower),
        "ci_upper": defined(upper),
    }


def defined(limit: float | None) -> float | None:
    """A limit, None where there is none."""
    return None if limit is None or np.isnan(limit) else limit


def _warnings(groups: Sequence[Group], curves: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings that depend on the devices behind the curves."""
    said = []
    untold = [curve for curve in curves if curve["starts_at_months"] is None]
    if untold:
        which = "The selection" if not groups[0].key else f"Of the groups {len(untold)}"
        said.append(
            f"{which} never had {FEWEST_AT_RISK} devices at risk at once: there is no curve."
        )
    if any(curve["starts_at_months"] for curve in curves):
        said.append(
            f"Where devices entered late a curve starts at the first month with {FEWEST_AT_RISK} "
            "at risk: it describes devices that were free of the event until then."
        )
    outside = sum(curve["events_outside"] for curve in curves)
    if outside:
        said.append(
            f"First events while fewer than {FEWEST_AT_RISK} were at risk are on no curve: "
            f"{outside}."
        )
    early = sum(group.before_entry for group in groups)
    if early:
        said.append(f"Events before their device was followed are left out: {early}.")
    return said

"""Exact survival and cumulative incidence, from devices' lifetimes to rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry.records import BadQuery, Cell, EventQuery, Fault
from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.landmarks import landmarks_of, restricted_mean_of
from registry.reporting.estimating.rows import ordered, shown_value
from registry.reporting.words.reasons import in_words
from registry.snapshot.counting import before_entry
from registry.snapshot.lives import BY_EVENT, ENTERED, Lives, lives, lives_of
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.statistics.gray import gray_test
from registry.statistics.landmarks import median_limits
from registry.statistics.life_counts import CENSORED
from registry.statistics.results import Limits, Reason
from registry.statistics.survival import (
    LifeCounts,
    aalen_johansen,
    logrank_of,
    product_limit,
    stratified_logrank,
)
from registry.vocabulary import CellStatus, ExitStatus

FEWEST_AT_RISK = 10
"""A curve starts at the first month with so many at risk, and stops where fewer are."""

FEWEST_STABLE_EVENTS = 20
MOST_ROWS = 2000
HALF = 0.5

THE_EVENT, DEATH, EXPLANT, STOPPED = 1, 2, 3, 4
COMPETING = {
    ExitStatus.DEATH_RELATED: DEATH,
    ExitStatus.DEATH_UNRELATED: DEATH,
    ExitStatus.DEATH_UNKNOWN: DEATH,
    ExitStatus.REPLACED_FOR_FAILURE: EXPLANT,
    ExitStatus.EXPLANTED_FOR_COMPLICATION: EXPLANT,
    ExitStatus.EXPLANT_ELECTIVE: EXPLANT,
    ExitStatus.THERAPY_DISCONTINUED: STOPPED,
}
"""Competing ends of follow-up; every other end censors."""

NOT_COMPARED = {
    Reason.NO_OBSERVATIONS: "There are no devices to compare.",
    Reason.ONE_GROUP: "There is only one group.",
    Reason.NOTHING_TO_COMPARE: "No event happened while devices of two groups were at risk.",
}
CAUSE_OF = {status.value: cause for status, cause in COMPETING.items()}
AT_THE_END = {"event": THE_EVENT, "death": DEATH, "explant": EXPLANT, "therapy_stopped": STOPPED}

TWO_CLOCKS = "The curves run on two clocks, a pump's and a catheter's, and are not compared."
Span = tuple[int, int]
ConfidenceScale = Literal["log-log", "log", "plain"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The devices of one curve, counted by month.

    counts: when they entered and when they were last at risk: at the first event, THE_EVENT, at
    another of COMPETING, or censored. before_entry: events before entry.
    """

    key: Key
    counts: LifeCounts
    before_entry: int

    @property
    def events(self) -> int:
        """The number of first events, on the curve or beyond its ends."""
        return int(self.counts.ended_of(THE_EVENT).sum())

    def span(self) -> tuple[int, int] | None:
        """The first month with enough at risk and the last before there are fewer, or None.

        Without delayed entry the first is always 0.
        """
        enough = self.counts.at_risk_by_month() >= FEWEST_AT_RISK
        if not enough.any():
            return None
        first = int(np.argmax(enough))
        fewer = np.flatnonzero(~enough[first:])
        return first, first + int(fewer[0]) - 1 if fewer.size else int(enough.size) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A curve at each month with an event of interest, and its metadata."""

    times: Floats
    at_risk: Ints
    events: Ints
    estimate: Floats
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
            found.lower,
            found.upper,
            {
                "median_months": found.median,
                **_median(median_limits(found.times, found.lower, found.upper)),
                "restricted_mean": restricted_mean_of(found, span, level=level),
            },
        )

    groups = _groups(store, question)
    rows, curves = _drawn(groups, question, store.manifest.terms, steps, start=1.0)
    said: dict[str, Any] = {"curves": curves, "logrank": None}
    if question.query.group_by:
        said["logrank"] = _logrank(groups, question)
    if question.query.adjust:
        said["stratified_logrank"] = _within_strata(store, groups, question)
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
        lower, upper = (limits.get(THE_EVENT, unknown) for limits in (found.lower, found.upper))
        return Steps(
            found.times[own],
            found.at_risk[own],
            events[own],
            estimate[own],
            lower[own],
            upper[own],
            {
                "median_months": median,
                **_median(median_limits(found.times, lower, upper, falls=False)),
                "at_end": {**ends, "free": free},
            },
        )

    groups = _groups(store, question)
    rows, curves = _drawn(groups, question, store.manifest.terms, steps, start=0.0)
    tested = _gray(groups, question) if question.query.group_by else None
    said = {"curves": curves, "logrank": None, "gray": tested}
    return rows, {**said, "warnings": _warnings(groups, curves)}


def _median(limits: Limits) -> dict[str, Cell]:
    return {"median_lower": limits[0], "median_upper": limits[1]}


def _scale(ci: str | None) -> ConfidenceScale:
    if ci == "log":
        return "log"
    return "plain" if ci == "plain" else "log-log"


def _groups(store: Store, question: Question) -> list[Group]:
    """The devices of each curve, in the order of the answer."""
    found: dict[Key, Group] = {}
    statuses = store.codes.lists["exit_status"]
    causes = np.array([CAUSE_OF.get(status, CENSORED) for status in statuses])
    for part in question.parts:
        clock, selection = str(part.clock), part.selection
        without, changes = lives(store, selection, clock=clock, per_patient=part.per_patient)
        early = before_entry(store, selection, clock=clock)
        for key in without:
            life = lives_of(without, changes, key, key)
            found[key] = Group(key, _counts(life, causes), early.pop(key, 0))
        if not question.query.group_by and not found:
            found[()] = Group((), _counts(Lives.none(), causes), early.get((), 0))
    unordered = replace(question, query=replace(question.query, ordering=()))
    rows = [Row(key, {}, CellStatus.OK) for key in found]
    in_order = ordered(rows, question=unordered, terms=store.manifest.terms, columns=())
    return [found[row.key] for row in in_order]


def _counts(life: Lives, causes: Ints) -> LifeCounts:
    """The months of a group; a device with an event ends by it, whatever else was in that month.

    causes: the cause of each exit status, by its number.
    """
    months, places = np.unique(life.month, return_inverse=True)
    n, entered = life.sums[:, 0], life.what == ENTERED
    cause = np.where(life.what == BY_EVENT, THE_EVENT, causes[life.why])

    def by_month(lines: NDArray[np.bool_]) -> Ints:
        found = np.zeros(months.size, dtype=np.int64)
        np.add.at(found, places[lines], n[lines])
        return found

    ended = {
        each: by_month(~entered & (cause == each)) for each in np.unique(cause[~entered]).tolist()
    }
    return LifeCounts(months.astype(np.float64), by_month(entered), ended)


def _drawn(
    groups: Iterable[Group],
    question: Question,
    terms: Terms,
    steps: Callable[[LifeCounts, Span], Steps],
    *,
    start: float,
) -> tuple[list[Row], list[dict[str, Any]]]:
    """The rows of every curve, and the metadata of each; start: its first value."""
    rows: list[Row] = []
    curves = []
    for group in groups:
        span = group.span()
        said = named(group.key, question.query, terms)
        said |= {
            "devices": group.counts.devices,
            "events": 0,
            "events_outside": group.events,
            "median_months": None,
            **_median((None, None)),
            "landmarks": [],
            "starts_at_months": None,
            "ends_at_months": None,
            "excluded_before_entry": group.before_entry,
        }
        if span is None:
            rows.append(_untold(group))
        else:
            curve = steps(group.counts.between(*span), span)
            drawn = (curve.times, curve.estimate, curve.lower, curve.upper)
            on_curve = int(curve.events.sum())
            said |= {
                "events": on_curve,
                "events_outside": group.events - on_curve,
                "starts_at_months": span[0],
                "ends_at_months": span[1],
                "landmarks": landmarks_of(drawn, group.counts, span, start=start),
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
        "ci_lower": _defined(lower),
        "ci_upper": _defined(upper),
    }


def _defined(limit: float | None) -> float | None:
    return None if limit is None or np.isnan(limit) else limit


def _logrank(groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """The log-rank test over all follow-up; where undefined, with the reason."""
    if len({part.clock for part in question.parts}) > 1:
        return {"chi2": None, "df": None, "p": None, "reason": TWO_CLOCKS}
    found = logrank_of([group.counts for group in groups])
    reason = NOT_COMPARED[found.reason] if found.reason else None
    return {"chi2": found.chi2, "df": found.df, "p": found.p, "reason": reason}


def _within_strata(store: Store, groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """The log-rank test of the same groups within the strata that are asked for."""
    query = question.query
    finer = replace(query, group_by=(*query.group_by, *query.adjust), adjust=())
    cells = {
        each.key: each.counts
        for each in _groups(
            store,
            question_of(finer, question.spec, manifest=store.manifest, as_of=question.as_of),
        )
    }
    size = len(query.group_by)
    strata = list(dict.fromkeys(key[size:] for key in cells))
    nobody = _counts(Lives.none(), np.zeros(0, dtype=np.int64))
    tables = [[cells.get(each.key + stratum, nobody) for each in groups] for stratum in strata]
    told = {"adjusted_for": list(query.adjust), "strata": len(strata)}
    if len({part.clock for part in question.parts}) > 1:
        return {**told, "chi2": None, "df": None, "p": None, "reason": TWO_CLOCKS}
    found = stratified_logrank(tables)
    reason = NOT_COMPARED[found.reason] if found.reason else None
    return {**told, "chi2": found.chi2, "df": found.df, "p": found.p, "reason": reason}


def _gray(groups: Sequence[Group], question: Question) -> dict[str, Any]:
    """Gray's test over all follow-up; where undefined, with the reason."""
    if len({part.clock for part in question.parts}) > 1:
        return {"chi2": None, "df": None, "p": None, "reason": TWO_CLOCKS}
    found = gray_test([group.counts for group in groups])
    df = found.df if found.chi2 is not None else None
    return {"chi2": found.chi2, "df": df, "p": found.p, "reason": in_words(found.reason)}


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

"""The burden of events that recur: from sums of devices and events to rows by month."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import BadQuery, Cell, Fault
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.curve_groups import FEWEST_AT_RISK
from registry.reporting.estimating.curves import MOST_ROWS, defined, named
from registry.reporting.estimating.landmarks import risks_of
from registry.reporting.estimating.rows import ordered
from registry.snapshot.counting import before_entry
from registry.snapshot.recurrences import DeviceEvents, device_events
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.burden import Recurrences, at_risk_by_month, mean_cumulative
from registry.vocabulary import CellStatus

FEWEST_STABLE_EVENTS = 20
MEANS = (12, 36, 60)
"""Months at which an answer's sentences tell the mean."""


def burden_curves(store: Store, question: Question) -> tuple[list[Row], dict[str, Any]]:
    """The mean cumulative number of events a device by group and month, and about each curve.

    A curve starts at the first month with ten devices at risk and ends before there are fewer.
    Raises BadQuery where the answer would be over 2,000 rows.
    """
    groups: dict[Key, DeviceEvents] = {}
    early: dict[Key, int] = {}
    for part in question.parts:
        clock = str(part.clock)
        groups |= device_events(store, part.selection, clock=clock)
        early |= before_entry(store, part.selection, clock=clock)
    rows: list[Row] = []
    curves = []
    risks = []
    for key in _in_order(groups, store, question):
        told, about, at_risk = _curve(key, groups[key], level=question.query.level)
        rows += told
        risks.append(at_risk)
        of_group = named(key, question.query, store.manifest.terms)
        curves.append({**of_group, **about, "excluded_before_entry": early.get(key, 0)})
        if len(rows) > MOST_ROWS:
            detail = f"The answer has over {MOST_ROWS} rows: group by fewer or filter more."
            raise BadQuery(Fault("group_by", "too-many-cells", detail))
    longest = max((curve["ends_at_months"] or 0 for curve in curves), default=0)
    for curve, at_risk in zip(curves, risks, strict=True):
        if curve["ends_at_months"] is not None:
            span = curve["starts_at_months"], curve["ends_at_months"]
            curve["numbers_at_risk"] = risks_of(at_risk, span, longest)
    return rows, {"curves": curves}


def _in_order(groups: Mapping[Key, DeviceEvents], store: Store, question: Question) -> list[Key]:
    unordered = replace(question, query=replace(question.query, ordering=()))
    rows = [Row(key, {}, CellStatus.OK) for key in groups]
    terms = store.manifest.terms
    return [row.key for row in ordered(rows, question=unordered, terms=terms, columns=())]


def _curve(
    key: Key, given: DeviceEvents, *, level: float
) -> tuple[list[Row], dict[str, Any], NDArray[np.int64]]:
    """The rows of one curve, what is said of it, and how many are at risk by month from 0."""
    sums = Recurrences(*given.devices.columns, *given.events.columns, *given.pairs.columns)
    at_risk = at_risk_by_month(sums)
    devices, events = int(sums.devices.sum()), int(sums.events.sum())
    enough = at_risk >= FEWEST_AT_RISK
    about: dict[str, Any] = {
        "devices": devices,
        "events": 0,
        "events_outside": events,
        "starts_at_months": None,
        "ends_at_months": None,
        "numbers_at_risk": [],
    }
    if not enough.any():
        numbers = _numbers(0, int(at_risk.max(initial=0)), 0, None, None, None)
        return [Row(key, numbers, CellStatus.UNSTABLE)], about, at_risk
    first = int(np.argmax(enough))
    fewer = np.flatnonzero(~enough[first:])
    last = first + int(fewer[0]) - 1 if fewer.size else int(at_risk.size) - 1
    found = mean_cumulative(sums, first=first, last=last, level=level)
    counted = int(found.events.sum())
    about |= {
        "events": counted,
        "events_outside": events - counted,
        "starts_at_months": first,
        "ends_at_months": last,
        "means": [
            {"months": month, "mean": _at(found.times, found.mean, month)}
            for month in MEANS
            if first <= month <= last
        ],
    }
    status = CellStatus.OK if counted >= FEWEST_STABLE_EVENTS else CellStatus.UNSTABLE
    rows = []
    if not (found.times.size and found.times[0] == first):
        rows.append(_numbers(first, int(at_risk[first]), 0, 0.0, None, None))
    columns = (found.times, found.at_risk, found.events, found.mean, found.lower, found.upper)
    for values in zip(*(column.tolist() for column in columns), strict=True):
        rows.append(_numbers(*values))
    if rows[-1]["time_months"] != last:
        end = rows[-1]
        limits = (end["ci_lower"], end["ci_upper"])
        rows.append(_numbers(last, int(at_risk[last]), 0, end["estimate"], *limits))
    status = status if counted else CellStatus.ZERO
    return [Row(key, numbers, status) for numbers in rows], about, at_risk


def _at(times: Any, mean: Any, month: int) -> float:
    """The mean by a month."""
    reached = int(np.searchsorted(times, month, side="right"))
    return float(mean[reached - 1]) if reached else 0.0


def _numbers(
    time: int, at_risk: int, events: int, estimate: Any, lower: Any, upper: Any
) -> dict[str, Cell]:
    return {
        "time_months": int(time),
        "at_risk": int(at_risk),
        "events": int(events),
        "estimate": estimate,
        "ci_lower": defined(lower),
        "ci_upper": defined(upper),
    }

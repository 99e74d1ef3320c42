"""Survival for everybody who may not see true numbers: interval life tables of shown nodes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from registry.disclosure import (
    BOUNDARIES,
    CurvePoint,
    CurveTruth,
    Keyed,
    Node,
    Plan,
    Protection,
    Tree,
    life_table,
)
from registry.records import Cell, EventQuery, Fault, NotAvailableAtThisDetail
from registry.reporting.asking.question import Sort, sort_of_unit
from registry.reporting.asking.spec import Row
from registry.reporting.estimating.curves import FEWEST_STABLE_EVENTS, HALF, named
from registry.reporting.protected.truths import Natural, Sheet, keyed
from registry.snapshot.counting import Sums
from registry.snapshot.lives import BY_EVENT, ENTERED, Ints, Lives, lives, lives_of
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.vocabulary import CellStatus, HiddenReason

NOT_TESTED = "Groups are compared by exact numbers only."


def finer_curves(query: EventQuery) -> Iterable[Fault]:
    """What of a question the life table does not have."""
    if query.ci is not None:
        detail = "limits of published curves are on the log-log scale; leave it out"
        yield Fault("ci", NotAvailableAtThisDetail.code, detail)
    if "implant_year" in {*query.group_by, *dict(query.where)}:
        detail = "curves are not published by year of implant; leave it out"
        yield Fault("implant_year", NotAvailableAtThisDetail.code, detail)


def curve_truths(
    asked: Iterable[Node], *, store: Store, trees: Mapping[str, Tree]
) -> dict[Node, CurveTruth]:
    """The true numbers behind the curve of each node; three statements for nodes that are alike.

    The first events are those of the node's rate, keyed as there, up to the last boundary.
    """
    natural = Natural(trees, store.manifest.terms)
    alike: dict[tuple[Sort, tuple[str, ...]], list[Node]] = {}
    for node in asked:
        sort = sort_of_unit(natural.chosen(node), natural.unit(node))
        alike.setdefault((sort, tuple(node)), []).append(node)
    found: dict[Node, CurveTruth] = {}
    for ((_unit, clock, of_patient), _names), members in alike.items():
        sheet = Sheet.of(members, trees)
        without, changes = lives(
            store, sheet.selection, clock=str(clock), per_patient=of_patient, keyed=True
        )
        for node, key in sheet.key_of.items():
            found[node] = _truth(lives_of(without, changes, key, sheet.shared(node)))
    return found


def _truth(life: Lives) -> CurveTruth:
    """Who was at risk at each boundary, and whose first event came between two.

    At 0 all are at risk that were followed from the start, those with an event in month 0 too.
    """
    entered, month = life.what == ENTERED, life.month
    at_risk = []
    for boundary in BOUNDARIES:
        upto = month <= boundary
        present = life.sums[entered & upto].sum(axis=0)
        if boundary:
            present -= life.sums[~entered & upto].sum(axis=0)
        at_risk.append(_keyed(present))
    events = []
    had = life.what == BY_EVENT
    for place, (after, last) in enumerate(pairwise(BOUNDARIES)):
        inside = had & (month <= last)
        if place:
            inside &= month > after
        events.append(_keyed(life.owners[inside].sum(axis=0)))
    return CurveTruth(at_risk=tuple(at_risk), events=tuple(events))


def _keyed(sums: Ints) -> Keyed:
    return keyed(Sums(*sums.tolist()))


def curve_rows(
    planned: Plan,
    truths: Mapping[Node, CurveTruth],
    protection: Protection,
    *,
    query: EventQuery,
    terms: Terms,
    stored: Callable[[str, str], Cell],
) -> tuple[list[Row], dict[str, Any]]:
    """Nine rows for each row of a plan, whatever can be told of them, and the curves' own meta.

    stored: a label of a grouping as exact rows hold it.
    """
    rows: list[Row] = []
    curves = []
    for row in planned.rows:
        labelled = zip(planned.group_by, row.labels, strict=True)
        key = tuple(stored(name, label) for name, label in labelled)
        points: Sequence[CurvePoint] = ()
        if row.nodes:
            (node,) = row.nodes
            points = life_table(truths[node], protection, level=query.level)
        told = points or [CurvePoint(month, None, None, None, None, None) for month in BOUNDARIES]
        events = sum(point.events or 0 for point in told)
        last = max(
            (point.time_months for point in points if point.estimate is not None), default=None
        )
        rows += [
            Row(key, *_told(point, events=events, possible=bool(row.nodes), last=last))
            for point in told
        ]
        curves.append(named(key, query, terms) | _said(told))
    tested = {"chi2": None, "df": None, "p": None, "reason": NOT_TESTED}
    return rows, {"curves": curves, "logrank": tested if planned.group_by else None}


def _told(
    point: CurvePoint, *, events: int, possible: bool, last: int | None
) -> tuple[dict[str, Cell], CellStatus]:
    """The columns and the status of one boundary. last: the last month that has an estimate.

    What hides a boundary is given as far as the shown ones tell it. Before the last of them the
    events up to it were too few, or the curve would have ended; behind it these or those at risk
    are, and which is not given.
    """
    shown = point.estimate is not None
    numbers: dict[str, Cell] = {
        "time_months": point.time_months,
        "at_risk": point.at_risk,
        "events": point.events if possible else 0,
        "estimate": point.estimate,
        "ci_lower": point.ci_lower,
        "ci_upper": point.ci_upper,
        "hidden_cells": 0 if shown or not possible else 1,
    }
    if not possible:
        return numbers, CellStatus.ZERO
    if not shown:
        if last is None:
            return numbers | {"reason": HiddenReason.CURVE}, CellStatus.HIDDEN
        if point.time_months < last:
            return numbers, CellStatus.SUPPRESSED
        return numbers | {"reason": HiddenReason.CURVE_END}, CellStatus.HIDDEN
    return numbers, CellStatus.OK if events >= FEWEST_STABLE_EVENTS else CellStatus.UNSTABLE


def _said(points: Sequence[CurvePoint]) -> dict[str, Any]:
    """A curve as a whole, from what is shown of it.

    A life table has no median month: `median_between` are the two shown months between which the
    estimate came down to one half.
    """
    told = [point for point in points if point.estimate is not None]
    halved = [(start, end) for start, end in pairwise(told) if (end.estimate or 0.0) <= HALF]
    return {
        "devices": points[0].at_risk,
        "events": sum(point.events or 0 for point in told) if len(told) > 1 else None,
        "median_months": None,
        "median_between": [point.time_months for point in halved[0]] if halved else None,
        "starts_at_months": told[0].time_months if told else None,
        "ends_at_months": told[-1].time_months if told else None,
        "excluded_before_entry": None,
    }

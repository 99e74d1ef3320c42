"""Curves for everybody who may not see true numbers: interval life tables of shown nodes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.disclosure import (
    BOUNDARIES,
    CurvePoint,
    CurveTruth,
    Node,
    Plan,
    Protection,
    Tree,
    incidence_table,
    life_table,
    mean_of_shown,
)
from registry.records import Cell, EventQuery, Fault, NotAvailableAtThisDetail
from registry.reporting.asking.question import Sort, sort_of_unit
from registry.reporting.asking.spec import Row
from registry.reporting.estimating.curve_groups import CAUSE_OF, THE_EVENT
from registry.reporting.estimating.curves import AT_THE_END, FEWEST_STABLE_EVENTS, HALF, named
from registry.reporting.estimating.landmarks import LANDMARKS, landmark
from registry.reporting.protected.truths import Natural, sheets_of
from registry.snapshot.lives import BY_EVENT, ENTERED, LEFT, Ints, Lives, lives
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.vocabulary import CellStatus, HiddenReason

NOT_TESTED = "Groups are compared by exact numbers only."


def finer_curves(query: EventQuery) -> Iterable[Fault]:
    """What of a question the life table does not have."""
    if query.ci is not None:
        detail = "limits of published curves are on the log-log scale; leave it out"
        yield Fault("ci", NotAvailableAtThisDetail.code, detail)
    if query.adjust:
        detail = "no test of curves is published, in strata either; leave adjust out"
        yield Fault("adjust", NotAvailableAtThisDetail.code, detail)
    if "implant_year" in {*query.group_by, *dict(query.where)}:
        detail = "curves are not published by year of implant; leave it out"
        yield Fault("implant_year", NotAvailableAtThisDetail.code, detail)


def curve_truths(
    nodes: Iterable[Node], *, store: Store, trees: Mapping[str, Tree], competing: bool = True
) -> dict[Node, CurveTruth]:
    """The true numbers behind the curve of each node; three statements for nodes that are alike.

    competing: with how devices ended otherwise. The first events are those of the node's rate,
    keyed as there, up to the last boundary.
    """
    natural = Natural(trees, store.manifest.terms)
    kinds = _kinds_of_ends(store) if competing else {}

    def sort_of(node: Node) -> Sort:
        return sort_of_unit(natural.chosen(node), natural.unit(node))

    found: dict[Node, CurveTruth] = {}
    sheets = sheets_of(nodes, sort_of, trees=trees, hands=store.manifest.hands)
    for (_unit, clock, of_patient), sheet in sheets:
        without, changes = lives(
            store, sheet.selection, clock=str(clock), per_patient=of_patient, keyed=True
        )
        hands: Sequence[Key] = [(hand,) for hand in sheet.hands] or [()]
        for node, key in sheet.key_of.items():
            shared = sheet.shared(node)
            each = [
                (number, found_lives)
                for number, hand in enumerate(hands)
                for found_lives in (without.get((*shared, *hand)), changes.get((*key, *hand)))
                if found_lives is not None
            ]
            found[node] = _truth(each, len(hands), kinds, fixes_site=not sheet.hands)
    return found


def _kinds_of_ends(store: Store) -> dict[str, Ints]:
    """The numbers of the exit statuses that compete with an event, by kind."""
    statuses = store.codes.lists["exit_status"]
    return {
        kind: np.array(
            [number for number, status in enumerate(statuses) if CAUSE_OF.get(status) == cause]
        )
        for kind, cause in AT_THE_END.items()
        if cause != THE_EVENT
    }


def _truth(
    each: Sequence[tuple[int, Lives]], hands: int, kinds: Mapping[str, Ints], *, fixes_site: bool
) -> CurveTruth:
    """Who was at risk at each boundary, and what came between two, hand by hand.

    each: lives with the number of their hand, of so many hands. At 0 all are at risk that were
    followed from the start, those with an event in month 0 too.
    """
    lines = [Lives.none(keyed=True), *(life for _hand, life in each)]
    what, why, month, sums, owners = (
        np.concatenate([getattr(life, name) for life in lines])
        for name in ("what", "why", "month", "sums", "owners")
    )
    hand = np.repeat([0, *(number for number, _life in each)], [len(life.what) for life in lines])
    place = np.searchsorted(BOUNDARIES, month)

    def upto(counted: NDArray[np.bool_]) -> Ints:
        inside = counted & (place < len(BOUNDARIES))
        return _added(sums, place, hand, inside, (len(BOUNDARIES), hands)).cumsum(axis=0)

    interval = np.maximum(place - 1, 0)  # the first takes month 0

    def between(of: Ints, counted: NDArray[np.bool_]) -> Ints:
        inside = counted & (place < len(BOUNDARIES))
        return _added(of, interval, hand, inside, (len(BOUNDARIES) - 1, hands))

    at_risk = upto(what == ENTERED)
    at_risk[1:] -= upto(what != ENTERED)[1:]
    left = what == LEFT
    return CurveTruth(
        at_risk=at_risk,
        events=between(owners, what == BY_EVENT),
        ends={kind: between(sums, left & np.isin(why, of)) for kind, of in kinds.items()},
        fixes_site=fixes_site,
    )


def _added(
    sums: Ints, place: Ints, hand: Ints, inside: NDArray[np.bool_], shape: tuple[int, int]
) -> Ints:
    """Add lines up by place and hand."""
    found = np.zeros((*shape, sums.shape[1]), dtype=np.int64)
    np.add.at(found, (place[inside], hand[inside]), sums[inside])
    return found


def curve_rows(
    planned: Plan,
    truths: Mapping[Node, CurveTruth],
    protection: Protection,
    *,
    query: EventQuery,
    terms: Terms,
    stored: Callable[[str, str], Cell],
    competing: bool = False,
) -> tuple[list[Row], dict[str, Any]]:
    """Nine rows for each row of a plan, whatever can be told of them, and the curves' own meta.

    stored: a label of a grouping as exact rows hold it. competing: the probability of the event
    where other ends compete, instead of freedom from it.
    """
    table = incidence_table if competing else life_table
    rows: list[Row] = []
    curves = []
    for row in planned.rows:
        labelled = zip(planned.group_by, row.labels, strict=True)
        key = tuple(stored(name, label) for name, label in labelled)
        points: Sequence[CurvePoint] = ()
        if row.nodes:
            (node,) = row.nodes
            points = table(truths[node], protection, level=query.level)
        told = points or [CurvePoint(month, None, None, None, None, None) for month in BOUNDARIES]
        events = sum(point.events or 0 for point in told)
        last = max(
            (point.time_months for point in points if point.estimate is not None), default=None
        )
        rows += [
            Row(
                key,
                *_told(
                    point,
                    events=events,
                    possible=bool(row.nodes),
                    last=last,
                    by_count=not competing,
                ),
            )
            for point in told
        ]
        said = _said(told, competing=competing)
        if not competing:
            said["restricted_mean"] = _mean(told, protection, query.level)
        if competing:
            ends = _ends(truths[row.nodes[0]], protection, query.level) if row.nodes else {}
            said["at_end"] = _at_end(told, ends)
        curves.append(named(key, query, terms) | said)
    if competing:
        tested = {"chi2": None, "df": None, "p": None, "reason": NOT_TESTED}
        gray = tested if planned.group_by else None
        return rows, {"curves": curves, "logrank": None, "gray": gray}
    tested = {"chi2": None, "df": None, "p": None, "reason": NOT_TESTED}
    return rows, {"curves": curves, "logrank": tested if planned.group_by else None}


def _told(
    point: CurvePoint, *, events: int, possible: bool, last: int | None, by_count: bool
) -> tuple[dict[str, Cell], CellStatus]:
    """The columns and the status of one boundary. last: the last month that has an estimate.

    by_count: whether nothing but the count of events can hide a boundary between two shown ones.

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
            if by_count:
                return numbers, CellStatus.SUPPRESSED
            return numbers | {"reason": HiddenReason.CURVE_JOINED}, CellStatus.HIDDEN
        return numbers | {"reason": HiddenReason.CURVE_END}, CellStatus.HIDDEN
    return numbers, CellStatus.OK if events >= FEWEST_STABLE_EVENTS else CellStatus.UNSTABLE


def _ends(
    truth: CurveTruth, protection: Protection, level: float
) -> dict[str, Sequence[CurvePoint]]:
    """The curve of each kind of end that competes, the event and the other kinds against it."""
    found: dict[str, Sequence[CurvePoint]] = {}
    for kind, ends in truth.ends.items():
        others = {other: sums for other, sums in truth.ends.items() if other != kind}
        turned = replace(truth, events=ends, ends={"event": truth.events, **others})
        found[kind] = incidence_table(turned, protection, level=level)
    return found


def _at_end(
    points: Sequence[CurvePoint], ends: Mapping[str, Sequence[CurvePoint]]
) -> dict[str, float | None]:
    """What became of the devices by the last shown month; None of what is not shown there."""
    told = [point for point in points if point.estimate is not None]
    if len(told) < 2:
        return dict.fromkeys((*AT_THE_END, "free"))
    last = told[-1].time_months
    by_kind = {
        kind: next((point.estimate for point in curve if point.time_months == last), None)
        for kind, curve in ends.items()
    }
    found = {"event": told[-1].estimate, **by_kind}
    known = [share for share in found.values() if share is not None]
    free = max(0.0, 1 - sum(known)) if len(known) == len(found) else None
    return {**found, "free": free}


def _said(points: Sequence[CurvePoint], *, competing: bool) -> dict[str, Any]:
    """A curve as a whole, from what is shown of it.

    A life table has no median month: `median_between` are the two shown months between which the
    estimate came to one half. The limits of the median are shown months: the last at which the
    curve's own limit on the side of the event is not yet at one half, and the first at which the
    other one is.
    """
    told = [point for point in points if point.estimate is not None]
    passed = [
        (start, end)
        for start, end in pairwise(told)
        if ((end.estimate or 0.0) >= HALF if competing else (end.estimate or 0.0) <= HALF)
    ]
    before, by = _median_limits(told, competing=competing)
    return {
        "devices": points[0].at_risk,
        "events": sum(point.events or 0 for point in told) if len(told) > 1 else None,
        "median_months": None,
        "median_lower": before,
        "median_upper": by,
        "landmarks": [
            landmark(
                point.time_months,
                point.at_risk,
                point.estimate,
                point.ci_lower,
                point.ci_upper,
            )
            for point in told
            if point.time_months in LANDMARKS
        ]
        or None,
        "median_between": [point.time_months for point in passed[0]] if passed else None,
        "starts_at_months": told[0].time_months if told else None,
        "ends_at_months": told[-1].time_months if told else None,
        "excluded_before_entry": None,
    }


def _median_limits(told: Sequence[CurvePoint], *, competing: bool) -> tuple[int | None, int | None]:
    """The shown months that the median lies between, by the limits of the curve."""

    def is_past(limit: float) -> bool:
        return limit >= HALF if competing else limit <= HALF

    ahead: list[int] = []
    for point in told:
        soonest = point.ci_upper if competing else point.ci_lower
        if soonest is None or is_past(soonest):
            break
        ahead.append(point.time_months)
    latest = [
        (point.time_months, point.ci_lower if competing else point.ci_upper) for point in told
    ]
    over = [month for month, limit in latest if limit is not None and is_past(limit)]
    return (ahead[-1] if len(ahead) > 1 else None), (over[0] if over else None)


def _mean(
    points: Sequence[CurvePoint], protection: Protection, level: float
) -> dict[str, Cell] | None:
    """The mean months free of the event up to the last landmark that is shown; None before."""
    told = [point for point in points if point.estimate is not None]
    months = [point.time_months for point in told if point.time_months in LANDMARKS]
    if not months:
        return None
    found = mean_of_shown(told, protection.policy, until=months[-1], level=level)
    return {
        "from_months": 0,
        "until_months": found.until,
        "mean_months": found.mean,
        "ci_lower": found.lower,
        "ci_upper": found.upper,
    }

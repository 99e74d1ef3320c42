"""Pairs of events that sites linked as cause and effect."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from registry.records import BadQuery, Cell, EventQuery, Fault
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.cells import hold_to_limit, numbers_of
from registry.reporting.words import sentences
from registry.snapshot import cascades
from registry.snapshot.cascades import Interval
from registry.snapshot.counting import reported
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.vocabulary import CellStatus, CountingRule


def cascade_rows(store: Store, question: Question) -> tuple[list[Row], dict[str, Any]]:
    """A row for each pair that occurred, in the catalogue's order, causes first.

    A pair whose effect is dated before its cause has a wrong month: it is counted separately and
    left out of the median.
    """
    (level,) = question.query.group_by
    selection = question.parts[0].selection
    effects = effects_of(question.query, store.manifest.terms)
    found: dict[Key, list[Interval]] = {}
    for each in cascades.intervals(store, selection, level=level):
        if effects is None or each.pair[1] in effects:
            found.setdefault(each.pair, []).append(each)
    hold_to_limit(list(found), question)
    having = cascades.causes(store, selection, level=level)
    by_patient = question.counting is CountingRule.PATIENTS
    counted_by = "patient_no" if by_patient else "event_no"
    of = numbers_of(reported(store, replace(selection, group_by=(level,)), each=counted_by))
    people = (
        numbers_of(cascades.patients(store, replace(selection, group_by=()), level=level))
        if by_patient
        else {}
    )
    terms = store.manifest.terms
    places = {code: place for place, code in enumerate(codes_of(terms, level))}
    rows = []
    for pair in sorted(
        found, key=lambda pair: [places.get(str(code), len(places)) for code in pair]
    ):
        told = [(each.months, each.n) for each in found[pair] if each.months is not None]
        known = [(months, n) for months, n in told if months >= 0]
        events = of.get(pair[:1], 0)
        counted, followed = sum(each.n for each in found[pair]), having[pair]
        if by_patient:
            counted = followed = people.get(pair, 0)
        numbers: dict[str, Cell] = {
            **named_pair(pair, question.query, terms),
            "n": counted,
            "cause_events": events,
            "share": followed / events if events else None,
            "with_interval": _pairs(known),
            "before_cause": _pairs(told) - _pairs(known),
            "median_months": _median(known) if known else None,
        }
        rows.append(Row((), numbers, CellStatus.OK))
    causes = sum(of.values())
    return rows, {"cascades": {"pairs": len(rows), "cause_events": causes, "level": level}}


def effects_of(query: EventQuery, terms: Terms) -> frozenset[str] | None:
    """The effects that the question names, at the level of its rows; None for all of them.

    A category stands for its complications. Raises BadQuery for a complication where rows are
    categories.
    """
    if not query.effect:
        return None
    named = set(query.effect)
    groups = {group.code for group in terms.categories}
    if tuple(query.group_by) == ("category",):
        if named <= groups:
            return frozenset(named)
        detail = "Effects are categories here: name a category, or group by complication."
        raise BadQuery(Fault("effect", "bad-effect", detail))
    return frozenset(
        term.code for term in terms.complications if term.code in named or term.category in named
    )


def _pairs(counted: Iterable[tuple[int, int]]) -> int:
    return sum(n for _months, n in counted)


def _median(counted: Iterable[tuple[int, int]]) -> float:
    """The median of months with their numbers of pairs; the mean of two middle ones."""
    months, pairs = np.array(sorted(counted)).T
    reached = np.cumsum(pairs)
    low, high = (reached[-1] - 1) // 2, reached[-1] // 2
    middle = months[np.searchsorted(reached, [low, high], side="right")]
    return float(middle.mean())


def named_pair(pair: Key, query: EventQuery, terms: Terms) -> dict[str, Cell]:
    """Cause and effect as codes, labels or both, as the question has it."""
    (level,) = query.group_by
    labels = query.labels
    named: dict[str, Cell] = {}
    for name, code in zip(("cause", "effect"), pair, strict=True):
        label = sentences.label_of(level, code, terms)
        named[name] = label if labels == "label" else code
        if labels == "both":
            named[f"{name}_label"] = label
    return named


def codes_of(terms: Terms, level: str) -> list[str]:
    if level == "category":
        return [group.code for group in terms.categories]
    return [term.code for term in terms.complications]

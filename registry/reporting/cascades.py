"""What leads to what: the pairs of events that sites linked as cause and effect."""

from dataclasses import replace
from typing import Any

import numpy as np

from registry.records import Cell, Fault, NoSnapshot
from registry.reporting import words
from registry.reporting.cells import hold_to_limit
from registry.reporting.question import Question
from registry.reporting.rows import Row
from registry.snapshot import cascades
from registry.snapshot.cascades import Interval
from registry.snapshot.store import Key, Store
from registry.snapshot.terms import Terms
from registry.vocabulary import CellStatus


def cascade_rows(store: Store, question: Question) -> tuple[list[Row], dict[str, Any]]:
    """A row for each pair that happened, in the catalogue's order, causes first.

    A pair whose effect is told before its cause has a wrong month: it counts apart and enters no
    median.
    Raises NoSnapshot for a release that was frozen before causes were kept.
    """
    if store.manifest.schema_version < cascades.FIRST_SCHEMA:
        detail = "This release was frozen before it held causes: ask a newer one."
        raise NoSnapshot(Fault("release", "without-causes", detail))
    (level,) = question.query.group_by
    asked = question.parts[0].asked
    found: dict[Key, list[Interval]] = {}
    for each in cascades.intervals(store, asked, level=level):
        found.setdefault(each.pair, []).append(each)
    hold_to_limit(list(found), question)
    having = cascades.causes(store, asked, level=level)
    of = store.reported(replace(asked, group_by=(level,)), each="event_no")
    terms = store.manifest.terms
    places = {code: place for place, code in enumerate(_codes(terms, level))}
    rows = []
    for pair in sorted(
        found, key=lambda pair: [places.get(str(code), len(places)) for code in pair]
    ):
        months = [each.months for each in found[pair] for _ in range(each.n)]
        told = [each for each in months if each is not None]
        known = [each for each in told if each >= 0]
        events = of[pair[:1]]
        numbers: dict[str, Cell] = {
            **_named(question, pair, terms),
            "n": len(months),
            "cause_events": events,
            "share": having[pair] / events,
            "with_interval": len(known),
            "before_cause": len(told) - len(known),
            "median_months": float(np.median(known)) if known else None,
        }
        rows.append(Row((), numbers, CellStatus.OK))
    causes = sum(of.values())
    return rows, {"cascades": {"pairs": len(rows), "cause_events": causes, "level": level}}


def _named(question: Question, pair: Key, terms: Terms) -> dict[str, Cell]:
    """Cause and effect as codes, labels or both, as the question has it."""
    (level,) = question.query.group_by
    labels = question.query.labels
    named: dict[str, Cell] = {}
    for name, code in zip(("cause", "effect"), pair, strict=True):
        label = words.label_of(level, code, terms)
        named[name] = label if labels == "label" else code
        if labels == "both":
            named[f"{name}_label"] = label
    return named


def _codes(terms: Terms, level: str) -> list[str]:
    if level == "category":
        return [group.code for group in terms.categories]
    return [term.code for term in terms.complications]

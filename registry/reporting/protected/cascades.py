"""Cascades for everybody who may not see true numbers: pairs of shown nodes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from registry.disclosure import NOBODY, Form, NodeTruth, Protection, ShownNode, count_row
from registry.records import Cell, EventQuery, Fault, NotAvailableAtThisDetail
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Answered, ProtectedQuestion, Row
from registry.reporting.estimating.cascades import codes_of, effects_of, named_pair
from registry.reporting.estimating.pairs import LEVELS
from registry.reporting.protected.truths import Sheet, truths_of
from registry.snapshot.cascades import patients
from registry.snapshot.selection import Condition
from registry.vocabulary import CountingRule

ONLY_SHOWN = (
    "Only pairs whose number is shown have a row: of every other pair nothing is told, not even "
    "whether it was reported."
)


def finer_cascades(query: EventQuery) -> Iterable[Fault]:
    """Whatever else a pair is not told apart by: cause and effect are two dimensions already."""
    (level,) = query.group_by
    named = {name for name, _values in query.where}
    named |= {"year"} if query.years is not None else set()
    named |= {"window"} if query.windows else set()
    for name in sorted(named - set(LEVELS)):
        detail = "pairs of cause and effect are published for all systems together; leave it out"
        yield Fault(name, NotAvailableAtThisDetail.code, detail)
    if level == "category" and "complication" in named:
        detail = "causes are categories here: ask for a category, or group by complication"
        yield Fault("complication", NotAvailableAtThisDetail.code, detail)


def shown_cascades(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    """A row for each pair that is shown, in the catalogue's order, causes first.

    A pair is a node of its own, in patients; the share is of the patients that the cause's own node
    shows, where they are enough for a breakdown. Categories are of the complications that count in
    totals, of causes and effects alike.
    """
    (level,) = question.query.group_by
    store = frozen.store
    named = effects_of(question.query, store.manifest.terms)
    truths = truths_of(
        question.plan.nodes,
        store=store,
        trees=question.trees,
        form=Form.COUNTS,
        counting=CountingRule.PATIENTS,
    )
    causes = dict(zip(truths, protection.show_all(list(truths.values())), strict=True))
    sheet = Sheet.of([], question.trees, store.manifest.hands)
    found = sheet.keyed(
        patients(
            store,
            replace(sheet.selection, on_events=_reported(sheet)),
            level=level,
            of_both=_of_both(question, level),
            keyed=True,
        )
    )
    effects = codes_of(store.manifest.terms, level)
    pairs = [
        (row.labels[0], effect, node)
        for row in question.plan.rows
        for node in row.nodes
        for effect in effects
    ]
    shown = protection.show_all(
        [
            NodeTruth(found.get((cause, effect), NOBODY), truths[node].population)
            for cause, effect, node in pairs
        ]
    )
    rows = [
        _row(question, (cause, effect), pair, causes[node], frozen)
        for (cause, effect, node), pair in zip(pairs, shown, strict=True)
        if pair.count is not None and (named is None or effect in named)
    ]
    return Answered(
        rows, {"cascades": {"pairs": len(rows), "level": level}, "warnings": [ONLY_SHOWN]}
    )


def _reported(sheet: Sheet) -> tuple[Condition, ...]:
    """What reported events count; consequences too, which cascades are made of."""
    return tuple(each for each in sheet.selection.on_events if each.column != "in_totals")


def _of_both(question: ProtectedQuestion, level: str) -> Sequence[Condition]:
    if level != "category":
        return ()
    return (Condition("complication", tuple(sorted(question.trees["complication"].in_groups))),)


def _row(
    question: ProtectedQuestion,
    pair: tuple[str, str],
    shown: ShownNode,
    cause: ShownNode,
    frozen: Frozen,
) -> Row:
    told = count_row([shown])
    enough = cause.count is not None and cause.count >= question.policy.denominator_minimum
    numbers: dict[str, Cell] = {
        **named_pair(pair, question.query, frozen.store.manifest.terms),
        "n": told.n,
        "cause_events": cause.count,
        "share": min(1.0, (told.n or 0) / (cause.count or 1)) if enough else None,
        "hidden_cells": told.hidden_cells,
        "reason": told.reason,
    }
    return Row((), numbers, told.status)

"""Trends with what devices differ in held alike: their age, their model, or what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.reporting.asking.question import question_of, selected_terms
from registry.reporting.asking.spec import Question
from registry.reporting.estimating.cell_tables import cell_table
from registry.snapshot.store import Store
from registry.statistics.results import AdjustedTrend, Reason
from registry.statistics.trend import adjusted_rate_trend
from registry.vocabulary import Component, Denominator

MOST_CELLS = 20_000
"""Years, ages and models of one component make a few thousand."""

MONTHS_OF = {
    Component.PUMP.value: Denominator.PUMP_MONTHS,
    Component.CATHETER.value: Denominator.CATHETER_MONTHS,
}


@dataclass(frozen=True, slots=True, eq=False)
class HeldAlike:
    """A trend, and the dimensions that it holds alike."""

    found: AdjustedTrend
    names: tuple[str, ...]


def held_alike(store: Store, question: Question) -> HeldAlike:
    """The trend of the years that are not provisional, with what devices differ in held alike.

    What is asked for (`adjust`); else months since implant and the model, each of the component
    whose clock a complication runs on, since a catheter outlives several pumps and their models
    change at other times; months alone, where years and models cannot be told apart. Complications
    of both clocks are fitted together, each with the device time, the ages and the models of its
    own component, and one ratio. Of the tier of implants: exposure that sites declare has no months
    since implant.

    Raises BadQuery (`too-many-cells`) over the limit of cells.
    """
    questions = _by_clock(store, question)
    asked, before = question.query.adjust, question.open_years.first
    if asked:
        return _fitted(store, [(each, asked) for each in questions], before)
    models = [(each, ("window", f"{_clock(each)}_model")) for each in questions]
    found = _fitted(store, models, before)
    if found.found.trend.reason in {Reason.ONE_AGE, Reason.NOT_CONVERGED, Reason.NO_INFORMATION}:
        return _fitted(store, [(each, ("window",)) for each in questions], before)
    return found


def _by_clock(store: Store, question: Question) -> Sequence[Question]:
    """The question of each component's complications, where it divides by device time.

    A unit, or a component, that is asked for is kept.
    """
    query, (part,) = question.query, question.parts
    if query.unit is not None or query.values("component") or part.quantity != "months":
        return [question]
    codes: dict[str, list[str]] = {}
    for term in selected_terms(query, store.manifest.terms):
        codes.setdefault(term.clock, []).append(term.code)
    if set(codes) <= {part.clock}:
        return [question]
    others = [each for each in query.where if each[0] != "complication"]
    return [
        question_of(
            replace(query, where=(*others, ("complication", tuple(own))), unit=MONTHS_OF[clock]),
            question.spec,
            manifest=store.manifest,
            as_of=question.as_of,
        )
        for clock, own in sorted(codes.items())
    ]


def _fitted(
    store: Store, strata: Sequence[tuple[Question, Sequence[str]]], before: int | None
) -> HeldAlike:
    """The trend of the years before one; None: of all."""
    cells = []
    named: dict[str, None] = {}
    for number, (question, names) in enumerate(strata):
        table = cell_table(store, question, names, most=MOST_CELLS)
        if not any(table.events):
            continue
        named |= dict.fromkeys(names)
        cells += [
            (events, time, int(str(key[0])), *((number, value) for value in key[1:]))
            for key, events, time in zip(table.keys, table.events, table.exposure, strict=True)
            if key[0] is not None and (before is None or int(str(key[0])) < before)
        ]
    level = strata[0][0].query.level
    if not cells:
        return HeldAlike(adjusted_rate_trend((), (), (), (), level=level), tuple(strata[0][1]))
    events, time, years, *columns = zip(*cells, strict=True)
    numbered = [_numbered(column) for column in columns]
    return HeldAlike(adjusted_rate_trend(events, time, years, numbered, level=level), tuple(named))


def _numbered(labels: Sequence[object]) -> list[int]:
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return [places[label] for label in labels]


def _clock(question: Question) -> str:
    """The component whose clock a question's only part runs on."""
    return question.parts[0].clock or Component.PUMP.value

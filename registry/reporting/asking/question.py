"""Turns a canonical question into selections of a snapshot, with denominators."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from registry.records import DIMENSIONS, EventQuery, Side, ValueKind, Window
from registry.reporting.asking.spec import Divides, MeasureSpec, Part, Question
from registry.snapshot.manifest import Manifest
from registry.snapshot.selection import (
    NO_MONTHS,
    Condition,
    MonthSpan,
    Selection,
    is_multiple,
    month_spans,
)
from registry.snapshot.terms import Term, Terms
from registry.vocabulary import (
    CODELISTS,
    NOT_RECORDED,
    Actuality,
    Component,
    CountingRule,
    Denominator,
    State,
)

DEFAULT_WINDOWS = (Window(0, 3), Window(4, 12), Window(13, 36), Window(37, 60), Window(61, None))
PATIENT_CATEGORIES = frozenset({"drug-effect", "withdrawal"})
PATIENT_COMPLICATIONS = frozenset({"death"})
EACH = {
    CountingRule.EVENTS: "event_no",
    CountingRule.EPISODES: "episode",
    CountingRule.DEVICES: "device_no",
    CountingRule.PATIENTS: "patient_no",
}
"""The column of events with the units counted under each rule."""

Sort = tuple[Denominator, str | None, bool]
"""A denominator, a clock (None for both), and whether the patient's first event counts."""

ACTUAL = Condition("actuality", (Actuality.NEAR_MISS.value,), unless=True)
ACCEPTED = Condition("state", (State.ACCEPTED.value,))
"""The default filters on state and actuality; a blank actuality counts as actual."""

UNITS = {unit.value: unit for unit in Denominator}
CLOCK = {
    Denominator.PUMP_MONTHS: Component.PUMP,
    Denominator.CATHETER_MONTHS: Component.CATHETER,
    Denominator.PROCEDURES: Component.PUMP,
    Denominator.REFILLS: Component.PUMP,
}


def question_of(
    query: EventQuery, spec: MeasureSpec, *, manifest: Manifest, as_of: datetime | None = None
) -> Question:
    """Prepares a question that its measure takes for a snapshot."""
    counting = query.counting or spec.counting[0]
    by_window = "window" in query.group_by
    windows = query.windows
    if by_window and not windows and "window" not in dict(query.where):
        windows = DEFAULT_WINDOWS
    spans = month_spans(windows, apart=by_window)
    without_month = NOT_RECORDED in query.values("window")
    if without_month or (by_window and spec.divides is Divides.NOTHING):
        spans = (*spans, NO_MONTHS)
    counted = spec.what_counts(query)
    selection = _selection(counted, spans=spans, manifest=manifest)
    split = _split_by_clock
    if spec.by_unit or spec.divides in {Divides.EXPOSURE, Divides.LIFETIMES}:
        split = _split_by_unit
    elif spec.divides is Divides.NOTHING and not counting.of_firsts:
        split = _one_part
    return Question(
        query=query,
        spec=spec,
        counting=counting,
        parts=split(counted, selection, manifest.terms),
        windows=windows,
        as_of=as_of,
    )


def selected_terms(query: EventQuery, terms: Terms) -> tuple[Term, ...]:
    """The complications that count: those named, else those of a category, else of the totals.

    Consequences and expected end of service (in_totals = no) count when they are named, when a
    category that holds nothing else is named, and in a breakdown by complication.
    """
    codes = set(query.values("complication"))
    categories = set(query.values("category"))
    chosen = [
        term
        for term in terms.complications
        if (not codes or term.code in codes) and (not categories or term.category in categories)
    ]
    if codes or "complication" in query.group_by:
        return tuple(chosen)
    only_consequences = categories - {t.category for t in terms.complications if t.in_totals}
    return tuple(t for t in chosen if t.in_totals or t.category in only_consequences)


def natural_unit(chosen: Sequence[Term], components: Iterable[str], terms: Terms) -> Denominator:
    """The default denominator of a rate of these complications.

    One complication: its own. Several of one category: their common one, else the category's.
    Several categories: pump-months, or catheter-months where the filters select catheters only.
    """
    if chosen and len({term.category for term in chosen}) == 1:
        category = chosen[0].category
        counted = {t.code for t in terms.complications if t.category == category and t.in_totals}
        units = {term.natural_denominator for term in chosen}
        whole = len(chosen) > 1 and counted <= {term.code for term in chosen}
        if len(units) == 1 and not whole:
            return UNITS[units.pop()]
        group = next(group for group in terms.categories if group.code == category)
        return UNITS[group.natural_denominator]
    if set(components) == {Component.CATHETER.value}:
        return Denominator.CATHETER_MONTHS
    return Denominator.PUMP_MONTHS


def sort_of_unit(chosen: Sequence[Term], unit: Denominator) -> Sort:
    """The basis of a rate of these complications: unit, clock, and whether by patient."""
    clock = CLOCK[unit].value
    of_patient = clock == Component.PUMP and bool(chosen) and all(map(is_of_patient, chosen))
    return unit, clock, of_patient


def sort_of_clock(chosen: Sequence[Term]) -> Sort:
    """The basis of a share or a number of devices; the clock is None where there are two."""
    clocks = {term.clock for term in chosen}
    of_patient = bool(chosen) and all(map(is_of_patient, chosen))
    return Denominator.PUMP_MONTHS, clocks.pop() if len(clocks) == 1 else None, of_patient


def is_of_patient(term: Term) -> bool:
    """Whether a complication is the patient's, so that only the patient's first event counts."""
    return term.clock == Component.PUMP and (
        term.category in PATIENT_CATEGORIES or term.code in PATIENT_COMPLICATIONS
    )


def _one_part(query: EventQuery, selection: Selection, terms: Terms) -> tuple[Part, ...]:
    chosen = selected_terms(query, terms)
    narrowed = _narrowed(selection, chosen, terms)
    return (
        Part(
            selection=narrowed,
            unit=Denominator.PUMP_MONTHS,
            clock=None,
            per_patient=False,
        ),
    )


Kind = Callable[[Sequence[Term], Sequence[str]], Sort]


def _split_by_unit(query: EventQuery, selection: Selection, terms: Terms) -> tuple[Part, ...]:
    def kind(chosen: Sequence[Term], components: Sequence[str]) -> Sort:
        return sort_of_unit(chosen, query.unit or natural_unit(chosen, components, terms))

    return _split(query, selection, terms, kind)


def _split_by_clock(query: EventQuery, selection: Selection, terms: Terms) -> tuple[Part, ...]:
    def kind(chosen: Sequence[Term], components: Sequence[str]) -> Sort:
        return sort_of_clock(chosen)

    return _split(query, selection, terms, kind)


def _split(query: EventQuery, selection: Selection, terms: Terms, kind: Kind) -> tuple[Part, ...]:
    """Groups rows of the same kind; each row has the selection that it would have alone."""
    components = query.values("component")
    by_component = [components]
    if "component" in query.group_by:
        by_component = [(code,) for code in components or Component.codes()]
    together: dict[tuple[tuple[str, ...], Sort], list[Term]] = {}
    for component in by_component:
        for chosen in _rows_of_terms(query, terms):
            together.setdefault((component, kind(chosen, component)), []).extend(chosen)
    parts = []
    for (component, sort), chosen in together.items():
        narrowed = _narrowed(selection, chosen, terms)
        if "component" in query.group_by:
            only = (*narrowed.on_devices, Condition("component", component))
            narrowed = replace(narrowed, on_devices=only)
        unit, clock, per_patient = sort
        parts.append(
            Part(
                selection=narrowed,
                unit=unit,
                clock=clock,
                per_patient=per_patient,
            )
        )
    return tuple(parts)


def _rows_of_terms(query: EventQuery, terms: Terms) -> list[list[Term]]:
    chosen = selected_terms(query, terms)
    if "complication" in query.group_by:
        return [[term] for term in chosen]
    if "category" in query.group_by:
        together: dict[str, list[Term]] = {}
        for term in chosen:
            together.setdefault(term.category, []).append(term)
        return list(together.values())
    return [list(chosen)]


def _narrowed(selection: Selection, chosen: Sequence[Term], terms: Terms) -> Selection:
    """The filter on these complications, in its shortest form."""
    codes = {term.code for term in chosen}
    if codes == {term.code for term in terms.complications if term.in_totals}:
        condition = Condition("in_totals", (True,))
    else:
        condition = Condition("complication", tuple(sorted(codes)))
    return replace(selection, on_events=(*selection.on_events, condition))


def _selection(query: EventQuery, *, spans: tuple[MonthSpan, ...], manifest: Manifest) -> Selection:
    first, last = manifest.years or (1, 0)
    known = tuple(range(first, last + 1))
    on_events: list[Condition] = []
    on_devices: list[Condition] = []
    for name, values in query.where:
        if name in {"complication", "category", "year", "period", "window"}:
            continue
        sides = on_events if DIMENSIONS[name].side is Side.EVENT else on_devices
        sides.append(_condition(name, values))
    where = dict(query.where)
    if "actuality" not in where and "actuality" not in query.group_by:
        on_events.append(ACTUAL)
    if "state" not in where and "state" not in query.group_by:
        on_events.append(ACCEPTED)
    years, no_year = _years(query, where, known)
    return Selection(
        on_events=tuple(on_events),
        on_devices=tuple(on_devices),
        group_by=query.group_by,
        years=years,
        no_year=no_year,
        spans=spans,
        known_years=known,
    )


def _condition(name: str, values: Sequence[str]) -> Condition:
    blank = NOT_RECORDED in values
    named = [value for value in values if value != NOT_RECORDED]
    dimension = DIMENSIONS[name]
    if is_multiple(name):
        codes = CODELISTS[dimension.codelist or ""]
        bits = sum(1 << code.bit for code in codes if str(code.value) in named)
        return Condition(name, blank=blank, bits=bits)
    if dimension.kind is ValueKind.FLAG:
        return Condition(name, tuple(_FLAGS[value] for value in named), blank)
    if dimension.kind is ValueKind.YEAR or name == "severity":
        return Condition(name, tuple(int(value) for value in named), blank)
    return Condition(name, tuple(named), blank)


_FLAGS = {"yes": "yes", "true": "yes", "1": "yes", "no": "no", "false": "no", "0": "no"}


def _years(
    query: EventQuery, where: Mapping[str, tuple[str, ...]], known: tuple[int, ...]
) -> tuple[tuple[int, ...] | None, bool]:
    """The calendar years selected, None for any, and whether a blank year is selected."""
    chosen: set[int] | None = None
    blanks: list[bool] = []
    if query.years is not None:
        first, last = query.years
        chosen = {
            year
            for year in known
            if (first is None or year >= first) and (last is None or year <= last)
        }
        blanks.append(False)
    for name in ("year", "period"):
        values = where.get(name, ())
        if not values:
            continue
        starts = [int(value[:4]) for value in values if value != NOT_RECORDED]
        length = 5 if name == "period" else 1
        years = {start + step for start in starts for step in range(length)}
        chosen = years if chosen is None else chosen & years
        blanks.append(NOT_RECORDED in values)
    if chosen is None:
        return None, False
    return tuple(sorted(chosen & set(known))), all(blanks)

"""Checks from the specs which options, groupings and counting rules a measure takes."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault
from registry.records.enumeration import enumerated
from registry.reporting.asking.question import question_of, selected_terms
from registry.reporting.asking.spec import SOME_MEASURES, MeasureSpec, Question
from registry.reporting.measures import MEASURES
from registry.snapshot.manifest import Manifest
from registry.snapshot.terms import Term
from registry.vocabulary import Measure

NOT_TAKEN = "option-not-taken"
"""The fault code of an option that the measure does not take."""


def read_question(
    query: EventQuery, *, measure: Measure, manifest: Manifest, as_of: datetime | None = None
) -> Question:
    """Prepares a question for a snapshot; raises BadQuery where it has no meaning."""
    query = held_to_measure(query, measure)
    if len(query.group_by) > 3 or len(set(query.group_by)) < len(query.group_by):
        raise BadQuery(
            Fault("group_by", "bad-group-by", "Group by at most three different dimensions.")
        )
    refuse_what_has_no_meaning(query, measure, selected_terms(query, manifest.terms))
    return question_of(query, MEASURES[measure], manifest=manifest, as_of=as_of)


def held_to_measure(query: EventQuery, measure: Measure) -> EventQuery:
    """The question with its measure's own groupings, so that naming them changes nothing.

    Raises BadQuery with everything that the measure does not take. Depends on the question alone,
    so it is the same for every caller.
    """
    spec = MEASURES[measure]
    faults = [
        *_options_not_taken(query, spec),
        *_counting_not_taken(query, spec),
        *_groupings_not_taken(query, spec),
    ]
    if faults:
        raise BadQuery(faults)
    refuse_what_has_no_meaning(query, measure, ())
    return query if spec.places is None else replace(query, group_by=spec.rows(query.group_by))


def refuse_what_has_no_meaning(query: EventQuery, measure: Measure, chosen: Sequence[Term]) -> None:
    """Refuses questions whose answer would be wrong; raises BadQuery with every reason.

    chosen: the complications that the question selects. Depends on the question and the catalogue
    alone.
    """
    if faults := [*MEASURES[measure].refuses(query, chosen, grouped_otherwise)]:
        raise BadQuery(faults)


def not_taken(option: str, measure: Measure) -> Fault:
    """The refusal of an option without effect; names the measures that take it."""
    taking = [each for each, spec in MEASURES.items() if option in spec.options]
    return Fault(
        option,
        NOT_TAKEN,
        f"{measure.label} would be the same with and without {option}: leave it out. "
        f"It is an option of {_in_a_row(taking)}.",
    )


def _options_not_taken(query: EventQuery, spec: MeasureSpec) -> list[Fault]:
    """A refusal for each option of a question that its measure does not take."""
    options = {name: getattr(query, name) for name in SOME_MEASURES}
    options["level"] = query.level != EventQuery().level
    return [
        not_taken(name, spec.measure)
        for name in SOME_MEASURES
        if options[name] and name not in spec.takes
    ]


def _counting_not_taken(query: EventQuery, spec: MeasureSpec) -> list[Fault]:
    """A refusal of a counting rule that the measure has no meaning for."""
    counting = query.counting
    if counting is None or counting in spec.counting:
        return []
    taking = [each for each, other in MEASURES.items() if counting in other.counting]
    named = ", ".join(sorted(rule.value for rule in spec.counting))
    detail = f"{spec.measure.label}: count one of {named}. The rule is for {_in_a_row(taking)}."
    return [Fault("counting", "bad-counting", detail)]


def _groupings_not_taken(query: EventQuery, spec: MeasureSpec) -> list[Fault]:
    """A refusal of groupings that the measure's rows do not have."""
    if spec.places is None:
        return []
    groups = set(query.group_by)
    too_many = any(len(groups & set(names)) > 1 for names in spec.places)
    if not too_many and groups <= {name for names in spec.places for name in names}:
        return []
    detail = spec.own_rows
    if spec.has_own_rows:
        title = DIMENSIONS[spec.group_by[0]].title.lower()
        detail = f"{spec.measure.label} has a row for each {title}: leave group_by out."
    said = f"{detail} {grouped_otherwise(query.group_by)}".strip()
    return [Fault("group_by", "bad-group-by", said)]


def grouped_otherwise(names: Collection[str]) -> str:
    """A sentence that names the measures that take every one of these groupings; may be empty."""
    taking = [
        measure
        for measure, spec in MEASURES.items()
        if spec.places is None and set(names) <= set(spec.group_by)
    ]
    return f"Such groupings are for {_in_a_row(taking)}." if taking else ""


def _in_a_row(measures: Collection[Measure]) -> str:
    """The names of measures in a row: `rates, funnel and trend`."""
    return enumerated([measure.value for measure in measures], last="and")

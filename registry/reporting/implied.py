"""The grouping that a measure has of itself: sites of a funnel, years of a trend, pairs."""

from collections.abc import Collection
from dataclasses import replace

from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault
from registry.reporting.curve_questions import refuse_what_no_curve_has
from registry.reporting.measure_options import (
    LEVELS,
    MEASURE_OPTIONS,
    PRODUCTS,
    counting_not_taken,
    grouped_otherwise,
    options_not_taken,
)
from registry.vocabulary import Measure

DRUGS = ("drug", "drug_class")


def held_to_measure(query: EventQuery, measure: Measure) -> EventQuery:
    """The question grouped as its measure is, so that saying it or not is the same question.

    Raises BadQuery with everything that the measure does not take. That follows from the question
    alone, so it is the same for every caller, whatever he or she is told of the data.
    """
    faults = [
        *options_not_taken(query, measure),
        *counting_not_taken(query, measure),
        *_groupings_not_taken(query, measure),
    ]
    if faults:
        raise BadQuery(faults)
    refuse_what_no_curve_has(query, measure, ())
    options = MEASURE_OPTIONS[measure]
    return (
        query if options.places is None else replace(query, group_by=options.rows(query.group_by))
    )


def names_of(product: str) -> tuple[str, ...]:
    """The names under which a product is filtered: a drug is by its class as well."""
    return DRUGS if product in DRUGS else (product,)


def background(query: EventQuery) -> EventQuery:
    """What the pairs of a question about signals are compared with.

    A filter on the compared product or on complications chooses rows, and what they are compared
    with stays: others without the one or the other are what makes a signal.
    """
    chooses = {*names_of(query.group_by[0]), *LEVELS}
    kept = tuple((name, values) for name, values in query.where if name not in chooses)
    return replace(query, where=kept)


def what_counts(query: EventQuery, measure: Measure) -> EventQuery:
    """The question whose events count: all that a pair is compared with, or every cause."""
    if measure is Measure.SIGNALS:
        return background(query)
    if measure is Measure.CASCADES:  # consequences are what a cascade is made of, in categories too
        return replace(query, group_by=("complication",))
    return query


def _groupings_not_taken(query: EventQuery, measure: Measure) -> list[Fault]:
    """A refusal of groupings where the rows of the measure are others."""
    places = MEASURE_OPTIONS[measure].places
    if places is None:
        return []
    asked = set(query.group_by)
    too_many = any(len(asked & set(names)) > 1 for names in places)
    if not too_many and asked <= {name for names in places for name in names}:
        return []
    return [_bad_grouping(measure, query.group_by)]


def _bad_grouping(measure: Measure, asked: Collection[str]) -> Fault:
    options = MEASURE_OPTIONS[measure]
    if options.has_own_rows:
        title = DIMENSIONS[options.group_by[0]].title.lower()
        detail = f"{measure.label} has a row for each {title}: leave group_by out."
    elif measure is Measure.SIGNALS:
        detail = (
            f"Signals pair one of {', '.join(PRODUCTS)} with complication or category: "
            "group by one of each."
        )
    else:
        detail = "Cascades are told by complication or by category: group by one of them."
    return Fault("group_by", "bad-group-by", f"{detail} {grouped_otherwise(asked)}".strip())

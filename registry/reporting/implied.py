"""The grouping that a measure has of itself: sites of a funnel, years of a trend, pairs."""

from collections.abc import Collection
from dataclasses import replace

from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault
from registry.vocabulary import Measure

ROW_OF = {Measure.FUNNEL: "site", Measure.TREND: "year"}
"""Measures with one row for each of something, whether or not the question says so."""

PRODUCTS = ("pump_model", "catheter_model", "manufacturer", "drug", "drug_class", "label_status")
"""What signals compare; the first where nobody says."""
DRUGS = ("drug", "drug_class")
LEVELS = ("complication", "category")
"""How finely signals and cascades tell complications apart; the first where nobody says."""


def with_own_grouping(query: EventQuery, measure: Measure) -> EventQuery:
    """The question grouped as its measure is, so that saying it or not is the same question.

    Raises BadQuery where it asks for another grouping.
    """
    if measure in ROW_OF:
        group_by = _only(query, (ROW_OF[measure],), measure)
    elif measure is Measure.SIGNALS:
        group_by = (*_one_of(query, PRODUCTS, measure), *_one_of(query, LEVELS, measure))
        _refuse_others(query, (*PRODUCTS, *LEVELS), measure)
    elif measure is Measure.CASCADES:
        group_by = _one_of(query, LEVELS, measure)
        _refuse_others(query, LEVELS, measure)
    else:
        return query
    return replace(query, group_by=group_by)


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


def _only(query: EventQuery, names: tuple[str, ...], measure: Measure) -> tuple[str, ...]:
    _refuse_others(query, names, measure)
    return names


def _one_of(query: EventQuery, names: tuple[str, ...], measure: Measure) -> tuple[str]:
    asked = [name for name in query.group_by if name in names]
    if len(asked) > 1:
        raise _bad_grouping(measure, names)
    return (asked[0] if asked else names[0],)


def _refuse_others(query: EventQuery, names: Collection[str], measure: Measure) -> None:
    if set(query.group_by) - set(names):
        raise _bad_grouping(measure, names)


def _bad_grouping(measure: Measure, names: Collection[str]) -> BadQuery:
    if measure in ROW_OF:
        title = DIMENSIONS[ROW_OF[measure]].title.lower()
        detail = f"{measure.label} has a row for each {title}: leave group_by out."
    elif measure is Measure.SIGNALS:
        detail = (
            f"Signals pair one of {', '.join(PRODUCTS)} with complication or category: "
            "group by one of each."
        )
    else:
        detail = "Cascades are told by complication or by category: group by one of them."
    return BadQuery(Fault("group_by", "bad-group-by", detail))

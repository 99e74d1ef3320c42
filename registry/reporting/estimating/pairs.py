"""Pairs of a product and a complication: their names, and what they are compared with."""

from dataclasses import replace

from registry.records import EventQuery

PRODUCTS = ("pump_model", "catheter_model", "manufacturer", "drug", "drug_class", "label_status")
LEVELS = ("complication", "category")
DRUGS = ("drug", "drug_class")


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

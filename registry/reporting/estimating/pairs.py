"""Pairs of a product and a complication, and their comparators."""

from dataclasses import replace

from registry.records import EventQuery

PRODUCTS = ("pump_model", "catheter_model", "manufacturer", "drug", "drug_class", "label_status")
LEVELS = ("complication", "category")
DRUGS = ("drug", "drug_class")


def names_of(product: str) -> tuple[str, ...]:
    """The filters on a product; a drug has also that on its class."""
    return DRUGS if product in DRUGS else (product,)


def background(query: EventQuery) -> EventQuery:
    """The question without filters that only choose rows of signals.

    A filter on the compared product or on complications chooses rows but does not change their
    comparators: all other products and complications.
    """
    chooses = {*names_of(query.group_by[0]), *LEVELS}
    kept = tuple((name, values) for name, values in query.where if name not in chooses)
    return replace(query, where=kept)

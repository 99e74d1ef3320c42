"""What protected answers tell apart: trees of codes, from the code lists and a release's terms."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from registry.disclosure import Policy, Tree, vocabulary_tree, window_tree, year_tree
from registry.models.rules import FIRST_YEAR
from registry.records import DIMENSIONS, EventQuery, Fault, NotAvailableAtThisDetail
from registry.reporting.asking.years import first_year
from registry.snapshot.manifest import Manifest
from registry.snapshot.terms import Terms
from registry.vocabulary import NOT_RECORDED, Component

OWN_TREES = frozenset({"complication", "year", "window", "component", "site"})
"""Dimensions whose codes are no plain code list with its blanks."""


def trees_of_release(
    manifest: Manifest, *, first: int, last: int | None, policy: Policy
) -> Mapping[str, Tree]:
    """The trees of a release, kept from one question to the next with the covers found in them.

    first, last: the ends of the calendar years that are told apart.
    """
    return _kept(manifest, first, last, _names(policy))


@lru_cache(maxsize=8)
def _kept(
    manifest: Manifest, first: int, last: int | None, names: tuple[str, ...]
) -> Mapping[str, Tree]:
    return _made(manifest.terms, first, last, names)


def _names(policy: Policy) -> tuple[str, ...]:
    return tuple(offer.name for offer in policy.offered)


def trees_of(terms: Terms, *, data_as_of: datetime | None, policy: Policy) -> Mapping[str, Tree]:
    """Every dimension that is offered, with its codes; the same whatever was recorded.

    The years go from REGISTRY_FIRST_YEAR, at the start of its five-year period, to that of the
    release.
    """
    return _made(terms, first_year(), data_as_of.year if data_as_of else None, _names(policy))


def _made(terms: Terms, first: int, last: int | None, names: tuple[str, ...]) -> Mapping[str, Tree]:
    trees = [
        Tree.grouped(
            "complication",
            {term.code: term.category for term in terms.complications},
            blanks=False,
            apart={term.code for term in terms.complications if not term.in_totals},
        ),
        year_tree(first, max(first, last or first)),
        window_tree(),
        Tree.flat("component", map(str, Component.codes()), blanks=False),  # every device is one
        Tree.flat("site", sorted(terms.sites), blanks=False),
    ]
    plain = [name for name in names if name not in OWN_TREES]
    return {tree.name: tree for tree in (*trees, *map(vocabulary_tree, plain))}


def refuse_earlier_years(query: EventQuery, years: Tree) -> None:
    """Refuse a range or a year that holds years before those told apart, unless it holds all.

    Rows by year or period simply start with the first. Raises NotAvailableAtThisDetail, which
    follows from the question and the two ends alone.
    """
    if {"year", "period"} & set(query.group_by):
        return
    first, last = int(years.values[0]), int(years.values[-1])
    ranges = [
        (int(value[:4]), int(value[-4:]))
        for name in ("year", "period")
        for value in query.values(name)
        if value != NOT_RECORDED
    ]
    if query.years is not None:
        start, end = query.years
        ranges.append((FIRST_YEAR if start is None else start, last if end is None else end))
    for start, end in ranges:
        everything = start <= FIRST_YEAR and end >= last
        published = start >= first and not (start == first and end >= last and first > FIRST_YEAR)
        if not (everything or published):
            title = DIMENSIONS["year"].title.lower()
            detail = (
                f"years before {first} are in the totals only: ask for a {title} or a period from "
                f"{first} on, or leave it out"
            )
            raise NotAvailableAtThisDetail(Fault("year", NotAvailableAtThisDetail.code, detail))

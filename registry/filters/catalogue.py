"""Searches and reads the catalogue, for the API and the pages."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, QuerySet, Value, When

from registry.catalogue.search import ImdrfName, Matches, SearchEntry, index_of
from registry.models import (
    CatalogueVersion,
    Category,
    Complication,
    ImdrfCode,
    PublishedRate,
    Synonym,
)
from registry.vocabulary import ImdrfRelation, ImdrfRole

LONGEST_SEARCH = 100
"""The letters of a search that are read."""

_CLOSENESS = {
    ImdrfRelation.EXACT.value: 1.0,
    ImdrfRelation.NARROWER.value: 0.8,
    ImdrfRelation.BROADER.value: 0.4,
    ImdrfRelation.SIGN.value: 0.2,
}
_CODE = re.compile(r"[AE][0-9]+")
_PRIMARY = 0.1
"""How much closer the code is that reports of a complication carry."""


@dataclass(frozen=True, slots=True)
class FoundComplications:
    """Complications by how well they fit a search; nearest: nothing fits, and these are only near.

    Each row has `found_by`: the other name or IMDRF term that the words fit, empty for its own.
    """

    rows: tuple[Complication, ...]
    nearest: bool = False


def every_complication() -> QuerySet[Complication]:
    """The complications by category and name, retired ones too."""
    terms = Complication.objects.select_related("category", "replaced_by")
    return terms.order_by("category__sort_order", "name")


def find_complications(
    text: str, *, within: QuerySet[Complication] | None = None
) -> FoundComplications:
    """Finds complications by words, other names in four languages, slips, codes or IMDRF codes.

    within: the complications to choose from, all where None. An empty text finds all of them.
    Four queries.
    """
    chosen = every_complication() if within is None else within
    rows = {row.code: row for row in chosen}
    if not text.strip():
        return FoundComplications(tuple(rows.values()))
    found = search(text, within=rows)
    for hit in found.hits:
        row: Any = rows[hit.code]
        row.found_by = "" if hit.by in (row.name, row.definition) else hit.by
    return FoundComplications(tuple(rows[code] for code in found.codes), found.nearest)


def ranked(rows: QuerySet[Complication], found: Matches) -> QuerySet[Complication]:
    """The rows that were found, each with its `rank`, from 0 for the best."""
    places = [When(code=code, then=Value(rank)) for rank, code in enumerate(found.codes)]
    if not places:
        return rows.none().annotate(rank=Value(0)).order_by("rank")
    return rows.filter(code__in=found.codes).annotate(rank=Case(*places)).order_by("rank")


def search(text: str, *, within: Iterable[str] | None = None) -> Matches:
    """The codes that a text may mean, best first. Three queries; retired terms too."""
    known = None if within is None else frozenset(within)
    return index_of(_entries()).search(text.strip()[:LONGEST_SEARCH], within=known)


def _entries() -> tuple[SearchEntry, ...]:
    """What is searched, as it stands now. Three queries."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    imdrf: dict[str, list[ImdrfName]] = defaultdict(list)
    terms = list(Complication.objects.order_by("code"))
    for term in terms:
        names[term.code].update(dict.fromkeys([term.name, *term.synonym_list]))
    elsewhere = Synonym.objects.filter(shown=True).order_by("key")
    for code, name in elsewhere.values_list("complication_id", "term"):
        names[code][name] = None
    for one in ImdrfCode.objects.filter(shown=True).order_by("key"):
        primary = _PRIMARY if one.role == ImdrfRole.PRIMARY else 0.0
        closeness = _CLOSENESS[one.relation] + primary
        imdrf[one.complication_id].append(ImdrfName(one.code, one.term, closeness))
    for term in terms:
        known = {one.code for one in imdrf[term.code]}
        imdrf[term.code] += (
            ImdrfName(code, "", _CLOSENESS[ImdrfRelation.EXACT.value])
            for code in _CODE.findall(f"{term.imdrf_annex_a} {term.imdrf_annex_e}")
            if code not in known
        )
    return tuple(
        SearchEntry(
            code=term.code,
            names=tuple(names[term.code]),
            definition=term.definition,
            imdrf=tuple(imdrf[term.code]),
            catch_all=term.code.startswith("other-"),
        )
        for term in terms
    )


def catalogue_categories() -> QuerySet[Category]:
    """The categories in the catalogue's order."""
    return Category.objects.order_by("sort_order", "name")


def shown_rates(complication: Complication) -> Sequence[PublishedRate]:
    """The published rates of one complication that may be shown."""
    return list(
        PublishedRate.objects.filter(complication=complication, shown=True).order_by("rate_id")
    )


def catalogue_version() -> str:
    """The version that was loaded last; empty before the first."""
    return (
        CatalogueVersion.objects.order_by("-seal_id").values_list("version", flat=True).first()
        or ""
    )

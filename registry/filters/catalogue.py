"""Searches and reads the catalogue, for the API and the pages."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from registry.models import CatalogueVersion, Category, Complication, PublishedRate

MOST_WORDS = 8


def search_complications(text: str = "", *, category: str = "") -> QuerySet[Complication]:
    """Finds complications whose name, synonyms or code hold every word of the text.

    An empty text finds all, an unknown category none. Includes retired terms.
    One query, ordered by category and name.
    """
    found = Complication.objects.select_related("category", "replaced_by")
    for word in text.split()[:MOST_WORDS]:
        found = found.filter(
            Q(name__icontains=word) | Q(synonyms__icontains=word) | Q(code__icontains=word)
        )
    if category:
        found = found.filter(category=category)
    return found.order_by("category__sort_order", "name")


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


def rates_shown_for(
    *, complications: Iterable[str], categories: Iterable[str]
) -> Sequence[PublishedRate]:
    """The published rates to show of any of these complications or categories. One query."""
    about = Q(complication__in=list(complications)) | Q(category__in=list(categories))
    return list(PublishedRate.objects.filter(about, shown=True).order_by("rate_id"))

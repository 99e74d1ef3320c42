"""What the registry is, its catalogue to search, and a page for each complication."""

from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry.filters.catalogue import (
    catalogue_categories,
    catalogue_version,
    search_complications,
    shown_rates,
)
from registry.vocabulary import Evidence, PublishedMeasure

LONGEST_SEARCH = 100
EVIDENCE = {each.value: each for each in Evidence}
MEASURES = {each.value: each for each in PublishedMeasure}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is and for whom, and search the catalogue: `?q=`, `?category=`."""
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    category = request.GET.get("category", "").strip()
    searched = bool(text or category)
    categories = list(catalogue_categories())
    context: dict[str, Any] = {
        "room": "catalogue",
        "q": text,
        "category": category,
        "categories": categories,
        "searched": searched,
    }
    if searched:
        context["found"] = list(search_complications(text, category=category))
    else:
        terms = [term for term in search_complications() if not term.retired]
        shelves = {code: list(kept) for code, kept in groupby(terms, lambda t: t.category_id)}
        context["shelves"] = [(one, shelves[one.pk]) for one in categories if one.pk in shelves]
        context["total"] = len(terms)
        context["version"] = catalogue_version()
    return render(request, "registry/home.html", context)


@require_safe
def complication(request: HttpRequest, code: str) -> HttpResponse:
    """One complication: definition, other names, IMDRF codes, sources and published rates."""
    term = search_complications().filter(code=code).first()
    if term is None:
        raise Http404
    context = {
        "room": "catalogue",
        "term": term,
        "evidence": EVIDENCE[term.evidence],
        "rates": [(rate, MEASURES[rate.measure_type]) for rate in shown_rates(term)],
    }
    return render(request, "registry/complication.html", context)

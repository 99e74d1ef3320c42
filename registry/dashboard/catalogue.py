"""The home page with the searchable catalogue, and a page for each complication."""

from dataclasses import replace
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import Panel, ask, may_look, of_complications, refused_alike
from registry.answers.completeness import completeness_of
from registry.answers.tables import source_of, why_hidden
from registry.dashboard.breakdowns import Breakdown, breakdown_of
from registry.dashboard.causes import cascades_of
from registry.dashboard.literature import PER, comparison_of
from registry.dashboard.work import tasks_of
from registry.filters.catalogue import (
    LONGEST_SEARCH,
    catalogue_categories,
    catalogue_version,
    every_complication,
    find_complications,
    shown_rates,
)
from registry.records import EventQuery, Viewer
from registry.vocabulary import Component, Evidence, Measure, PublishedMeasure

EVIDENCE = {each.value: each for each in Evidence}
MEASURES = {each.value: each for each in PublishedMeasure}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Introduces the registry and searches its catalogue: `?q=`, `?category=`.

    The whole catalogue stands beside what was found, by category.
    """
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
    terms = [term for term in every_complication() if not term.retired]
    shelves = {code: list(kept) for code, kept in groupby(terms, lambda t: t.category_id)}
    context["shelves"] = [(one, shelves[one.pk]) for one in categories if one.pk in shelves]
    context["total"] = len(terms)
    context["version"] = catalogue_version()
    if searched:
        rows = every_complication()
        within = rows.filter(category=category) if category else rows
        context["found"] = find_complications(text, within=within)
    elif request.user.is_authenticated:
        context["tasks"] = tasks_of(request.user)
    return render(request, "registry/home.html", context)


@require_safe
def complication(request: HttpRequest, code: str) -> HttpResponse:
    """One complication: definition, names, sources, published rates, and the registry's own.

    The registry's own are ten answers, for callers who may see statistics; others see how to
    sign in.
    """
    term = every_complication().filter(code=code).first()
    if term is None:
        raise Http404
    rates = shown_rates(term)
    context: dict[str, Any] = {
        "room": "catalogue",
        "term": term,
        "evidence": EVIDENCE[term.evidence],
        "rates": [(rate, MEASURES[rate.measure_type]) for rate in rates],
        "may_look": may_look(request),
    }
    if context["may_look"]:
        viewer = reporting.viewer_of(request.user)
        panels = ours_of(term.code, viewer)
        context["refused"] = refused_alike(panels)
        context["comparisons"] = [
            comparison_of(panel, panel.rows[0], rates) for panel in panels if panel.rows
        ]
        first = next((one.meta for one in panels if one.release), {})
        context["completeness"] = completeness_of(first)
        context["source"] = next((source_of(one.meta) for one in panels if one.release), "")
        rules = (one.meta.get("agreement") for one in panels)
        context["agreement"] = next(filter(None, rules), "")
        context["breakdowns"] = breakdowns_of(term, viewer)
        context["cascades"] = cascades_of(term.code, viewer)
        context["why_hidden"] = why_hidden([panel.rows[0] for panel in panels if panel.rows])
    return render(request, "registry/complication.html", context)


def ours_of(code: str, viewer: Viewer) -> list[Panel]:
    """The share of patients that had one complication, and its rate: two questions."""
    share = of_complications(EventQuery(), [code])
    return [
        ask(share, Measure.PROPORTIONS, viewer),
        ask(replace(share, per=PER), Measure.RATES, viewer),
    ]


def breakdowns_of(term: Any, viewer: Viewer) -> list[Breakdown]:
    """The rate of one complication by who had it, with which device, when: seven questions."""
    query = of_complications(EventQuery(), [term.code])
    models = "catheter_model" if term.clock == Component.CATHETER else "pump_model"
    names = ("window", "year", "age_band", "sex", "drug", models, "procedure")
    return [breakdown_of(query, name, viewer, where=f"complication={term.code}") for name in names]

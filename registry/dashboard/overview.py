"""The overview: what goes wrong most, how often, whether it changes, and how a site compares."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import (
    Refused,
    may_look,
    refused_alike,
    with_set,
    without_blanks,
)
from registry.answers.completeness import completeness_of
from registry.answers.page_question import api_address
from registry.answers.question_form import QuestionForm
from registry.answers.sending import address_of_form
from registry.answers.sides import is_protected
from registry.answers.tables import EXACT, PROTECTED, source_of, table_of
from registry.dashboard.common_units import EVERY, ONE_EACH, PARAMETER, PUMP_YEARS
from registry.dashboard.headline import headline_of
from registry.dashboard.multiples import multiples_of
from registry.dashboard.own_site import own_site_of
from registry.dashboard.panels import Panels, ask_all, own_side
from registry.dashboard.ranking import ranking_of
from registry.dashboard.totals import totals_of
from registry.filters import parse_query
from registry.records import BadQuery, EventQuery, Fault, Viewer
from registry.vocabulary import Measure

ONLY_A_TABLE = frozenset(
    {"measure", "group_by", "counting", "unit", "per", "labels", "ordering", "format"}
)
"""Parameters of a single table, which the page to explore answers."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """How often complications happen, for the filters in the address; by default for all.

    `ranked_per` is the unit in which they are ranked. Always asks the same number of questions.
    Redirects anonymous callers to sign in unless statistics are public, and questions for a single
    table to the page to explore.
    """
    if not may_look(request):
        return redirect_to_login(request.get_full_path())
    viewer = reporting.viewer_of(request.user)
    if address := address_of_form(request, viewer):
        return redirect(address)
    given = without_blanks(request.GET)
    params = with_set(given, **{PARAMETER: ""})
    if set(params) & ONLY_A_TABLE:
        return redirect(f"{reverse('explore')}?{params.urlencode(safe=',')}")
    context: dict[str, Any] = {"room": "dashboard", "page": "overview", "params": given}
    context |= {"unit_name": PARAMETER, "one_each": ONE_EACH}
    context["unit_chosen"] = given.get(PARAMETER) if given.get(PARAMETER) in EVERY else ""
    readable = False
    try:
        query = parse_query(params, measure=Measure.RATES)
        hold_to_units(given)
    except BadQuery as refusal:
        context["refusal"] = Refused.because(refusal)
    else:
        context |= answered(query, given, viewer)
        readable = True
    context["form"] = form = QuestionForm(
        params, viewer, measure=None, protected=is_protected(params, viewer)
    )
    context["question_words"] = (
        form.in_words(params) if readable else []
    )  # never echoes a refused value
    if viewer.exact_sites and not viewer.exact_everywhere and "site" not in params:
        context["own_sites"] = ",".join(sorted(viewer.exact_sites))
    status = context["refusal"].status if context["refusal"] else 200
    return render(request, "registry/dashboard.html", context, status=status)


def answered(query: EventQuery, given: QueryDict, viewer: Viewer) -> dict[str, Any]:
    """Every panel of the page; where none has an answer, the refusal."""
    unit, params = given.get(PARAMETER, ""), with_set(given, **{PARAMETER: ""})
    panels = ask_all(query, viewer, unit=unit)
    refusal = refused_alike(panels.everything())
    if refusal:
        return {"refusal": refusal}
    totals = totals_of(panels)
    first = next(panel for panel in panels.everything() if panel.release)
    ranking = ranking_of(panels, params)
    sites = own_side(query, viewer)
    return {
        "refusal": None,
        "profile_words": EXACT if first.is_exact else PROTECTED,
        "source": source_of(first.meta),
        "agreement": first.meta.get("agreement", ""),
        "headline": headline_of(panels, ranking, sites),
        "totals": totals,
        "withheld": [total.title for total in totals if total.is_withheld],
        "ranking": ranking,
        "units": units_of(panels, given),
        "multiples": multiples_of(
            panels.by_year, panels.by_site, params, by_period=panels.by_period
        ),
        "own_site": own_site_of(panels.own_funnel, sites, params),
        "completeness": completeness_of(first.meta),
        "table": panels.by_category.release and table_of(panels.by_category.release),
        "panels": panels,
        **addresses(params),
    }


def hold_to_units(given: QueryDict) -> None:
    """Refuses a unit that there is not; raises BadQuery naming those that there are."""
    if not set(given.getlist(PARAMETER)) <= set(EVERY):
        detail = f"Choose one of {', '.join(EVERY)}."
        raise BadQuery(Fault(PARAMETER, "unknown-code", detail))


def units_of(panels: Panels, given: QueryDict) -> list[tuple[str, str, bool]]:
    """The units to choose from: label, address (empty where the reader cannot have it), chosen."""
    exact = panels.counts.is_exact

    def address(code: str) -> str:
        chosen = with_set(given, **{PARAMETER: code})
        return f"{reverse('dashboard')}?{chosen.urlencode(safe=',')}#ranking"

    return [
        (
            each.label,
            address(each.code) if exact or each is not PUMP_YEARS else "",
            each is panels.unit,
        )
        for each in EVERY.values()
    ]


def addresses(params: QueryDict) -> dict[str, str]:
    """The addresses of the table of categories on the page to explore and in the API."""
    by_category = with_set(params, group_by="category")
    return {
        "explore_address": f"{reverse('explore')}?{by_category.urlencode(safe=',')}",
        "api_address": api_address(Measure.RATES, by_category),
        "csv_address": api_address(Measure.RATES, with_set(by_category, format="csv")),
    }

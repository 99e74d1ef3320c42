"""The table to explore with: a measure, up to three groupings, and every filter of the API."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import Panel, Refused, ask, may_look, with_set, without_blanks
from registry.answers.question_form import MEASURES, QuestionForm
from registry.answers.tables import WHY_HIDDEN, table_of
from registry.filters import parse_query
from registry.records import BadQuery, Fault
from registry.vocabulary import Measure

FIRST_QUESTION = "category"
"""What the page groups by for whoever has not asked anything yet."""


@require_safe
def explore(request: HttpRequest) -> HttpResponse:
    """Answer the question in the address; without one, rates by complication category.

    The names and values are those of the API, beside `measure`. Strangers are led to sign in
    unless the deployment's statistics are public.
    """
    if not may_look(request):
        return redirect_to_login(request.get_full_path())
    asked = without_blanks(request.GET)
    question = question_of(asked)
    viewer = reporting.viewer_of(request.user)
    context: dict[str, Any] = {"room": "dashboard", "page": "explore", "asked": asked}
    measure = Measure.RATES
    readable = False
    try:
        measure = measure_of(asked)
        query = parse_query(question, measure=measure)
    except BadQuery as refusal:
        context["refusal"] = Refused.because(refusal)
    else:
        panel = ask(query, measure, viewer)
        context["refusal"] = panel.refused
        if panel.release is not None:
            context |= answered(panel, question)
        readable = True
    context["form"] = form = QuestionForm(question, viewer, measure=measure)
    context["asked_words"] = form.in_words(asked) if readable else []  # no refused value again
    status = context["refusal"].status if context["refusal"] else 200
    return render(request, "registry/explore.html", context, status=status)


def answered(panel: Panel, question: QueryDict) -> dict[str, Any]:
    """The table of an answer, and where a script gets the same."""
    if panel.release is None:
        raise ValueError("This question was turned away.")
    return {
        "table": table_of(panel.release),
        "why_hidden": WHY_HIDDEN,
        "api_address": api_address(panel.measure, question),
        "csv_address": api_address(panel.measure, with_set(question, format="csv")),
    }


def api_address(measure: Measure, question: QueryDict) -> str:
    """Where the API answers the same question."""
    address = f"/api/v1/statistics/{measure.value}/"
    return f"{address}?{question.urlencode(safe=',')}" if question else address


def question_of(asked: QueryDict) -> QueryDict:
    """The question without what only the page reads, in labels unless codes are asked for."""
    if not asked:
        return QueryDict(f"group_by={FIRST_QUESTION}&labels=label")
    question = with_set(asked, measure="", group_by=",".join(asked.getlist("group_by")))
    question.setdefault("labels", "label")
    return question


def measure_of(asked: QueryDict) -> Measure:
    """The measure that was asked for, rates by default; raises BadQuery naming those there are."""
    codes = {each.value: each for each in MEASURES}
    named = set(asked.getlist("measure")) or {Measure.RATES.value}
    if len(named) > 1 or not named <= set(codes):
        raise BadQuery(Fault("measure", "unknown-code", f"Choose one of {', '.join(codes)}."))
    return codes[named.pop()]

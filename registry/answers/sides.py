"""A page that answers one question, or the same question for the own site and for all sites."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from registry import reporting
from registry.answers.answered import Reply, reply_to
from registry.answers.asking import Refused, with_set, without_blanks
from registry.answers.fitting import fitted_for
from registry.answers.page_question import (
    FIRST_GROUPING,
    FIRST_MEASURE,
    PageQuestion,
    is_answered,
    measure_of,
    read_page_question,
)
from registry.answers.question_form import QuestionForm
from registry.filters.fields import listed
from registry.records import BadQuery, Viewer
from registry.vocabulary import Measure

OWN = "Your site"
ALL = "All sites"
WHY_TWO = (
    "The two answers differ in kind. Your site's numbers are exact, counted on its rows as they "
    "stand today. Those of all sites come from the newest release and are protected: small counts "
    "are hidden and every count is changed a little, so that nobody can be singled out. Sites also "
    "treat different patients: a difference between the two does not judge your site."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSide:
    """One answer of a page. title: own site or all sites; empty where the page has one answer."""

    id: str
    title: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to the same question in another measure. left_out: what that measure does not take."""

    label: str
    params: str
    left_out: Sequence[str]
    chosen: bool = False


def page_of(request: HttpRequest, viewer: Viewer, *, beside: bool) -> dict[str, Any]:
    """What a statistics page shows: its form, its question, its answers and its status.

    beside: whether members see their own site beside all sites, unless they name another site.
    The address holds the whole question, so that it can be shared; empty boxes are ignored.
    """
    given = without_blanks(request.GET)
    params = given or QueryDict(f"group_by={FIRST_GROUPING}")
    context: dict[str, Any] = {"params": given, "sides": []}
    measure = FIRST_MEASURE
    dropped: Sequence[str] = ()
    readable = False
    try:
        measure = measure_of(params, reporting.offers(viewer))
        questions = [
            (title, mine, read_page_question(mine, viewer))
            for title, mine in _questions(params, viewer, beside=beside)
        ]
    except BadQuery as refusal:
        context["refusal"] = Refused.because(refusal)
    else:
        context["sides"] = [
            _side(number, title, question, mine, request, viewer)
            for number, (title, mine, question) in enumerate(questions, start=1)
        ]
        dropped = questions[0][2].dropped
        readable = True
    context["form"] = form = QuestionForm(
        params, viewer, measure=measure, protected=is_protected(params, viewer, beside=beside)
    )
    context["question_words"] = (
        form.in_words(given) if readable else []
    )  # never echoes a refused value
    context["measures"] = (
        in_each_measure(params, viewer, chosen=measure, beside=beside) if readable else []
    )
    context["dropped"] = dropped
    context["why_two"] = WHY_TWO if len(context["sides"]) > 1 else ""
    context["status"] = _status(context)
    return context


def in_each_measure(
    params: QueryDict, viewer: Viewer, *, chosen: Measure, beside: bool
) -> list[Tab]:
    """The closest question in every measure that the viewer may ask.

    For a measure with exact answers only, a member's link narrows the question to the own site.
    """
    own = ",".join(sorted(viewer.exact_sites))

    def has_answer(candidate: QueryDict) -> bool:
        questions = _questions(candidate, viewer, beside=beside)
        return viewer.exact_everywhere or any(is_answered(mine, viewer) for _, mine in questions)

    found = []
    for offer in reporting.offers(viewer):
        if offer.measure is chosen:
            found.append(Tab(offer.measure.label, params.urlencode(safe=","), (), chosen=True))
            continue
        fitted = fitted_for(params, offer, is_answered=has_answer)
        if own and not has_answer(fitted.params):
            fitted = fitted_for(with_set(params, site=own), offer, is_answered=has_answer)
        found.append(Tab(offer.measure.label, fitted.params.urlencode(safe=","), fitted.left_out))
    return found


def _questions(params: QueryDict, viewer: Viewer, *, beside: bool) -> list[tuple[str, QueryDict]]:
    own, named = viewer.exact_sites, {*listed(params, "site")}
    if not beside or not own or viewer.exact_everywhere or not named <= own:
        return [("", params)]
    mine = with_set(params, site=",".join(sorted(named or own)), release="")
    return [(OWN, mine), (ALL, with_set(params, site=""))]


def is_protected(params: QueryDict, viewer: Viewer, *, beside: bool = False) -> bool:
    """Whether no answer of the page can be exact."""
    if viewer.exact_everywhere or not viewer.exact_sites:
        return not viewer.exact_everywhere
    named = {*listed(params, "site")}
    return not beside and not (named and named <= viewer.exact_sites)


def _side(
    number: int,
    title: str,
    question: PageQuestion,
    params: QueryDict,
    request: HttpRequest,
    viewer: Viewer,
) -> PageSide:
    reply = reply_to(question, viewer=viewer, absolute=request.build_absolute_uri, params=params)
    return PageSide(id=f"answer-{number}", title=title, reply=reply)


def _status(context: dict[str, Any]) -> int:
    """The page's HTTP status: that of the first refusal where no side has an answer, else 200."""
    refused = [context.get("refusal"), *(side.reply.refused for side in context["sides"])]
    if any(side.reply.answered for side in context["sides"]):
        return 200
    return next((each.status for each in refused if each), 200)

"""Redirects a submitted form to the address of its question, without empty parameters."""

from django.http import HttpRequest, QueryDict

from registry import reporting
from registry.answers.asking import with_set
from registry.answers.fitting import fitted_for
from registry.answers.page_question import is_answered
from registry.answers.question_form import MARK, OVERVIEW
from registry.filters.fields import listed
from registry.records import Viewer


def address_of_form(request: HttpRequest, viewer: Viewer) -> str | None:
    """The address of a submitted form's question; None for a request that is no such form.

    Where the form changes the measure, leaves out what the new measure does not take, like the
    links to the other measures.
    """
    if MARK not in request.GET:
        return None
    of, params = request.GET[MARK], as_written(request.GET)
    chosen = params.get("measure")
    offer = next((one for one in reporting.offers(viewer) if one.measure.value == chosen), None)
    if offer is not None and of not in {chosen, OVERVIEW}:
        params = fitted_for(params, offer, is_answered=lambda one: is_answered(one, viewer)).params
    return f"{request.path}?{params.urlencode(safe=',')}" if params else request.path


def as_written(sent: QueryDict) -> QueryDict:
    """The parameters of a form with several values joined by commas, and without empty ones."""
    params = QueryDict(mutable=True)
    for name in sent:
        if values := list(dict.fromkeys(listed(sent, name))):
            params[name] = ",".join(values)
    return with_set(params, **{MARK: ""})

"""A form that was sent, as the address of its question: no empty box, nothing lost on the way."""

from django.http import HttpRequest, QueryDict

from registry import reporting
from registry.answers.asking import with_set
from registry.answers.fitting import fitted_for
from registry.answers.page_question import is_answered
from registry.answers.question_form import MARK, OVERVIEW
from registry.filters.fields import listed
from registry.records import Viewer


def address_of_form(request: HttpRequest, viewer: Viewer) -> str | None:
    """Where a form that was sent leads: the address of its question; None for any other address.

    Where another measure was chosen than the one whose boxes were filled in, what that measure
    does not take is left out, as the links to the other measures leave it out.
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
    """The parameters of a form as one writes them: several values in one, and no empty one."""
    params = QueryDict(mutable=True)
    for name in sent:
        if values := list(dict.fromkeys(listed(sent, name))):
            params[name] = ",".join(values)
    return with_set(params, **{MARK: ""})

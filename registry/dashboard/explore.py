"""The page to explore: a measure, up to three groupings, and every filter of the API."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import may_look
from registry.answers.sending import address_of_form
from registry.answers.sides import page_of


@require_safe
def explore(request: HttpRequest) -> HttpResponse:
    """Answers the question in the address; by default rates by complication category.

    Takes the API's parameters, and `measure`. Redirects anonymous callers to sign in unless
    statistics are public.
    """
    if not may_look(request):
        return redirect_to_login(request.get_full_path())
    viewer = reporting.viewer_of(request.user)
    if address := address_of_form(request, viewer):
        return redirect(address)
    context = page_of(request, viewer, beside=False)
    context |= {"room": "dashboard", "page": "explore"}
    return render(request, "registry/explore.html", context, status=context["status"])

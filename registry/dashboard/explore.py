"""The page to explore: a measure, up to three groupings, and every filter of the API."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import may_look
from registry.answers.sending import address_of_form, as_written
from registry.answers.sides import is_protected, page_of
from registry.answers.told_before import told_before


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
    context |= {"room": "dashboard", "page": "explore", "told_address": reverse("told-before")}
    return render(request, "registry/explore.html", context, status=context["status"])


@require_safe
def how_much_is_told(request: HttpRequest) -> HttpResponse:
    """How many rows of the form's question would be told, as `{"said": "..."}`.

    Protected questions only, which everybody gets alike: exact ones hide nothing, and looking at
    them is logged. Empty for them, and for a form that cannot be read yet.
    """
    if not may_look(request):
        return JsonResponse({"said": ""}, status=403)
    viewer = reporting.viewer_of(request.user)
    params = as_written(request.GET)
    said = told_before(params, viewer) if is_protected(params, viewer) else ""
    return JsonResponse({"said": said})

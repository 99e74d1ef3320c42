"""A password that somebody else set is changed by its owner before anything else is done."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from registry.answers.by_provider import signed_in_by_provider
from registry.answers.kept import refused_form, takes_answers_back

OPEN_MEANWHILE = frozenset(
    {
        *("login", "logout", "password", "health:live", "health:ready"),
        *("provider", "provider-callback", "provider-code"),
    }
)
"""The pages that such an account opens; the server's own health asks no database who is there."""


class ChangeGivenPassword:
    """Leads an account with a password from a data manager to the page that changes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Lets the request through."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """The page of the password, or None; answers that were sent are kept."""
        match = request.resolver_match
        if match is not None and match.view_name in OPEN_MEANWHILE:
            return None
        if not getattr(request.user, "must_change_password", False):
            return None
        if signed_in_by_provider(request):  # no password was used
            return None
        if request.method == "POST" and takes_answers_back(request, match):
            return refused_form(request, match)
        return HttpResponseRedirect(reverse("password"))

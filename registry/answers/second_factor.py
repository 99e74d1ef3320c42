"""Where a setting asks for a one-time code, nothing else opens before one was shown."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_otp import user_has_device

from registry.answers.by_provider import PROVIDER_SAW_FACTOR
from registry.answers.given_passwords import OPEN_MEANWHILE
from registry.answers.kept import refused_form, takes_answers_back


def has_shown_factor(request: HttpRequest) -> bool:
    """Whether a one-time code was shown in this session, to us or to a provider trusted with it."""
    user: Any = request.user
    return bool(user.is_verified() or request.session.get(PROVIDER_SAW_FACTOR))


class RequireCode:
    """Leads whoever must have a one-time code to the page that adds one, or to the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Lets the request through."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """The page to go to first, or None; answers that were sent are kept."""
        match = request.resolver_match
        if match is not None and match.view_name in {*OPEN_MEANWHILE, "one_time_code"}:
            return None
        user: Any = request.user
        if not getattr(user, "must_use_code", False) or has_shown_factor(request):
            return None
        if request.method == "POST" and takes_answers_back(request, match):
            return refused_form(request, match)
        if user_has_device(user):
            logout(request)
            return redirect_to_login(request.get_full_path())
        return HttpResponseRedirect(reverse("one_time_code"))

"""Where a setting asks for a one-time code, nothing else opens before one was shown."""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_otp import user_has_device

from registry.answers.by_provider import PROVIDER_SAW_FACTOR
from registry.answers.detours import OPEN_MEANWHILE, Detour


def has_shown_factor(request: HttpRequest) -> bool:
    """Whether a one-time code was shown in this session, to us or to a provider trusted with it."""
    user: Any = request.user
    return bool(user.is_verified() or request.session.get(PROVIDER_SAW_FACTOR))


class RequireCode(Detour):
    """Leads whoever must have a one-time code to the page that adds one, or to the sign-in."""

    opens = OPEN_MEANWHILE | {"one_time_code"}

    def is_needed(self, request: HttpRequest) -> bool:
        """Where a code is asked for and none was shown."""
        must = getattr(request.user, "must_use_code", False)
        return bool(must) and not has_shown_factor(request)

    def elsewhere(self, request: HttpRequest) -> HttpResponse:
        """The sign-in for who has a code; the page that adds one for who has none."""
        if user_has_device(request.user):
            logout(request)
            return redirect_to_login(request.get_full_path())
        return HttpResponseRedirect(reverse("one_time_code"))

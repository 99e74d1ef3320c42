"""Pages that some people are led to before anything else opens; answers that they sent are kept."""

from collections.abc import Callable, Collection
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from registry.answers.kept import ENDED, page_before, refused_form, takes_answers_back

OPEN_MEANWHILE = frozenset(
    {
        *("login", "logout", "password", "health:live", "health:ready"),
        *("provider", "provider-callback", "provider-code"),
    }
)
"""The pages that such an account opens; the server's own health asks no database who is there."""


class Detour:
    """A middleware that leads elsewhere whoever needs it; opens: pages that open all the same."""

    opens: Collection[str] = OPEN_MEANWHILE

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
        if match is not None and match.view_name in self.opens:
            return None
        if not self.is_needed(request):
            return None
        if request.method == "POST" and takes_answers_back(request, match):
            return refused_form(request, match)
        return self.elsewhere(request)

    def is_needed(self, request: HttpRequest) -> bool:
        """Whether who asks has to go there first."""
        raise NotImplementedError

    def elsewhere(self, request: HttpRequest) -> HttpResponse | None:
        """Where to; None lets the request through all the same."""
        raise NotImplementedError


class KeepAnswers(Detour):
    """Keeps what somebody sends whose session has ended.

    A button without answers leads through the sign-in back to the page that it is on.
    """

    opens = ()

    def is_needed(self, request: HttpRequest) -> bool:
        """Whether something is sent without a session."""
        return request.method == "POST" and not request.user.is_authenticated

    def elsewhere(self, request: HttpRequest) -> HttpResponse | None:
        """The sign-in, from the pages of those who are signed in."""
        match = request.resolver_match
        if match is not None and (match.app_name == "admin" or match.url_name == "upload"):
            to = {"next": page_before(request), ENDED: "1"}
            return HttpResponseRedirect(f"{reverse('login')}?{urlencode(to)}")
        return None

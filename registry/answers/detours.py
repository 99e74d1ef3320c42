"""Pages that some people are led to before anything else opens; answers that they sent are kept."""

from collections.abc import Callable, Collection
from typing import Any

from django.http import HttpRequest, HttpResponse

from registry.answers.kept import refused_form, takes_answers_back

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

    def elsewhere(self, request: HttpRequest) -> HttpResponse:
        """Where to."""
        raise NotImplementedError

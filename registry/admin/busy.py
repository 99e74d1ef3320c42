"""Pages that say in words that the registry is busy; the API says so as a problem."""

import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from registry.records.waiting import RETRY_AFTER, waited_too_long


class BusyPages:
    """Answers 503 where a view waited too long for others who were writing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page, where this is why the view failed."""
        return busy_page(is_stored=False) if waited_too_long(error) else None


def busy_page(*, is_stored: bool) -> HttpResponse:
    """Say that others were writing.

    is_stored: the view was done, so that what was sent may have been stored.
    """
    page = HttpResponse(render_to_string("503.html", {"is_stored": is_stored}), status=503)
    page["Retry-After"] = str(RETRY_AFTER)
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of a failure, and of a wait outside a view, such as for a session to be kept."""
    if waited_too_long(sys.exc_info()[1]):
        return busy_page(is_stored=True)
    return defaults.server_error(request)

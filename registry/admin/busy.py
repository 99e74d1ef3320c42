"""Pages that say that the registry is busy, can store nothing, or has no sound data to answer from.

The API answers with a problem document.
"""

import sys
from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from registry.records import CannotSeal, EngineAway, SnapshotUnusable
from registry.records.outages import DatabaseOutage, outage_of
from registry.records.waiting import RETRY_AFTER, waited_too_long


class BusyPages:
    """Answers 503 where a view waited too long, or has no database or nothing to ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page that says so, if this is why the view failed."""
        if isinstance(error, SnapshotUnusable | CannotSeal | EngineAway):
            return unusable_page(error)
        if outage := outage_of(error):
            return outage_page(outage)
        return busy_page(is_stored=False) if waited_too_long(error) else None


def busy_page(*, is_stored: bool) -> HttpResponse:
    """Says that others were writing.

    is_stored: the view had finished, so the data sent may be stored.
    """
    return _told("503.html", {"is_stored": is_stored})


MEANWHILE = {
    SnapshotUnusable: "Reports can be entered and read as always.",
    CannotSeal: "Nothing was stored.",
    EngineAway: "Reports can be entered and read as always.",
}


def unusable_page(refusal: SnapshotUnusable | CannotSeal | EngineAway) -> HttpResponse:
    """Says why nothing can be answered or stored, where a page has no place of its own for it."""
    said = {
        "title": refusal.title,
        "faults": refusal.faults,
        "meanwhile": MEANWHILE[type(refusal)],
    }
    return _told("unusable.html", said)


def outage_page(outage: DatabaseOutage) -> HttpResponse:
    """Says that the database does not answer, or stores nothing."""
    return _told("unusable.html", {"title": outage.title, "faults": [outage]})


def _told(template: str, said: Mapping[str, object]) -> HttpResponse:
    page = HttpResponse(render_to_string(template, said), status=503)
    page["Retry-After"] = str(RETRY_AFTER)
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """The error page, also for a failure outside a view, such as of a session to be saved."""
    error = sys.exc_info()[1]
    if outage := outage_of(error):
        return outage_page(outage)
    if waited_too_long(error):
        return busy_page(is_stored=True)
    return defaults.server_error(request)

"""Answers that were sent and could not be taken are kept in the page, and go back into their form.

A session that ended, a sign-in in another tab, or a page that stood open too long: what was typed
is carried in the reply itself, signed, through the sign-in and back. As it was typed it is never
stored, neither here nor by the browser, and going on fills in the form without saving anything.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from registry.records import Fault, Refusal

KEPT = "_kept"
"""The hidden input that carries the answers."""

KEPT_FOR = 24 * 3600
"""Seconds for which carried answers go back into their form."""

_SALT = "registry.answers.kept"
_NO_ANSWERS = frozenset({"csrfmiddlewaretoken", KEPT})
_FORM_OF_A_ROW = re.compile(r"registry_(event|patient|implant|exposure|complication)_(add|change)")
_FORM_BESIDE_ROWS = re.compile(
    r"registry_(site|membership)_(add|change)|registry_event_step"
    r"|registry_implant_(follow_up|replace)|registry_(event|patient|implant)_redact|registry_site_keys"
)
_LIST_WITH_STEPS = "registry_event_changelist"

ENDED = "ended"
"""In the address of the sign-in: what somebody sent without a session was not done."""


class AnswersKept(Refusal):
    """Answers that are back in their form, and not stored yet."""

    code = "answers-kept"
    title = "Your answers were kept"


def keep(request: HttpRequest) -> str:
    """The answers of a request as signed text, with the address they were sent to.

    Answers that the request already carries are carried on.
    """
    carried: str = request.POST.get(KEPT, "")
    if kept(carried):
        return carried
    sent = [(name, value) for name, value in request.POST.lists() if name not in _NO_ANSWERS]
    return signed_answers(request.get_full_path(), sent)


def signed_answers(address: str, sent: Sequence[tuple[str, list[Any]]]) -> str:
    """Answers with the address of their form as signed text, which `take_back` takes."""
    return signing.dumps({"address": address, "sent": sent}, salt=_SALT, compress=True)


def kept(text: str) -> dict[str, Any] | None:
    """What `keep` made, for KEPT_FOR seconds; None for anything else."""
    try:
        found: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return None
    return found


def take_back(request: HttpRequest) -> AnswersKept | None:
    """Puts kept answers into the request, as if its form had been sent; None where it has none.

    The refusal keeps the form from being stored: a person looks first.
    """
    found = kept(request.POST.get(KEPT, ""))
    if found is None or found["address"] != request.get_full_path():
        return None
    answers = QueryDict(mutable=True)
    for name, values in found["sent"]:
        answers.setlist(name, values)
    request.POST = answers  # type: ignore[assignment]
    said = "your answers were kept, and nothing is stored yet: look at them, and save again"
    return AnswersKept(Fault("", AnswersKept.code, said))


def page_with_answers(request: HttpRequest, text: str, *, status: int = 200) -> HttpResponse:
    """The page that leads back to the form, by way of signing in where that is needed."""
    found = kept(text) or {"address": "/"}
    context = {"kept": text, "address": found["address"], "room": "kept"}
    return render(request, "registry/kept.html", context, status=status)


def refused_form(request: HttpRequest, match: ResolverMatch | None) -> HttpResponse:
    """Answers a form that could not be taken: 403, with a page that leads back to its answers.

    What reads as an answer is kept with the browser's session too, signed in or not, so that the
    form offers it to who goes back by the browser's button and signs in again.
    """
    if match is not None and is_form_of_a_row(match):
        rows: Any = getattr(match.func, "model_admin", None)
        if hasattr(rows, "keep_refused"):
            rows.keep_refused(request)
    return page_with_answers(request, keep(request), status=403)


def is_form_of_a_row(match: ResolverMatch | None) -> bool:
    """Whether an address is a form on which people type a row."""
    name = str(match.url_name or "") if match is not None else ""
    return bool(_FORM_OF_A_ROW.fullmatch(name))


def takes_answers_back(request: HttpRequest, match: ResolverMatch | None) -> bool:
    """Whether what is sent to an address goes back into its form, or into its page that asks."""
    name = str(match.url_name or "") if match is not None else ""
    if name == _LIST_WITH_STEPS:
        return "action" in request.POST
    return is_form_of_a_row(match) or bool(_FORM_BESIDE_ROWS.fullmatch(name))


def page_before(request: HttpRequest) -> str:
    """The page of this server on which something was sent; the address itself where it is not said.

    Many buttons have an address of their own that shows nothing.
    """
    own, before = _origin(request), request.headers.get("Referer", "")
    page = before.removeprefix(own) if before.startswith(f"{own}/") else ""
    safe = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return page if page and safe else request.get_full_path()


def token_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers a form whose token is of another sign-in: its answers are kept, where it is ours.

    A form that another site sent, or that names no origin, gets nothing back.
    """
    try:
        match = resolve(request.path_info)
    except Resolver404:
        match = None
    if _is_own(request) and takes_answers_back(request, match):
        return refused_form(request, match)
    context = {"address": page_before(request), "room": "kept"}
    return render(request, "registry/stale.html", context, status=403)


def _is_own(request: HttpRequest) -> bool:
    """Whether the form was sent from a page of this server."""
    own, origin = _origin(request), request.headers.get("Origin")
    if origin is not None:
        return origin == own
    return request.headers.get("Referer", "").startswith(f"{own}/")


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"

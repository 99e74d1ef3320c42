"""Answers that were sent and could not be taken are kept in the page, and go back into their form.

A session that ended, a sign-in in another tab, or a page that stood open too long: what was typed
is carried in the reply itself, signed, through the sign-in and back. As it was typed it is never
stored, neither here nor by the browser, and going on fills in the form without saving anything.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, ResolverMatch, resolve

from registry.records import Fault, Refusal

KEPT = "_kept"
"""The hidden input that carries the answers."""

KEPT_FOR = 24 * 3600
"""Seconds for which carried answers go back into their form."""

_SALT = "registry.answers.kept"
_NO_ANSWERS = frozenset({"csrfmiddlewaretoken", KEPT})
_FORM_OF_A_ROW = re.compile(r"registry_(event|patient|implant|exposure|complication)_(add|change)")


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
    rows: Any = getattr(match.func, "model_admin", None) if match is not None else None
    if hasattr(rows, "keep_refused"):
        rows.keep_refused(request)
    return page_with_answers(request, keep(request), status=403)


def is_form_of_a_row(match: ResolverMatch | None) -> bool:
    """Whether an address is a form on which people type a row."""
    name = str(match.url_name or "") if match is not None else ""
    return bool(_FORM_OF_A_ROW.fullmatch(name))


def token_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answers a form whose token is of another sign-in: its answers are kept, where it is ours.

    A form that another site sent, or that names no origin, gets nothing back.
    """
    try:
        match = resolve(request.path_info)
    except Resolver404:
        match = None
    if is_form_of_a_row(match) and _is_own(request):
        return refused_form(request, match)
    context = {"address": request.path, "room": "kept"}
    return render(request, "registry/stale.html", context, status=403)


def _is_own(request: HttpRequest) -> bool:
    """Whether the form was sent from a page of this server."""
    own = f"{request.scheme}://{request.get_host()}"
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin == own
    return request.headers.get("Referer", "").startswith(f"{own}/")


class KeepAnswers:
    """Keeps what somebody sends whose session has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Lets the request through."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """The page that keeps the answers, for a form that is sent without a session."""
        if (
            request.method == "POST"
            and is_form_of_a_row(request.resolver_match)
            and not request.user.is_authenticated
        ):
            return refused_form(request, request.resolver_match)
        return None

"""Answers that were typed and left unsaved: kept by the server for their person, and offered again.

The browser keeps nothing. What is kept was read as an answer first, so that it holds codes, small
numbers and keys that intake takes. It outlives the session, which may end while somebody types:
the record is the person's own, and goes with the answers' day or when the person signs out. Of
somebody who is not signed in it is kept with the browser's session, until that person signs in. Of
a form's address, which could say anything, a keyed digest is kept.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from registry.answers.kept import KEPT_FOR, signed_answers

UNSAVED = "unsaved"
"""In a session or a person's record: the answers by the token of their form, the latest last."""

MOST_UNSAVED = 5
"""Forms of which the answers of one person are kept."""

Sent = Sequence[tuple[str, list[str]]]
"""Names and values as a form sends them."""

Entries = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Unsaved answers of a form: its token, their signed text, and how many minutes ago."""

    token: str
    kept: str
    minutes: int


def keep_unsaved(request: HttpRequest, *, token: str, address: str, sent: Sent) -> None:
    """Keeps the answers of a form in place of its earlier ones, for KEPT_FOR seconds."""
    answers = [list(each) for each in sent]
    entry = {"address": mark_of(address), "sent": answers, "at": int(time.time())}
    kept = {key: one for key, one in _entries(request).items() if key != token}
    _store(request, {**kept, token: entry})


def forget_unsaved(request: HttpRequest, token: str) -> None:
    """Forgets the answers of a form that was saved or given up."""
    kept = _entries(request)
    if token in kept:
        _store(request, {key: one for key, one in kept.items() if key != token})


def forget_all_unsaved(request: HttpRequest) -> None:
    """Forgets all answers of a person who signs out."""
    if request.user.is_authenticated:
        Session.objects.filter(session_key=_record_of(request.user.pk)).delete()


def forget_old(session: SessionBase) -> None:
    """Forgets answers that a session kept for KEPT_FOR seconds; the caller saves the session."""
    if UNSAVED in session:
        session[UNSAVED] = _fresh(session[UNSAVED])


def unsaved_at(request: HttpRequest, address: str, *, back_to: str) -> Unsaved | None:
    """The latest unsaved answers of the form at an address, signed for where they go back to."""
    mark = mark_of(address)
    for token, entry in reversed(_entries(request).items()):
        if entry["address"] == mark:
            sent = [(name, values) for name, values in entry["sent"]]
            minutes = (int(time.time()) - entry["at"]) // 60
            return Unsaved(token, signed_answers(back_to, sent), minutes)
    return None


def mark_of(address: str) -> str:
    """What stands for the address of a form: a keyed digest of it."""
    return salted_hmac("registry.answers.unsaved", address, algorithm="sha256").hexdigest()


def _entries(request: HttpRequest) -> dict[str, Any]:
    """The answers that the person and the session have, the latest last. One query."""
    found = _fresh(request.session.get(UNSAVED, {}))
    if request.user.is_authenticated:
        record = Session.objects.filter(
            session_key=_record_of(request.user.pk), expire_date__gt=timezone.now()
        ).first()
        stored = record.get_decoded() if record is not None else {}
        found = _fresh({**stored.get(UNSAVED, {}), **found})
    return dict(sorted(found.items(), key=lambda each: each[1]["at"]))


def _store(request: HttpRequest, entries: Entries) -> None:
    """Keeps the latest answers, in the record of a person who is signed in, else in the session."""
    latest = dict(list(entries.items())[-MOST_UNSAVED:])
    if not request.user.is_authenticated:
        request.session[UNSAVED] = latest
        return
    request.session.pop(UNSAVED, None)
    key, end = _record_of(request.user.pk), timezone.now() + timedelta(seconds=KEPT_FOR)
    text = SessionStore().encode({UNSAVED: latest})
    Session.objects.update_or_create(
        session_key=key, defaults={"session_data": text, "expire_date": end}
    )


def _record_of(user: int) -> str:
    """The key of a person's record among the sessions, whose own keys are random."""
    return salted_hmac("registry.answers.unsaved.of", str(user)).hexdigest()


def _fresh(entries: Entries) -> dict[str, Any]:
    oldest = time.time() - KEPT_FOR
    return {key: one for key, one in entries.items() if one["at"] >= oldest}

"""Answers that were typed and left unsaved: kept by the server with the session, and offered again.

The browser keeps nothing. What is kept was read as an answer first, so that it holds codes, small
numbers and keys that intake takes, and ends with the session. Of a form's address, which could say
anything, a keyed digest is kept.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import salted_hmac

from registry.answers.kept import KEPT_FOR, signed_answers

UNSAVED = "unsaved"
"""In a session: the answers by the token of their form, the latest last."""

MOST_UNSAVED = 5
"""Forms of which a session keeps the answers."""

Sent = Sequence[tuple[str, list[str]]]
"""Names and values as a form sends them."""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Unsaved answers of a form: its token, their signed text, and how many minutes ago."""

    token: str
    kept: str
    minutes: int


def keep_unsaved(session: SessionBase, *, token: str, address: str, sent: Sent) -> None:
    """Keeps the answers of a form in place of its earlier ones, for KEPT_FOR seconds."""
    answers = [list(each) for each in sent]
    entry = {"address": mark_of(address), "sent": answers, "at": int(time.time())}
    others = [(key, one) for key, one in _fresh(session) if key != token]
    session[UNSAVED] = dict([*others, (token, entry)][-MOST_UNSAVED:])


def forget_unsaved(session: SessionBase, token: str) -> None:
    """Forgets the answers of a form that was saved or given up."""
    if token in session.get(UNSAVED, {}):
        session[UNSAVED] = {key: one for key, one in _fresh(session) if key != token}


def forget_old(session: SessionBase) -> None:
    """Forgets answers that were kept for KEPT_FOR seconds; the caller saves the session."""
    if UNSAVED in session:
        session[UNSAVED] = dict(_fresh(session))


def unsaved_at(session: SessionBase, address: str, *, back_to: str) -> Unsaved | None:
    """The latest unsaved answers of the form at an address, signed for where they go back to."""
    mark = mark_of(address)
    for token, entry in reversed(list(_fresh(session))):
        if entry["address"] == mark:
            sent = [(name, values) for name, values in entry["sent"]]
            minutes = (int(time.time()) - entry["at"]) // 60
            return Unsaved(token, signed_answers(back_to, sent), minutes)
    return None


def mark_of(address: str) -> str:
    """What stands for the address of a form: a keyed digest of it."""
    return salted_hmac("registry.answers.unsaved", address, algorithm="sha256").hexdigest()


def _fresh(session: SessionBase) -> Iterable[tuple[str, Any]]:
    oldest = time.time() - KEPT_FOR
    return [(key, one) for key, one in session.get(UNSAVED, {}).items() if one["at"] >= oldest]

"""Two posts of one form are one row: a second press, a repeated request, the back button."""

import json
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from registry.models import Event, IdempotencyKey
from registry.records import Fault, StateConflict

FORM_TOKEN = "_form"  # noqa: S105 - the name of a hidden input
"""The hidden input that tells one empty form from another."""

_MOST_LETTERS = 64
_NO_ANSWERS = frozenset({"csrfmiddlewaretoken", FORM_TOKEN})


def form_token(request: HttpRequest) -> str:
    """The token of the form that was sent, or of a new one."""
    return request.POST.get(FORM_TOKEN, "")[:_MOST_LETTERS] or get_random_string(32)


def was_stored(user: Any, token: str) -> bool:
    """Whether an event was stored from the form with this token, in the last 24 hours."""
    own = IdempotencyKey.objects.filter(user=user, key=f"form:{token[:_MOST_LETTERS]}")
    return bool(token) and own.exclude(pk__in=own.expired(timezone.now())).exists()


def stored_once(request: HttpRequest, write: Callable[[], Event]) -> Event:
    """Stores the event of a form, or returns the one that was stored from it, for 24 hours.

    A form without its token is stored each time. Raises StateConflict where the form was sent
    again with other answers.
    """
    token = request.POST.get(FORM_TOKEN, "")[:_MOST_LETTERS]
    if not token:
        return write()
    user: Any = request.user
    key, digest = f"form:{token}", _digest(request)
    with transaction.atomic():
        IdempotencyKey.objects.filter(user=user, key=key).expired(timezone.now()).delete()
        claim, is_new = IdempotencyKey.objects.get_or_create(
            user=user,
            key=key,
            defaults={
                "method_path": f"POST {request.path}"[:255],
                "body_digest": digest,
                "status": 0,
                "reply": {},
            },
        )
        if not is_new:
            if claim.body_digest != digest:
                detail = "this form was stored already; open its event in the list to change it"
                raise StateConflict(Fault("", "stored-already", detail))
            return Event.objects.get(public_id=claim.reply["event"])
        event = write()
        claim.status, claim.reply = 302, {"event": str(event.public_id)}
        claim.save(update_fields=["status", "reply"])
    return event


def _digest(request: HttpRequest) -> str:
    """A keyed digest of the answers."""
    answers = {name: value for name, value in request.POST.lists() if name not in _NO_ANSWERS}
    content = json.dumps(sorted(answers.items())).encode()
    return salted_hmac("registry.admin.once", content, algorithm="sha256").hexdigest()

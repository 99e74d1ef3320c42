"""A write that can be sent again: the same key gives the same reply and writes once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from registry.api.refusals import KeyReused
from registry.models import IdempotencyKey
from registry.records import BadQuery, Fault


@dataclass(frozen=True, slots=True)
class Reply:
    """What a write answered: its status, a JSON-ready body, and its headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def answered_once(request: Request, write: Callable[[], Reply]) -> Reply:
    """Run a write, or give the reply it gave before under the same Idempotency-Key.

    The body is kept as text, since a database may put the fields of JSON in another order.
    A refused write leaves no trace, so that a mended body may use the key again. Two requests
    with one key wait for each other. Raises KeyReused where the key stands for another request.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return write()
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        said = "Send 1 to 255 printable characters without a space, such as a random UUID."
        raise BadQuery(Fault("Idempotency-Key", "bad-key", said))
    user: Any = request.user
    asked = {
        "method_path": f"{request.method} {request.path}"[:255],
        "body_digest": _digest(request.data),
    }
    if earlier := IdempotencyKey.objects.filter(user=user, key=key).first():
        return _again(earlier, asked)
    with transaction.atomic():
        try:
            with transaction.atomic():
                claim = IdempotencyKey.objects.create(
                    user=user, key=key, status=0, reply={}, **asked
                )
        except IntegrityError:
            return _again(IdempotencyKey.objects.get(user=user, key=key), asked)
        reply = write()
        claim.status = reply.status
        claim.reply = {"body": json.dumps(reply.body), "headers": dict(reply.headers)}
        claim.save(update_fields=["status", "reply"])
    return reply


def _digest(body: Any) -> str:
    """A keyed digest of the body, whatever order the fields of JSON came in."""
    canonical = body
    if not isinstance(body, bytes):
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return salted_hmac("registry.api.idempotency", canonical, algorithm="sha256").hexdigest()


def _again(earlier: IdempotencyKey, asked: Mapping[str, str]) -> Reply:
    if (earlier.method_path, earlier.body_digest) != (asked["method_path"], asked["body_digest"]):
        said = "This key stands for a request with another body: make a new key."
        raise KeyReused(Fault("Idempotency-Key", "idempotency-key-reused", said))
    headers = {**earlier.reply["headers"], "Idempotent-Replayed": "true"}
    return Reply(earlier.status, json.loads(earlier.reply["body"]), headers)

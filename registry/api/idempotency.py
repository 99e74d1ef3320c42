"""Idempotent writes: the same key gives the same reply and writes once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.refusals import KeyReused
from registry.models import IdempotencyKey
from registry.records import BadQuery, Fault

KEY = r"[\x21-\x7e]{1,255}"
"""A key of 1 to 255 visible characters."""

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """The reply to a write: its status, JSON-ready body (empty for none) and headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def answered_once(request: Request, write: Callable[[], WrittenReply]) -> Response:
    """Runs a write that needs no preparation; see `prepared_once`."""
    return prepared_once(request, lambda: None, lambda _nothing: write())


def prepared_once(
    request: Request,
    prepare: Callable[[], Prepared],
    write: Callable[[Prepared], WrittenReply],
    *,
    dry_run: bool = False,
) -> Response:
    """Runs a write, or gives its earlier reply under the same Idempotency-Key.

    A key stands for method, path, query and body, for 24 hours. Refused writes and dry runs do
    not use up the key, so a corrected body, or the real run, may have it. Requests with the same
    key wait for each other. prepare: slow work before the write, which takes its result; runs
    without a lock, and not for an earlier reply. Raises BadQuery where the key is malformed, and
    KeyReused where it stands for another request.
    """
    reply = _reply_of(request, prepare, write, dry_run=dry_run)
    return Response(reply.body or None, status=reply.status, headers=dict(reply.headers))


def _reply_of(
    request: Request,
    prepare: Callable[[], Prepared],
    write: Callable[[Prepared], WrittenReply],
    *,
    dry_run: bool,
) -> WrittenReply:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return write(prepare())
    if not re.fullmatch(KEY, key):
        said = "Send 1 to 255 visible ASCII characters without a space, such as a random UUID."
        raise BadQuery(Fault("Idempotency-Key", "bad-key", said))
    user: Any = request.user
    own = IdempotencyKey.objects.filter(user=user, key=key)
    expired = own.expired(timezone.now())
    fingerprint = {
        "method_path": f"{request.method} {request.path}"[:255],
        "body_digest": _digest(request),
    }
    if earlier := own.exclude(pk__in=expired).first():
        return _again(earlier, fingerprint)
    prepared = prepare()
    if dry_run:
        return write(prepared)
    with transaction.atomic():
        expired.delete()
        claim, is_new = IdempotencyKey.objects.get_or_create(
            user=user, key=key, defaults={"status": 0, "reply": {}, **fingerprint}
        )
        if not is_new:
            return _again(claim, fingerprint)
        reply = write(prepared)
        claim.status = reply.status
        # As text, since a database may reorder the fields of JSON.
        claim.reply = {"body": json.dumps(reply.body), "headers": dict(reply.headers)}
        claim.save(update_fields=["status", "reply"])
    return reply


def _digest(request: Request) -> str:
    """A keyed digest of query and body, independent of the order of parameters and JSON fields."""
    body: Any = request.data
    if not isinstance(body, bytes):
        body = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    query = json.dumps(sorted(request.query_params.lists()))
    content = query.encode() + b"\n" + body
    return salted_hmac("registry.api.idempotency", content, algorithm="sha256").hexdigest()


def _again(earlier: IdempotencyKey, fingerprint: Mapping[str, str]) -> WrittenReply:
    if (earlier.method_path, earlier.body_digest) != (
        fingerprint["method_path"],
        fingerprint["body_digest"],
    ):
        said = (
            "This key stands for a request with another method, address, query or body: "
            "make a new key."
        )
        raise KeyReused(Fault("Idempotency-Key", "idempotency-key-reused", said))
    headers = {**earlier.reply["headers"], "Idempotent-Replayed": "true"}
    return WrittenReply(earlier.status, json.loads(earlier.reply["body"]), headers)

"""Bad input through every door: never a failure, never a stored fault, never given back.

REGISTRY_BAD_INPUT: how many pieces in all; `make fuzz-input` sends 100,000.
"""

import os
from collections import Counter
from itertools import count
from random import Random

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.test import Client

from registry.models import Event, Exposure, Implant, Patient
from registry.models.verification import verify_trail
from tests.api.bad_input import DOORS, MARK, Sent
from tests.api.conftest import client_of

PIECES = int(os.environ.get("REGISTRY_BAD_INPUT", "1200"))
SEED = int(os.environ.get("REGISTRY_BAD_INPUT_SEED", "1"))
IN_A_PAGE = "/dashboard/", "/?"
"""A page keeps what was typed into its own form, escaped."""


def reply_to(client: Client, sent: Sent) -> tuple[int, str]:
    headers = {} if not sent.content_type else {"content_type": sent.content_type}
    reply = client.generic(sent.method, sent.address, sent.body, **headers)
    body = b"".join(reply.streaming_content) if reply.streaming else reply.content
    return reply.status_code, body.decode(errors="replace")


def faults_of(row: Model) -> list[str]:
    """What a stored row says of itself that no constraint allows."""
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        return [f"{type(row).__name__}: {sorted(error.message_dict)}"]
    return []


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_bad_input_fails_nothing_and_comes_back_nowhere(door, registry):
    client = client_of(registry.manager)
    client.raise_request_exception = False
    dice, pieces, statuses = Random(f"{SEED}-{door}"), 0, Counter()

    for number, sent in zip(count(), DOORS[door](dice)):
        if pieces >= PIECES // len(DOORS):
            break
        pieces += sent.pieces
        cache.clear()  # no request is held back for those before it
        status, said = reply_to(client, sent)
        statuses[status] += 1
        shown = f"{door} {number}: {status} {sent.address[:300]} {sent.body[:600]!r}"
        assert status < 500, shown
        if not sent.address.startswith(IN_A_PAGE):
            assert MARK.lower() not in said.lower(), f"{shown} -> {said[:600]}"
        elif f"<script>{MARK}" in said:
            pytest.fail(shown)

    stored = [row for model in (Patient, Implant, Exposure, Event) for row in model.objects.all()]
    assert [fault for row in stored for fault in faults_of(row)] == []
    assert not any(MARK in str(value) for row in stored for value in vars(row).values())
    assert verify_trail().breaks == ()
    assert min(statuses) < 400 <= max(statuses)

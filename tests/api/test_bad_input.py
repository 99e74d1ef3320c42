"""Bad input through every door: never a failure, never a stored fault, never given back.

REGISTRY_BAD_INPUT: how many pieces in all; `make fuzz-input` sends 100,000.
"""

import io
import os
from collections import Counter
from itertools import count
from random import Random

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.test import Client

from registry.models import Event, Exposure, Implant, Patient, User, sealed
from registry.models.verification import verify_trail
from tests.api.bad_files import redcap_exports, store_checked, uploads
from tests.api.bad_input import DOORS, MARK, Sent
from tests.api.conftest import client_of

PIECES = int(os.environ.get("REGISTRY_BAD_INPUT", "1200"))
SEED = int(os.environ.get("REGISTRY_BAD_INPUT_SEED", "1"))
BACKEND = "django.contrib.auth.backends.ModelBackend"
ALL_DOORS = {**DOORS, "uploads": uploads}
SHARE = PIECES // (len(ALL_DOORS) + 1)
"""The pieces of each door, and of the command that takes REDCap's exports."""
IN_A_PAGE = "/dashboard/", "/?"
"""A page keeps what was typed into its own form, escaped."""


def reply_to(client: Client, sent: Sent) -> tuple[int, str]:
    headers = {} if not sent.content_type else {"content_type": sent.content_type}
    reply = client.generic(sent.method, sent.address, sent.body, **headers)
    reply = store_checked(client, sent, reply)
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
@pytest.mark.parametrize("door", ALL_DOORS)
def test_bad_input_fails_nothing_and_comes_back_nowhere(door, registry):
    client = client_of(registry.manager)
    if door == "uploads":
        client = signed_in(registry.manager)
    client.raise_request_exception = False
    dice, pieces, statuses = Random(f"{SEED}-{door}"), 0, Counter()

    for number, sent in zip(count(), ALL_DOORS[door](dice)):
        if pieces >= SHARE:
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

    hold_stored()
    if door == "uploads":  # a check shows its faults in a page; what was stored leads elsewhere
        assert statuses[200]
        assert statuses[302]
    else:
        assert min(statuses) < 400 <= max(statuses)


def signed_in(user: User) -> Client:
    """A client of a session that may open the admin."""
    with sealed(by=None, action="test") as seal:
        user.is_staff = True
        seal.save(user)
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def hold_stored() -> None:
    """Hold what is stored against every constraint, and against what was sent."""
    stored = [row for model in (Patient, Implant, Exposure, Event) for row in model.objects.all()]
    assert [fault for row in stored for fault in faults_of(row)] == []
    assert not any(MARK in str(value) for row in stored for value in vars(row).values())
    assert verify_trail().breaks == ()


@pytest.mark.django_db
def test_bad_exports_of_redcap_fail_nothing_and_come_back_nowhere(registry, tmp_path):
    dice, pieces, ends = Random(f"{SEED}-redcap"), 0, Counter()
    path = tmp_path / "export.csv"

    for content, lines in redcap_exports(dice):
        if pieces >= SHARE:
            break
        pieces += lines
        path.write_bytes(content)
        said = io.StringIO()
        options = {"dry_run": dice.random() < 0.3, "accept": dice.random() < 0.3}
        try:
            call_command(
                "import_redcap", str(path), by="manager", stdout=said, stderr=said, **options
            )
            ends["stored"] += 1
        except SystemExit as refused:
            ends[f"exit {refused.code}"] += 1
        except CommandError as refused:
            said.write(str(refused))
            ends["refused"] += 1
        assert MARK.lower() not in said.getvalue().lower(), (
            f"{content[:600]!r} -> {said.getvalue()[-600:]}"
        )

    hold_stored()
    assert ends["stored"]
    assert ends["exit 1"]

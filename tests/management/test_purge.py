"""`purge` deletes what has expired, and nothing else."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from registry.models import IdempotencyKey, Token
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def kept():
    """One of each kind that holds for another minute, and one that has just expired."""
    now, user = timezone.now(), UserFactory()
    for name, left in (("holds", timedelta(minutes=1)), ("expired", timedelta())):
        IdempotencyKey.objects.create(
            user=user, key=name, status=201, reply={}, created_at=now - timedelta(hours=24) + left
        )
        Token.objects.create(user=user, label=name, expiry=left)
        Session.objects.create(session_key=name, session_data="", expire_date=now + left)
    Token.objects.create(user=user, label="never ends", expiry=None)


def left():
    return (
        set(IdempotencyKey.objects.values_list("key", flat=True)),
        set(Token.objects.values_list("label", flat=True)),
        set(Session.objects.values_list("session_key", flat=True)),
    )


def test_purge_deletes_what_has_expired_and_counts_it(kept, capsys):
    call_command("purge")

    assert left() == ({"holds"}, {"holds", "never ends"}, {"holds"})
    said = capsys.readouterr().out
    assert said == "Deleted what had expired: replies 1, tokens 1, sessions 1\n"


def test_second_purge_finds_nothing(kept, capsys):
    call_command("purge")
    capsys.readouterr()

    call_command("purge")

    said = capsys.readouterr().out
    assert said == "Deleted what had expired: replies 0, tokens 0, sessions 0\n"

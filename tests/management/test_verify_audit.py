"""`verify_audit` says what holds, or where the trail breaks first."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry.models import Event
from registry.models.append_only import lift_append_only_triggers
from tests.factories import EventFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def event() -> Event:
    """An event under the fourth seal, after its site, category and complication."""
    return EventFactory()


def tamper(statement: str) -> None:
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_verify_audit_says_how_much_holds(event, capsys):
    call_command("verify_audit", skip_checks=True)

    assert capsys.readouterr().out == "4 seals and 4 history rows hold.\n"


def test_verify_audit_fails_and_names_the_first_bad_seal(event):
    tamper("UPDATE registry_historicalevent SET severity = 3 WHERE severity = 2")

    with pytest.raises(CommandError) as caught:
        call_command("verify_audit", skip_checks=True)

    assert str(caught.value) == (
        "Seal 4: A history row under it was altered. The 3 seals before it hold."
    )
    assert caught.value.returncode == 1


def test_verify_audit_says_where_no_seal_is_to_blame(event):
    tamper(
        "INSERT INTO registry_site (code, name, country, active, words) "
        "VALUES ('SLY', '', '', true, '{}')"
    )

    with pytest.raises(CommandError, match="Outside every seal: A row of site has no history"):
        call_command("verify_audit", skip_checks=True)

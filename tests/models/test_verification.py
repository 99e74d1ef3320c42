"""Whoever alters what was recorded, past the triggers, is found out."""

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from registry.models import Event, Seal, Site, sealed
from registry.models.append_only import install_append_only_triggers, lift_append_only_triggers
from registry.models.signing import Signer, signer
from registry.models.verification import (
    FORGED,
    SIGN_AGAIN,
    SIGN_ONCE,
    Break,
    models_with_history,
    verify_trail,
)
from registry.records import CannotSeal
from tests.factories import EventFactory, SiteFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def event() -> Event:
    """An event reported under one seal and changed under the next; a later seal follows.

    Seals: 1 site, 2 category, 3 complication, 4 event, 5 its change, 6 another site.
    """
    event = EventFactory(interventions={"antibiotics"})
    event.severity = 1
    with sealed(by=None, action="grade") as seal:
        seal.save(event)
    SiteFactory()
    return event


def tamper(statement: str, *values: object) -> Break:
    """Change the database as its owner could; gives back what verification finds first."""
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    install_append_only_triggers(connection)
    return verify_trail().breaks[0]


def test_untouched_trail_holds(event):
    found = verify_trail()

    assert found.breaks == ()
    assert (found.seals, found.rows) == (6, 6)


def test_empty_registry_holds():
    assert verify_trail().breaks == ()


def test_every_model_with_a_history_is_verified():
    assert {Event, Site} < set(models_with_history())
    assert len(models_with_history()) == 21


def test_altered_history_row_is_found_at_its_seal(event):
    found = tamper("UPDATE registry_historicalevent SET severity = 3 WHERE severity = 2")

    assert found == Break(4, "A history row under it was altered.")


def test_altered_author_of_a_history_row_is_found(event):
    found = tamper("UPDATE registry_historicalevent SET history_change_reason = 'other'")

    assert found == Break(4, "A history row under it was altered.")


def test_removed_history_row_is_found_at_its_seal(event):
    found = tamper("DELETE FROM registry_historicalevent WHERE severity = 1")

    assert found == Break(5, "It covers 1 history rows, and 0 are there.")


def test_history_row_moved_to_another_seal_is_found(event):
    found = tamper("UPDATE registry_historicalevent SET seal_number = 6 WHERE severity = 1")

    assert found == Break(5, "It covers 1 history rows, and 0 are there.")


def test_history_row_without_a_seal_is_found(event):
    found = tamper(
        "INSERT INTO registry_historicalsite (id, code, name, country, active, words, key_prefix, "
        "history_date, history_type, history_change_reason, seal_number) VALUES (99, 'SLY', '', "
        "'', true, '{}', '', '2026-01-01', '+', '', 7)"
    )

    assert found == Break(None, "A history row of site has no seal.")


@pytest.mark.parametrize(
    "change",
    [
        "SET action = 'other' WHERE number = 5",
        "SET rows = 2 WHERE number = 5",
        "SET at = '2020-01-01 00:00:00' WHERE number = 5",
        "SET digest = 'd' WHERE number = 5",
        "SET hash = 'h' WHERE number = 5",
    ],
)
def test_altered_seal_is_found(event, change):
    found = tamper("UPDATE registry_seal " + change)

    assert found == Break(5, "It was altered: its hash does not fit what it says.")


def remade(number: int, signer: Signer, **changes: object) -> None:
    """Writes a seal anew, with a right hash and a signature under a key, and the next upon it."""
    lift_append_only_triggers(connection)
    previous = None
    for seal in Seal.objects.filter(number__gte=number):
        for name, value in (changes if previous is None else {"previous": previous}).items():
            setattr(seal, name, value)
        seal.hash = previous = seal.expected_hash()
        seal.signature = signer.sign(seal.signed_text)
        seal.save()
    install_append_only_triggers(connection)


def test_seal_made_anew_after_tampering_is_found_by_its_signature(event):
    guessed = Signer(b"x" * 32)
    with_our_mark = SimpleNamespace(
        sign=lambda text: guessed.sign(text).replace(guessed.mark, signer().mark)
    )

    remade(5, with_our_mark, action="other")

    assert verify_trail().breaks == (Break(5, FORGED),)


def test_seal_of_the_right_key_that_the_next_does_not_follow_is_found_at_the_next(event):
    lift_append_only_triggers(connection)
    seal = Seal.objects.get(number=5)
    seal.action = "other"
    seal.hash = seal.expected_hash()
    seal.signature = signer().sign(seal.signed_text)
    seal.save()

    assert verify_trail().breaks[0] == Break(6, "It does not follow from the seal before it.")


def test_instant_before_that_of_the_seal_before_is_found(event):
    remade(5, signer(), at=datetime(2020, 1, 1, tzinfo=UTC))

    assert verify_trail().breaks == (Break(5, "Its instant is before that of the seal before it."),)


def test_seals_of_another_key_are_told_from_forged_ones(event, settings):
    old = signer().mark
    settings.REGISTRY_KEY_SEALS = "ab" * 32

    (found,) = verify_trail().breaks

    assert found == Break(
        None,
        f"All 6 seals are signed under another key ({old}), and none under this server's key "
        f"({signer().mark}). {SIGN_AGAIN}",
        is_for_signing=True,
    )


def test_some_seals_of_another_key_are_named_by_the_first(event):
    other = Signer(b"y" * 32)
    remade(6, other)

    assert verify_trail().breaks == (
        Break(
            6,
            f"It is signed under another key ({other.mark}); 1 of 6 seals are not signed under "
            f"this server's key ({signer().mark}).",
            is_for_signing=True,
        ),
    )


def test_seals_of_a_version_without_signatures_are_told(event):
    found = tamper("UPDATE registry_seal SET signature = ''")

    assert found == Break(
        None,
        "All 6 seals are signed by nobody, and none under this server's key "
        f"({signer().mark}). {SIGN_ONCE}",
        is_for_signing=True,
    )


def test_trail_without_triggers_does_not_hold(event):
    lift_append_only_triggers(connection)

    (found,) = verify_trail().breaks

    assert found.what.startswith("The audit trail is not append-only: trigger registry_")


def test_missing_key_verifies_nothing(event, settings, tmp_path):
    settings.REGISTRY_KEY_SEALS, settings.REGISTRY_VAR = "", tmp_path

    with pytest.raises(CannotSeal, match="key is missing"):
        verify_trail()


def test_removed_seal_is_found(event):
    found = tamper("DELETE FROM registry_seal WHERE number = 6")

    assert found == Break(None, "A history row of site has no seal.")


def test_seal_missing_in_the_middle_is_named(event):
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM registry_historicalsite WHERE seal_number = 1")
        cursor.execute("DELETE FROM registry_seal WHERE number = 1")

    assert verify_trail().breaks[0] == Break(2, "Seal 1 is missing.")


def test_row_altered_past_its_history_is_found(event):
    found = tamper("UPDATE registry_event SET severity = 3")

    assert found == Break(5, "A row of event was altered past its history.")


def test_row_that_has_gone_is_found_at_its_last_seal(event):
    assert tamper("DELETE FROM registry_event") == Break(5, "A row of event has gone.")


def test_row_without_history_is_found(event):
    found = tamper(
        "INSERT INTO registry_site (code, name, country, active, words, key_prefix) "
        "VALUES ('SLY', '', '', true, '{}', '')"
    )

    assert found == Break(None, "A row of site has no history.")


def test_row_without_history_is_found_among_codes(event):
    found = tamper(
        "INSERT INTO registry_category (code, name, definition, natural_denominator, sort_order) "
        "VALUES ('a-z', 'n', 'd', 'refills', 1)"
    )

    assert found == Break(None, "A row of category has no history.")


def test_swapped_public_id_is_found(event):
    number = uuid.uuid4()
    value = str(number) if connection.vendor == "postgresql" else number.hex

    found = tamper("UPDATE registry_event SET public_id = %s", value)

    assert found == Break(5, "A row of event was altered past its history.")

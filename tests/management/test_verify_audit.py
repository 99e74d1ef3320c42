"""`verify_audit` says what holds, or every place where the trail breaks; `checkpoint` its head."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry.models import Event, Seal
from registry.models.append_only import install_append_only_triggers, lift_append_only_triggers
from registry.models.signing import signer
from tests.factories import EventFactory, SiteFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgresql,
    pytest.mark.usefixtures("heads"),
]


@pytest.fixture
def event(django_capture_on_commit_callbacks) -> Event:
    """An event under the fourth seal, after its site, category and complication."""
    with django_capture_on_commit_callbacks(execute=True):
        return EventFactory()


def tamper(statement: str) -> None:
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    install_append_only_triggers(connection)


def head() -> str:
    last = Seal.objects.latest("number")
    return f"{last.number}:{last.hash}"


def test_verify_audit_says_how_much_holds_and_the_head(event, capsys):
    call_command("verify_audit", skip_checks=True)

    assert capsys.readouterr().out == (
        "4 seals and 4 history rows hold.\n"
        "4 heads kept outside are those of the seals.\n"
        f"Head: {head()}\n"
    )


def test_verify_audit_fails_and_names_every_break(event, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        SiteFactory()
    tamper("DELETE FROM registry_seal WHERE number = 5")
    lift_append_only_triggers(connection)

    with pytest.raises(CommandError) as caught:
        call_command("verify_audit", skip_checks=True)

    first, second, third, last = str(caught.value).splitlines()
    assert first == "Outside every seal: A history row of site has no seal."
    assert second.startswith("Outside every seal: The audit trail is not append-only: trigger ")
    assert third.startswith("Seal 5: The file of heads has it, and the database ends at seal 4: ")
    assert last == "The first 4 seals hold as a chain."
    assert caught.value.returncode == 1


def test_verify_audit_names_an_altered_row_by_its_seal(event):
    tamper("UPDATE registry_historicalevent SET severity = 3 WHERE severity = 2")

    with pytest.raises(CommandError) as caught:
        call_command("verify_audit", skip_checks=True)

    assert str(caught.value) == (
        "Seal 4: A history row under it was altered.\nThe first 3 seals hold as a chain."
    )


def test_verify_audit_compares_with_a_noted_head(event):
    call_command("verify_audit", head=[head()], skip_checks=True)

    with pytest.raises(CommandError, match="Seal 3: It is not the seal whose head was noted"):
        call_command("verify_audit", head=["3:" + "a" * 64], skip_checks=True)


def test_verify_audit_refuses_what_is_no_head(event):
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("verify_audit", head=["3"], skip_checks=True)


def test_verify_audit_refuses_without_the_key(event, settings, tmp_path):
    settings.REGISTRY_KEY_SEALS, settings.REGISTRY_VAR = "", tmp_path

    with pytest.raises(CommandError, match="a key is missing on the server"):
        call_command("verify_audit", skip_checks=True)


def test_verify_audit_signs_what_a_version_without_signatures_wrote(event, heads, capsys):
    tamper("UPDATE registry_seal SET signature = ''")
    heads.unlink()
    with pytest.raises(CommandError, match="run `verify_audit --sign` once"):
        call_command("verify_audit", skip_checks=True)

    call_command("verify_audit", sign=True, skip_checks=True)

    assert "Signed 4 seals.\n4 seals and 4 history rows hold.\n" in capsys.readouterr().out
    assert heads.read_text().split()[:2] == head().split(":")
    call_command("verify_audit", skip_checks=True)


def test_verify_audit_signs_anew_under_a_changed_key(event, settings, capsys):
    settings.REGISTRY_KEY_SEALS = "ab" * 32

    call_command("verify_audit", sign=True, skip_checks=True)

    assert "Signed 4 seals." in capsys.readouterr().out
    marks = {signature.split(":")[0] for signature in Seal.objects.values_list("signature", flat=1)}
    assert marks == {signer().mark}
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE registry_seal SET signature = ''")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE registry_historicalevent SET severity = 3 WHERE severity = 2",
        "UPDATE registry_event SET severity = 3",
    ],
)
def test_verify_audit_signs_nothing_that_was_altered(event, statement):
    tamper("UPDATE registry_seal SET signature = ''")
    tamper(statement)

    with pytest.raises(CommandError):
        call_command("verify_audit", sign=True, skip_checks=True)

    assert not Seal.objects.exclude(signature="").exists()


def test_verify_audit_signs_nothing_that_the_heads_do_not_have(event, heads):
    heads.write_text(f"3 {'a' * 64} 2026-01-01\n")
    tamper("UPDATE registry_seal SET signature = ''")

    with pytest.raises(CommandError, match="the file of heads has"):
        call_command("verify_audit", sign=True, skip_checks=True)

    assert not Seal.objects.exclude(signature="").exists()


def test_verify_audit_says_where_no_seal_is_to_blame(event):
    tamper(
        "INSERT INTO registry_site (code, name, country, active, words, key_prefix) "
        "VALUES ('SLY', '', '', true, '{}', '')"
    )

    with pytest.raises(CommandError, match="Outside every seal: A row of site has no history"):
        call_command("verify_audit", skip_checks=True)


def test_checkpoint_keeps_and_prints_the_head(event, heads, capsys):
    heads.unlink()

    call_command("checkpoint", skip_checks=True)

    assert capsys.readouterr().out == f"{head()}\n"
    assert heads.read_text().split()[:2] == head().split(":")


def test_checkpoint_of_a_restore_is_said_by_verify_audit(event, heads, capsys):
    with heads.open("a") as file:
        file.write(f"5 {'a' * 64} 2026-01-01\n")

    call_command("checkpoint", restored=True, skip_checks=True)
    call_command("verify_audit", skip_checks=True)

    assert "1 heads were given up in 1 restores, the last one of seal 4," in capsys.readouterr().out


def test_checkpoint_refuses_an_empty_registry():
    with pytest.raises(CommandError, match="there is no seal yet"):
        call_command("checkpoint", skip_checks=True)


def test_checkpoint_says_where_the_head_could_not_be_kept(settings, tmp_path):
    SiteFactory()
    settings.REGISTRY_HEADS_FILE = str(tmp_path / "missing" / "heads.txt")

    with pytest.raises(CommandError, match="could not be kept: No such file"):
        call_command("checkpoint", skip_checks=True)

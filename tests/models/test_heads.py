"""The heads of the trail, in a file outside the database: what they tell and forgive."""

import logging
import os
import stat

import pytest
from django.db import connection

from registry.models import Seal
from registry.models.append_only import install_append_only_triggers, lift_append_only_triggers
from registry.models.heads import Head, head_of, heads_file, keep_head, kept_heads
from registry.models.verification import GONE, GONE_WHY, NO_HEADS, Break, verify_audit
from tests.factories import EventFactory, SiteFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgresql,
    pytest.mark.usefixtures("heads"),
]


@pytest.fixture
def kept(django_capture_on_commit_callbacks):
    """Six seals, whose heads were kept as they were written."""
    with django_capture_on_commit_callbacks(execute=True):
        EventFactory()
        SiteFactory()
        SiteFactory()
    return list(Seal.objects.all())


def cut_to(number):
    """Takes the newest seals away with all that was written under them."""
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        for statement in (
            "DELETE FROM registry_historicalsite WHERE seal_number > %s",
            "DELETE FROM registry_site WHERE id NOT IN (SELECT id FROM registry_historicalsite)",
            "DELETE FROM registry_seal WHERE number > %s",
        ):
            cursor.execute(statement, [number] * statement.count("%s"))
    install_append_only_triggers(connection)


def test_each_seal_leaves_its_head_in_the_file(kept, heads):
    lines = heads.read_text().splitlines()

    assert [line.split()[:2] for line in lines] == [[str(s.number), s.hash] for s in kept]
    assert lines[-1].endswith(kept[-1].at.isoformat(timespec="microseconds"))
    assert stat.S_IMODE(heads.stat().st_mode) == 0o600
    assert verify_audit().breaks == ()


def test_head_is_on_the_disk_before_a_write_is_answered(
    heads, monkeypatch, django_capture_on_commit_callbacks
):
    """Stored, written, synced, answered, in this order."""
    SiteFactory()
    heads.touch()
    ours, order, write, sync = heads.stat().st_ino, [], os.write, os.fsync

    def wrote(handle, data):
        if os.fstat(handle).st_ino == ours:
            order.append(f"written with {Seal.objects.count()} seals stored")
        return write(handle, data)

    def synced(handle):
        if os.fstat(handle).st_ino == ours:
            order.append(f"synced with {len(heads.read_text().splitlines())} lines written")
        sync(handle)

    monkeypatch.setattr("os.write", wrote)
    monkeypatch.setattr("os.fsync", synced)
    with django_capture_on_commit_callbacks(execute=True):
        SiteFactory()
    order.append("answered")

    assert order == ["written with 2 seals stored", "synced with 1 lines written", "answered"]


def test_write_that_failed_leaves_no_head(kept, heads, django_capture_on_commit_callbacks):
    before = heads.read_text()

    with django_capture_on_commit_callbacks(execute=True), pytest.raises(Exception, match="code"):
        SiteFactory(code="no code")

    assert heads.read_text() == before


def test_seals_taken_away_at_the_end_are_found(kept):
    cut_to(4)

    assert verify_audit().breaks == (Break(5, f"{GONE} 4: {GONE_WHY}"),)


def test_older_database_that_went_on_is_found(kept):
    cut_to(5)
    SiteFactory()

    (found,) = verify_audit().breaks

    assert found == Break(6, "It is not the seal whose head the file of heads has.")


def test_restore_that_somebody_answers_for_is_said_and_holds(kept):
    cut_to(4)
    last = Seal.objects.get(number=4)
    keep_head(head_of(4, last.hash, last.at, is_restored=True))

    assert verify_audit().breaks == ()
    assert (kept_heads().given_up, [head.number for head in kept_heads().restored]) == (2, [4])


def test_restore_forgives_no_seal_before_it(kept):
    keep_head(Head(4, "a" * 64, "2026-01-01", is_restored=True))

    (found,) = verify_audit().breaks

    assert found == Break(4, "It is not the seal whose head the file of heads has.")


def test_restore_forgives_nothing_that_comes_after_it(kept):
    last = kept[3]
    keep_head(head_of(4, last.hash, last.at, is_restored=True))
    keep_head(Head(9, "b" * 64, "2026-01-01"))

    (found,) = verify_audit().breaks

    assert found.seal == 9


def test_missing_file_does_not_pass_in_silence(kept, heads):
    heads.unlink()

    assert verify_audit().breaks == (Break(None, NO_HEADS, is_for_signing=True),)


def test_empty_registry_needs_no_file():
    assert verify_audit().breaks == ()


def test_noted_head_that_no_seal_has_is_found(kept):
    right, wrong = Head(6, kept[5].hash), Head(6, "c" * 64)

    assert verify_audit(known_heads=[right]).breaks == ()
    assert verify_audit(known_heads=[right, wrong]).breaks == (
        Break(6, "It is not the seal whose head was noted."),
    )


def test_cut_line_harms_no_other(kept, heads):
    with heads.open("a") as file:
        file.write("6 abc")
    keep_head(head_of(6, kept[5].hash, kept[5].at))

    assert verify_audit().breaks == ()
    assert (kept_heads().count, kept_heads().unreadable) == (7, 1)


def test_write_holds_where_its_head_cannot_be_kept(
    settings, tmp_path, caplog, django_capture_on_commit_callbacks
):
    settings.REGISTRY_HEADS_FILE = str(tmp_path / "missing" / "heads.txt")

    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        SiteFactory()

    assert Seal.objects.count() == 1
    assert "could not be kept in REGISTRY_HEADS_FILE" in caplog.text


def test_file_lies_in_the_registry_s_folder_unless_it_is_said(settings, tmp_path):
    settings.REGISTRY_HEADS_FILE, settings.REGISTRY_VAR = "", tmp_path

    assert heads_file() == tmp_path / "audit-heads.txt"


@pytest.mark.parametrize("text", ["", "6", "6:abc", "x:" + "a" * 64, "6:" + "A" * 64])
def test_head_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        Head.read(text)


def test_printed_head_is_read_again():
    assert Head.read(f" {Head(6, 'a' * 64)}{os.linesep}") == Head(6, "a" * 64)

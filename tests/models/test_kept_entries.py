"""The access log's newest entries, in files outside the database until a range has them."""

import logging
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import transaction

from registry.models import AccessLog
from registry.models.access_log import GONE_ENTRY, REMOVED, seal_log
from registry.models.kept_entries import files_of_entries
from registry.models.verification import Break, verify_audit
from tests.factories import SiteFactory
from tests.models.tampering import tampered

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgresql,
    pytest.mark.usefixtures("heads"),
]

NAMED = Break(None, GONE_ENTRY)


@pytest.fixture
def read(django_capture_on_commit_callbacks):
    """Somebody reads rows three times; the keys of the entries."""
    with django_capture_on_commit_callbacks(execute=True):
        SiteFactory()
        return [AccessLog.objects.create(action="row-read", what="event list").pk for _ in "abc"]


def remove(key):
    tampered("DELETE FROM registry_accesslog WHERE id = %s", key)


def of_yesterday_but_one():
    """The files, as if they were of two days ago."""
    old = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    for file in files_of_entries():
        file.rename(file.with_name(f"audit-entries-{old}.txt"))


def test_each_entry_leaves_a_line_that_says_nothing_of_it(read, heads):
    (file,) = files_of_entries()

    assert file.parent == heads.parent
    assert [int(line.split()[0]) for line in file.read_text().splitlines()] == read
    assert {len(line.split()[1]) for line in file.read_text().splitlines()} == {32}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert verify_audit().breaks == ()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_entry_removed_is_named_at_once(read, which):
    remove(read[which])

    assert verify_audit().breaks == (NAMED,)


def test_entry_that_was_rolled_back_leaves_no_line(read, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        AccessLog.objects.create(action="row-read", what="event list")
        transaction.set_rollback(True)

    assert len(files_of_entries()[0].read_text().splitlines()) == 3
    assert verify_audit().breaks == ()


def test_checkpoint_names_a_removal_for_ever(read):
    remove(read[2])
    call_command("checkpoint", verbosity=0)
    of_yesterday_but_one()
    call_command("checkpoint", verbosity=0)

    assert verify_audit().breaks == (NAMED,)


def test_files_of_past_days_go_once_their_entries_are_sealed(read, monkeypatch):
    of_yesterday_but_one()
    monkeypatch.setattr("registry.management.commands.checkpoint.seal_log", lambda: 0)
    call_command("checkpoint", verbosity=0)
    assert len(files_of_entries()) == 1, "its entries are under no seal yet"
    monkeypatch.undo()

    call_command("checkpoint", verbosity=0)

    assert files_of_entries() == []
    remove(read[1])
    assert [one.what for one in verify_audit().breaks] == [REMOVED]


def test_file_of_today_stays(read):
    call_command("checkpoint", verbosity=0)

    assert len(files_of_entries()) == 1


def test_restore_that_somebody_answers_for_gives_the_entries_up(read):
    remove(read[2])

    call_command("checkpoint", restored=True, verbosity=0)

    assert files_of_entries() == []
    assert verify_audit().breaks == ()


def test_line_that_was_cut_is_passed_over_and_harms_no_other(
    read, django_capture_on_commit_callbacks
):
    with files_of_entries()[0].open("a") as file:
        file.write("99 abc")
    with django_capture_on_commit_callbacks(execute=True):
        last = AccessLog.objects.create(action="row-read", what="event list").pk
    assert verify_audit().breaks == ()

    remove(last)

    assert verify_audit().breaks == (NAMED,)


def test_reading_goes_on_where_no_entry_can_be_kept(
    settings, tmp_path, caplog, django_capture_on_commit_callbacks
):
    settings.REGISTRY_HEADS_FILE = str(tmp_path / "missing" / "heads.txt")

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        AccessLog.objects.create(action="row-read", what="event list")

    assert AccessLog.objects.count() == 1
    assert "An entry of the access log could not be kept" in caplog.text


def test_entries_are_compared_over_many_lines(read, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        more = [AccessLog.objects.create(action="row-read", what="list").pk for _ in range(1100)]
    seal_log()
    assert verify_audit().breaks == ()

    remove(more[-1])

    assert NAMED in verify_audit().breaks

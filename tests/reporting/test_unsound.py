"""What answers where snapshots, keys or the disk fail: the last good data, or words on why."""

import logging
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from registry.keys import read_snapshot_key
from registry.models import Snapshot
from registry.records import EventQuery, SnapshotUnusable, Viewer
from registry.reporting import answer, verifying
from registry.reporting.asking import freshness, opening
from registry.reporting.words.provisional import BEHIND
from registry.snapshot import shelf
from registry.snapshot.changes import KEPT
from registry.snapshot.shelf import BEFORE, WORKING, Working
from registry.vocabulary import Measure
from tests.factories import EventFactory, ImplantFactory
from tests.snapshot.damages import DAMAGES, cut, update_rows

pytestmark = pytest.mark.django_db

ALL = Viewer(exact_everywhere=True, label="reviewer")


@pytest.fixture(autouse=True)
def _nothing_open() -> Iterator[None]:
    opening._log_once.cache_clear()
    yield
    shelf.forget_open()


def folder_of(snapshot_id: str) -> Path:
    return freshness.root() / snapshot_id


def code_of(asking: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(SnapshotUnusable) as refusal:
        asking(*arguments)
    return refusal.value.faults[0].code


def implants_told() -> int:
    return freshness.current().store.manifest.implants


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow beyond 64 kB, as a disk that is full does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets every freeze fail from then on."""

    def refuse(*args: object, **options: object) -> None:
        raise RuntimeError("broken")

    return lambda: monkeypatch.setattr(freshness, "freeze_database", refuse)


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_working_snapshot_is_frozen_anew(name: str) -> None:
    ImplantFactory()
    EventFactory()
    before = freshness.current()
    DAMAGES[name][0](folder_of(before.snapshot_id))
    was_ready = verifying.at_a_glance()["snapshots"]

    after = freshness.current()

    assert (after.snapshot_id, after.is_behind) == (before.snapshot_id, False)
    assert (was_ready, verifying.at_a_glance()["snapshots"]) == (False, True)
    assert [each.wrong for each in verifying.verdicts()] == [""]


@pytest.mark.parametrize("text", ["", '{"snapshot_id": "', "{}", "[]"])
def test_cut_record_of_the_working_snapshot_is_written_anew(text: str) -> None:
    ImplantFactory()
    before = freshness.current()
    (freshness.root() / WORKING).write_text(text)
    was_ready = verifying.at_a_glance()["snapshots"]

    assert freshness.current() == before
    assert (was_ready, verifying.at_a_glance()["snapshots"]) == (False, True)


def test_older_snapshot_cannot_be_put_to_work_by_hand() -> None:
    ImplantFactory()
    first = freshness.current()
    ImplantFactory()
    freshness.current()
    working = Working.read(freshness.root(), key=read_snapshot_key())
    assert working is not None
    replace(working, snapshot_id=first.snapshot_id).write(freshness.root(), key=b"a thief's")

    assert implants_told() == 2


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_release_is_not_answered_from_not_even_by_the_cache(name: str) -> None:
    EventFactory(state="accepted")
    release = freshness.publish("2026")
    query = EventQuery(release="2026")
    answer(query, measure=Measure.COUNTS, viewer=ALL)
    damage, code = DAMAGES[name]
    damage(folder_of(release.snapshot_id))

    with pytest.raises(SnapshotUnusable) as refusal:
        answer(query, measure=Measure.COUNTS, viewer=ALL)

    assert refusal.value.faults[0].code == code
    assert not verifying.at_a_glance()["snapshots"]
    assert not all(each.wrong == "" for each in verifying.verdicts())


def test_missing_folder_of_a_release_is_told() -> None:
    ImplantFactory()
    release = freshness.publish("2026")
    folder_of(release.snapshot_id).rename(freshness.root().parent / "elsewhere")

    assert code_of(freshness.named_release, "2026") == "missing"
    assert not verifying.at_a_glance()["snapshots"]


def test_damage_is_logged_with_the_file_once(caplog: pytest.LogCaptureFixture) -> None:
    EventFactory()
    release = freshness.publish("2026")
    update_rows(folder_of(release.snapshot_id))

    with caplog.at_level(logging.ERROR):
        code_of(freshness.named_release, "2026")
        code_of(freshness.named_release, "2026")

    (told,) = caplog.messages
    assert "registry.duckdb has other bytes" in told
    assert release.snapshot_id in told


def test_snapshot_before_answers_with_its_date_where_none_can_be_made(
    failing: Callable[[], None],
) -> None:
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()
    damaged = freshness.current()
    cut(folder_of(damaged.snapshot_id))
    failing()

    found = freshness.current()

    assert (found.snapshot_id, found.data_as_of) == (before.snapshot_id, before.data_as_of)
    assert (found.is_behind, found.cannot_follow) == (True, True)


def test_release_answers_where_neither_snapshot_is_sound(failing: Callable[[], None]) -> None:
    ImplantFactory()
    release = freshness.publish("2026")
    made = []
    for _ in range(2):
        ImplantFactory()
        made.append(freshness.current().snapshot_id)
    for each in made:
        cut(folder_of(each))
    failing()

    found = freshness.current()

    assert (found.label, found.data_as_of) == ("2026", release.data_as_of)
    assert found.cannot_follow


def test_problem_says_that_nothing_can_answer(failing: Callable[[], None]) -> None:
    ImplantFactory()
    failing()

    assert code_of(freshness.current) == "cannot-freeze"


def test_large_registry_answers_from_the_snapshot_before_while_it_is_frozen_anew(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REGISTRY_FREEZE_SECONDS = 0
    monkeypatch.setattr(freshness, "SECONDS_TO_WAIT", 60.0)
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()
    cut(folder_of(freshness.current().snapshot_id))
    started: list[str] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: started.append(command[-1]))
    monkeypatch.setattr(freshness, "SECONDS_TO_WAIT", 0.0)

    assert freshness.current().snapshot_id == before.snapshot_id
    assert started == ["freeze"]


def test_answer_says_that_newer_data_could_not_be_frozen(failing: Callable[[], None]) -> None:
    EventFactory(state="accepted")
    sound = answer(EventQuery(), measure=Measure.COUNTS, viewer=ALL)
    EventFactory(state="accepted")
    failing()

    behind = answer(EventQuery(), measure=Measure.COUNTS, viewer=ALL)

    assert BEHIND not in sound.meta["warnings"]  # type: ignore[operator]
    assert BEHIND in behind.meta["warnings"]  # type: ignore[operator]
    assert behind.meta["data_as_of"] == sound.meta["data_as_of"]
    assert behind.rows == sound.rows


def test_full_disk_leaves_the_last_snapshot_and_nothing_half_done() -> None:
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()
    with no_room():
        after = freshness.current()
        is_ready = verifying.at_a_glance()["freezing"]

    assert (after.snapshot_id, after.cannot_follow) == (before.snapshot_id, True)
    assert not is_ready
    assert {path.name for path in shelf.folders(freshness.root())} == {before.snapshot_id}
    assert not list(freshness.root().glob(".building-*"))
    assert implants_told() == 2
    assert verifying.at_a_glance()["freezing"]


def test_full_disk_before_the_first_snapshot_is_told() -> None:
    ImplantFactory()
    with no_room():
        assert code_of(freshness.current) == "disk-full"

    assert implants_told() == 1


def test_freeze_command_says_in_a_line_that_the_disk_is_full() -> None:
    ImplantFactory()

    with no_room(), pytest.raises(CommandError, match=r"^Nothing was frozen\. (?s:.)*too large"):
        call_command("freeze", skip_checks=True)


def test_folder_that_may_not_be_written_leaves_the_last_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ImplantFactory()
    before = freshness.current()
    ImplantFactory()
    opened = os.open

    def refuse(path: Any, *rest: Any, **named: Any) -> int:
        if Path(path).name == shelf.LOCK:
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)

    after = freshness.current()

    assert (after.snapshot_id, after.cannot_follow) == (before.snapshot_id, True)


def test_missing_key_is_told_and_nothing_is_answered(settings: Any) -> None:
    ImplantFactory()
    freshness.publish("2026")
    settings.REGISTRY_KEY_SNAPSHOTS = ""

    assert code_of(freshness.current) == "key-missing"
    assert code_of(freshness.named_release, "2026") == "key-missing"
    assert not verifying.at_a_glance()["keys"]
    with pytest.raises(ImproperlyConfigured, match="verify_snapshots --sign"):
        freshness.refresh()


def test_missing_key_of_disclosure_is_told_to_protected_readers(settings: Any) -> None:
    EventFactory(state="accepted")
    freshness.publish("2026")
    settings.REGISTRY_KEY_RECORDS = settings.REGISTRY_KEY_NOISE = ""

    with pytest.raises(SnapshotUnusable) as refusal:
        answer(EventQuery(), measure=Measure.COUNTS, viewer=Viewer(may_ask=True, label="r"))

    assert refusal.value.faults[0].code == "key-missing"


def test_changed_key_freezes_anew_and_is_told_of_releases(settings: Any) -> None:
    ImplantFactory()
    freshness.publish("2026")
    ImplantFactory()
    before = freshness.current()
    settings.REGISTRY_KEY_SNAPSHOTS = "ab" * 32

    after = freshness.current()

    assert (after.snapshot_id, after.is_behind) == (before.snapshot_id, False)
    assert code_of(freshness.named_release, "2026") == "other-key"


def test_staged_rows_that_were_altered_are_not_built_on(caplog: pytest.LogCaptureFixture) -> None:
    event = EventFactory(state="accepted", severity=3)
    freshness.current()
    with duckdb.connect(str(freshness.root() / KEPT / "staged.duckdb")) as staged:
        staged.execute("UPDATE staged_events SET severity = 1")
    EventFactory(state="accepted", severity=3, implant=event.implant)

    found = answer(EventQuery(group_by=("severity",)), measure=Measure.COUNTS, viewer=ALL)

    assert [(row["severity"], row["n"]) for row in found.rows] == [(3, 2)]


def test_a_look_at_all_snapshots_opens_none() -> None:
    """With more releases than stay open, each look would close what is being asked."""
    ImplantFactory()
    freshness.publish("2026")
    shelf.forget_open()

    assert verifying.at_a_glance()["snapshots"]
    assert not shelf._opened


def test_former_working_snapshots_are_bounded_in_number(settings: Any) -> None:
    settings.REGISTRY_SNAPSHOTS_KEPT = 1
    ImplantFactory()
    release = freshness.publish("2026").snapshot_id
    made = []
    for _ in range(4):
        ImplantFactory()
        made.append(freshness.current().snapshot_id)

    kept = {path.name for path in shelf.folders(freshness.root())}

    assert kept == {release, *made[1:]}  # the working one, the one before, and one more


def test_former_working_snapshots_are_bounded_in_bytes_and_releases_stay(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REGISTRY_SNAPSHOTS_MB = 1
    ImplantFactory()
    release = freshness.publish("2026").snapshot_id
    made = []
    for _ in range(3):
        ImplantFactory()
        made.append(freshness.current().snapshot_id)

    kept = {path.name for path in shelf.folders(freshness.root())}

    assert kept == {release, *made[1:]}
    assert "more than REGISTRY_SNAPSHOTS_MB" in caplog.text


def test_snapshot_before_is_on_record(settings: Any) -> None:
    ImplantFactory()
    first = freshness.current().snapshot_id
    ImplantFactory()
    freshness.current()

    before = opening.recorded(BEFORE)

    assert before is not None
    assert before.snapshot_id == first


def test_answer_of_a_restored_release_is_the_same(tmp_path: Path) -> None:
    EventFactory(state="accepted", severity=3)
    release = freshness.publish("2026")
    folder = folder_of(release.snapshot_id)
    shutil.copytree(folder, tmp_path / "backup")
    query = EventQuery(release="2026", group_by=("severity",))
    first = answer(query, measure=Measure.COUNTS, viewer=ALL)
    update_rows(folder)
    code_of(freshness.named_release, "2026")

    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    cache.clear()

    assert answer(query, measure=Measure.COUNTS, viewer=ALL) == first
    assert Snapshot.objects.get().label == "2026"

import multiprocessing
import os
import shutil
import stat
from pathlib import Path

import pytest

from registry.snapshot import shelf
from registry.snapshot.counting import Sums, reported
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.manifest import MANIFEST
from registry.snapshot.selection import Selection
from registry.snapshot.shelf import Working
from tests.snapshot.rows import event, shipped_terms

HOUR = 3600


def frozen(root: Path, events: int) -> str:
    rows = [event(f"e{n}") for n in range(events)]
    return freeze_rows(
        root, events=rows, implants=(), exposures=(), terms=shipped_terms()
    ).snapshot_id


def working(snapshot_id: str) -> Working:
    return Working(snapshot_id=snapshot_id, seal_number=7, seal_hash="ab", data_as_of=None)


def test_working_snapshot_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    mark = Working(
        snapshot_id="1" * 64, seal_number=7, seal_hash="ab", data_as_of="2026-01-02T03:04:05+00:00"
    )

    mark.write(tmp_path)

    assert Working.read(tmp_path) == mark
    assert mark.as_of is not None
    assert mark.as_of.year == 2026
    assert stat.S_IMODE((tmp_path / "working.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["working.json"]


def test_there_is_no_working_snapshot_before_the_first_freeze(tmp_path: Path) -> None:
    assert Working.read(tmp_path) is None


def test_reader_keeps_its_snapshot_when_a_newer_one_is_put_to_work_and_it_is_deleted(
    tmp_path: Path,
) -> None:
    old = frozen(tmp_path, 1)
    reader = shelf.open_store(tmp_path, old)

    new = frozen(tmp_path, 2)
    working(new).write(tmp_path)
    shutil.rmtree(tmp_path / old)

    assert reported(reader, Selection(), each="event_no") == {(): Sums(1)}
    newer = shelf.open_store(tmp_path, new)
    assert reported(newer, Selection(), each="event_no") == {(): Sums(2)}


def read_elsewhere(root: Path, snapshot_id: str, found: "multiprocessing.Queue[int]") -> None:
    store = shelf.open_store(root, snapshot_id)
    found.put(reported(store, Selection(), each="event_no")[()].n)


def test_many_processes_read_one_snapshot(tmp_path: Path) -> None:
    snapshot_id = frozen(tmp_path, 3)
    here = shelf.open_store(tmp_path, snapshot_id)
    spawn = multiprocessing.get_context("spawn")
    found = spawn.Queue()

    others = [
        spawn.Process(target=read_elsewhere, args=(tmp_path, snapshot_id, found)) for _ in range(2)
    ]
    for other in others:
        other.start()
    counts = [found.get(timeout=60) for _ in others]
    for other in others:
        other.join(timeout=60)

    assert counts == [3, 3]
    assert reported(here, Selection(), each="event_no") == {(): Sums(3)}


def test_missing_snapshot_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shelf.open_store(tmp_path, "0" * 64)


def test_one_freeze_at_a_time(tmp_path: Path) -> None:
    with shelf.freezing(tmp_path) as mine, shelf.freezing(tmp_path, wait=0) as other:
        assert (mine, other) == (True, False)
    with shelf.freezing(tmp_path, wait=0) as again:
        assert again


def test_waiting_for_another_freeze_ends(tmp_path: Path) -> None:
    with shelf.freezing(tmp_path), shelf.freezing(tmp_path, wait=0.05) as other:
        assert not other


def test_next_freeze_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    kept = frozen(tmp_path, 1)
    left = tmp_path / ".building-abc"
    (left / "staging").mkdir(parents=True)

    with shelf.freezing(tmp_path), shelf.freezing(tmp_path, wait=0):
        assert not left.exists()
        left.mkdir()  # by whoever has the right to freeze: stays, though another asks
        with shelf.freezing(tmp_path, wait=0) as other:
            assert (other, left.exists()) == (False, True)
    assert (tmp_path / kept).exists()


def test_freeze_that_fails_is_failing_until_one_succeeds(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), shelf.attempting(tmp_path):
        raise OSError("full")
    failing = shelf.is_failing(tmp_path)

    with shelf.attempting(tmp_path):
        under_way = shelf.is_failing(tmp_path)

    assert (failing, under_way, shelf.is_failing(tmp_path)) == (True, True, False)
    assert shelf.seconds_since_attempt(tmp_path) < 60


def test_freeze_that_was_killed_is_failing(tmp_path: Path) -> None:
    shelf.begin_attempt(tmp_path)
    later = (tmp_path / shelf.BEGUN).stat().st_mtime + 61

    assert not shelf.is_failing(tmp_path)
    assert shelf.is_failing(tmp_path, now=later)
    with shelf.freezing(tmp_path):
        assert not shelf.is_failing(tmp_path, now=later)
    assert shelf.seconds_since_attempt(tmp_path, now=later) == pytest.approx(61)


def test_no_freeze_yet_is_long_ago(tmp_path: Path) -> None:
    assert shelf.seconds_since_attempt(tmp_path) == float("inf")
    assert not shelf.is_failing(tmp_path)


def age(root: Path, snapshot_id: str, seconds: float, now: float) -> None:
    os.utime(root / snapshot_id / MANIFEST, (now - seconds, now - seconds))


def test_old_snapshots_go_unless_kept_or_lately_working(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    kept, late, old = (frozen(tmp_path, n) for n in (1, 2, 3))
    age(tmp_path, kept, 9 * HOUR, now)
    age(tmp_path, late, HOUR - 1, now)
    age(tmp_path, old, HOUR + 1, now)

    gone = shelf.tidy(tmp_path, keep=frozenset({kept}), now=now)

    assert gone == [old]
    assert {path.name for path in tmp_path.iterdir()} == {kept, late}


def test_retired_snapshot_stays_for_an_hour_from_then(tmp_path: Path) -> None:
    snapshot_id = frozen(tmp_path, 1)
    age(tmp_path, snapshot_id, 0, 1_000_000_000.0)

    shelf.retire(tmp_path, snapshot_id)

    assert shelf.tidy(tmp_path, keep=frozenset()) == []


def test_retiring_a_snapshot_that_is_gone_does_nothing(tmp_path: Path) -> None:
    shelf.retire(tmp_path, "0" * 64)

    assert list(tmp_path.iterdir()) == []


def test_folder_without_a_manifest_goes_too(tmp_path: Path) -> None:
    half = tmp_path / frozen(tmp_path, 1)
    (half / MANIFEST).unlink()  # as a deletion that was killed left it

    assert shelf.tidy(tmp_path, keep=frozenset()) == [half.name]
    assert list(tmp_path.iterdir()) == []


def test_file_that_was_half_written_goes_with_the_next_freeze(tmp_path: Path) -> None:
    (tmp_path / ".staged").mkdir()
    left = [tmp_path / ".writing-abc", tmp_path / ".staged" / ".writing-abc"]
    for path in left:
        path.touch()

    with shelf.freezing(tmp_path):
        assert not any(path.exists() for path in left)


def test_record_that_cannot_be_written_leaves_the_old_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = working("1" * 64)
    old.write(tmp_path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        working("2" * 64).write(tmp_path)

    assert Working.read(tmp_path) == old
    assert [path.name for path in tmp_path.iterdir()] == ["working.json"]


def test_snapshots_are_counted_once_for_each_file_that_they_share(tmp_path: Path) -> None:
    one = tmp_path / frozen(tmp_path, 1)
    size = sum(path.stat().st_size for path in one.iterdir())
    (tmp_path / "other").mkdir()
    os.link(one / "events.parquet", tmp_path / "other" / "events.parquet")

    assert shelf.bytes_of(tmp_path) == size


def test_oldest_go_first_where_there_are_too_many(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    made = [frozen(tmp_path, n) for n in (1, 2, 3, 4)]
    for place, each in enumerate(made):
        age(tmp_path, each, 60 - place, now)

    gone = shelf.tidy(tmp_path, keep=frozenset({made[0]}), most=1, now=now)

    assert gone == sorted(made[1:3])


def test_oldest_go_first_until_there_is_room(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    made = [frozen(tmp_path, n) for n in (1, 2, 3)]
    for place, each in enumerate(made):
        age(tmp_path, each, 60 - place, now)
    room = shelf.bytes_of(tmp_path) - 1

    assert shelf.tidy(tmp_path, keep=frozenset(), most_bytes=room, now=now) == [made[0]]

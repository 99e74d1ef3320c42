"""What an import remembers lies on disk: found again, seen by nobody else, and memory flat."""

import gc
import os
import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from registry.intake import files, importing
from registry.intake.importing import OnConflict
from registry.intake.shelf import BlockShelf, Shelf
from registry.records import RawReport, RowKind
from tests.intake.conftest import report
from tests.intake.test_files import IMPLANT

pytestmark = pytest.mark.django_db


def test_values_are_found_by_their_keys():
    shelf: Shelf[int, object] = Shelf()
    shelf.put([(1, ("a", None)), (2, "b"), (-(10**15), frozenset({3}))])
    shelf.put([(2, "later")])

    found = shelf.find([1, 2, 3, -(10**15)])

    assert found == {1: ("a", None), 2: "later", -(10**15): frozenset({3})}


def test_keys_of_two_sites_are_kept_apart():
    shelf: Shelf[tuple[int, str], str] = Shelf()
    shelf.put([((1, "2/3"), "one"), ((1, "é'"), "two"), ((12, "3"), "three")])

    assert shelf.find([(1, "2/3"), (1, "2"), (12, "3"), (1, "é'"), (1, "e'")]) == {
        (1, "2/3"): "one",
        (12, "3"): "three",
        (1, "é'"): "two",
    }


def test_two_shelves_know_nothing_of_each_other():
    one, other = Shelf(), Shelf()
    one.put([(1, "mine")])

    assert other.find([1]) == {}


def test_values_of_blocks_come_once_each_in_the_order_of_their_numbers():
    shelf: BlockShelf[str] = BlockShelf()
    shelf.keep(3, "c", (7, 7, 2**63 - 1))
    shelf.keep(-1, "a", (7, -(2**63)))
    shelf.keep(2, "b", (8,))
    shelf.keep(4, "d", (9,))

    assert list(shelf.near([2**63 - 1, 8, 7, 10])) == ["a", "b", "c"]
    assert list(shelf.near([-(2**63)])) == ["a"]
    assert list(shelf.near([])) == []


def test_value_of_a_number_that_is_kept_already_stays():
    shelf: BlockShelf[str] = BlockShelf()
    shelf.keep(1, "first", (7,))
    shelf.keep(1, "second", (7, 8))

    assert list(shelf.near([7])) == ["first"]
    assert list(shelf.near([8])) == []


def test_values_of_a_block_are_read_as_they_are_asked_for():
    shelf: BlockShelf[int] = BlockShelf()
    for number in range(1000):
        shelf.keep(number, number, [1])
    read = []
    shelf._rows.set_trace_callback(read.append)

    assert next(shelf.near([1])) == 0
    assert len(read) == 2  # where, and what


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux alone lists files so.")
def test_its_file_has_no_name_and_ends_with_it():
    before = _files_without_name()
    shelf: Shelf[int, bytes] = Shelf()
    shelf.put((number, bytes(100_000)) for number in range(200))

    (name,) = _files_without_name() - before
    assert not Path(name.removesuffix(" (deleted)")).exists()
    rows = shelf._rows
    del shelf
    gc.collect()

    assert _files_without_name() == before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        rows.execute("SELECT 1")


def _files_without_name() -> set[str]:
    """The files that this process holds open and that no folder lists."""
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        try:
            found.add(os.readlink(handle))
        except FileNotFoundError:  # the handle by which the folder itself was read
            continue
    return {name for name in found if name.endswith(" (deleted)")}


def _rows(patients: int) -> dict[RowKind, list[RawReport]]:
    """A catheter and two events of each patient, all different; of one event the site alone."""
    implants, events = [], []
    for number in range(patients):
        owner = {"patient": f"q{number}x", "implant": f"q{number}x-cath"}
        implants.append(RawReport(RowKind.IMPLANT, IMPLANT | owner, number + 2))
        year = str(2010 + number % 3)
        months = {"year": year, "months_since_implant": str(12 * (number % 3))}
        events.append(report(source_id=f"e{number}x", implant=owner["implant"], **months))
        unnamed = {
            "implant": "",
            "component_model": "ascenda",
            "months_since_implant": "",
            "year": year,
        }
        details = {
            "days_since_procedure": "0-7",
            "root_cause": ("unknown", "device-wear-or-end-of-life")[number % 2],
        }
        events.append(report(source_id=f"u{number}x", **unnamed, **details))
    return {RowKind.IMPLANT: implants, RowKind.EVENT: events}


def test_memory_is_flat_however_long_a_file_is(world, monkeypatch):
    """Of each row a byte stays, and some of chance; without shelves it was six hundred."""
    monkeypatch.setattr(files, "BATCH", 100)
    monkeypatch.setattr(importing, "_LIVES_AT_HAND", 100)
    held: dict[RowKind, list[int]] = {RowKind.IMPLANT: [], RowKind.EVENT: []}
    sent = _rows(800)
    tracemalloc.start()
    try:
        for kind, _done in files.judging(sent, by=world.reporter, on_conflict=OnConflict.UPDATE):
            gc.collect()
            held[kind].append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert [len(each) for each in held.values()] == [8, 16]
    for each in held.values():
        early, late = min(each[2:6]), min(each[-4:])  # what is at hand comes and goes
        assert (late - early) / (100 * (len(each) - 6)) < 80

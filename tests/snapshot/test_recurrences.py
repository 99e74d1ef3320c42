"""Recurring events as sums by month: those of devices put together one by one."""

from collections import Counter
from pathlib import Path

from registry.snapshot.recurrences import Lines, device_events
from registry.snapshot.selection import Selection
from tests.snapshot.rows import event, implant
from tests.snapshot.test_firsts import store


def counted(lines: Lines) -> Counter[tuple[int, ...]]:
    *columns, n = (column.tolist() for column in lines.columns)
    found: Counter[tuple[int, ...]] = Counter()
    for *key, number in zip(*columns, n, strict=True):
        assert tuple(key) not in found
        found[tuple(key)] = number
    return found


def test_devices_events_and_pairs_are_counted_by_month(tmp_path: Path) -> None:
    implants = [
        implant("a", patient="p", site="A"),
        implant("b", patient="p", site="A", months_followed=10),
        implant("c", site="A", months_to_entry=4),
        implant("d", site="B", exit_status="eligibility-not-met"),
        implant("e", site="B"),
    ]
    told = [("a", 3), ("a", 3), ("a", 9), ("b", 3), ("c", 2), ("c", 5), ("d", 1), ("a", 25)]
    events = [
        event(f"e{at}", on=device, months_since_implant=month)
        for at, (device, month) in enumerate(told)
    ]
    found = device_events(
        store(tmp_path, implants=implants, events=events),  # type: ignore[arg-type]
        Selection(group_by=("site",)),
        clock="pump",
    )

    # c's event at month 2 is before its entry, a's at month 25 after its end, d never counted
    one, other = found["A",], found["B",]
    assert counted(one.devices) == {(0, 24): 1, (0, 10): 1, (4, 24): 1}
    assert counted(one.events) == {(3, 0, 24): 2, (9, 0, 24): 1, (3, 0, 10): 1, (5, 4, 24): 1}
    assert counted(one.pairs) == {(3, 3): 5, (3, 9): 2, (9, 3): 2, (9, 9): 1, (5, 5): 1}
    assert counted(other.devices) == {(0, 24): 1}
    assert (counted(other.events), counted(other.pairs)) == ({}, {})


def test_nothing_has_no_rows(tmp_path: Path) -> None:
    empty = store(tmp_path, implants=[], events=[])

    assert device_events(empty, Selection(group_by=("site",)), clock="pump") == {}

"""First events, and the time that comes after them: sums by row."""

from pathlib import Path

from registry.snapshot.counting import Sums, before_entry
from registry.snapshot.firsts import FirstEvents, first_events
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.selection import MonthSpan, Selection
from registry.snapshot.shelf import open_store
from registry.snapshot.store import Store
from tests.snapshot.rows import event, implant, shipped_terms

ALL = Selection()


def store(root: Path, *, implants: list[object], events: list[object]) -> Store:
    manifest = freeze_rows(
        root,
        events=events,  # type: ignore[arg-type]
        implants=implants,  # type: ignore[arg-type]
        exposures=(),
        terms=shipped_terms(),
    )
    return open_store(root, manifest.snapshot_id)


def test_time_after_the_first_event_is_that_of_the_row(tmp_path: Path) -> None:
    # 2015's pump is followed for 24 months; its event at month 6 is the first of either window
    found = store(
        tmp_path,
        implants=[implant("i1"), implant("i2")],
        events=[event("e1", on="i1", months_since_implant=6)],
    )
    windows = (MonthSpan("0-12", 0, 12), MonthSpan("13-", 13, None))

    def told(selection: Selection, *, in_row: bool = False) -> dict[object, FirstEvents]:
        asks = {"clock": "pump", "per_patient": False, "in_row": in_row}
        return dict(first_events(found, selection, **asks))  # type: ignore[arg-type]

    by_window = Selection(group_by=("window",), spans=windows)
    assert told(ALL) == told(ALL, in_row=True) == {(): FirstEvents(Sums(1), 18.0)}
    assert told(by_window, in_row=True) == {("0-12",): FirstEvents(Sums(1), 6.5)}
    # the device is in no later row
    assert told(by_window) == {
        ("0-12",): FirstEvents(Sums(1), 6.5),
        ("13-",): FirstEvents(Sums(0), 11.5),
    }
    # the same two windows as a filter are one row
    assert told(Selection(spans=windows)) == {(): FirstEvents(Sums(1), 18.0)}


def test_first_event_at_month_0_leaves_a_quarter_of_a_month(tmp_path: Path) -> None:
    zero = event("e1", on="i1", months_since_implant=0)
    found = store(tmp_path, implants=[implant("i1")], events=[zero])

    told = first_events(found, ALL, clock="pump", per_patient=False)

    assert told == {(): FirstEvents(Sums(1), 23.75)}


def test_years_apart_in_one_row_count_an_owner_once(tmp_path: Path) -> None:
    # implanted in mid-2015 and followed to mid-2017; the event is of 2015
    found = store(
        tmp_path,
        implants=[implant("i1", implant_year=2015)],
        events=[event("e1", on="i1", months_since_implant=2, year=2015)],
    )
    apart = Selection(years=(2015, 2017), known_years=(2015, 2016, 2017))

    told = first_events(found, apart, clock="pump", per_patient=False)

    # 4 months of 2015 and 6 of 2017 come after it
    assert told == {(): FirstEvents(Sums(1), 10.0)}


def test_events_before_entry_are_counted_by_row(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", drug="morphine", months_to_entry=8), implant("i2")],
        events=[
            event("e1", on="i1", months_since_implant=3),
            event("e2", on="i1", months_since_implant=8),
            event("e3", on="i1", months_since_implant=9),
            event("e4", on="i2", months_since_implant=0),
        ],
    )

    assert before_entry(found, Selection(group_by=("drug",)), clock="pump") == {("morphine",): 2}

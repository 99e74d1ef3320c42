"""First events and the lives of devices up to them: sums by row and month."""

from pathlib import Path

from registry.snapshot.counting import Sums, before_entry
from registry.snapshot.firsts import THE_EVENT, FirstEvents, Lives, first_events, lives, lives_of
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.selection import Condition, MonthSpan, Selection
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


def life(
    found: Store,
    selection: Selection = ALL,
    *,
    at: tuple[str, ...] = (),
    clock: str = "pump",
    per_patient: bool = False,
) -> Lives:
    without, changes = lives(found, selection, clock=clock, per_patient=per_patient)
    return lives_of(without, changes, at, at)


def counts(by_month: dict[object, Sums]) -> dict[object, int]:
    return {month: sums.n for month, sums in by_month.items()}


def test_every_device_enters_and_ends_once_at_its_first_event_or_its_exit(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        implants=[
            implant("i1", exit_status="death-related"),
            implant("i2", months_to_entry=4, exit_status=""),
        ],
        events=[
            event("e1", on="i1", months_since_implant=9),
            event("e2", on="i1", months_since_implant=6),
        ],
    )

    told = life(found)

    assert counts(told.entered) == {0: 1, 4: 1}
    assert counts(told.ended) == {(THE_EVENT, 6): 1, ("", 24): 1}
    assert counts(told.owners) == {6: 1}


def test_device_without_an_event_ends_for_its_own_reason(tmp_path: Path) -> None:
    found = store(tmp_path, implants=[implant("i1", exit_status="death-related")], events=[])

    assert counts(life(found).ended) == {("death-related", 24): 1}


def test_event_of_month_0_is_an_event(tmp_path: Path) -> None:
    zero = event("e1", on="i1", months_since_implant=0)
    found = store(tmp_path, implants=[implant("i1")], events=[zero])

    assert counts(life(found).ended) == {(THE_EVENT, 0): 1}


def test_device_that_was_never_followed_has_no_life(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", months_to_entry=5, months_followed=5), implant("i2")],
        events=[],
    )

    assert counts(life(found).entered) == {0: 1}


def test_devices_of_the_other_component_are_on_another_clock(tmp_path: Path) -> None:
    found = store(tmp_path, implants=[implant("i1", component="catheter")], events=[])

    assert life(found) == Lives()
    assert counts(life(found, clock="catheter").entered) == {0: 1}


def test_first_event_is_that_of_the_row(tmp_path: Path) -> None:
    # the patient's first on each of two models, which are two rows
    pumps = [
        implant("p1", patient="p", pump_model="isomed"),
        implant("p2", patient="p", pump_model="medstream", implant_year=2018),
    ]
    events = [
        event("e1", on="p1", complication="sedation", months_since_implant=20),
        event("e2", on="p2", complication="sedation", months_since_implant=3),
    ]
    found = store(tmp_path, implants=pumps, events=events)  # type: ignore[arg-type]
    by_model = Selection(group_by=("pump_model",))

    told = [life(found, by_model, at=(code,), per_patient=True) for code in ("isomed", "medstream")]
    together = life(found, per_patient=True)

    assert [counts(each.owners) for each in told] == [{20: 1}, {3: 1}]
    # the later device is not there at all once its patient had the event
    assert counts(together.entered) == {0: 1}
    assert counts(together.ended) == {(THE_EVENT, 20): 1}


def test_earlier_device_of_the_patient_had_no_event(tmp_path: Path) -> None:
    pumps = [implant("p1", patient="p"), implant("p2", patient="p", implant_year=2018)]
    late = event("e1", on="p2", complication="sedation", months_since_implant=3)
    found = store(tmp_path, implants=pumps, events=[late])  # type: ignore[arg-type]

    told = life(found, per_patient=True)

    assert counts(told.entered) == {0: 2}
    assert counts(told.ended) == {("active", 24): 1, (THE_EVENT, 3): 1}


def test_conditions_on_devices_choose_devices_and_those_on_events_choose_events(
    tmp_path: Path,
) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", drug="morphine"), implant("i2", drug="baclofen")],
        events=[event("e1", on="i1", severity=2), event("e2", on="i2", severity=3)],
    )
    selection = Selection(
        on_devices=(Condition("drug", ("morphine",)),), on_events=(Condition("severity", (3,)),)
    )

    told = life(found, selection)

    assert (counts(told.entered), counts(told.owners)) == ({0: 1}, {})


def test_time_after_the_first_event_is_that_of_the_row(tmp_path: Path) -> None:
    # 2015's pump is followed for 24 months; its event at month 6 is the first of either window
    found = store(
        tmp_path,
        implants=[implant("i1"), implant("i2")],
        events=[event("e1", on="i1", months_since_implant=6)],
    )
    windows = (MonthSpan("0-12", 0, 12), MonthSpan("13-", 13, None))

    def told(selection: Selection) -> dict[object, FirstEvents]:
        return dict(first_events(found, selection, clock="pump", per_patient=False))

    assert told(ALL) == {(): FirstEvents(Sums(1), 18.0)}
    assert told(Selection(group_by=("window",), spans=windows)) == {
        ("0-12",): FirstEvents(Sums(1), 6.5)
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

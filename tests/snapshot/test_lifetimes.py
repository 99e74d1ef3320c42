"""Devices' lifetimes, as curves start from them."""

from pathlib import Path

from registry.snapshot.asked import Asked, Condition
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.lifetimes import NO_EVENT, Lifetimes, events_before_entry, lifetimes
from registry.snapshot.shelf import open_store
from registry.snapshot.store import Store
from tests.snapshot.rows import event, implant, shipped_terms


def store(root: Path, *, implants: list[object], events: list[object]) -> Store:
    manifest = freeze_rows(
        root,
        events=events,  # type: ignore[arg-type]
        implants=implants,  # type: ignore[arg-type]
        exposures=(),
        terms=shipped_terms(),
    )
    return open_store(root, manifest.snapshot_id)


def told(lives: Lifetimes) -> list[tuple[object, ...]]:
    columns = (lives.entry, lives.followed, lives.event, lives.exit_status)
    return sorted(zip(lives.keys, *(column.tolist() for column in columns), strict=True))


def test_every_device_has_a_life_and_its_first_event(tmp_path: Path) -> None:
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

    assert told(lifetimes(found, Asked(), clock="pump", per_patient=False)) == [
        ((), 0, 24, 6, "death-related"),
        ((), 4, 24, NO_EVENT, ""),
    ]


def test_event_of_month_0_is_an_event(tmp_path: Path) -> None:
    zero = event("e1", on="i1", months_since_implant=0)
    found = store(tmp_path, implants=[implant("i1")], events=[zero])

    assert told(lifetimes(found, Asked(), clock="pump", per_patient=False))[0][3] == 0


def test_device_that_was_never_followed_has_none(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", months_to_entry=5, months_followed=5), implant("i2")],
        events=[],
    )

    assert len(told(lifetimes(found, Asked(), clock="pump", per_patient=False))) == 1


def test_devices_of_the_other_component_are_on_another_clock(tmp_path: Path) -> None:
    found = store(tmp_path, implants=[implant("i1", component="catheter")], events=[])

    assert told(lifetimes(found, Asked(), clock="pump", per_patient=False)) == []
    assert len(told(lifetimes(found, Asked(), clock="catheter", per_patient=False))) == 1


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

    by_model = lifetimes(found, Asked(group_by=("pump_model",)), clock="pump", per_patient=True)
    together = lifetimes(found, Asked(), clock="pump", per_patient=True)

    assert [row[3] for row in told(by_model)] == [20, 3]
    assert [row[3] for row in told(together)] == [20]


def test_earlier_device_of_the_patient_had_no_event(tmp_path: Path) -> None:
    pumps = [implant("p1", patient="p"), implant("p2", patient="p", implant_year=2018)]
    late = event("e1", on="p2", complication="sedation", months_since_implant=3)
    found = store(tmp_path, implants=pumps, events=[late])  # type: ignore[arg-type]

    lives = lifetimes(found, Asked(), clock="pump", per_patient=True)

    assert sorted(lives.event.tolist()) == [NO_EVENT, 3]


def test_conditions_on_devices_choose_devices_and_those_on_events_choose_events(
    tmp_path: Path,
) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", drug="morphine"), implant("i2", drug="baclofen")],
        events=[event("e1", on="i1", severity=2), event("e2", on="i2", severity=3)],
    )
    asked = Asked(
        on_devices=(Condition("drug", ("morphine",)),), on_events=(Condition("severity", (3,)),)
    )

    assert [row[3] for row in told(lifetimes(found, asked, clock="pump", per_patient=False))] == [
        NO_EVENT
    ]


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

    assert events_before_entry(found, Asked(group_by=("drug",)), clock="pump") == {("morphine",): 2}

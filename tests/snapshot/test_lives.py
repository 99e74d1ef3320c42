"""The lives of devices up to their first events: sums by month."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from registry.snapshot.lives import BY_EVENT, ENTERED, lives, lives_of
from registry.snapshot.selection import Condition, Selection
from registry.snapshot.store import Store
from tests.snapshot.rows import event, implant
from tests.snapshot.test_firsts import store

ALL = Selection()
THE_EVENT = "event"


@dataclass
class Told:
    """How many devices entered, ended by why, and had a first event, by month."""

    entered: dict[int, int]
    ended: dict[tuple[str, int], int]
    owners: dict[int, int]


def life(
    found: Store,
    selection: Selection = ALL,
    *,
    at: tuple[str, ...] = (),
    clock: str = "pump",
    per_patient: bool = False,
) -> Told:
    without, changes = lives(found, selection, clock=clock, per_patient=per_patient)
    of = lives_of(without, changes, at, at)
    entered: Counter[int] = Counter()
    ended: Counter[tuple[str, int]] = Counter()
    owners: Counter[int] = Counter()
    columns = (of.what, of.why, of.month, of.sums[:, 0], of.owners[:, 0])
    for what, why, month, n, had in zip(*(each.tolist() for each in columns), strict=True):
        reason = THE_EVENT if what == BY_EVENT else found.codes.text("exit_status", why)
        if what == ENTERED:
            entered[month] += n
        else:
            ended[reason, month] += n
        owners[month] += had
    return Told(*({at: n for at, n in each.items() if n} for each in (entered, ended, owners)))


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

    assert told.entered == {0: 1, 4: 1}
    assert told.ended == {(THE_EVENT, 6): 1, ("", 24): 1}
    assert told.owners == {6: 1}


def test_device_without_an_event_ends_for_its_own_reason(tmp_path: Path) -> None:
    found = store(tmp_path, implants=[implant("i1", exit_status="death-related")], events=[])

    assert life(found).ended == {("death-related", 24): 1}


def test_event_of_month_0_is_an_event(tmp_path: Path) -> None:
    zero = event("e1", on="i1", months_since_implant=0)
    found = store(tmp_path, implants=[implant("i1")], events=[zero])

    assert life(found).ended == {(THE_EVENT, 0): 1}


def test_device_that_was_never_followed_has_no_life(tmp_path: Path) -> None:
    found = store(
        tmp_path,
        implants=[implant("i1", months_to_entry=5, months_followed=5), implant("i2")],
        events=[],
    )

    assert life(found).entered == {0: 1}


def test_devices_of_the_other_component_are_on_another_clock(tmp_path: Path) -> None:
    found = store(tmp_path, implants=[implant("i1", component="catheter")], events=[])

    assert life(found) == Told({}, {}, {})
    assert life(found, clock="catheter").entered == {0: 1}


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

    assert [each.owners for each in told] == [{20: 1}, {3: 1}]
    # the later device is not there at all once its patient had the event
    assert together.entered == {0: 1}
    assert together.ended == {(THE_EVENT, 20): 1}


def test_earlier_device_of_the_patient_had_no_event(tmp_path: Path) -> None:
    pumps = [implant("p1", patient="p"), implant("p2", patient="p", implant_year=2018)]
    late = event("e1", on="p2", complication="sedation", months_since_implant=3)
    found = store(tmp_path, implants=pumps, events=[late])  # type: ignore[arg-type]

    told = life(found, per_patient=True)

    assert told.entered == {0: 2}
    assert told.ended == {("active", 24): 1, (THE_EVENT, 3): 1}


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

    assert (told.entered, told.owners) == ({0: 1}, {})

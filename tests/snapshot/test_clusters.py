"""Time and events by patient: sums over devices and pairs are those put together one by one."""

from pathlib import Path

import pytest

from registry.snapshot import clusters
from registry.snapshot.clusters import ClusterTime, events_by_cluster, time_by_cluster
from registry.snapshot.selection import Selection
from registry.snapshot.store import Store
from tests.snapshot.rows import event, implant
from tests.snapshot.test_firsts import store

YEARS = tuple(range(2008, 2024))


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Patients with one pump and with three that follow one another, overlap, or never counted."""
    implants = [
        implant("a1", patient="a", implant_year=2010, months_followed=30),
        implant("a2", patient="a", implant_year=2012, months_followed=50, pump_model="isomed"),
        implant("a3", patient="a", implant_year=2013, months_followed=20),
        implant("b1", patient="b", implant_year=2011, months_followed=7, months_to_entry=5),
        implant("b2", patient="b", implant_year=2011, months_followed=7),
        implant("b3", patient="b", implant_year=2011, exit_status="eligibility-not-met"),
        implant("c1", patient="c", implant_year=2012, months_followed=90),
        implant("d1", patient="d", implant_year=2009, age_band="80-89", months_followed=130),
        implant("d2", patient="d", implant_year=2019, months_followed=9),
    ]
    told = [("a1", 3), ("a1", 29), ("a2", 1), ("a2", 2), ("a3", 20), ("b1", 6), ("b2", 6)]
    told += [("b3", 2), ("c1", 0), ("c1", 50), ("d1", 70), ("d2", 1)]
    events = [
        event(f"e{at}", on=device, months_since_implant=month, year=_year(device, month))
        for at, (device, month) in enumerate(told)
    ]
    root = tmp_path_factory.mktemp("clusters")
    return store(root, implants=implants, events=events)  # type: ignore[arg-type]


def _year(device: str, month: int) -> int:
    starts = {"a1": 2010, "a2": 2012, "a3": 2013, "c1": 2012, "d1": 2009, "d2": 2019}
    return starts.get(device, 2011) + (month + 6) // 12


@pytest.mark.parametrize("years", [None, (2012,), (2012, 2013, 2014)])
@pytest.mark.parametrize(
    "group_by", [(), ("year",), ("period",), ("pump_model", "year"), ("sex", "period"), ("site",)]
)
def test_patients_by_device_and_pair_are_those_put_together_one_by_one(
    found: Store,
    monkeypatch: pytest.MonkeyPatch,
    group_by: tuple[str, ...],
    years: tuple[int, ...] | None,
) -> None:
    selection = Selection(group_by=group_by, years=years, known_years=YEARS)

    def sums() -> tuple[object, object]:
        return (
            time_by_cluster(found, selection, clock="pump"),
            events_by_cluster(found, selection, clock="pump", each="event_no"),
        )

    by_device = sums()
    monkeypatch.setattr(clusters, "_is_by_patient", lambda selection, cluster: False)

    assert by_device == sums()
    assert all(by_device)


def test_two_devices_of_a_patient_in_one_year_are_one_cluster(tmp_path: Path) -> None:
    # both made in the middle of 2015: six months of the year each
    implants = [implant("p1", patient="p"), implant("p2", patient="p"), implant("q1")]
    found = store(tmp_path, implants=implants, events=[])  # type: ignore[arg-type]
    selection = Selection(group_by=("year",), known_years=(2015, 2016, 2017))

    told = time_by_cluster(found, selection, clock="pump")

    assert told == {
        (2015,): ClusterTime(18.0, 12.0**2 + 6.0**2, 2),
        (2016,): ClusterTime(36.0, 24.0**2 + 12.0**2, 2),
        (2017,): ClusterTime(18.0, 12.0**2 + 6.0**2, 2),
    }

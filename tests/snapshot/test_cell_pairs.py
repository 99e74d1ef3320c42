"""What patients have in two cells at once: against squares by patient, which are made otherwise."""

from pathlib import Path

import pytest

from registry.records import Window
from registry.snapshot.cell_pairs import FIRST, FIRST_IN_ROW, CellPairs, cell_pairs
from registry.snapshot.clusters import events_by_cluster, time_by_cluster
from registry.snapshot.firsts import first_events
from registry.snapshot.selection import Selection, month_spans
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from tests.reporting.protecting import tangled_rows
from tests.snapshot.rows import event, implant
from tests.snapshot.test_firsts import store

YEARS = tuple(range(2003, 2041))
WINDOWS = month_spans((Window(0, 3), Window(4, 24), Window(25, None)), apart=True)


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Patients with several pumps and catheters, late entries and gaps."""
    implants, events = tangled_rows(5, patients=120)
    return store(tmp_path_factory.mktemp("pairs"), implants=implants, events=list(events))  # type: ignore[arg-type]


def table(pairs: CellPairs, name: str) -> dict[tuple[Key, Key], float]:
    """One of the sums by pair of cells; a pair stands in it once."""
    keys = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    told = [(pairs.keys[first], pairs.keys[second]) for first, second in keys]
    assert len(set(told)) == len(told)
    return dict(zip(told, getattr(pairs, name).tolist(), strict=True))


def coarsened(pairs: CellPairs, name: str, keep: int) -> dict[Key, float]:
    """The sums of pairs within one row of a coarser table, which are its squares by patient."""
    found: dict[Key, float] = {}
    for (first, second), value in table(pairs, name).items():
        if first[:keep] == second[:keep]:
            found[first[:keep]] = found.get(first[:keep], 0.0) + value
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize("each", ["event_no", "episode"])
@pytest.mark.parametrize("clock", ["pump", "catheter"])
@pytest.mark.parametrize("split", [("year",), ("window",), ("pump_model",), ("window", "year")])
def test_pairs_add_up_to_the_squares_of_coarser_rows(
    found: Store, split: tuple[str, ...], clock: str, each: str
) -> None:
    spans = WINDOWS if "window" in split else ()
    fine = Selection(group_by=("sex", *split), known_years=YEARS, spans=spans)
    whole = Selection(group_by=("sex",))

    pairs = cell_pairs(found, fine, clock=clock, each=each, per_patient=False)

    time = time_by_cluster(found, whole, clock=clock)
    if "year" not in split:  # a pooled age has no year, and no time by year
        assert coarsened(pairs, "tt", 1) == pytest.approx(
            {key: row.squares for key, row in time.items() if row.squares}
        )
        assert pairs.patients == sum(row.clusters for row in time.values())
    if each == "event_no" and split in {("window",), ("pump_model",)}:
        events = events_by_cluster(found, whole, clock=clock, each=each)
        assert coarsened(pairs, "xx", 1) == {k: e.squares for k, e in events.items() if e.n}
        assert coarsened(pairs, "xt", 1) == pytest.approx(
            {k: e.products for k, e in events.items() if e.products}
        )


@pytest.mark.parametrize("split", [("year",), ("window",), ("window", "year")])
def test_each_cell_with_itself_is_its_square(found: Store, split: tuple[str, ...]) -> None:
    spans = WINDOWS if "window" in split else ()
    fine = Selection(group_by=("sex", *split), known_years=YEARS, spans=spans)

    pairs = cell_pairs(found, fine, clock="pump", each="event_no", per_patient=False)

    time = time_by_cluster(found, fine, clock="pump")
    events = events_by_cluster(found, fine, clock="pump", each="event_no")
    own = {name: table(pairs, name) for name in ("xx", "xt", "tt")}
    assert {k: own["tt"][k, k] for k, row in time.items() if row.squares} == pytest.approx(
        {k: row.squares for k, row in time.items() if row.squares}
    )
    assert {k: own["xx"][k, k] for k in events} == {k: row.squares for k, row in events.items()}
    assert {k: own["xt"][k, k] for k in events} == pytest.approx(
        {k: row.products for k, row in events.items()}
    )


def test_two_devices_of_a_patient_in_two_cells_by_hand(tmp_path: Path) -> None:
    implants = [
        implant("p1", patient="p", pump_model="isomed"),
        implant("p2", patient="p", pump_model="prometra-ii-20", months_followed=10),
        implant("q1", pump_model="isomed", months_followed=5),
    ]
    events = [event("e1", on="p1"), event("e2", on="p1"), event("e3", on="p2")]
    found = store(tmp_path, implants=implants, events=events)  # type: ignore[arg-type]
    selection = Selection(group_by=("pump_model",))

    pairs = cell_pairs(found, selection, clock="pump", each="event_no", per_patient=False)

    one, other = ("isomed",), ("prometra-ii-20",)
    assert pairs.patients == 2
    assert table(pairs, "xx") == {
        (one, one): 4, (one, other): 2, (other, one): 2, (other, other): 1
    }  # fmt: skip
    assert table(pairs, "xt") == {
        (one, one): 48, (one, other): 20, (other, one): 24, (other, other): 10
    }  # fmt: skip
    assert table(pairs, "tt") == {
        (one, one): 24**2 + 5**2, (one, other): 240, (other, one): 240, (other, other): 100
    }  # fmt: skip


def test_a_patient_has_one_first_event(found: Store) -> None:
    whole = Selection()

    pairs = cell_pairs(found, whole, clock="pump", each=FIRST, per_patient=True)

    (first,) = first_events(found, whole, clock="pump", per_patient=True).values()
    assert table(pairs, "xx") == {((), ()): first.owners.n}


@pytest.mark.parametrize("each", [FIRST, FIRST_IN_ROW])
@pytest.mark.parametrize("split", [("year",), ("window",), ("window", "year")])
def test_first_events_of_cells_are_those_of_their_rates(
    found: Store, split: tuple[str, ...], each: str
) -> None:
    spans = WINDOWS if "window" in split else ()
    fine = Selection(group_by=split, known_years=YEARS, spans=spans)

    told = table(cell_pairs(found, fine, clock="pump", each=each, per_patient=True), "xx")

    in_row = each == FIRST_IN_ROW
    firsts = first_events(found, fine, clock="pump", per_patient=True, in_row=in_row)
    own = {one: n for (one, other), n in told.items() if one == other and n}
    assert own == {key: first.owners.n for key, first in firsts.items() if first.owners.n}
    twice = sum(n for (one, other), n in told.items() if one != other)
    assert (twice > 0) is in_row  # of the first ever a patient has one


def test_first_events_by_hand(tmp_path: Path) -> None:
    implants = [implant("p1", patient="p", site="A"), implant("p2", patient="p", site="B")]
    events = [event("e1", on="p1"), event("e2", on="p1", months_since_implant=9)]
    found = store(tmp_path, implants=implants, events=events)  # type: ignore[arg-type]

    pairs = cell_pairs(
        found, Selection(group_by=("site",)), clock="pump", each=FIRST, per_patient=False
    )

    a, b = ("A",), ("B",)
    assert table(pairs, "xx") == {(a, a): 1, (a, b): 0, (b, a): 0, (b, b): 0}
    assert table(pairs, "xt") == {(a, a): 6, (a, b): 24, (b, a): 0, (b, b): 0}
    assert table(pairs, "tt") == {(a, a): 36, (a, b): 144, (b, a): 144, (b, b): 576}


@pytest.mark.parametrize("group_by", [(), ("sex",)])
def test_nothing_has_no_pairs(tmp_path: Path, group_by: tuple[str, ...]) -> None:
    found = store(tmp_path, implants=[], events=[])

    pairs = cell_pairs(
        found, Selection(group_by=group_by), clock="pump", each="event_no", per_patient=False
    )

    assert (pairs.keys, pairs.patients, pairs.first.size) == ([], 0, 0)

from pathlib import Path

import pytest

from registry.records import BadQuery, Window
from registry.reporting.estimating import cells
from registry.vocabulary import CountingRule, Intervention
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, exposure, implant

CAUSED = [
    event("e1", on="c1", complication="catheter-migration", months_since_implant=5),
    event("e2", on="p1", complication="baclofen-withdrawal", caused_by="e1"),
    event("e3", on="p1", complication="revision-surgery", caused_by="e2", months_since_implant=7),
    event("e4", on="c1", complication="catheter-kink", months_since_implant=9),
]
SYSTEM = [implant("p1", patient="p"), implant("c1", patient="p", component="catheter")]


def test_counts_leave_out_near_misses_other_states_and_consequences(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1"),
            event("e2", actuality=""),
            event("e3", actuality="near-miss"),
            event("e4", state="submitted"),
            event("e5", complication="pump-end-of-service"),
        ],
    )

    assert asker.counts() == {(): 2}


def test_near_misses_and_other_states_count_when_they_are_asked_for(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path, events=[event("e1", actuality="near-miss"), event("e2", state="submitted")]
    )

    assert asker.counts(where=(("actuality", ("near-miss",)),)) == {(): 1}
    assert asker.counts(where=(("state", ("submitted",)),)) == {(): 1}


@pytest.mark.parametrize(
    ("query", "n"),
    [
        ({"where": (("complication", ("pump-end-of-service",)),)}, 1),
        ({"where": (("category", ("pump",)),)}, 1),
        ({"where": (("category", ("consequence",)),)}, 1),
        ({}, 1),
    ],
)
def test_consequences_count_when_named(tmp_path: Path, query: dict, n: int) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1"),
            event("e2", complication="pump-end-of-service"),
            event("e3", complication="revision-surgery"),
        ],
    )

    assert asker.counts(**query) == {(): n}


def test_consequences_count_in_a_breakdown_by_complication_alone(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[event("e1"), event("e2", complication="revision-surgery")])

    assert asker.counts(group_by=("complication",)) == {("pump-flip",): 1, ("revision-surgery",): 1}
    assert asker.counts(group_by=("category",)) == {("pump",): 1}


def test_episode_counts_once_in_each_row_in_which_any_of_its_events_falls(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=CAUSED, implants=SYSTEM)

    assert asker.counts(counting=CountingRule.EPISODES) == {(): 2}
    assert asker.counts(counting=CountingRule.EPISODES, group_by=("category",)) == {
        ("catheter",): 2,
        ("withdrawal",): 1,
    }
    assert asker.counts(counting=CountingRule.EVENTS) == {(): 3}


def test_devices_and_patients_count_once(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[*CAUSED, event("e9")], implants=SYSTEM)

    assert asker.counts(counting=CountingRule.DEVICES) == {(): 2}
    assert asker.counts(counting=CountingRule.PATIENTS) == {(): 1}


def test_first_events_count_by_device_or_by_patient_where_they_are_the_patients(
    tmp_path: Path,
) -> None:
    two_pumps = [
        implant("p1", patient="p", months_followed=24, exit_status="replaced-end-of-service"),
        implant("p2", patient="p", implant_year=2017),
    ]
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="p1"),
            event("e2", on="p2"),
            event("e3", on="p1", complication="baclofen-withdrawal"),
            event("e4", on="p2", complication="baclofen-withdrawal"),
        ],
        implants=two_pumps,
    )

    assert asker.counts(counting=CountingRule.FIRST_EVENT, group_by=("category",)) == {
        ("pump",): 2,
        ("withdrawal",): 1,
    }


def test_blank_and_unknown_are_two_rows(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", outcome=""), event("e2", outcome="unknown"), event("e3")],
    )

    assert asker.counts(group_by=("outcome",)) == {("",): 2, ("unknown",): 1}
    assert asker.counts(where=(("outcome", ("not-recorded",)),)) == {(): 2}
    assert asker.counts(where=(("outcome", ("not-recorded", "unknown")),)) == {(): 3}


def test_blank_number_is_a_row_and_a_filter(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[event("e1", severity=3), event("e2")])

    assert asker.counts(group_by=("severity",)) == {(3,): 1, (None,): 1}
    assert asker.counts(where=(("severity", ("not-recorded",)),)) == {(): 1}
    assert asker.counts(where=(("severity", ("3",)),)) == {(): 1}


def test_event_stands_in_the_row_of_each_of_its_interventions(tmp_path: Path) -> None:
    both = Intervention.pack([Intervention.ANTIBIOTICS, Intervention.WOUND_CARE])
    asker = Asker(
        tmp_path,
        events=[
            event("e1", interventions=both),
            event("e2", interventions=Intervention.pack([Intervention.ANTIBIOTICS])),
            event("e3"),
        ],
    )

    assert asker.counts(group_by=("intervention",)) == {
        ("antibiotics",): 2,
        ("wound-care",): 1,
        ("",): 1,
    }
    assert asker.counts(where=(("intervention", ("wound-care", "not-recorded")),)) == {(): 2}


def test_filter_on_interventions_holds_the_rows_to_them(tmp_path: Path) -> None:
    both = Intervention.pack([Intervention.ANTIBIOTICS, Intervention.WOUND_CARE])
    asker = Asker(tmp_path, events=[event("e1", interventions=both), event("e2")])

    found = asker.counts(
        where=(("intervention", ("antibiotics", "not-recorded")),), group_by=("intervention",)
    )
    assert found == {("antibiotics",): 1, ("",): 1}


def test_breakdown_by_actuality_or_state_shows_each(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1"),
            event("e2", actuality="near-miss"),
            event("e3", actuality=""),
            event("e4", state="draft"),
        ],
    )

    assert asker.counts(group_by=("actuality",)) == {("actual",): 1, ("near-miss",): 1, ("",): 1}
    assert asker.counts(group_by=("state",)) == {("accepted",): 2, ("draft",): 1}


def test_seriousness_is_broken_down_by_criterion(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", serious_death=True, serious_hospitalisation=True),
            event("e2", serious_none=True),
            event("e3"),
        ],
    )

    assert asker.counts(group_by=("seriousness",)) == {
        ("death",): 1,
        ("hospitalisation",): 1,
        ("none",): 1,
        ("",): 1,
    }
    assert asker.counts(group_by=("serious",)) == {("yes",): 1, ("no",): 1, ("",): 1}
    assert asker.counts(where=(("serious", ("true",)),)) == {(): 1}


def test_years_filter_and_make_rows_with_zeros_where_there_were_devices(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2015), event("e2", year=None)],
        implants=[implant("i1", implant_year=2015, months_followed=24)],
    )

    assert asker.counts(group_by=("year",)) == {(2015,): 1, (2016,): 0, (2017,): 0, (None,): 1}
    assert asker.counts(years=(2016, None)) == {(): 0}
    assert asker.counts(years=(2015, 2015)) == {(): 1}
    assert asker.counts(where=(("year", ("not-recorded",)),)) == {(): 1}
    assert asker.counts(where=(("period", ("2015-2019",)),)) == {(): 1}
    assert asker.counts(group_by=("period",)) == {("2015-2019",): 1, ("",): 1}


def test_windows_filter_and_make_rows(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event(f"e{month}", on="i1", months_since_implant=month) for month in (0, 3, 4, 12, 13)
        ],
        implants=[implant("i1")],
    )
    windows = (Window(0, 3), Window(4, 12), Window(13))

    assert asker.counts(windows=windows, group_by=("window",)) == {
        ("0-3",): 2,
        ("4-12",): 2,
        ("13-",): 1,
    }
    assert asker.counts(windows=(Window(4, 12),)) == {(): 2}
    assert asker.counts(windows=(Window(0, 3), Window(2, 4))) == {(): 3}


def test_event_without_a_month_is_a_row_of_its_own_among_windows(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[event("e1"), event("e2", on="i1")], implants=[implant("i1")])
    blank = (("window", ("not-recorded",)),)

    assert asker.counts(windows=(Window(0, 3),), group_by=("window",)) == {("",): 1, ("0-3",): 0}
    assert asker.counts(group_by=("window",))[("",)] == 1
    assert asker.counts(where=blank) == {(): 1}
    assert asker.counts(where=blank, windows=(Window(4, 12),)) == {(): 2}
    assert asker.counts(where=blank, group_by=("window",)) == {("",): 1}


def test_no_device_time_belongs_to_events_without_a_month(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[event("e1"), event("e2", on="i1")], implants=[implant("i1")])
    blank = (("window", ("not-recorded",)),)

    assert asker.rates(where=blank)[()]["status"] == "no_denominator"
    assert asker.proportions(where=blank) == {(): (0, 0)}


def test_rows_with_devices_and_no_event_say_zero(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1"), event("e2", on="i1", complication="pump-septum-leak")],
        implants=[implant("i1", drug="morphine"), implant("i2", drug="baclofen")],
        exposures=[exposure("x1")],
    )

    assert asker.counts(group_by=("drug",)) == {("morphine",): 2, ("baclofen",): 0}
    assert asker.counts(group_by=("complication", "drug")) == {
        ("pump-flip", "morphine"): 1,
        ("pump-flip", "baclofen"): 0,
        ("pump-septum-leak", "morphine"): 1,
        ("pump-septum-leak", "baclofen"): 0,
    }
    assert asker.counts(group_by=("site",)) == {("A",): 2, ("B",): 0}


def test_cell_is_a_selection(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            *CAUSED,
            event("e7", severity=3, site="B"),
            event("e8", severity=2, site="B", complication="csf-leak"),
        ],
        implants=SYSTEM,
    )
    grouped = asker.counts(group_by=("site", "severity"), counting=CountingRule.EPISODES)

    for (site, severity), n in grouped.items():
        value = "not-recorded" if severity is None else str(severity)
        where = (("severity", (value,)), ("site", (site,)))
        assert asker.counts(where=where, counting=CountingRule.EPISODES) == {(): n}


def test_no_rows_where_nothing_is_there(tmp_path: Path) -> None:
    asker = Asker(tmp_path)

    assert asker.counts(group_by=("complication",)) == {}
    assert asker.counts(group_by=("year", "site")) == {}
    assert asker.counts() == {(): 0}


def test_calendar_years_beyond_so_many_do_not_count_as_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "MOST_CELLS", 2)
    monkeypatch.setattr(cells, "MOST_YEARS", 2)
    asker = Asker(tmp_path, events=[event(f"e{year}", year=year) for year in (2018, 2019, 2020)])

    assert len(asker.counts(group_by=("year",))) == 3
    monkeypatch.setattr(cells, "MOST_CELLS", 1)
    with pytest.raises(BadQuery):
        asker.counts(group_by=("year",))


def test_over_2000_cells_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_CELLS", 2)
    asker = Asker(tmp_path, events=[event(f"e{grade}", severity=grade) for grade in (1, 2, 3)])

    with pytest.raises(BadQuery) as refusal:
        asker.counts(group_by=("severity",))

    assert refusal.value.faults[0].code == "too-many-cells"
    assert asker.counts(group_by=("complication",)) == {("pump-flip",): 3}


def test_answer_may_have_2000_cells() -> None:
    assert cells.MOST_CELLS == 2000

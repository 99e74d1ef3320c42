from pathlib import Path

import pytest

from registry.records import EventQuery, Window
from registry.reporting.estimating import cells
from registry.reporting.taken import read_question
from registry.snapshot.shelf import open_store
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant, taira_snapshot


def test_34_of_400_patients_of_the_published_cohort_had_a_catheter_problem(tmp_path: Path) -> None:
    # Taira et al. 2013: 8.5 %; Wilson 6.15 to 11.64 %
    manifest = taira_snapshot(tmp_path)
    question = read_question(
        EventQuery(where=(("category", ("catheter",)),)),
        measure=Measure.PROPORTIONS,
        manifest=manifest,
    )

    row = cells.proportion_cells(open_store(tmp_path, manifest.snapshot_id), question)[0].numbers

    assert (row["numerator"], row["denominator"], row["proportion"]) == (34, 400, 0.085)
    assert row["ci_lower"] == pytest.approx(0.0615, abs=5e-5)
    assert row["ci_upper"] == pytest.approx(0.1164, abs=5e-5)


def test_patients_count_once_over_those_with_a_device(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="p1"), event("e2", on="p2"), event("e3")],
        implants=[
            implant("p1", patient="p"),
            implant("p2", patient="p", implant_year=2017),
            implant("q1", patient="q"),
        ],
    )

    assert asker.proportions() == {(): (1, 2)}
    assert asker.proportions(counting=CountingRule.DEVICES) == {(): (2, 3)}


def test_component_of_the_denominator_is_that_of_the_complications_clock(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink"), event("e2", on="p1")],
        implants=[
            implant("p1", patient="p"),
            implant("c1", patient="p", component="catheter"),
            implant("q1", patient="q"),
            implant("r1", patient="r", component="catheter"),
        ],
    )

    assert asker.proportions(where=(("category", ("catheter",)),)) == {(): (1, 2)}
    assert asker.proportions(where=(("category", ("pump",)),)) == {(): (1, 2)}
    assert asker.proportions() == {(): (1, 3)}
    assert asker.proportions(group_by=("category",)) == {("catheter",): (1, 2), ("pump",): (1, 2)}


def test_event_before_entry_does_not_count_and_one_after_follow_up_does(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[
            event("e1", on="i1", months_since_implant=2),
            event("e2", on="i2", months_since_implant=40, complication="infection-pocket"),
        ],
        implants=[implant("i1", months_to_entry=6), implant("i2")],
    )

    assert asker.proportions() == {(): (1, 2)}


def test_time_restricts_both_sides_of_a_proportion(tmp_path: Path) -> None:
    # i1 is followed from mid-2015 to mid-2017, i2 from mid-2015 to the end of 2015
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=9)],
        implants=[implant("i1"), implant("i2", months_followed=6)],
    )

    assert asker.proportions(group_by=("year",)) == {
        (2015,): (0, 2),
        (2016,): (1, 1),
        (2017,): (0, 1),
    }
    windows = (Window(0, 6), Window(7))
    assert asker.proportions(windows=windows, group_by=("window",)) == {
        ("0-6",): (0, 2),
        ("7-",): (1, 1),
    }


def test_no_patient_no_proportion(tmp_path: Path) -> None:
    asker = Asker(tmp_path, events=[event("e1")])
    question = asker.question(Measure.PROPORTIONS)

    found = cells.proportion_cells(asker.store, question)[0]

    assert found.status == "no_denominator"
    assert found.numbers["proportion"] is None
    assert found.numbers["ci_lower"] is None


def test_no_event_is_zero_with_an_upper_limit(tmp_path: Path) -> None:
    asker = Asker(tmp_path, implants=[implant("i1")])

    found = cells.proportion_cells(asker.store, asker.question(Measure.PROPORTIONS))[0]

    assert found.status == "zero"
    assert found.numbers["ci_lower"] == 0


def test_implant_that_should_not_have_been_followed_or_was_not_is_left_out(tmp_path: Path) -> None:
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1"), event("e2", on="i3", months_since_implant=24)],
        implants=[
            implant("i1", exit_status="eligibility-not-met"),
            implant("i2"),
            implant("i3", months_to_entry=20, months_followed=20),
        ],
    )

    assert asker.proportions() == {(): (0, 1)}


def test_patient_of_a_cell_had_time_in_both_its_year_and_its_months(tmp_path: Path) -> None:
    # made in mid-2015: months 0 to 3 all lie in 2015
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=3)],
        implants=[implant("i1")],
    )

    assert asker.proportions(windows=(Window(0, 3),), years=(2015, 2015)) == {(): (0, 1)}
    assert asker.proportions(windows=(Window(0, 3),), years=(2016, 2016)) == {(): (0, 0)}


def test_event_counts_where_its_device_has_time_in_any_of_the_years_asked(tmp_path: Path) -> None:
    # followed to the end of 2015 as split, with an event in 2016
    asker = Asker(
        tmp_path,
        events=[event("e1", on="i1", year=2016, months_since_implant=6)],
        implants=[implant("i1", months_followed=6)],
    )

    assert asker.proportions() == {(): (1, 1)}
    assert asker.proportions(years=(2015, 2016)) == {(): (1, 1)}
    assert asker.proportions(where=(("year", ("2015", "2016")),)) == {(): (1, 1)}
    assert asker.proportions(years=(2016, 2016)) == {(): (0, 0)}
    assert asker.proportions(group_by=("period",)) == {("2015-2019",): (1, 1)}

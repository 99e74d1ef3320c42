from typing import Any

import pytest

from registry.records import BadQuery, EventQuery
from registry.reporting.asking.question import (
    natural_unit,
    selected_terms,
)
from registry.reporting.asking.spec import Question
from registry.reporting.taken import read_question
from registry.snapshot.codes import code_lists
from registry.snapshot.manifest import Manifest
from registry.vocabulary import CountingRule, Denominator, Measure
from tests.snapshot.rows import shipped_terms

TERMS = shipped_terms()
MANIFEST = Manifest(
    snapshot_id="0",
    schema_version=1,
    terms=TERMS,
    years=(2015, 2020),
    events=0,
    implants=0,
    exposures=0,
    codes=code_lists(TERMS),
)


def question(measure: Measure = Measure.RATES, **query: Any) -> Question:
    return read_question(EventQuery(**query), measure=measure, manifest=MANIFEST)


def named(**where: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(where.items()))


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ({}, "pump-months"),
        ({"where": named(complication=("csf-leak",))}, "procedures"),
        ({"where": named(complication=("skin-erosion",))}, "pump-months"),
        ({"where": named(category=("surgical",))}, "procedures"),
        ({"where": named(category=("neurological",))}, "pump-months"),
        ({"where": named(category=("programming-refill",))}, "refills"),
        ({"where": named(category=("catheter",))}, "catheter-months"),
        ({"where": named(complication=("granuloma",))}, "catheter-months"),
        ({"where": named(complication=("csf-leak", "pdph"))}, "procedures"),
        ({"where": named(complication=("csf-leak", "skin-erosion"))}, "procedures"),
        ({"where": named(complication=("skin-erosion", "pocket-pain"))}, "pump-months"),
        ({"where": named(category=("catheter", "infection"))}, "pump-months"),
        ({"where": named(complication=("csf-leak", "infection-pocket"))}, "pump-months"),
        ({"where": named(component=("catheter",))}, "catheter-months"),
        ({"where": named(component=("pump",))}, "pump-months"),
        ({"unit": Denominator.REFILLS}, "refills"),
        (
            {"where": named(category=("catheter",)), "unit": Denominator.PUMP_MONTHS},
            "pump-months",
        ),
    ],
)
def test_denominator_is_the_natural_one_unless_another_is_asked(
    query: dict[str, Any], unit: str
) -> None:
    assert [each.value for each in question(**query).units] == [unit]


def test_natural_unit_of_nothing_is_pump_months() -> None:
    assert natural_unit([], (), TERMS) is Denominator.PUMP_MONTHS


def codes(**query: Any) -> set[str]:
    return {term.code for term in selected_terms(EventQuery(**query), TERMS)}


def test_totals_leave_out_consequences_and_expected_end_of_service() -> None:
    left_out = {term.code for term in TERMS.complications} - codes()

    assert left_out == {
        "death",
        "explant-unplanned",
        "pain-unspecified",
        "pump-end-of-service",
        "revision-surgery",
    }


def test_category_of_consequences_holds_them_when_named() -> None:
    assert codes(where=named(category=("consequence",))) == {
        "death",
        "explant-unplanned",
        "revision-surgery",
    }


def test_category_and_complication_are_both_held_to() -> None:
    where = named(category=("pump",), complication=("csf-leak", "pump-flip"))

    assert codes(where=where) == {"pump-flip"}


@pytest.mark.parametrize(
    ("measure", "counting"),
    [
        (Measure.COUNTS, CountingRule.EVENTS),
        (Measure.RATES, CountingRule.FIRST_EVENT),
        (Measure.PROPORTIONS, CountingRule.PATIENTS),
    ],
)
def test_counting_has_a_default_of_each_measure(measure: Measure, counting: CountingRule) -> None:
    assert question(measure).counting is counting


@pytest.mark.parametrize(
    ("measure", "counting"),
    [
        (Measure.RATES, CountingRule.PATIENTS),
        (Measure.RATES, CountingRule.DEVICES),
        (Measure.PROPORTIONS, CountingRule.EVENTS),
        (Measure.PROPORTIONS, CountingRule.EPISODES),
        (Measure.PROPORTIONS, CountingRule.FIRST_EVENT),
        (Measure.COVERAGE, CountingRule.EPISODES),
    ],
)
def test_counting_that_a_measure_has_no_meaning_for_is_refused(
    measure: Measure, counting: CountingRule
) -> None:
    with pytest.raises(BadQuery) as refusal:
        question(measure, counting=counting)

    assert refusal.value.faults[0].column == "counting"


@pytest.mark.parametrize("group_by", [("year", "site", "sex", "drug"), ("year", "year")])
def test_more_than_three_groupings_or_the_same_twice_are_refused(group_by: tuple[str, ...]) -> None:
    with pytest.raises(BadQuery) as refusal:
        question(group_by=group_by)

    assert refusal.value.faults[0].column == "group_by"


@pytest.mark.parametrize(
    ("query", "clocks"),
    [
        ({}, ["pump"]),
        ({"where": named(category=("catheter",))}, ["catheter"]),
        ({"where": named(complication=("granuloma",))}, ["catheter"]),
        ({"where": named(category=("infection",))}, ["pump"]),
        ({"where": named(category=("catheter", "pump"))}, ["pump"]),
        ({"where": named(component=("catheter",))}, ["catheter"]),
        ({"group_by": ("component",)}, ["pump", "catheter"]),
    ],
)
def test_curve_runs_on_the_clock_of_its_complications(
    query: dict[str, Any], clocks: list[str]
) -> None:
    for measure in (Measure.SURVIVAL, Measure.INCIDENCE):
        assert [part.clock for part in question(measure, **query).parts] == clocks


@pytest.mark.parametrize(
    ("category", "by_patient"), [("withdrawal", True), ("drug-effect", True), ("pump", False)]
)
def test_curve_of_a_patients_complication_is_of_patients(category: str, by_patient: bool) -> None:
    (part,) = question(Measure.SURVIVAL, where=named(category=(category,))).parts

    assert part.per_patient is by_patient


def test_years_are_held_to_those_of_the_snapshot() -> None:
    assert question(years=(None, 2016)).parts[0].selection.years == (2015, 2016)
    assert question(where=named(period=("2010-2014", "2015-2019"))).parts[0].selection.years == (
        2015,
        2016,
        2017,
        2018,
        2019,
    )
    assert question(where=named(year=("2016",)), years=(2017, None)).parts[0].selection.years == ()


def test_years_of_one_row_are_joined_where_they_follow_each_other() -> None:
    selection = question(where=named(year=("2015", "2016", "2018"))).parts[0].selection

    assert [(span.first, span.last) for span in selection.year_spans()] == [
        (2015, 2016),
        (2018, 2018),
    ]


def test_drug_withdrawal_and_death_are_the_patients() -> None:
    parts = question(group_by=("complication",)).parts
    of_patient = {
        term.code
        for term in TERMS.complications
        for part in parts
        if part.per_patient
        for condition in part.selection.on_events
        if condition.column == "complication" and term.code in condition.values
    }

    assert {TERM.category for TERM in TERMS.complications if TERM.code in of_patient} == {
        "drug-effect",
        "withdrawal",
        "consequence",
    }
    assert "death" in of_patient
    assert "revision-surgery" not in of_patient


def test_patients_first_event_needs_the_pumps_clock() -> None:
    of_catheters = question(where=named(category=("withdrawal",)), unit=Denominator.CATHETER_MONTHS)

    assert [part.per_patient for part in of_catheters.parts] == [False]

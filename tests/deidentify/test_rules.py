"""Row rules: one row, and one row against the implant that it names."""

from dataclasses import replace

import pytest

from registry.deidentify import device_faults, event_faults, exposure_faults, implant_faults
from registry.records import EventRecord, ExposureRecord, ImplantRecord
from registry.vocabulary import (
    Actuality,
    Component,
    DatePrecision,
    DaysSinceProcedure,
    DaysSinceRefill,
    Drug,
    ExitStatus,
    Outcome,
    Seriousness,
    Severity,
)

DEATH = frozenset({Seriousness.DEATH})
NONE = frozenset({Seriousness.NONE})
EVENT = EventRecord(site="BERN", complication="catheter-kink", year=2019)
NAMED = replace(EVENT, implant="p1-cath", months_since_implant=14)
IMPLANT = ImplantRecord(
    site="BERN",
    patient="p1",
    implant="p1-cath",
    component=Component.CATHETER,
    implant_year=2018,
    months_followed=30,
)
EXPOSURE = ExposureRecord(
    site="BERN", year=2020, component=Component.PUMP, devices=2, component_months=24
)
FATAL = {"severity": Severity.DEATH, "outcome": Outcome.FATAL, "seriousness": DEATH}


def faults(record=EVENT, *, submitted=True, precision=DatePrecision.YEAR, **values):
    found = event_faults(
        replace(record, **values), submitted=submitted, precision=precision, latest_year=2024
    )
    return [(fault.column, fault.code) for fault in found]


def against(
    of_implant=None, clock=Component.CATHETER, category="catheter", latest_year=None, **values
):
    implant = replace(IMPLANT, **(of_implant or {}))
    event = replace(NAMED, **values)
    found = device_faults(event, implant, clock, category, latest_year=latest_year)
    return [(fault.column, fault.code) for fault in found]


def test_event_with_nothing_but_its_year_may_be_submitted():
    assert faults() == []


def test_event_needs_its_year_from_submission_on():
    assert faults(year=None) == [("year", "required")]
    assert faults(year=None, submitted=False) == []


def test_event_needs_its_months_where_an_implant_is_named():
    assert faults(NAMED, months_since_implant=None) == [("months_since_implant", "required")]
    assert faults(NAMED, months_since_implant=None, submitted=False) == []


@pytest.mark.parametrize(("year", "code"), [(1979, "too-early"), (2025, "in-the-future")])
def test_event_year_is_one_in_which_pumps_were_implanted(year, code):
    assert faults(year=year) == [("year", code)]
    assert faults(year=1980) == []
    assert faults(year=2024) == []


def test_event_month_is_kept_only_where_the_precision_allows():
    assert faults(month=4) == [("month", "finer-than-kept")]
    assert faults(month=4, precision=DatePrecision.MONTH) == []


def test_event_month_stands_with_its_year():
    assert faults(month=4, year=None, submitted=False, precision=DatePrecision.MONTH) == [
        ("month", "month-without-year")
    ]


def test_event_grade_5_outcome_fatal_and_criterion_death_stand_together():
    assert faults(**FATAL) == []


@pytest.mark.parametrize(
    ("said", "column", "code"),
    [
        (("severity",), "severity", "grade-5-means-fatal"),
        (("outcome",), "outcome", "fatal-means-grade-5"),
        (("seriousness",), "seriousness", "death-means-grade-5"),
        (("outcome", "seriousness"), "severity", "fatal-means-grade-5"),
        (("severity", "seriousness"), "outcome", "grade-5-means-fatal"),
        (("severity", "outcome"), "seriousness", "grade-5-means-death"),
    ],
)
def test_event_that_says_death_in_part_is_told_once_at_the_odd_one_out(said, column, code):
    values = {name: FATAL[name] for name in said}

    assert faults(**values) == [(column, code)]
    assert faults(submitted=False, **values) == []


def test_event_draft_does_not_say_and_gainsay_death():
    assert faults(submitted=False, severity=Severity.DEATH, outcome=Outcome.RECOVERED) == [
        ("severity", "grade-5-means-fatal")
    ]
    assert faults(submitted=False, outcome=Outcome.FATAL, seriousness=NONE) == [
        ("outcome", "fatal-means-grade-5")
    ]


def test_event_complication_death_needs_grade_5():
    assert faults(complication="death") == [("severity", "death-needs-grade-5")]
    assert faults(complication="death", **FATAL) == []


def test_event_draft_of_a_death_may_lack_its_grade():
    assert faults(complication="death", submitted=False) == []
    assert faults(complication="death", submitted=False, severity=Severity.MILD) == [
        ("severity", "death-needs-grade-5")
    ]


def test_event_near_miss_harmed_nobody():
    near_miss = {"actuality": Actuality.NEAR_MISS, "outcome": Outcome.NOT_APPLICABLE}

    assert faults(**near_miss) == []
    assert faults(**near_miss, seriousness=NONE) == []
    assert faults(actuality=Actuality.NEAR_MISS) == [("outcome", "near-miss-outcome")]
    assert faults(actuality=Actuality.NEAR_MISS, submitted=False) == []
    assert faults(**near_miss, severity=Severity.MILD) == [("severity", "near-miss-grade")]
    assert faults(**near_miss, seriousness=frozenset({Seriousness.HOSPITALISATION})) == [
        ("seriousness", "near-miss-criterion")
    ]


def test_event_criterion_none_stands_alone():
    both = frozenset({Seriousness.NONE, Seriousness.HOSPITALISATION})

    assert faults(seriousness=both) == [("seriousness", "none-stands-alone")]


def test_event_grade_4_is_serious():
    severity = Severity.LIFE_THREATENING

    assert faults(severity=severity, seriousness=NONE) == [("seriousness", "grade-4-is-serious")]
    assert faults(severity=severity, seriousness=frozenset({Seriousness.LIFE_THREATENING})) == []
    assert faults(severity=severity) == []


@pytest.mark.parametrize(
    ("band", "least"),
    [
        (DaysSinceProcedure.DAYS_0_7, 0),
        (DaysSinceProcedure.DAYS_8_30, 0),
        (DaysSinceProcedure.DAYS_31_60, 1),
        (DaysSinceProcedure.DAYS_61_90, 1),
        (DaysSinceProcedure.DAYS_91_365, 2),
        (DaysSinceProcedure.OVER_365, 12),
        (DaysSinceProcedure.NOT_APPLICABLE, 0),
        (DaysSinceProcedure.UNKNOWN, 0),
    ],
)
def test_event_days_since_procedure_fit_in_the_months_since_implant(band, least):
    assert faults(days_since_procedure=band, months_since_implant=least) == []
    if least:
        assert faults(days_since_procedure=band, months_since_implant=least - 1) == [
            ("days_since_procedure", "longer-than-implanted")
        ]


@pytest.mark.parametrize(
    ("band", "least"), [(DaysSinceRefill.DAYS_31_90, 1), (DaysSinceRefill.OVER_90, 2)]
)
def test_event_days_since_refill_fit_in_the_months_since_implant(band, least):
    assert faults(days_since_refill=band, months_since_implant=least) == []
    assert faults(days_since_refill=band, months_since_implant=least - 1) == [
        ("days_since_refill", "longer-than-implanted")
    ]


def test_event_with_an_implant_leaves_to_it_what_its_row_says():
    assert faults(NAMED, drug=Drug.BACLOFEN) == [("drug", "said-by-the-implant")]
    assert faults(drug=Drug.BACLOFEN) == []


@pytest.mark.parametrize(("year", "fits"), [(2018, False), (2019, True), (2020, True)])
def test_event_year_is_the_implants_and_the_years_since_or_one_more(year, fits):
    # 14 months after an implant of 2018: 2018 + 1, or one more
    assert against(year=year) == ([] if fits else [("year", "year-and-months-disagree")])
    assert against(year=2021) == [("year", "year-and-months-disagree")]


def test_event_counts_on_the_component_of_its_complication():
    assert against(clock=Component.PUMP, category="pump") == [("implant", "other-component")]


@pytest.mark.parametrize("category", ["catheter", "pump"])
def test_event_of_a_component_is_not_after_its_exit(category):
    ended = {"exit_status": ExitStatus.EXPLANT_ELECTIVE}
    assert against(ended, category=category, months_since_implant=30, year=2020) == []
    assert against(ended, category=category, months_since_implant=31, year=2020) == [
        ("months_since_implant", "after-exit")
    ]


@pytest.mark.parametrize("status", [None, ExitStatus.ACTIVE])
def test_event_is_never_too_late_for_an_implant_in_follow_up(status):
    assert against({"exit_status": status}, months_since_implant=31, year=2020) == []


def test_event_after_exit_is_told_once():
    assert against({"exit_status": ExitStatus.LOST_TO_FOLLOW_UP}, months_since_implant=999) == [
        ("months_since_implant", "after-exit")
    ]


def test_event_is_not_later_than_today_can_be():
    months = 12 * (2024 - IMPLANT.implant_year) + 11
    at_most = {"months_since_implant": months, "year": 2024}
    assert against(latest_year=2024, **at_most) == []
    assert against(latest_year=2024, **at_most | {"months_since_implant": months + 1}) == [
        ("months_since_implant", "in-the-future")
    ]


def test_event_that_is_the_patients_may_come_after_the_end_of_follow_up():
    assert against(category="infection", months_since_implant=31, year=2020) == []


def test_event_without_months_claims_no_device_time():
    assert against(months_since_implant=None, clock=Component.PUMP) == []


def test_implant_enters_before_its_follow_up_ends():
    assert implant_faults(replace(IMPLANT, months_to_entry=30)) == ()
    (fault,) = implant_faults(replace(IMPLANT, months_to_entry=31))
    assert (fault.column, fault.code) == ("months_to_entry", "entry-after-follow-up")


@pytest.mark.parametrize(("year", "code"), [(1979, "too-early"), (2025, "in-the-future")])
def test_implant_year_is_one_in_which_pumps_were_implanted(year, code):
    (fault,) = implant_faults(replace(IMPLANT, implant_year=year), latest_year=2024)
    assert (fault.column, fault.code) == ("implant_year", code)


@pytest.mark.parametrize(
    ("year", "months"), [(2024, 11), (2023, 23), (2010, 179), (2024, 0), (2023, 12)]
)
def test_implant_follow_up_may_have_come_to_its_end(year, months):
    followed = replace(IMPLANT, implant_year=year, months_followed=months)
    assert implant_faults(followed, latest_year=2024) == ()


@pytest.mark.parametrize(("year", "months"), [(2024, 12), (2023, 24), (2010, 180)])
def test_implant_follow_up_that_is_yet_to_come_is_refused(year, months):
    followed = replace(IMPLANT, implant_year=year, months_followed=months)
    (fault,) = implant_faults(followed, latest_year=2024)
    assert (fault.column, fault.code) == ("months_followed", "in-the-future")
    assert implant_faults(followed) == ()


def test_exposure_has_12_months_a_device_at_the_most():
    assert exposure_faults(EXPOSURE) == ()
    (fault,) = exposure_faults(replace(EXPOSURE, component_months=25))
    assert (fault.column, fault.code) == ("component_months", "more-than-a-year")


def test_exposure_year_has_begun():
    (fault,) = exposure_faults(EXPOSURE, latest_year=2019)
    assert (fault.column, fault.code) == ("year", "in-the-future")

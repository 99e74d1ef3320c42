"""A death ends the patient, at every door and across components."""

import pytest

from registry import intake
from registry.intake import ComponentReport, FollowUp, FollowUpRefused, ImportRefused
from registry.models import Event, Implant
from registry.records import RawReport, RowKind, RowRuleBroken
from tests.factories import ImplantFactory
from tests.intake.conftest import report

pytestmark = pytest.mark.django_db

FATAL = {"severity": "5", "seriousness": "death", "outcome": "fatal"}
"""Pump and catheter of p1 were implanted in 2010 and are followed for 60 months, to 2015 or so."""


def event(key, months, year, **values):
    given = {"source_id": key, "months_since_implant": months, "year": year, "interventions": ""}
    return report(**(given | values))


def of_pump(key, months, year, **values):
    return event(key, months, year, implant="p1-pump", complication="csf-leak", **values)


def fatal(key="d1", months="60", year="2015", **values):
    return of_pump(key, months, year, **FATAL, **values)


def faults_of(refusal, verb, *args, **kwargs):
    with pytest.raises(refusal) as refused:
        verb(*args, **kwargs)
    return [(fault.column, fault.code) for fault in refused.value.faults]


def stored(world, raw, **kwargs):
    return intake.record_event(raw, by=world.reporter, submit=True, **kwargs)


def died(world, implant=None, months=60, status="death-unrelated"):
    implant = implant or world.pump
    values = {"months_followed": str(months), "exit_status": status}
    raw = RawReport(RowKind.IMPLANT, values)
    return intake.change_implant(implant.public_id, raw, by=world.reporter)


# An event after a death ----------------------------------------------------------------------


def test_event_of_the_same_implant_is_not_later_by_months(world):
    stored(world, fatal())

    late = of_pump("e2", "61", "2015")
    assert faults_of(RowRuleBroken, intake.record_event, late, by=world.reporter) == [
        ("months_since_implant", "after-death")
    ]
    stored(world, of_pump("e2", "60", "2015"))


def test_event_of_another_component_is_not_in_a_later_year(world):
    stored(world, fatal())

    late = event("e2", "60", "2016", complication="csf-leak", implant="p1-pump")
    elsewhere = event("e2", "60", "2016")
    for raw in (elsewhere,):
        faults = faults_of(RowRuleBroken, intake.record_event, raw, by=world.reporter)
        assert faults == [("months_since_implant", "after-death")]
    stored(world, event("e3", "60", "2015"))
    assert late.values["year"] == "2016"
    stored(world, late)  # equal months on the same implant are no contradiction


def test_event_after_a_death_that_ended_follow_up_is_refused(world):
    died(world, months=60)

    late = of_pump("e2", "61", "2016")
    assert faults_of(RowRuleBroken, intake.record_event, late, by=world.reporter) == [
        ("months_since_implant", "after-death")
    ]
    # implanted in 2010 and followed for 60 months: the death was in 2015 or 2016
    stored(world, of_pump("e3", "60", "2016"))


def test_drafts_neither_tell_a_death_nor_escape_one(world):
    draft = intake.record_event(fatal(), by=world.reporter)
    stored(world, of_pump("e2", "61", "2015"))

    assert faults_of(RowRuleBroken, intake.submit_event, draft.public_id, by=world.reporter) == [
        ("outcome", "event-after-death")
    ]


def test_change_of_a_draft_is_told_at_once(world):
    stored(world, fatal())
    draft = intake.record_event(of_pump("e2", "60", "2015"), by=world.reporter)

    later = RawReport(RowKind.EVENT, {"months_since_implant": "66"})
    assert faults_of(
        RowRuleBroken, intake.change_event, draft.public_id, later, by=world.reporter
    ) == [("months_since_implant", "after-death")]


def test_event_of_another_patient_is_not_touched(world):
    stored(world, fatal())
    ImplantFactory(
        patient__site=world.site, patient__source_id="p2", source_id="p2-cath", catheter=True
    )

    stored(world, event("e2", "60", "2015", implant="p2-cath"))


# A death before what is stored ---------------------------------------------------------------


def test_death_before_an_event_is_refused(world):
    stored(world, event("e2", "59", "2015"))

    faults = faults_of(
        RowRuleBroken, intake.record_event, fatal(months="50", year="2014"), by=world.reporter
    )

    assert faults == [("outcome", "event-after-death"), ("outcome", "device-time-after-death")]


def test_death_before_the_follow_up_on_file_is_refused(world):
    early = fatal(months="59", year="2015")  # the pump alone: the catheter's year can be equal
    assert faults_of(RowRuleBroken, intake.record_event, early, by=world.reporter) == [
        ("outcome", "device-time-after-death")
    ]
    stored(world, fatal())


# One death a patient -------------------------------------------------------------------------


def test_patient_has_one_fatal_event(world):
    stored(world, fatal())

    second = fatal("d2")
    assert faults_of(RowRuleBroken, intake.record_event, second, by=world.reporter) == [
        ("outcome", "second-death")
    ]


@pytest.mark.parametrize("order", ["cause-first", "death-first"])
def test_cause_and_death_of_one_episode_are_both_fatal(world, order):
    cause, death = fatal("d1"), fatal("d2", caused_by="d1")
    death.values["complication"] = "death"
    first = intake.record_event(cause, by=world.reporter)
    second = intake.record_event(death, by=world.reporter)
    both = (first, second) if order == "cause-first" else (second, first)

    for one in both:
        intake.submit_event(one.public_id, by=world.reporter)

    assert Event.objects.filter(outcome="fatal", state="submitted").count() == 2


def test_death_that_is_not_of_the_episode_is_a_second_one(world):
    stored(world, fatal("d1"))
    apart = fatal("d2")
    apart.values["complication"] = "death"

    assert faults_of(RowRuleBroken, intake.record_event, apart, by=world.reporter) == [
        ("complication", "second-death")
    ]


def test_two_causes_of_one_death_are_not_both_fatal(world):
    stored(world, fatal("d1"))
    death = fatal("d2", caused_by="d1")
    death.values["complication"] = "death"
    stored(world, death)

    assert faults_of(
        RowRuleBroken, intake.record_event, fatal("d3", caused_by="d1"), by=world.reporter
    ) == [("outcome", "second-death")]


def test_time_of_a_death_is_the_deaths_and_not_its_causes(world):
    stored(world, fatal("d1", months="60", year="2015"))
    death = fatal("d2", months="60", year="2015", caused_by="d1")
    death.values["complication"] = "death"
    stored(world, death)

    stored(world, of_pump("e3", "60", "2015"))


# Device time ----------------------------------------------------------------------------------


def test_follow_up_does_not_go_on_after_a_death(world):
    stored(world, fatal())

    longer = RawReport(RowKind.IMPLANT, {"months_followed": "61"})
    assert faults_of(
        RowRuleBroken, intake.change_implant, world.pump.public_id, longer, by=world.reporter
    ) == [("months_followed", "after-death")]
    with pytest.raises(FollowUpRefused) as refused:
        intake.follow_up([FollowUp(world.catheter.public_id, "73")], by=world.reporter)
    assert [fault.code for fault in refused.value.faults] == ["after-death"]
    intake.follow_up([FollowUp(world.catheter.public_id, "71")], by=world.reporter)


def test_death_at_the_end_of_one_implant_ends_the_others(world):
    faults = faults_of(RowRuleBroken, died, world, months=12)

    assert ("exit_status", "later-than-death") in faults


def test_two_implants_that_end_by_death_are_followed_up_together(world):
    rows = [
        FollowUp(one.public_id, "84", "death-unrelated") for one in (world.pump, world.catheter)
    ]

    assert len(intake.follow_up(rows, by=world.reporter)) == 2


def test_new_implant_after_a_death_is_refused(world):
    died(world)
    values = {"implant_year": "2018", "months_followed": "1", "component": "catheter"}
    new = RawReport(RowKind.IMPLANT, {"site": "BERN", "patient": "p1", "implant": "c9"} | values)

    assert faults_of(RowRuleBroken, intake.record_implant, new, by=world.reporter) == [
        ("months_followed", "after-death")
    ]


def test_system_with_a_dead_patient_takes_no_later_component(world):
    died(world)
    values = {"component": "catheter", "implant_year": "2018", "months_followed": "1"}
    component = ComponentReport(RawReport(RowKind.IMPLANT, values))

    assert faults_of(
        RowRuleBroken,
        intake.change_system,
        world.patient.public_id,
        {},
        [component],
        by=world.reporter,
    ) == [("catheter_months_followed", "after-death")]


# Files ----------------------------------------------------------------------------------------


IMPLANTS = [
    ("q1", "q1-pump", "pump", "12", "death-unrelated"),
    ("q1", "q1-cath", "catheter", "60", "active"),
    ("q2", "q2-pump", "pump", "48", "active"),
    ("q3", "q3-pump", "pump", "20", "death-related"),
]
EVENTS = [
    ("e11", "q1-pump", "2017", "30", {}),
    ("e12", "q2-pump", "2016", "20", FATAL),
    ("e13", "q2-pump", "2018", "40", {}),
    ("e14", "q3-pump", "2016", "20", FATAL),
    ("e15", "q3-pump", "2016", "20", FATAL | {"complication": "death", "caused_by": "e14"}),
    ("e16", "q3-pump", "2017", "21", {}),
]


def files(implants=IMPLANTS, events=EVENTS):
    columns = ("patient", "implant", "component", "months_followed", "exit_status")
    rows = [
        {"site": "BERN", "implant_year": "2015", **dict(zip(columns, row, strict=True))}
        for row in implants
    ]
    said = [
        report(
            source_id=key,
            implant=implant,
            year=year,
            months_since_implant=months,
            complication="csf-leak",
            interventions="",
        ).values
        | more
        for key, implant, year, months, more in events
    ]
    return {
        kind: [RawReport(kind, values, line) for line, values in enumerate(listed, 2)]
        for kind, listed in ((RowKind.IMPLANT, rows), (RowKind.EVENT, said))
    }


def refused_lines(sent, world):
    with pytest.raises(ImportRefused) as refused:
        intake.import_records(sent, by=world.manager)
    return [(fault.line, fault.column, fault.code) for fault in refused.value.faults]


@pytest.fixture(params=[1, 1_000])
def batch(request, monkeypatch):
    """How many rows are judged at a time; where it is one, each patient waits on the shelf."""
    monkeypatch.setattr("registry.intake.files.BATCH", request.param)
    if request.param == 1:
        monkeypatch.setattr("registry.intake.importing._LIVES_AT_HAND", 0)
    return request.param


@pytest.mark.usefixtures("batch")
def test_files_are_judged_row_by_row_and_across_rows(world):
    assert sorted(refused_lines(files(), world)) == [
        (2, "months_since_implant", "after-death"),
        (3, "months_followed", "after-death"),
        (3, "outcome", "device-time-after-death"),
        (4, "months_since_implant", "after-death"),
        (7, "months_since_implant", "after-death"),
    ]


@pytest.mark.usefixtures("batch")
@pytest.mark.parametrize("order", [(3, 4), (4, 3)])
def test_file_takes_a_death_and_its_cause_in_any_order(world, order):
    sent = files(IMPLANTS[3:], [EVENTS[index] for index in order])

    intake.import_records(sent, by=world.manager)

    assert Event.objects.filter(outcome="fatal").count() == 2
    assert Implant.objects.filter(source_id="q3-pump").exists()


@pytest.mark.usefixtures("batch")
def test_file_with_a_death_apart_from_the_fatal_event_is_refused(world):
    apart = [EVENTS[3], (*EVENTS[4][:4], FATAL | {"complication": "death"})]

    assert refused_lines(files(IMPLANTS[3:], apart), world) == [(3, "complication", "second-death")]


@pytest.mark.usefixtures("batch")
def test_death_in_the_file_is_held_against_an_earlier_line(world):
    events = [
        ("e21", "q3-pump", "2016", "20", {}),
        ("e22", "q3-pump", "2016", "19", FATAL),
    ]

    assert (3, "outcome", "event-after-death") in refused_lines(files(IMPLANTS[3:], events), world)


def test_death_stored_since_the_check_is_seen_when_storing(world):
    sent = files([], [("e31", "p1-cath", "2016", "72", {"complication": "csf-leak"})])
    sent[RowKind.EVENT][0].values["implant"] = "p1-pump"
    judged = intake.judge_records({RowKind.EVENT: sent[RowKind.EVENT]}, by=world.manager)
    stored(world, fatal())

    with pytest.raises(ImportRefused) as refused:
        intake.store_judged(judged)
    assert [fault.code for fault in refused.value.faults] == ["after-death"]
    assert Event.objects.count() == 1


def test_same_file_again_changes_nothing(world):
    sent = files(IMPLANTS[3:], EVENTS[3:5])
    intake.import_records(sent, by=world.manager)

    assert intake.import_records(sent, by=world.manager).changes_nothing

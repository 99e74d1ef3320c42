"""Queries of both sides: raised, answered, closed; by reviewers and by rules."""

import pytest
from django.core.management import call_command

from registry import intake
from registry.models import Query
from registry.records import (
    NotPermitted,
    RawReport,
    RowKind,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
)
from tests.factories import EventFactory, ImplantFactory, MembershipFactory
from tests.intake.conftest import report

pytestmark = pytest.mark.django_db

ASKED = {"column": "outcome", "ask": "implausible"}
SERIOUS = {"interventions": "", "seriousness": "hospitalisation", "severity": "3"}


def submitted(world, **values):
    return intake.record_event(report(**values), by=world.reporter, submit=True)


def rules(**lookup):
    return set(Query.objects.filter(**lookup).exclude(rule="").values_list("rule", flat=True))


def test_query_is_raised_answered_and_closed(world):
    event = submitted(world)

    query = intake.raise_query(event.public_id, by=world.reviewer, **ASKED)
    assert (query.state, query.site) == ("open", world.site)
    answered = intake.answer_query(query.public_id, by=world.reporter, answer="confirmed")
    assert (answered.state, answered.answer) == ("answered", "confirmed")
    closed = intake.close_query(query.public_id, by=world.reviewer)
    assert (closed.state, closed.version) == ("closed", 3)


def test_query_is_of_reviewers_of_elsewhere_and_answered_by_the_site(world):
    event = submitted(world)
    with pytest.raises(NotPermitted):
        intake.raise_query(event.public_id, by=world.reporter, **ASKED)
    query = intake.raise_query(event.public_id, by=world.reviewer, **ASKED)

    with pytest.raises(NotPermitted):
        intake.answer_query(query.public_id, by=world.reviewer, answer="confirmed")
    with pytest.raises(UnknownRow):
        intake.answer_query(query.public_id, by=world.stranger, answer="confirmed")
    with pytest.raises(NotPermitted):
        intake.close_query(query.public_id, by=world.lead)
    MembershipFactory(user=world.reviewer, site=world.site)
    with pytest.raises(NotPermitted):
        intake.close_query(query.public_id, by=world.reviewer)


def test_query_is_in_codes_and_asked_once(world):
    event = submitted(world)
    intake.raise_query(event.public_id, by=world.reviewer, **ASKED)

    with pytest.raises(RowRuleBroken):
        intake.raise_query(event.public_id, by=world.manager, **ASKED)
    for wrong in ({"column": "surname"}, {"ask": "explain"}, {"ask": ""}):
        with pytest.raises(RowRuleBroken):
            intake.raise_query(event.public_id, by=world.reviewer, **(ASKED | wrong))


def test_nothing_is_asked_about_what_is_not_kept(world, settings):
    """No form of the site would have the field to answer in."""
    event = submitted(world)
    about_the_month = {"by": world.reviewer, "column": "month", "ask": "missing"}

    with pytest.raises(RowRuleBroken) as refusal:
        intake.raise_query(event.public_id, **about_the_month)
    assert [fault.code for fault in refusal.value.faults] == ["unknown-code"]

    settings.REGISTRY_DATE_PRECISION = "month"
    assert intake.raise_query(event.public_id, **about_the_month).column == "month"


def test_settled_query_takes_no_answer(world):
    query = intake.raise_query(submitted(world).public_id, by=world.reviewer, **ASKED)
    with pytest.raises(RowRuleBroken):
        intake.answer_query(query.public_id, by=world.reporter, answer="because")
    intake.close_query(query.public_id, by=world.reviewer)

    with pytest.raises(StateConflict):
        intake.answer_query(query.public_id, by=world.reporter, answer="confirmed")


def test_draft_is_not_asked_about(world):
    draft = intake.record_event(report(), by=world.reporter)

    with pytest.raises(StateConflict):
        intake.raise_query(draft.public_id, by=world.reviewer, **ASKED)


def test_rule_asks_at_submission_and_closes_once_mended(world):
    event = submitted(world, **SERIOUS)
    assert rules(state="open", event=event) == {"serious-without-intervention"}

    intake.take_back_event(event.public_id, by=world.reporter)
    assert rules(state="open") == set()
    mended = RawReport(RowKind.EVENT, {"interventions": "catheter-revision"})
    intake.change_event(event.public_id, mended, by=world.reporter)
    intake.submit_event(event.public_id, by=world.reporter)

    assert rules(state="open") == set()
    assert Query.objects.get(event=event).answer == "corrected"


def test_rule_that_is_not_mended_asks_again(world):
    event = submitted(world, **SERIOUS)
    intake.take_back_event(event.public_id, by=world.reporter)
    intake.submit_event(event.public_id, by=world.reporter)

    assert Query.objects.filter(event=event, state="open").count() == 1


def test_rule_that_a_reviewer_closed_is_not_asked_again(world):
    event = submitted(world, **SERIOUS)
    query = Query.objects.get(event=event)
    intake.answer_query(query.public_id, by=world.reporter, answer="not-known")
    intake.close_query(query.public_id, by=world.reviewer)

    intake.accept_event(event.public_id, by=world.reviewer)

    assert Query.objects.filter(event=event).count() == 1


def test_rule_sees_the_patients_other_events(world):
    first = submitted(world, months_since_implant="14")
    assert rules(event=first) == set()

    second = submitted(world, source_id="e2", months_since_implant="15")

    assert rules(event=first) == rules(event=second) == {"same-within-a-month"}


def ended_implant(world, **values):
    given = {
        "site": world.site.code,
        "patient": world.patient.source_id,
        "implant": "p1-old",
        "component": "catheter",
        "implant_year": "2009",
        "months_to_entry": "0",
        "months_followed": "30",
        "exit_status": "replaced-for-failure",
    }
    return intake.record_implant(RawReport(RowKind.IMPLANT, given | values), by=world.reporter)


def test_implant_is_judged_when_it_is_stored_and_its_event_closes_the_query(world):
    implant = ended_implant(world)
    assert rules(state="open", implant=implant) == {"end-without-event"}

    submitted(world, implant="p1-old", months_since_implant="20", year="2010")

    assert rules(state="open", implant=implant) == set()


def test_implant_is_judged_when_it_is_changed(world):
    implant = ended_implant(world)

    active = RawReport(RowKind.IMPLANT, {"exit_status": "active"})
    intake.change_implant(implant.public_id, active, by=world.reporter)

    assert rules(state="open", implant=implant) == set()


FATAL = {"severity": "5", "seriousness": "death", "outcome": "fatal"}


def ends_by_change(world):
    raw = RawReport(RowKind.IMPLANT, {"exit_status": "death-related"})
    intake.change_implant(world.catheter.public_id, raw, by=world.reporter)


def ends_in_follow_up(world):
    catheter = world.catheter
    row = intake.FollowUp(catheter.public_id, str(catheter.months_followed), "death-related")
    intake.follow_up([row], by=world.reporter)


def ends_on_the_patients_page(world):
    values = {"component": "catheter", "exit_status": "death-related"}
    part = intake.ComponentReport(RawReport(RowKind.IMPLANT, values), world.catheter.public_id)
    intake.change_system(world.patient.public_id, {}, [part], by=world.reporter)


@pytest.mark.parametrize("ends", [ends_by_change, ends_in_follow_up, ends_on_the_patients_page])
def test_end_of_follow_up_closes_what_was_asked_of_the_death(world, ends):
    months = str(world.catheter.months_followed)
    event = submitted(world, **FATAL, months_since_implant=months, year="2015")
    assert "fatal-without-death-exit" in rules(state="open", event=event)

    ends(world)

    assert "fatal-without-death-exit" not in rules(state="open", event=event)


def test_cause_that_is_submitted_closes_what_was_asked_of_its_consequence(world):
    nowhere = {"implant": "", "months_since_implant": ""}
    cause = intake.record_event(report(source_id="e1", **nowhere), by=world.reporter)
    event = submitted(world, source_id="e2", caused_by="e1", **nowhere)
    assert "cause-not-handed-in" in rules(state="open", event=event)

    intake.submit_event(cause.public_id, by=world.reporter)

    assert "cause-not-handed-in" not in rules(state="open", event=event)


def test_whole_registry_is_judged_and_a_second_time_changes_nothing(world, capsys):
    EventFactory(implant=world.catheter, state="accepted", severity=None)
    ImplantFactory(patient=world.patient, source_id="p1-old", exit_status="replaced-for-failure")
    call_command("check_quality", skip_checks=True)
    assert capsys.readouterr().out == "2 queries were raised and 0 closed.\n"
    assert rules() == {"severity-missing", "end-without-event"}

    call_command("check_quality", by="manager", skip_checks=True)
    assert capsys.readouterr().out == "0 queries were raised and 0 closed.\n"


def test_query_about_an_implant_is_answered_and_closed_by_a_data_manager(world):
    ImplantFactory(patient=world.patient, source_id="p1-old", exit_status="replaced-for-failure")
    intake.judge_registry(by=world.manager)
    query = Query.objects.get()

    intake.answer_query(query.public_id, by=world.reporter, answer="confirmed")
    with pytest.raises(NotPermitted):
        intake.close_query(query.public_id, by=world.reviewer)
    assert intake.close_query(query.public_id, by=world.manager).state == "closed"
    assert intake.judge_registry(by=world.manager) == (0, 0)


def test_registry_is_judged_by_data_managers(world):
    with pytest.raises(NotPermitted):
        intake.judge_registry(by=world.reviewer)


def declared(world, **values):
    given = {
        "site": world.site.code,
        "year": "2014",
        "component": "catheter",
        "devices": "10",
        "component_months": "120",
    }
    return intake.declare_exposure(RawReport(RowKind.EXPOSURE, given | values), by=world.lead)


MISSING_YEAR = "exposure-year-missing"


def test_an_event_in_a_year_without_device_time_is_asked_about_until_it_is_declared(world):
    declared(world, year="2013")
    event = submitted(world, implant="", months_since_implant="", year="2014")
    assert MISSING_YEAR in rules(state="open", event=event)

    declared(world, year="2014", component="pump")
    assert MISSING_YEAR in rules(state="open", event=event)
    other = declared(world, year="2015")
    assert MISSING_YEAR in rules(state="open", event=event)
    raw = RawReport(RowKind.EXPOSURE, {"year": "2014"})
    intake.change_exposure(other.public_id, raw, by=world.lead)

    assert MISSING_YEAR not in rules(state="open", event=event)
    assert Query.objects.get(event=event, rule=MISSING_YEAR).answer == "corrected"


def test_the_whole_registry_is_asked_for_missing_years(world):
    event = submitted(world, implant="", months_since_implant="", year="2014")
    assert MISSING_YEAR not in rules(event=event)
    declared(world, year="2012")

    call_command("check_quality", verbosity=0)

    assert MISSING_YEAR in rules(state="open", event=event)


def test_no_year_is_missing_from_the_year_on_that_implants_count(world):
    declared(world, year="2012")
    event = submitted(world, implant="", months_since_implant="", year="2014")
    assert MISSING_YEAR in rules(state="open", event=event)

    intake.say_implants_from(world.site.code, component="catheter", year=2014, by=world.lead)
    call_command("check_quality", verbosity=0)

    assert MISSING_YEAR not in rules(state="open", event=event)

"""Events recorded and changed: what is kept, who may, and each reason to refuse."""

import pytest

from registry.deidentify import event_record
from registry.intake import (
    FollowUp,
    accept_event,
    change_event,
    change_site,
    follow_up,
    record_event,
    submit_event,
)
from registry.intake.relations import related
from registry.models import Event, Seal
from registry.records import (
    DuplicateSourceId,
    IdentifierFound,
    NotPermitted,
    NotYourSite,
    RawReport,
    RowKind,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
    VersionConflict,
)
from tests.factories import ImplantFactory, MembershipFactory, PatientFactory
from tests.intake.conftest import report

FATAL = {
    "severity": "5",
    "outcome": "fatal",
    "seriousness": "death",
    "year": "2015",
    "months_since_implant": "60",
}
"""At the end of the follow-up on file."""


def patch(**values):
    return RawReport(RowKind.EVENT, values)


def refused(refusal, call, *args, **options):
    """The (column, code) of each fault of the refusal that a call must end in."""
    count = Event.objects.count()
    with pytest.raises(refusal) as caught:
        call(*args, **options)
    assert Event.objects.count() == count
    return [(fault.column, fault.code) for fault in caught.value.faults]


def test_event_is_kept_as_it_was_reported(world):
    event = record_event(report(), by=world.reporter)

    event = Event.objects.get(public_id=event.public_id)
    assert (event.site, event.implant, event.patient) == (world.site, world.catheter, world.patient)
    assert (event.state, event.version, event.source_id) == ("draft", 1, "e1")
    assert event.complication_id == event.reported_complication_id == "catheter-migration"
    assert (event.year, event.months_since_implant, event.severity) == (2011, 14, 3)
    assert event.seriousness == {"hospitalisation"}
    assert event.interventions == {"catheter-revision", "imaging-diagnostic"}
    assert (event.outcome, event.root_cause, event.month) == ("recovered", "", None)


def test_event_leaves_a_history_row_and_a_seal_of_its_writer(world):
    event = record_event(report(), by=world.reporter)

    seal = Seal.objects.get(pk=event.seal_id)
    assert (seal.actor, seal.action, seal.rows) == (world.reporter, "record-event", 1)
    assert event.history.get().seal_number == seal.number


def test_event_is_submitted_at_once_where_asked(world):
    assert record_event(report(), by=world.reporter, submit=True).state == "submitted"


def test_event_draft_may_be_incomplete(world):
    draft = RawReport(RowKind.EVENT, {"site": "BERN", "complication": "csf-leak"})

    first, second = (record_event(draft, by=world.reporter) for _ in range(2))

    assert first.source_id == second.source_id == ""


def test_event_submitted_at_once_must_be_complete(world):
    faults = refused(
        RowRuleBroken,
        record_event,
        report(year="", months_since_implant=""),
        by=world.reporter,
        submit=True,
    )

    assert faults == [("year", "required"), ("months_since_implant", "required")]


def test_event_without_an_implant_says_the_device_itself(world):
    about = {"implant": "", "months_since_implant": "", "drug": "baclofen", "sex": "male"}

    event = record_event(report(**about, component_model="ascenda"), by=world.reporter)

    assert (event.implant, event.patient, event.drug, event.sex) == (None, None, "baclofen", "male")
    assert (event.pump_model, event.catheter_model) == ("", "ascenda")


@pytest.mark.parametrize(
    ("complication", "models"),
    [("csf-leak", ("unknown", "")), ("catheter-kink", ("", "unknown"))],
)
def test_event_unknown_model_is_that_of_the_complications_clock(world, complication, models):
    about = {"implant": "", "months_since_implant": "", "component_model": "unknown"}

    event = record_event(report(**about, complication=complication), by=world.reporter)

    assert (event.pump_model, event.catheter_model) == models


@pytest.mark.parametrize("site", ["BASEL", "NOWHERE"])
def test_event_of_a_foreign_or_unknown_site_is_refused_alike(world, site):
    with pytest.raises(NotYourSite) as refusal:
        record_event(report(site=site), by=world.reporter)

    assert str(refusal.value) == "site: you are not a member of this site, or there is no such site"


@pytest.mark.parametrize("who", ["reviewer", "auditor", "stranger"])
def test_event_is_not_recorded_by_those_who_are_not_of_the_site(world, who):
    refused(NotYourSite, record_event, report(), by=getattr(world, who))


def close(site, by):
    change_site(site, name=site.name, country=site.country, active=False, by=by)


@pytest.mark.parametrize("who", ["reporter", "manager"])
def test_event_is_not_recorded_for_a_site_that_is_closed(world, who):
    close(world.site, by=world.manager)

    assert refused(NotYourSite, record_event, report(), by=getattr(world, who)) == [
        ("site", "not-your-site")
    ]


def test_event_of_a_site_that_is_closed_is_neither_changed_nor_submitted(world):
    event = record_event(report(), by=world.reporter)
    close(world.site, by=world.manager)

    refused(NotPermitted, change_event, event.public_id, patch(severity="2"), by=world.reporter)
    refused(NotPermitted, submit_event, event.public_id, by=world.reporter)


def test_event_is_not_recorded_by_a_member_who_was_deactivated(world):
    world.reporter.is_active = False

    refused(NotYourSite, record_event, report(), by=world.reporter)


def test_event_is_recorded_by_a_data_manager_anywhere(world):
    assert record_event(report(), by=world.manager).site == world.site


def test_event_with_an_identifier_is_refused_and_nothing_of_it_is_told(world):
    with pytest.raises(IdentifierFound) as refusal:
        record_event(report(patient_name="Zoe Mueller"), by=world.reporter)

    assert [fault.column for fault in refusal.value.faults] == ["patient_name"]
    assert "Zoe" not in str(refusal.value)
    assert not Event.objects.exists()


def test_event_source_id_is_used_once_a_site(world):
    first = record_event(report(), by=world.reporter)

    with pytest.raises(DuplicateSourceId) as refusal:
        record_event(report(), by=world.reporter)

    assert refusal.value.existing == str(first.public_id)
    elsewhere = report(site="BASEL", implant="", months_since_implant="")
    assert record_event(elsewhere, by=world.stranger).source_id == "e1"


def test_event_complication_must_be_in_the_catalogue(world):
    faults = refused(
        RowRuleBroken, record_event, report(complication="came-loose"), by=world.reporter
    )

    assert faults == [("complication", "unknown-code")]


def test_event_complication_that_is_retired_names_its_successor(world):
    with pytest.raises(RowRuleBroken, match="is retired; use catheter-fracture"):
        record_event(report(complication="catheter-break"), by=world.reporter)


def test_event_implant_must_be_one_of_the_site(world):
    ImplantFactory(patient=PatientFactory(site=world.other), source_id="f-1", catheter=True)

    for implant in ("f-1", "n-0"):
        faults = refused(RowRuleBroken, record_event, report(implant=implant), by=world.reporter)
        assert faults == [("implant", "unknown-implant")]


def test_event_is_held_against_its_implant(world):
    follow_up([FollowUp(world.catheter.public_id, "60", "explant-elective")], by=world.reporter)
    late = report(months_since_implant="61", year="2015")
    other_component = report(complication="csf-leak")

    assert refused(RowRuleBroken, record_event, late, by=world.reporter) == [
        ("months_since_implant", "after-exit")
    ]
    assert refused(RowRuleBroken, record_event, other_component, by=world.reporter) == [
        ("implant", "other-component")
    ]


def test_event_month_follows_the_precision_of_the_registry(world, settings):
    assert refused(RowRuleBroken, record_event, report(month="4"), by=world.reporter) == [
        ("month", "finer-than-kept")
    ]
    settings.REGISTRY_DATE_PRECISION = "month"
    assert record_event(report(month="4"), by=world.reporter).month == 4


def test_event_is_not_from_the_future(world):
    late = report(implant="", months_since_implant="", year="2099")

    faults = refused(RowRuleBroken, record_event, late, by=world.reporter)

    assert faults == [("year", "in-the-future")]


def test_event_cause_is_another_event_of_the_patient(world):
    cause = record_event(report(), by=world.reporter)

    event = record_event(
        report(source_id="e2", complication="csf-leak", implant="p1-pump", caused_by="e1"),
        by=world.reporter,
    )

    assert event.caused_by == cause


def test_event_cause_must_be_known(world):
    faults = refused(RowRuleBroken, record_event, report(caused_by="e0"), by=world.reporter)

    assert faults == [("caused_by", "unknown-event")]


def test_event_cause_is_sought_at_its_own_site(world):
    bare = {"implant": "", "months_since_implant": ""}
    record_event(report(site="BASEL", **bare), by=world.stranger)

    faults = refused(
        RowRuleBroken,
        record_event,
        report(source_id="e2", caused_by="e1", **bare),
        by=world.reporter,
    )

    assert faults == [("caused_by", "unknown-event")]


def test_event_cause_is_not_another_patients(world):
    record_event(report(), by=world.reporter)
    ImplantFactory(
        patient=PatientFactory(site=world.site, source_id="p2"), source_id="p2-cath", catheter=True
    )
    other = report(source_id="e2", implant="p2-cath", caused_by="e1")

    faults = refused(RowRuleBroken, record_event, other, by=world.reporter)

    assert faults == [("caused_by", "other-patient")]


def test_event_without_an_implant_has_no_cause_with_one(world):
    record_event(report(), by=world.reporter)
    vague = report(source_id="e2", implant="", months_since_implant="", caused_by="e1")

    faults = refused(RowRuleBroken, record_event, vague, by=world.reporter)

    assert faults == [("caused_by", "cause-without-implant")]


def test_event_does_not_cause_itself_by_way_of_others(world):
    first = record_event(report(), by=world.reporter)
    record_event(report(source_id="e2", caused_by="e1"), by=world.reporter)
    record_event(report(source_id="e3", caused_by="e2"), by=world.reporter)

    for cause in ("e1", "e3"):
        faults = refused(
            RowRuleBroken, change_event, first.public_id, patch(caused_by=cause), by=world.reporter
        )
        assert faults == [("caused_by", "circle")]


def test_event_patient_dies_once(world):
    death = report(complication="death", implant="p1-pump", **FATAL)
    record_event(death, by=world.reporter, submit=True)
    again = RawReport(RowKind.EVENT, {**death.values, "source_id": "e2"})

    assert refused(RowRuleBroken, record_event, again, by=world.reporter, submit=True) == [
        ("complication", "second-death")
    ]
    assert refused(RowRuleBroken, record_event, again, by=world.reporter) == [
        ("complication", "second-death")
    ]


def test_event_of_a_death_is_no_second_death_beside_itself(world):
    raw = report(complication="death", implant="p1-pump", **FATAL)
    event = record_event(raw, by=world.reporter, submit=True)

    found = related(event_record(raw), site=world.site, submitted=True, event=event)

    assert found.faults == ()


def test_event_is_accepted_on_arrival_by_a_data_manager_only(world):
    assert record_event(report(), by=world.manager, accept=True).state == "accepted"
    refused(NotPermitted, record_event, report(source_id="e2"), by=world.reporter, accept=True)


def test_event_of_an_own_site_is_not_accepted_on_arrival(world):
    MembershipFactory(user=world.manager, site=world.site)

    refused(NotPermitted, record_event, report(), by=world.manager, accept=True)


def test_change_touches_the_named_columns_only(world):
    event = record_event(report(), by=world.reporter)

    changed = change_event(
        event.public_id, patch(severity="2", interventions=""), by=world.lead, version=1
    )

    changed = Event.objects.get(pk=changed.pk)
    assert (changed.severity, changed.interventions, changed.version) == (2, None, 2)
    assert (changed.implant, changed.outcome) == (world.catheter, "recovered")
    assert changed.history.count() == 2


def test_change_to_what_is_stored_already_is_none(world):
    event = record_event(report(), by=world.reporter)
    seals = Seal.objects.count()

    same = change_event(event.public_id, patch(severity="3", year=" 2011 "), by=world.reporter)

    assert same.version == 1
    assert Seal.objects.count() == seals


def test_change_may_take_the_implant_away(world):
    event = record_event(report(), by=world.reporter)

    changed = change_event(
        event.public_id, patch(implant="", months_since_implant="", sex="male"), by=world.reporter
    )

    assert (changed.implant, changed.patient_id, changed.sex) == (None, None, "male")


def test_change_leaves_a_cause_the_key_that_its_consequence_names(world):
    cause = record_event(report(), by=world.reporter)
    record_event(report(source_id="e2", caused_by="e1"), by=world.reporter)

    faults = refused(
        RowRuleBroken, change_event, cause.public_id, patch(source_id=""), by=world.reporter
    )

    assert faults == [("source_id", "needed-by-consequence")]
    assert change_event(cause.public_id, patch(source_id="e9"), by=world.reporter).version == 2


def test_change_leaves_a_cause_with_the_patient_of_its_consequence(world):
    other = ImplantFactory(
        patient=PatientFactory(site=world.site, source_id="p2"), source_id="p2-cath", catheter=True
    )
    cause = record_event(report(), by=world.reporter)
    record_event(report(source_id="e2", caused_by="e1"), by=world.reporter)
    away = patch(implant="", months_since_implant="")

    for change in (patch(implant=other.source_id), away):
        assert refused(RowRuleBroken, change_event, cause.public_id, change, by=world.reporter) == [
            ("implant", "other-patient")
        ]


def test_change_keeps_to_the_rules(world):
    event = record_event(report(), by=world.reporter)

    assert refused(
        RowRuleBroken, change_event, event.public_id, patch(severity="5"), by=world.reporter
    ) == [("severity", "grade-5-means-fatal")]
    assert refused(
        IdentifierFound, change_event, event.public_id, patch(mrn="00048213"), by=world.reporter
    ) == [("mrn", "identifier-found")]


def test_change_does_not_move_an_event_to_another_site(world):
    event = record_event(report(), by=world.manager)

    faults = refused(
        RowRuleBroken, change_event, event.public_id, patch(site="BASEL"), by=world.manager
    )

    assert faults == [("site", "site-stays")]


def test_change_does_not_take_a_used_source_id(world):
    event = record_event(report(), by=world.reporter)
    record_event(report(source_id="e2"), by=world.reporter)

    refused(
        DuplicateSourceId, change_event, event.public_id, patch(source_id="e2"), by=world.reporter
    )


def test_change_by_somebody_who_read_an_older_version_is_refused(world):
    event = record_event(report(), by=world.reporter)
    change_event(event.public_id, patch(severity="2"), by=world.lead)

    faults = refused(
        VersionConflict,
        change_event,
        event.public_id,
        patch(severity="1"),
        by=world.reporter,
        version=1,
    )

    assert faults == [("version", "version-conflict")]


@pytest.mark.parametrize("who", ["stranger", "auditor"])
def test_change_of_an_event_out_of_sight_is_of_no_row(world, who):
    event = record_event(report(), by=world.reporter)

    refused(UnknownRow, change_event, event.public_id, patch(severity="2"), by=getattr(world, who))
    refused(UnknownRow, change_event, "no-id", patch(severity="2"), by=world.manager)


def test_change_of_a_draft_is_not_the_reviewers(world):
    event = record_event(report(), by=world.reporter)

    refused(NotPermitted, change_event, event.public_id, patch(severity="2"), by=world.reviewer)


def test_change_of_a_submitted_event_is_a_reviewers_recoding_only(world):
    event = record_event(report(), by=world.reporter, submit=True)

    recoded = change_event(event.public_id, patch(complication="catheter-kink"), by=world.reviewer)

    assert recoded.complication_id == "catheter-kink"
    assert recoded.reported_complication_id == "catheter-migration"
    kink = patch(complication="catheter-kink")
    refused(NotPermitted, change_event, event.public_id, kink, by=world.reporter)
    refused(StateConflict, change_event, event.public_id, patch(severity="2"), by=world.reporter)


def test_change_of_an_accepted_event_is_refused(world):
    event = record_event(report(), by=world.reporter, submit=True)
    accept_event(event.public_id, by=world.reviewer)

    refused(StateConflict, change_event, event.public_id, patch(severity="2"), by=world.reporter)

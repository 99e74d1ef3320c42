"""Patients, implants and declared device time, one at a time."""

import pytest

from registry.intake import (
    change_exposure,
    change_implant,
    change_patient,
    declare_exposure,
    record_event,
    record_implant,
    record_patient,
)
from registry.models import Exposure, Implant, Patient, Seal
from registry.records import (
    DuplicateSourceId,
    IdentifierFound,
    NotPermitted,
    NotYourSite,
    RawReport,
    RowKind,
    RowRuleBroken,
    UnknownRow,
    VersionConflict,
)
from tests.factories import ExposureFactory
from tests.intake.conftest import report

PATIENT = {"site": "BERN", "source_id": "p9", "sex": "female", "indication": "stroke"}


def implant(**values):
    given = {
        "site": "BERN",
        "patient": "p1",
        "implant": "i9",
        "component": "pump",
        "model": "prometra",
        "implant_year": "2015",
        "months_followed": "24",
    }
    return RawReport(RowKind.IMPLANT, given | values)


def exposure(**values):
    given = {
        "site": "BERN",
        "year": "2012",
        "component": "pump",
        "devices": "4",
        "component_months": "40",
    }
    return RawReport(RowKind.EXPOSURE, given | values)


def patch(kind=RowKind.IMPLANT, **values):
    return RawReport(kind, values)


def refused(refusal, call, *args, **options):
    """The (column, code) of each fault of the refusal that a call must end in."""
    seals = Seal.objects.count()
    with pytest.raises(refusal) as caught:
        call(*args, **options)
    assert Seal.objects.count() == seals
    return [(fault.column, fault.code) for fault in caught.value.faults]


# Patients ----------------------------------------------------------------------------------


def test_patient_is_recorded_by_the_site(world):
    patient = record_patient(PATIENT, by=world.reporter)

    assert (patient.site, patient.source_id) == (world.site, "p9")
    assert (patient.sex, patient.indication) == ("female", "stroke")
    assert patient.history.count() == 1


def test_patient_holds_nothing_that_names_a_person(world):
    named = PATIENT | {"name": "Zoe Mueller"}

    assert refused(IdentifierFound, record_patient, named, by=world.reporter) == [
        ("name", "identifier-found")
    ]
    numbered = PATIENT | {"source_id": "00048213"}
    assert refused(IdentifierFound, record_patient, numbered, by=world.reporter) == [
        ("source_id", "identifier-found")
    ]


def test_patient_of_a_foreign_site_is_refused(world):
    refused(NotYourSite, record_patient, PATIENT, by=world.stranger)


def test_patient_source_id_is_used_once_a_site(world):
    used = PATIENT | {"source_id": "p1"}

    with pytest.raises(DuplicateSourceId) as refusal:
        record_patient(used, by=world.reporter)

    assert refusal.value.existing == str(world.patient.public_id)


def test_patient_is_changed_where_named(world):
    changed = change_patient(world.patient.public_id, {"sex": "female"}, by=world.lead)

    changed = Patient.objects.get(pk=changed.pk)
    assert (changed.sex, changed.indication) == ("female", "multiple-sclerosis")
    assert changed.history.count() == 2


def test_patient_change_to_what_is_stored_is_none(world):
    change_patient(world.patient.public_id, {"sex": "male"}, by=world.lead)

    assert world.patient.history.count() == 1


def test_patient_change_is_held_to_site_key_and_lists(world):
    other = record_patient(PATIENT, by=world.reporter)

    def change(**values):
        return (change_patient, other.public_id, values)

    assert refused(RowRuleBroken, *change(sex="f"), by=world.manager) == [("sex", "unknown-code")]
    assert refused(RowRuleBroken, *change(site="BASEL"), by=world.manager) == [
        ("site", "cannot-change")
    ]
    refused(DuplicateSourceId, *change(source_id="p1"), by=world.manager)
    refused(UnknownRow, *change(sex="male"), by=world.stranger)
    refused(NotPermitted, *change(sex="male"), by=world.reviewer)


# Implants ----------------------------------------------------------------------------------


def test_implant_joins_its_patient(world):
    stored = record_implant(implant(sex="male"), by=world.reporter)

    stored = Implant.objects.get(pk=stored.pk)
    assert (stored.patient, stored.site, stored.source_id) == (world.patient, world.site, "i9")
    assert (stored.pump_model, stored.implant_year, stored.months_followed) == (
        "prometra",
        2015,
        24,
    )


def test_implant_brings_a_patient_that_is_new(world):
    stored = record_implant(implant(patient="p9", sex="female"), by=world.reporter)

    assert (stored.patient.source_id, stored.patient.sex) == ("p9", "female")
    assert Seal.objects.get(pk=stored.seal_id).rows == 2


def test_implant_does_not_gainsay_its_patient(world):
    faults = refused(
        RowRuleBroken,
        record_implant,
        implant(sex="female", indication="stroke"),
        by=world.reporter,
    )

    assert faults == [("sex", "patient-disagrees"), ("indication", "patient-disagrees")]


def test_implant_keeps_to_its_rules(world):
    late = implant(months_to_entry="25")

    assert refused(RowRuleBroken, record_implant, late, by=world.reporter) == [
        ("months_to_entry", "entry-after-follow-up")
    ]
    assert refused(RowRuleBroken, record_implant, implant(implant_year="2099"), by=world.lead) == [
        ("implant_year", "in-the-future")
    ]
    refused(NotYourSite, record_implant, implant(), by=world.stranger)


def test_implant_source_id_is_used_once_a_site(world):
    with pytest.raises(DuplicateSourceId) as refusal:
        record_implant(implant(implant="p1-pump"), by=world.reporter)

    assert refusal.value.existing == str(world.pump.public_id)


def test_implant_is_followed_further(world):
    changed = change_implant(
        world.pump.public_id,
        patch(months_followed="72", exit_status="replaced-end-of-service"),
        by=world.reporter,
        version=1,
    )

    changed = Implant.objects.get(pk=changed.pk)
    assert (changed.months_followed, changed.exit_status) == (72, "replaced-end-of-service")
    assert (changed.version, changed.drug, changed.refills) == (2, "baclofen", 20)
    assert changed.history.count() == 2


def test_implant_change_to_what_is_stored_is_none(world):
    same = change_implant(world.pump.public_id, patch(months_followed="60"), by=world.reporter)

    assert (same.version, same.history.count()) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"site": "BASEL"},
        {"patient": "p9"},
        {"component": "catheter", "model": ""},
        {"sex": "female"},
        {"indication": "stroke"},
    ],
)
def test_implant_change_leaves_what_it_belongs_to(world, change):
    faults = refused(
        RowRuleBroken, change_implant, world.pump.public_id, patch(**change), by=world.manager
    )

    assert faults == [(next(iter(change)), "cannot-change")]


def test_implant_change_is_held_to_key_version_and_rights(world):
    target = (change_implant, world.pump.public_id)

    refused(DuplicateSourceId, *target, patch(implant="p1-cath"), by=world.reporter)
    refused(VersionConflict, *target, patch(refills="21"), by=world.reporter, version=3)
    refused(UnknownRow, *target, patch(refills="21"), by=world.stranger)
    refused(NotPermitted, *target, patch(refills="21"), by=world.reviewer)


def test_implant_does_not_end_before_an_event_of_its_own(world):
    record_event(report(months_since_implant="14"), by=world.reporter)
    target = (change_implant, world.catheter.public_id)

    too_early = patch(months_followed="13", exit_status="explant-elective")
    assert refused(RowRuleBroken, *target, too_early, by=world.reporter) == [
        ("months_followed", "event-after-exit")
    ]
    assert change_implant(*target[1:], patch(months_followed="13"), by=world.reporter).version == 2
    ended = patch(months_followed="14", exit_status="explant-elective")
    assert change_implant(*target[1:], ended, by=world.reporter).version == 3


def test_implant_may_end_before_an_event_that_is_the_patients(world):
    record_event(report(complication="csf-leak", implant="p1-pump"), by=world.reporter)

    shorter = change_implant(world.pump.public_id, patch(months_followed="3"), by=world.reporter)

    assert shorter.months_followed == 3


def test_implant_year_fits_the_years_of_its_events(world):
    record_event(report(year="2011", months_since_implant="14"), by=world.reporter)
    target = (change_implant, world.catheter.public_id)

    assert refused(RowRuleBroken, *target, patch(implant_year="2011"), by=world.reporter) == [
        ("implant_year", "event-does-not-fit")
    ]
    assert change_implant(*target[1:], patch(implant_year="2009"), by=world.reporter).version == 2


# Declared device time ----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["lead", "manager"])
def test_exposure_is_declared(world, who):
    stored = declare_exposure(exposure(refills="9"), by=getattr(world, who))

    stored = Exposure.objects.get(pk=stored.pk)
    assert (stored.site, stored.year, stored.devices, stored.refills) == (world.site, 2012, 4, 9)
    assert stored.history.count() == 1


def test_exposure_is_not_declared_by_a_reporter_or_a_stranger(world):
    refused(NotPermitted, declare_exposure, exposure(), by=world.reporter)
    refused(NotYourSite, declare_exposure, exposure(), by=world.stranger)


def test_exposure_is_declared_once(world):
    declare_exposure(exposure(), by=world.lead)

    assert refused(RowRuleBroken, declare_exposure, exposure(devices="5"), by=world.lead) == [
        ("year", "declared-already")
    ]
    assert declare_exposure(exposure(model="prometra"), by=world.lead).version == 1


def test_exposure_keeps_to_its_rules(world):
    much = exposure(component_months="49")

    assert refused(RowRuleBroken, declare_exposure, much, by=world.lead) == [
        ("component_months", "more-than-a-year")
    ]


def test_exposure_is_corrected_where_named(world):
    stored = declare_exposure(exposure(), by=world.lead)
    correction = patch(RowKind.EXPOSURE, component_months="44")

    changed = change_exposure(stored.public_id, correction, by=world.lead, version=1)

    assert (changed.component_months, changed.devices, changed.version) == (44, 4, 2)
    same = change_exposure(stored.public_id, correction, by=world.lead)
    assert (same.version, same.history.count()) == (2, 2)


def test_exposure_correction_is_held_to_rights_version_and_rules(world):
    stored = ExposureFactory(site=world.site, year=2012)
    ExposureFactory(site=world.site, year=2013)

    def change(**values):
        return (change_exposure, stored.public_id, patch(RowKind.EXPOSURE, **values))

    refused(NotPermitted, *change(devices="11"), by=world.reporter)
    refused(UnknownRow, *change(devices="11"), by=world.stranger)
    refused(VersionConflict, *change(devices="11"), by=world.lead, version=4)
    assert refused(RowRuleBroken, *change(devices="9"), by=world.lead) == [
        ("component_months", "more-than-a-year")
    ]
    assert refused(RowRuleBroken, *change(year="2013"), by=world.lead) == [
        ("year", "declared-already")
    ]
    assert refused(RowRuleBroken, *change(site="BASEL"), by=world.manager) == [
        ("site", "cannot-change")
    ]

"""Rows inserted by the thousand say what the ORM would have stored, and know their keys."""

from uuid import UUID

import pytest
from django.db import IntegrityError
from django.db.models.signals import post_init

from registry.models import Event, Patient, Site, sealed
from registry.models.insertion import unsaved
from registry.vocabulary import Drug, Intervention, Outcome, Seriousness, Severity, Sex
from tests.factories import ComplicationFactory, ImplantFactory, PatientFactory, SiteFactory

pytestmark = pytest.mark.django_db


def test_inserted_event_reads_back_as_it_was_set():
    implant, complication = ImplantFactory(catheter=True), ComplicationFactory()
    given = {
        "site": implant.site,
        "source_id": "e1",
        "implant": implant,
        "patient": implant.patient,
        "complication": complication,
        "reported_complication": complication,
        "year": 2011,
        "month": None,
        "months_since_implant": 12,
        "severity": Severity.SEVERE,
        "seriousness": frozenset({Seriousness.HOSPITALISATION}),
        "outcome": Outcome.RECOVERED,
        "interventions": frozenset({Intervention.ANTIBIOTICS, Intervention.UNKNOWN}),
        "state": "accepted",
    }
    event = Event(**given)

    with sealed(by=None, action="make-for-test") as seal:
        assert seal.bulk_create(Event, [event]) == 1

    stored = Event.objects.get(pk=event.pk)
    assert {name: getattr(stored, name) for name in given} == given
    assert stored.public_id == event.public_id
    assert stored.seal_id == seal.number
    assert not event._state.adding


def test_inserted_rows_and_saved_rows_share_one_sequence_of_keys():
    before, site = PatientFactory(), SiteFactory()
    many = [Patient(site=site, source_id=f"b{number}", sex=Sex.FEMALE) for number in range(1500)]

    with sealed(by=None, action="make-for-test") as seal:
        seal.bulk_create(Patient, many)
    after = PatientFactory()

    keys = [patient.pk for patient in many]
    assert len(set(keys)) == 1500
    assert before.pk < min(keys)
    assert max(keys) < after.pk
    assert Patient.objects.get(source_id="b1499").pk == many[-1].pk


def test_inserted_rows_name_rows_that_were_inserted_with_them():
    site = SiteFactory()
    patient = Patient(site=site, source_id="p1")
    implant = ImplantFactory.build(site=site, patient=patient, adjuncts={Drug.CLONIDINE})

    with sealed(by=None, action="make-for-test") as seal:
        seal.bulk_create(Patient, [patient])
        seal.bulk_create(type(implant), [implant])

    assert type(implant).objects.get(source_id=implant.source_id).patient == patient


def test_inserted_row_keeps_to_the_rules_of_its_table():
    patient = Patient(site=SiteFactory(), source_id="Zoe Mueller")

    with pytest.raises(IntegrityError), sealed(by=None, action="make-for-test") as seal:
        seal.bulk_create(Patient, [patient])


def test_unsaved_row_is_the_one_that_the_model_makes():
    given = {"source_id": "e1", "site_id": 3, "year": 2011, "interventions": frozenset({"other"})}

    made, plain = unsaved(Event, given), Event(**given)

    names = {field.attname for field in Event._meta.concrete_fields} - {"public_id"}
    assert {name: getattr(made, name) for name in names} == {
        name: getattr(plain, name) for name in names
    }
    assert made._state.adding


def test_each_unsaved_row_has_a_public_id_of_its_own_unless_one_is_given():
    public_id = UUID(int=7)

    made = [unsaved(Event, {}).public_id, unsaved(Event, {}).public_id]

    assert len(set(made)) == 2
    assert unsaved(Event, {"public_id": public_id}).public_id == public_id


def test_unsaved_row_has_no_other_columns():
    with pytest.raises(TypeError, match=r"Event has no column colour, site\."):
        unsaved(Event, {"site": 3, "colour": "red", "year": 2011})


def test_row_whose_making_does_more_is_left_to_its_model():
    def heard(**_: object) -> None:
        """Takes rows as they are made, of a model that no import makes: each is looked at once."""

    post_init.connect(heard, sender=Site)
    try:
        with pytest.raises(TypeError, match="Site does more than to set its columns"):
            unsaved(Site, {})
    finally:
        post_init.disconnect(heard, sender=Site)

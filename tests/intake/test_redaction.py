"""A key that should never have been stored is replaced everywhere, and the trail says so."""

import pytest
from django.db import IntegrityError, connection, transaction

from registry import intake
from registry.deidentify import identifies
from registry.models import Event, IdempotencyKey, Implant, Patient, Redaction, Seal, sealed
from registry.models.append_only import bypassed_triggers, lift_append_only_triggers
from registry.models.verification import fault_of, verify_trail
from registry.records import (
    DuplicateSourceId,
    IdentifierFound,
    NotPermitted,
    RowRuleBroken,
    UnknownRow,
    VersionConflict,
)
from tests.factories import EventFactory, PatientFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

NAME = "Mueller-Hans"
"""A key of a time before the rules."""


@pytest.fixture
def named(world):
    """A patient with a person's name for a key, in two versions."""
    patient = Patient.objects.get(pk=world.patient.pk)
    for key, sex in ((NAME, "male"), (NAME, "female")):
        patient.source_id, patient.sex = key, sex
        with sealed(by=None, action="earlier") as seal:
            seal.save(patient)
    return patient


def keys_anywhere(kind):
    return {*kind.objects.values_list("source_id", flat=True)} | {
        *kind.history.values_list("source_id", flat=True)
    }


def test_key_is_replaced_in_the_row_and_in_its_history(world, named):
    redacted = intake.redact_key("patient", named.public_id, by=world.manager)

    named.refresh_from_db()
    assert named.source_id == redacted.key
    assert {row.source_id for row in named.history.all()} == {redacted.key}
    assert NAME not in keys_anywhere(Patient)
    assert not identifies(redacted.key)
    assert [row.sex for row in named.history.order_by("history_id")][-2:] == ["female", "female"]


def test_trail_holds_and_knows_which_seals_were_redacted(world, named):
    touched = set(named.history.values_list("seal_number", flat=True))
    assert len(touched) == 3

    intake.redact_key("patient", named.public_id, by=world.manager)

    found = verify_trail()
    assert (found.breaks, found.redacted) == ((), 3)
    last = Seal.objects.latest("number")
    assert (last.action, last.actor) == ("redact-key", world.manager)
    assert set(Redaction.objects.values_list("of_seal", flat=True)) == touched
    assert {fault_of(seal) for seal in Seal.objects.filter(number__in=touched)} == {""}
    assert bypassed_triggers(connection) == []


def test_redacted_again_the_last_redaction_holds(world, named):
    intake.redact_key("patient", named.public_id, by=world.manager, key="p-one")
    intake.redact_key("patient", named.public_id, by=world.manager, key="p-two")

    assert keys_anywhere(Patient) == {"p-two"}
    assert verify_trail().breaks == ()


def test_history_altered_after_a_redaction_is_found(world, named):
    intake.redact_key("patient", named.public_id, by=world.manager)
    lift_append_only_triggers(connection)
    Patient.history.filter(sex="female").update(sex="male")

    assert verify_trail().breaks[0].what == "A history row under it was altered."


def test_history_is_append_only_again_after_a_redaction(world, named):
    intake.redact_key("patient", named.public_id, by=world.manager)

    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.history.update(sex="male")


@pytest.mark.parametrize(
    ("kind", "model"), [("patient", Patient), ("implant", Implant), ("event", Event)]
)
def test_every_kind_of_row_can_be_redacted(world, kind, model):
    row = {"patient": world.patient, "implant": world.pump, "event": None}[kind]
    row = row or EventFactory(implant=world.catheter, source_id="HM19610201")

    redacted = intake.redact_key(kind, row.public_id, by=world.manager)

    assert row.source_id not in keys_anywhere(model)
    assert (redacted.kind, redacted.public_id, redacted.site) == (kind, row.public_id, "BERN")
    assert verify_trail().breaks == ()


def test_all_identifying_keys_are_found_now_and_before(world, named):
    event = EventFactory(implant=world.catheter, source_id="P00048213")
    event.source_id = "e-7"
    with sealed(by=None, action="mend") as seal:
        seal.save(event)
    second = PatientFactory(site=world.site, source_id="MRN0048")
    found = [(kind, row.pk) for kind, row in intake.identifying_keys()]
    assert found == [("patient", named.pk), ("patient", second.pk), ("event", event.pk)]

    redacted = intake.redact_identifying_keys(by=world.manager)

    assert [each.kind for each in redacted] == ["patient", "patient", "event"]
    assert list(intake.identifying_keys()) == []
    assert not {NAME, "P00048213"} & (keys_anywhere(Patient) | keys_anywhere(Event))
    assert verify_trail().breaks == ()


def test_stored_replies_with_the_key_are_forgotten(world, named):
    for key, body in (("a", f'{{"source_id": "{NAME}"}}'), ("b", '{"source_id": "q-9"}')):
        IdempotencyKey.objects.create(
            user=world.reporter, key=key, status=201, reply={"body": body}
        )

    intake.redact_key("patient", named.public_id, by=world.manager)

    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["b"]


@pytest.mark.parametrize("person", ["reporter", "lead", "reviewer", "auditor"])
def test_only_a_data_manager_redacts(world, person):
    with pytest.raises(NotPermitted):
        intake.redact_key("patient", world.patient.public_id, by=getattr(world, person))
    with pytest.raises(NotPermitted):
        intake.redact_identifying_keys(by=getattr(world, person))


@pytest.mark.parametrize(
    ("key", "refusal"),
    [("Maria-Schmidt", IdentifierFound), ("a/b", RowRuleBroken), ("p2", DuplicateSourceId)],
)
def test_new_key_is_judged_as_at_every_door(world, named, key, refusal):
    intake.record_patient({"site": "BERN", "source_id": "p2"}, by=world.reporter)

    with pytest.raises(refusal) as refused:
        intake.redact_key("patient", named.public_id, by=world.manager, key=key)

    assert key not in str(refused.value)
    assert NAME in keys_anywhere(Patient)


def test_another_version_or_no_row_is_refused(world, named):
    with pytest.raises(VersionConflict):
        intake.redact_key("patient", named.public_id, by=world.manager, version=1)
    with pytest.raises(UnknownRow):
        intake.redact_key("event", named.public_id, by=world.manager)


def test_row_with_an_old_key_can_still_be_changed_and_followed(world, named):
    pump = world.pump.public_id

    intake.change_patient(named.public_id, {"indication": "stroke"}, by=world.reporter)
    intake.follow_up([intake.FollowUp(pump, "72")], by=world.reporter)

    named.refresh_from_db()
    assert (named.source_id, named.indication) == (NAME, "stroke")
    with pytest.raises(IdentifierFound):
        intake.change_patient(named.public_id, {"source_id": "Meier"}, by=world.reporter)

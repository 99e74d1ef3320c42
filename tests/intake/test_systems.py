"""A patient with pump and catheter in one step, and one component that follows another."""

import pytest

from registry.intake import ComponentReport, change_system, record_system, replace_implant
from registry.models import Implant, Patient, Seal
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
from registry.vocabulary import ExitStatus
from tests.factories import ImplantFactory
from tests.intake.test_devices import refused

PATIENT = {"site": "BERN", "source_id": "p9", "sex": "female", "indication": "stroke"}


def raw(**values):
    return RawReport(RowKind.IMPLANT, values)


def component(name, *, public_id=None, version=None, **values):
    given = {"component": name, "implant": f"p9-{name}"}
    if public_id is None:
        given |= {"implant_year": "2015", "months_followed": "24"}
    else:
        del given["implant"]
    return ComponentReport(raw(**(given | values)), public_id, version)


# A patient with components --------------------------------------------------------------------


def test_system_is_recorded_whole_under_one_seal(world):
    before = Seal.objects.count()

    patient = record_system(
        PATIENT, [component("pump", model="prometra"), component("catheter")], by=world.reporter
    )

    assert Seal.objects.count() == before + 1
    assert Seal.objects.latest("number").rows == 3
    assert (patient.source_id, patient.sex, patient.site) == ("p9", "female", world.site)
    stored = Implant.objects.filter(patient=patient).order_by("component")
    assert [(one.component, one.source_id, one.pump_model) for one in stored] == [
        ("catheter", "p9-catheter", ""),
        ("pump", "p9-pump", "prometra"),
    ]
    assert [one.history.count() for one in (patient, *stored)] == [1, 1, 1]


def test_system_with_one_fault_stores_nothing(world):
    patients = Patient.objects.count()

    faults = refused(
        RowRuleBroken,
        record_system,
        PATIENT,
        [component("pump"), component("catheter", months_to_entry="25")],
        by=world.reporter,
    )

    assert faults == [("catheter_months_to_entry", "entry-after-follow-up")]
    assert Patient.objects.count() == patients


def test_system_tells_all_faults_at_once_at_their_components(world):
    faults = refused(
        RowRuleBroken,
        record_system,
        PATIENT | {"sex": "f"},
        [component("pump", model="ascenda"), component("catheter", implant_year="")],
        by=world.reporter,
    )

    assert faults == [
        ("sex", "unknown-code"),
        ("pump_model", "unknown-code"),
        ("catheter_implant_year", "required"),
    ]


def test_system_holds_nothing_that_names_a_person_or_a_device(world):
    faults = refused(
        IdentifierFound,
        record_system,
        PATIENT | {"source_id": "00048213"},
        [component("pump", implant="20190412")],
        by=world.reporter,
    )

    assert faults == [("source_id", "identifier-found"), ("pump_implant", "identifier-found")]


def test_system_keys_are_used_once_a_site(world):
    with pytest.raises(DuplicateSourceId) as caught:
        record_system(PATIENT, [component("pump", implant="p1-pump")], by=world.reporter)

    assert caught.value.existing == str(world.pump.public_id)
    assert [fault.column for fault in caught.value.faults] == ["pump_implant"]
    refused(
        DuplicateSourceId,
        record_system,
        PATIENT | {"source_id": "p1"},
        [component("pump")],
        by=world.reporter,
    )
    twice = [component("pump", implant="sme"), component("catheter", implant="sme")]
    refused(DuplicateSourceId, record_system, PATIENT, twice, by=world.reporter)


def test_system_of_a_foreign_site_is_refused(world):
    refused(NotYourSite, record_system, PATIENT, [component("pump")], by=world.stranger)


def test_system_is_changed_whole_under_one_seal(world):
    before = Seal.objects.count()

    change_system(
        world.patient.public_id,
        {"sex": "female"},
        [
            component("pump", public_id=world.pump.public_id, version=1, months_followed="72"),
            component("catheter", implant="p1-cath2", implant_year="2014"),
        ],
        by=world.reporter,
        version=1,
    )

    assert Seal.objects.count() == before + 1
    assert Seal.objects.latest("number").rows == 3
    world.pump.refresh_from_db()
    assert (world.pump.months_followed, world.pump.version) == (72, 2)
    assert world.patient.implants.get(source_id="p1-cath2").implant_year == 2014


def test_system_change_that_says_nothing_new_writes_nothing(world):
    before = Seal.objects.count()

    change_system(
        world.patient.public_id,
        {"sex": "male"},
        [component("pump", public_id=world.pump.public_id, months_followed="60")],
        by=world.reporter,
    )

    assert Seal.objects.count() == before


def test_system_change_is_held_to_version_reach_and_rights(world):
    target = (change_system, world.patient.public_id, {"sex": "female"})
    pump = component("pump", public_id=world.pump.public_id, version=3, months_followed="72")

    assert refused(VersionConflict, *target, [pump], by=world.reporter) == [
        ("pump_version", "version-conflict")
    ]
    refused(VersionConflict, *target, [], by=world.reporter, version=2)
    refused(UnknownRow, *target, [], by=world.stranger)
    refused(NotPermitted, *target, [], by=world.reviewer)
    assert Patient.objects.get(pk=world.patient.pk).sex == "male"


def test_system_change_reaches_no_other_patients_implant(world):
    foreign = ImplantFactory(patient__site=world.site)

    refused(
        UnknownRow,
        change_system,
        world.patient.public_id,
        {},
        [component("pump", public_id=foreign.public_id, months_followed="72")],
        by=world.reporter,
    )


# One component after another ------------------------------------------------------------------

ENDING = {"months_followed": "60", "exit_status": "replaced-end-of-service"}
SUCCESSOR = {
    "implant": "p1-pump2",
    "model": "prometra",
    "implant_year": "2015",
    "months_followed": "3",
    "procedure": "replacement",
}


def test_replacing_ends_one_implant_and_begins_the_next_under_one_seal(world):
    before = Seal.objects.count()

    new = replace_implant(
        world.pump.public_id, ENDING, raw(**SUCCESSOR), by=world.reporter, version=1
    )

    assert Seal.objects.count() == before + 1
    assert Seal.objects.latest("number").rows == 2
    world.pump.refresh_from_db()
    assert (world.pump.exit_status, world.pump.months_followed, world.pump.version) == (
        "replaced-end-of-service",
        60,
        2,
    )
    assert (new.patient, new.component, new.source_id) == (world.patient, "pump", "p1-pump2")
    assert (new.implant_year, new.months_followed, new.months_to_entry) == (2015, 3, 0)
    assert [world.pump.history.count(), new.history.count()] == [2, 1]


@pytest.mark.parametrize("replaced", ["pump", "catheter"])
def test_replacing_leaves_the_clock_of_the_other_component_alone(world, replaced):
    old, other = (
        (world.pump, world.catheter) if replaced == "pump" else (world.catheter, world.pump)
    )
    successor = SUCCESSOR | {"model": "prometra" if replaced == "pump" else "ascenda"}
    before = Implant.objects.filter(pk=other.pk).values().get()

    replace_implant(old.public_id, ENDING, raw(**successor), by=world.reporter)

    assert Implant.objects.filter(pk=other.pk).values().get() == before
    assert other.history.count() == 1


def test_replacing_takes_nothing_over_that_is_clinical(world):
    new = replace_implant(world.pump.public_id, ENDING, raw(**SUCCESSOR), by=world.reporter)

    assert (world.pump.drug, new.drug) == ("baclofen", "")
    assert (new.age_band, new.label_status) == ("", "")


@pytest.mark.parametrize(
    "status",
    sorted(
        set(ExitStatus)
        - {
            ExitStatus.REPLACED_END_OF_SERVICE,
            ExitStatus.REPLACED_FOR_FAILURE,
            ExitStatus.EXPLANTED_FOR_COMPLICATION,
            ExitStatus.EXPLANT_ELECTIVE,
        }
    ),
)
def test_replacing_needs_an_end_after_which_another_comes(world, status):
    ending = ENDING | {"exit_status": str(status)}

    faults = refused(
        RowRuleBroken,
        replace_implant,
        world.pump.public_id,
        ending,
        raw(**SUCCESSOR),
        by=world.reporter,
    )

    assert faults == [("ended_exit_status", "not-a-replacement")]


def test_replacing_tells_the_faults_of_both_at_once(world):
    faults = refused(
        RowRuleBroken,
        replace_implant,
        world.pump.public_id,
        {"exit_status": ""},
        raw(**SUCCESSOR | {"months_followed": ""}),
        by=world.reporter,
    )

    assert faults == [
        ("ended_exit_status", "not-a-replacement"),
        ("ended_months_followed", "required"),
        ("months_followed", "required"),
    ]


@pytest.mark.parametrize(("year", "fits"), [("2014", False), ("2015", True), ("2017", True)])
def test_replacing_comes_after_the_end(world, year, fits):
    """The pump of 2010 was followed for 60 months: to 2015 at the earliest."""
    target = (world.pump.public_id, ENDING, raw(**SUCCESSOR | {"implant_year": year}))

    if fits:
        assert replace_implant(*target, by=world.reporter).implant_year == int(year)
    else:
        assert refused(RowRuleBroken, replace_implant, *target, by=world.reporter) == [
            ("implant_year", "before-the-end")
        ]


def test_replacing_is_held_to_state_version_reach_and_keys(world):
    target = (replace_implant, world.pump.public_id, ENDING)

    refused(VersionConflict, *target, raw(**SUCCESSOR), by=world.reporter, version=2)
    refused(UnknownRow, *target, raw(**SUCCESSOR), by=world.stranger)
    refused(NotPermitted, *target, raw(**SUCCESSOR), by=world.reviewer)
    refused(
        DuplicateSourceId, *target, raw(**SUCCESSOR | {"implant": "p1-cath"}), by=world.reporter
    )
    replace_implant(*target[1:], raw(**SUCCESSOR), by=world.reporter)
    assert refused(StateConflict, *target, raw(**SUCCESSOR), by=world.reporter) == [
        ("exit_status", "state-conflict")
    ]

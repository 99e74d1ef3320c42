"""A patient with pump and catheter on one page, and the page that replaces one of them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.models import Implant, Patient, Seal, sealed
from registry.vocabulary import ExitStatus
from tests.factories import ImplantFactory, PatientFactory

ADD = "/admin/registry/patient/add/"
PATIENT = {"site": "OWN-1", "source_id": "p-new", "sex": "female", "indication": "stroke"}
AT_IMPLANT = {"implant_year": "2018", "age_band": "40-64", "drug": "baclofen"}
PUMP = {
    "pump_implant": "i-pump",
    "pump_model": "synchromed-ii-20",
    "pump_pump_site": "abdomen",
    "pump_months_followed": "30",
}
CATHETER = {
    "catheter_implant": "i-cath",
    "catheter_model": "ascenda",
    "catheter_months_followed": "28",
    "catheter_exit_status": "active",
}


@pytest.fixture
def patient(own_site):
    """A patient with a pump that was replaced, the pump after it, and the first catheter."""
    patient = PatientFactory(site=own_site, source_id="p-a")
    ImplantFactory(
        patient=patient,
        source_id="i-first",
        implant_year=2009,
        exit_status="replaced-end-of-service",
    )
    ImplantFactory(patient=patient, source_id="i-pump", implant_year=2014)
    ImplantFactory(patient=patient, source_id="i-cath", implant_year=2009, catheter=True)
    return patient


def page(row, name="change"):
    return reverse(f"admin:registry_{row._meta.model_name}_{name}", args=[row.public_id])


def form_of(answer):
    return answer.context["adminform"].form


def filled(answer):
    """What the form on the page would send as it stands."""
    form = form_of(answer)
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None}


def implant(source_id):
    return Implant.objects.get(source_id=source_id)


# A new patient ---------------------------------------------------------------------------------


def test_a_patient_is_entered_with_pump_and_catheter_under_one_seal(reporter, signed_in):
    seals = Seal.objects.count()

    answer = signed_in(reporter).post(ADD, PATIENT | AT_IMPLANT | PUMP | CATHETER)

    assert answer.status_code == 302
    assert Seal.objects.count() == seals + 1
    assert Seal.objects.latest("number").rows == 3
    patient = Patient.objects.get()
    pump, catheter = implant("i-pump"), implant("i-cath")
    assert (patient.source_id, patient.sex) == ("p-new", "female")
    assert {pump.patient, catheter.patient} == {patient}
    assert (pump.pump_model, pump.pump_site, pump.months_followed) == (
        "synchromed-ii-20",
        "abdomen",
        30,
    )
    assert (catheter.catheter_model, catheter.months_followed) == ("ascenda", 28)
    for each in (pump, catheter):
        assert (each.implant_year, each.age_band, each.drug) == (2018, "40-64", "baclofen")


@pytest.mark.parametrize(
    ("parts", "components"), [(PUMP, ["pump"]), (CATHETER, ["catheter"]), ({}, [])]
)
def test_a_part_that_is_left_empty_is_not_on_file(parts, components, reporter, signed_in):
    at_implant = AT_IMPLANT if parts else {}

    signed_in(reporter).post(ADD, PATIENT | at_implant | parts)

    assert [one.component for one in Patient.objects.get().implants.all()] == components


def test_nothing_clinical_is_filled_in_beforehand(reporter, signed_in):
    answers = filled(signed_in(reporter).get(ADD))

    assert {name: value for name, value in answers.items() if value} == {}


def test_faults_stand_at_the_fields_of_their_components(reporter, signed_in):
    sent = {
        **PATIENT,
        **AT_IMPLANT,
        **PUMP,
        **CATHETER,
        "pump_months_to_entry": "31",
        "catheter_implant": "20180417",
    }

    answer = signed_in(reporter).post(ADD, sent)

    assert set(form_of(answer).errors) == {"catheter_implant", "pump_months_to_entry"}
    assert not Patient.objects.exists()


def test_a_fault_of_both_is_told_once_where_both_were_asked(reporter, signed_in):
    sent = {**PATIENT, **AT_IMPLANT, **PUMP, **CATHETER, "implant_year": "18"}

    answer = signed_in(reporter).post(ADD, sent)

    assert {name: len(told) for name, told in form_of(answer).errors.items()} == {"implant_year": 1}


def test_what_belongs_to_no_component_is_not_dropped(reporter, signed_in):
    answer = signed_in(reporter).post(ADD, PATIENT | AT_IMPLANT)

    assert set(form_of(answer).errors) == {"implant_year"}
    assert not Patient.objects.exists()


def test_the_registry_makes_the_keys_that_are_left_empty(reporter, signed_in):
    sent = PATIENT | AT_IMPLANT | PUMP | {"source_id": "", "pump_implant": ""}

    answer = signed_in(reporter).post(ADD, sent, follow=True)

    [pump] = Implant.objects.all()
    assert re.fullmatch("p-[b-z]{8}", pump.patient.source_id)
    assert re.fullmatch("i-[b-z]{8}", pump.source_id)
    assert pump.patient.source_id in answer.text


# A patient on file -----------------------------------------------------------------------------


def test_the_page_holds_the_components_in_place_and_lists_all(patient, reporter, signed_in):
    answer = signed_in(reporter).get(page(patient))

    answers = filled(answer)
    assert (answers["pump_implant"], answers["catheter_implant"]) == ("i-pump", "i-cath")
    assert answers["pump_implant_year"] == 2014
    listed = [row.source_id for row in answer.context["implants"]]
    assert listed == ["i-cath", "i-first", "i-pump"]
    assert answer.text.count(">Replace<") == 2


def test_patient_and_components_are_changed_under_one_seal(patient, reporter, signed_in):
    client = signed_in(reporter)
    sent = filled(client.get(page(patient)))
    seals = Seal.objects.count()
    catheter = implant("i-cath")

    answer = client.post(page(patient), {**sent, "sex": "female", "pump_months_followed": "72"})

    assert answer.status_code == 302
    assert Seal.objects.count() == seals + 1
    assert Seal.objects.latest("number").rows == 2
    assert (implant("i-pump").months_followed, implant("i-pump").version) == (72, 2)
    assert Patient.objects.get().sex == "female"
    assert implant("i-cath").version == catheter.version == 1


def test_saving_what_is_on_file_writes_nothing(patient, reporter, signed_in):
    client = signed_in(reporter)
    seals = Seal.objects.count()

    assert client.post(page(patient), filled(client.get(page(patient)))).status_code == 302
    assert Seal.objects.count() == seals


def test_a_missing_component_is_added_on_the_patients_page(own_site, reporter, signed_in):
    patient = PatientFactory(site=own_site)
    ImplantFactory(patient=patient, source_id="i-pump")
    client = signed_in(reporter)
    sent = filled(client.get(page(patient)))

    client.post(page(patient), {**sent, **CATHETER, "catheter_implant_year": "2012"})

    assert implant("i-cath").patient == patient
    assert implant("i-pump").version == 1


@pytest.mark.parametrize("changed", ["patient", "pump"])
def test_somebody_elses_change_is_not_overwritten(changed, patient, reporter, signed_in):
    client = signed_in(reporter)
    sent = filled(client.get(page(patient)))
    with sealed(by=None, action="make-for-test") as seal:
        if changed == "patient":
            patient.indication = "stroke"
            seal.save(patient)
        else:
            pump = implant("i-pump")
            pump.months_followed, pump.version = 66, 2
            seal.save(pump)

    answer = client.post(page(patient), {**sent, "sex": "female", "pump_months_followed": "72"})

    assert answer.status_code == 200
    assert "Somebody changed this since" in str(form_of(answer).errors)
    assert implant("i-pump").months_followed in (60, 66)
    assert Patient.objects.get().sex == "male"


def test_the_page_of_a_replaced_component_does_not_change_its_successor(
    patient, reporter, signed_in
):
    client = signed_in(reporter)
    sent = filled(client.get(page(patient)))
    with sealed(by=None, action="make-for-test") as seal:
        pump = implant("i-pump")
        pump.exit_status = "replaced-for-failure"
        seal.save(pump)
    ImplantFactory(patient=patient, source_id="i-third", implant_year=2020)

    answer = client.post(page(patient), {**sent, "pump_months_followed": "72"})

    assert "reload the page" in str(form_of(answer).errors)
    assert {implant(key).months_followed for key in ("i-pump", "i-third")} == {60}


def test_the_page_is_only_read_by_a_reviewer(patient, reviewer, signed_in):
    client = signed_in(reviewer)

    text = client.get(page(patient)).text

    assert "i-first" in text
    assert ">Replace<" not in text
    assert client.post(page(patient), {"sex": "female"}).status_code == 403


def test_the_page_takes_as_many_queries_for_many_implants(patient, reporter, signed_in):
    client = signed_in(reporter)

    def queries():
        with CaptureQueriesContext(connection) as queries:
            client.get(page(patient))
        return len(queries)

    queries()  # the first request of a session notes its time
    few = queries()
    for year in range(1990, 1998):
        ImplantFactory(patient=patient, implant_year=year, exit_status="explant-elective")

    assert queries() == few


# One component after another -------------------------------------------------------------------

REPLACEMENT = {
    "ended_months_followed": "66",
    "ended_exit_status": "replaced-end-of-service",
    "implant": "i-next",
    "model": "prometra",
    "implant_year": "2020",
    "months_followed": "3",
    "version": "1",
}


def test_a_pump_is_replaced_and_the_catheter_left_alone(patient, reporter, signed_in):
    old, catheter = implant("i-pump"), Implant.objects.filter(source_id="i-cath").values().get()
    seals = Seal.objects.count()

    answer = signed_in(reporter).post(page(old, "replace"), REPLACEMENT)

    assert answer.status_code == 302
    assert answer["Location"] == page(patient)
    assert Seal.objects.count() == seals + 1
    assert Seal.objects.latest("number").rows == 2
    old.refresh_from_db()
    assert (old.exit_status, old.months_followed) == ("replaced-end-of-service", 66)
    new = implant("i-next")
    assert (new.patient, new.component, new.pump_model) == (patient, "pump", "prometra")
    assert (new.implant_year, new.drug) == (2020, "")
    assert Implant.objects.filter(source_id="i-cath").values().get() == catheter


def test_a_catheter_is_asked_about_catheters(patient, reporter, signed_in):
    form = signed_in(reporter).get(page(implant("i-cath"), "replace")).context["form"]

    assert "pump_site" not in form.fields
    assert "ascenda" in dict(form.fields["model"].choices)
    assert "prometra" not in dict(form.fields["model"].choices)
    assert [code for code, _ in form.fields["ended_exit_status"].choices] == [
        ExitStatus.REPLACED_END_OF_SERVICE,
        ExitStatus.REPLACED_FOR_FAILURE,
        ExitStatus.EXPLANTED_FOR_COMPLICATION,
        ExitStatus.EXPLANT_ELECTIVE,
    ]


def test_nothing_is_taken_over_from_the_old_one(patient, reporter, signed_in):
    form = signed_in(reporter).get(page(implant("i-pump"), "replace")).context["form"]

    assert {name: form[name].value() for name in form.fields if form[name].value()} == {
        "version": 1
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ended_exit_status": ""}, "ended_exit_status"),
        ({"ended_exit_status": "active"}, "ended_exit_status"),
        ({"ended_months_followed": ""}, "ended_months_followed"),
        ({"ended_months_followed": "1199"}, "ended_months_followed"),
        ({"implant_year": "2015"}, "implant_year"),
        ({"implant": "i-cath"}, "implant"),
        ({"model": "ascenda"}, "model"),
        ({"version": "2"}, "__all__"),
    ],
)
def test_a_faulty_replacement_stores_nothing(changes, field, patient, reporter, signed_in):
    seals = Seal.objects.count()

    answer = signed_in(reporter).post(page(implant("i-pump"), "replace"), REPLACEMENT | changes)

    assert set(answer.context["form"].errors) == {field}
    assert Seal.objects.count() == seals


def test_an_implant_that_has_ended_is_not_replaced(patient, reporter, signed_in):
    first = implant("i-first")

    answer = signed_in(reporter).post(page(first, "replace"), REPLACEMENT, follow=True)

    assert "follow-up has ended already" in answer.text
    assert not Implant.objects.filter(source_id="i-next").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_implant_of_another_site_is_not_found(method, other_site, reporter, signed_in):
    theirs = ImplantFactory(patient=PatientFactory(site=other_site))

    answer = getattr(signed_in(reporter), method)(page(theirs, "replace"), REPLACEMENT)

    assert answer.status_code == 404


def test_a_reviewer_replaces_nothing(patient, reviewer, signed_in):
    client = signed_in(reviewer)
    address = page(implant("i-pump"), "replace")

    assert client.get(address).status_code == 403
    assert client.post(address, REPLACEMENT).status_code == 403
    assert ">Replace<" not in client.get(page(implant("i-pump"))).text


def test_the_page_of_an_implant_leads_to_its_replacement(patient, reporter, signed_in):
    client = signed_in(reporter)

    assert page(implant("i-pump"), "replace") in client.get(page(implant("i-pump"))).text
    assert "/replace/" not in client.get(page(implant("i-first"))).text

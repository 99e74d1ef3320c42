"""Entering patients, implants and declared device time in the admin."""

import pytest
from django.urls import reverse

from registry.models import Exposure, Implant, Patient
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory

IMPLANT = {
    "site": "OWN-1",
    "patient": "p-new",
    "implant": "i-new",
    "component": "catheter",
    "model": "ascenda",
    "implant_year": "2018",
    "sex": "female",
    "indication": "stroke",
    "drug": "baclofen",
    "adjuncts": ["clonidine"],
    "months_followed": "30",
    "exit_status": "active",
}
EXPOSURE = {
    "site": "OWN-1",
    "year": "2016",
    "component": "pump",
    "devices": "12",
    "component_months": "130",
}


def page(row):
    return reverse(f"admin:registry_{row._meta.model_name}_change", args=[row.public_id])


def test_an_implant_is_entered_with_its_new_patient(reporter, signed_in):
    answer = signed_in(reporter).post("/admin/registry/implant/add/", IMPLANT)

    assert answer.status_code == 302
    implant = Implant.objects.get()
    assert (implant.source_id, implant.catheter_model, implant.months_followed) == (
        "i-new",
        "ascenda",
        30,
    )
    assert implant.adjuncts == {"clonidine"}
    assert (implant.patient.source_id, implant.patient.sex) == ("p-new", "female")


def test_an_implants_later_follow_up_is_entered(own_site, reporter, signed_in):
    implant = ImplantFactory(patient=PatientFactory(site=own_site), months_followed=24)
    client = signed_in(reporter)
    form = client.get(page(implant)).context["adminform"].form
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    answer = client.post(page(implant), {**sent, "months_followed": "36"})

    assert answer.status_code == 302
    implant.refresh_from_db()
    assert (implant.months_followed, implant.version, implant.drug) == (36, 2, "baclofen")


def test_a_model_of_the_other_component_is_refused_at_the_model(reporter, signed_in):
    sent = {**IMPLANT, "model": "synchromed-ii-20"}

    answer = signed_in(reporter).post("/admin/registry/implant/add/", sent)

    assert "model" in answer.context["adminform"].form.errors
    assert not Implant.objects.exists()
    assert not Patient.objects.exists()


def test_an_implant_is_only_read_by_a_reviewer(own_site, reviewer, signed_in):
    implant = ImplantFactory(patient=PatientFactory(site=own_site, source_id="p-own"))
    client = signed_in(reviewer)

    html = client.get(page(implant)).text

    assert "p-own" in html
    assert "SynchroMed II" in html
    assert client.post(page(implant), {"months_followed": "99"}).status_code == 403


def test_a_lead_declares_device_time(lead, signed_in):
    answer = signed_in(lead).post("/admin/registry/exposure/add/", EXPOSURE)

    assert answer.status_code == 302
    declared = Exposure.objects.get()
    assert (declared.site.code, declared.devices, declared.component_months) == ("OWN-1", 12, 130)


def test_a_reporter_does_not_declare_device_time(reporter, signed_in):
    answer = signed_in(reporter).post("/admin/registry/exposure/add/", EXPOSURE)

    assert answer.status_code == 403
    assert not Exposure.objects.exists()


def test_the_same_device_time_is_not_declared_twice(own_site, lead, signed_in):
    ExposureFactory(site=own_site, year=2016, component="pump")

    answer = signed_in(lead).post("/admin/registry/exposure/add/", EXPOSURE)

    assert "year" in answer.context["adminform"].form.errors
    assert Exposure.objects.count() == 1


@pytest.mark.parametrize("field", ["patient", "implant"])
def test_a_key_that_looks_like_a_record_number_is_refused(field, reporter, signed_in):
    answer = signed_in(reporter).post(
        "/admin/registry/implant/add/", {**IMPLANT, field: "20180417"}
    )

    assert field in answer.context["adminform"].form.errors
    assert not Implant.objects.exists()

"""The page on which a data manager redacts a key."""

import pytest
from django.urls import reverse

from registry.models import Patient
from tests.factories import EventFactory, ImplantFactory, PatientFactory

pytestmark = pytest.mark.django_db


def page(row):
    return reverse(f"admin:registry_{row._meta.model_name}_redact", args=[row.public_id])


def test_data_manager_replaces_a_key_and_is_told_the_new_one(own_site, manager, signed_in):
    patient = PatientFactory(site=own_site, source_id="Maria-Schmidt")
    client = signed_in(manager)
    asked = client.get(page(patient))
    assert "Schmidt" not in asked.text

    version = asked.context["form"].initial["version"]
    answer = client.post(page(patient), {"key": "", "version": version}, follow=True)

    key = Patient.objects.get().source_id
    assert key.startswith("p-")
    assert f"It is now <b>{key}</b>" in answer.text
    assert "Schmidt" not in answer.text


def test_a_key_that_identifies_is_refused_at_its_field(own_site, manager, signed_in):
    event = EventFactory(site=own_site, source_id="HM19610201")

    answer = signed_in(manager).post(page(event), {"key": "Anna-Meier", "version": 1})

    [fault] = answer.context["form"].errors["key"]
    assert "rule: name" in fault
    event.refresh_from_db()
    assert event.source_id == "HM19610201"


def test_the_page_is_offered_to_data_managers_only(own_site, manager, reporter, signed_in):
    implant = ImplantFactory(patient__site=own_site)
    shown = reverse("admin:registry_implant_change", args=[implant.public_id])

    assert "Redact the key" in signed_in(manager).get(shown).text
    assert "Redact the key" not in signed_in(reporter).get(shown).text
    assert signed_in(reporter).get(page(implant)).status_code == 403

"""Looks at rows in the admin: every one is in the access log, without a value of a person."""

import pytest
from django.urls import reverse

from registry.models import AccessLog
from tests.factories import EventFactory, ExposureFactory, ImplantFactory, PatientFactory


@pytest.fixture
def rows(own_site):
    patient = PatientFactory(site=own_site, source_id="k-patient")
    implant = ImplantFactory(patient=patient, source_id="k-implant")
    return {
        "patient": patient,
        "implant": implant,
        "event": EventFactory(implant=implant, source_id="k-event", state="draft"),
        "exposure": ExposureFactory(site=own_site),
    }


def looks():
    return list(AccessLog.objects.order_by("pk").values_list("user__username", "what", "count"))


MODELS = pytest.mark.parametrize("model", ["patient", "implant", "event", "exposure"])


@MODELS
def test_a_list_is_logged_with_how_many_it_shows(model, rows, reporter, signed_in):
    signed_in(reporter).get(reverse(f"admin:registry_{model}_changelist"))

    assert looks() == [("reporter", f"{model} list", 1)]
    assert AccessLog.objects.get().action == "row-read"


@MODELS
def test_a_row_is_logged_by_its_public_id(model, rows, reviewer, signed_in):
    row = rows[model]

    signed_in(reviewer).get(reverse(f"admin:registry_{model}_change", args=[row.public_id]))

    assert looks() == [("reviewer", f"{model} {row.public_id}", 1)]


@MODELS
def test_a_history_is_logged_by_its_public_id(model, rows, reviewer, signed_in):
    row = rows[model]

    signed_in(reviewer).get(reverse(f"admin:registry_{model}_history", args=[row.public_id]))

    assert looks() == [("reviewer", f"{model} {row.public_id} history", 1)]


@pytest.mark.parametrize("model", ["implant", "event"])
def test_a_searched_list_is_logged_without_what_was_typed(model, rows, reporter, signed_in):
    signed_in(reporter).get(reverse(f"admin:registry_{model}_choices"), {"term": "k-"})

    assert looks() == [("reporter", f"{model} choices", 1)]


def test_an_empty_form_and_the_catalogue_are_no_look_at_rows(rows, reporter, signed_in):
    client = signed_in(reporter)

    client.get(reverse("admin:registry_event_add"))
    client.get(reverse("admin:registry_complication_choices"), {"term": "leak"})

    assert looks() == []


@pytest.mark.parametrize("name", ["change", "history"])
def test_a_look_at_a_row_out_of_reach_finds_and_logs_nothing(
    name, rows, other_site, reporter, signed_in
):
    theirs = EventFactory(site=other_site)

    answer = signed_in(reporter).get(
        reverse(f"admin:registry_event_{name}", args=[theirs.public_id])
    )

    assert answer.status_code == 404
    assert looks() == []


@pytest.mark.parametrize("name", ["reject", "duplicate", "recode"])
def test_a_page_that_asks_before_a_step_is_logged(name, rows, reviewer, signed_in):
    event = EventFactory(implant=rows["implant"], state="submitted")

    address = reverse("admin:registry_event_step", args=[name])
    signed_in(reviewer).get(address, {"event": str(event.public_id)})

    assert looks() == [("reviewer", f"event {event.public_id} step {name}", 1)]

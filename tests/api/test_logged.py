"""What a day of use leaves in the log: no secret, and no value of a row."""

import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.vocabulary import MembershipRole, Role
from tests.api.conftest import client_of
from tests.factories import MembershipFactory, UserFactory

PASSWORD, GUESS = "correct-horse-4471-battery", "wrong-horse-8812-battery"
KEY, NAME, BAD = "zk-4481-key", "Erika-Mustermann-1961", "zq-not-a-code-9273"
API = "/api/v1"


def by_program(registry, report):
    """Scripts that do well, and badly."""
    client = client_of(registry.reporter)
    strangers = Client()
    for password in (GUESS, PASSWORD):
        body = {"username": registry.reporter.username, "password": password}
        yield strangers.post(f"{API}/tokens/", body, content_type="application/json")
    yield strangers.get(f"{API}/events/", headers={"Authorization": f"Token {KEY}{BAD}"})
    yield client.post(f"{API}/events/", report(source_id=KEY), format="json")
    yield client.post(f"{API}/events/", report(source_id=KEY), format="json")
    yield client.post(f"{API}/events/", report(source_id=NAME), format="json")
    yield client.post(f"{API}/events/", report(source_id="b", outcome=BAD), format="json")
    yield client.post(f"{API}/events/", report(source_id="c", **{BAD: "x"}), format="json")
    yield client.post(f"{API}/events/", f'{{"{KEY}": {BAD}', content_type="application/json")
    yield client.get(f"{API}/events/", {"source_id": KEY, "severity": BAD})
    yield client.get(f"{API}/events/", {"source_id": KEY})
    yield client.get(f"{API}/statistics/counts/", {"complication": BAD})
    rows = f"site,source_id,complication\nHERE-1,{NAME},{BAD}\n"
    yield client.post(f"{API}/events/bulk/", rows, content_type="text/csv")
    wrong = {"resourceType": "AdverseEvent", "identifier": [{"value": NAME}], "status": BAD}
    yield client.post("/fhir/r4/AdverseEvent/", wrong, format="json")
    yield client.get("/fhir/r4/AdverseEvent/", {"identifier": NAME, "status": BAD})
    patient = {"site": "HERE-1", "patient": NAME, "sex": BAD}
    yield client.post(f"{API}/patients/", patient, format="json")


def by_person(lead):
    """A lead who signs in, looks up a key, and sends a file with faults."""
    browser = Client()
    for password in (GUESS, PASSWORD):
        yield browser.post("/login/", {"username": lead.username, "password": password})
    yield browser.get("/admin/registry/event/", {"q": NAME})
    yield browser.post("/admin/registry/event/", {"q": KEY})
    yield browser.post("/admin/registry/event/add/", {"source_id": NAME, "outcome": BAD})
    rows = SimpleUploadedFile("events.csv", f"site,source_id\nHERE-1,{NAME}\n".encode())
    yield browser.post("/admin/registry/event/upload/", {"events": rows})
    yield browser.get("/dashboard/explore/", {"measure": "counts", "complication": BAD})


@pytest.mark.django_db
def test_no_secret_and_no_value_of_a_row_is_logged(registry, report, caplog):
    registry.reporter.set_password(PASSWORD)
    registry.reporter.save()
    lead = UserFactory(roles=[Role.SITE_STAFF], is_staff=True)
    lead.set_password(PASSWORD)
    lead.save()
    MembershipFactory(user=lead, site=registry.here, role=MembershipRole.LEAD)
    caplog.set_level(logging.INFO)

    replies = [*by_program(registry, report), *by_person(lead)]

    statuses = {reply.status_code for reply in replies}
    assert {200, 201, 302, 400, 401, 409} <= statuses
    assert not any(status >= 500 for status in statuses)
    made = next(reply.json()["token"] for reply in replies if b'"token"' in reply.content)
    assert len(caplog.records) > 10
    for never in (PASSWORD, GUESS, KEY, NAME, BAD, made, registry.reporter.password):
        assert never.lower() not in caplog.text.lower(), never

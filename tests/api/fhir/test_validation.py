"""What is sent is valid FHIR by the models of fhir.resources, which follow HL7's definitions.

It has R5 and R4B. R4 is held to R4B, whose AdverseEvent, Bundle, CapabilityStatement and
OperationOutcome have the same elements as those of R4 (4.0.1).
"""

import warnings
from importlib import import_module

import pytest
from pydantic import ValidationError

from tests.api.fhir.test_create import resource, send

VERSIONS = ["r4", "r5"]
WHERE = {"r4": "fhir.resources.R4B", "r5": "fhir.resources"}


def model_of(kind, version):
    """The model of a kind of resource in a version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydantic, on import
        return getattr(import_module(f"{WHERE[version]}.{kind.lower()}"), kind)


def hold(body, version):
    """Hold a resource, and those inside it, to the models; they know every element and its type."""
    model_of(body["resourceType"], version).model_validate(body)
    for entry in body.get("entry", ()):
        for each in (entry.get("resource"), entry.get("response", {}).get("outcome")):
            if each is not None:
                hold(each, version)


@pytest.fixture
def every_event(full, make):
    """An event with a value in nearly every column, one of a near miss, and one of nothing."""
    make(source_id="a-1", actuality="near-miss", outcome="not-applicable", severity="")
    make(source_id="", year="", severity="", drug="")
    make(source_id="a-3", seriousness="death", outcome="fatal", severity="5", drug="")
    return full


@pytest.mark.parametrize("version", VERSIONS)
def test_events_and_their_searchset_are_valid(version, as_reporter, every_event):
    bundle = as_reporter.get(f"/fhir/{version}/AdverseEvent").json()

    assert bundle["total"] == 5
    hold(bundle, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_capability_statement_is_valid(version, client, db):
    hold(client.get(f"/fhir/{version}/metadata").json(), version)


def test_every_definition_of_an_extension_is_valid(as_reporter, every_event):
    (found,) = (
        each["resource"]
        for each in as_reporter.get("/fhir/r5/AdverseEvent").json()["entry"]
        if each["resource"]["id"] == str(every_event.public_id)
    )
    addresses = {each["url"] for each in found["extension"]}

    assert len(addresses) >= 8
    for address in addresses:
        hold(as_reporter.get(address.removeprefix("http://testserver")).json(), "r5")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("changes", "query", "status"),
    [
        ({}, "", 201),
        ({}, "?dry_run=true", 200),
        ({"subject": None, "actuality": "perhaps"}, "", 400),
    ],
)
def test_replies_to_a_create_are_valid(version, changes, query, status, as_reporter):
    reply = send(as_reporter, resource(version, **changes), version, query)

    assert reply.status_code == status
    hold(reply.json(), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_replies_to_a_bundle_are_valid(version, kind, as_reporter):
    entries = [
        {"request": {"method": "POST", "url": "AdverseEvent"}, "resource": each}
        for each in (resource(version), resource(version, subject=None))
    ]
    sent = {"resourceType": "Bundle", "type": kind, "entry": entries[: 1 if kind[0] == "t" else 2]}

    reply = as_reporter.post(f"/fhir/{version}/", sent, format="json")

    assert reply.status_code == 200, reply.content
    hold(reply.json(), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_models_refuse_what_is_no_element(version, as_reporter, full):
    (first, *_others) = as_reporter.get(f"/fhir/{version}/AdverseEvent").json()["entry"]

    with pytest.raises(ValidationError):
        hold({**first["resource"], "severty": {"text": "mild"}}, version)
    with pytest.raises(ValidationError):
        hold({**first["resource"], "subject": "Patient/1"}, version)

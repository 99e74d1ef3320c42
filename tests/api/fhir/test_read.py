"""One event as an AdverseEvent, in R4 and R5; who may read it."""

import pytest

from registry.models import AccessLog
from registry.records import RowKind
from registry.records.columns import DECLARED
from tests.api.conftest import client_of
from tests.api.fhir.conftest import BASE, DEFINITIONS, SITE, extension

HL7 = "http://terminology.hl7.org/CodeSystem"


def read(client, event, version="r4"):
    return client.get(f"/fhir/{version}/AdverseEvent/{event.public_id}")


def code(concept):
    return concept["coding"][0]["code"]


def test_event_is_read_in_the_elements_of_r4(as_reporter, full):
    reply = read(as_reporter, full)

    assert reply.status_code == 200
    assert reply["Content-Type"] == "application/fhir+json"
    assert reply["ETag"] == 'W/"1"'
    assert reply["Cache-Control"] == "private, no-cache"
    shown = reply.json()
    assert shown["resourceType"] == "AdverseEvent"
    assert shown["id"] == str(full.public_id)
    assert shown["meta"]["versionId"] == "1"
    assert shown["identifier"] == {"system": f"{SITE}/events", "value": "e-x2"}
    assert shown["actuality"] == "actual"
    assert code(shown["category"][0]) == "infection"
    assert shown["event"]["coding"] == [
        {
            "system": "urn:pump-registry:complications",
            "code": "infection-pocket",
            "display": "Pump pocket infection",
        },
        {"system": "urn:pump-registry:imdrf:annex-e", "code": "E1906"},
    ]
    assert shown["subject"] == {
        "type": "Patient",
        "identifier": {"system": f"{SITE}/patients", "value": "p-x1"},
    }
    assert shown["date"] == "2020"
    assert shown["location"]["identifier"] == {"system": f"{BASE}/api/v1/sites", "value": "HERE-1"}
    assert shown["seriousness"]["coding"][0] == {
        "system": f"{HL7}/adverse-event-seriousness",
        "code": "Serious",
        "display": "Serious",
    }
    assert code(shown["severity"]) == "severe"
    assert code(shown["outcome"]) == "resolved"
    assert shown["contained"] == [
        {
            "resourceType": "Device",
            "id": "device",
            "identifier": [{"system": f"{SITE}/implants", "value": "i-x1"}],
        }
    ]
    device, procedure = shown["suspectEntity"]
    assert device["instance"] == {"reference": "#device"}
    assert code(device["causality"][0]["assessment"]) == "possible"
    assert code(procedure["causality"][0]["assessment"]) == "probable"
    assert extension(procedure, "suspect") == ["procedure"]


def test_what_no_element_holds_is_an_extension(as_reporter, full):
    shown = read(as_reporter, full).json()

    assert {name: extension(shown, name) for name in ("state", "severity", "seriousness")} == {
        "state": ["draft"],
        "severity": [3],
        "seriousness": ["hospitalisation", "permanent-impairment"],
    }
    assert extension(shown, "months-since-implant") == [60]
    assert extension(shown, "interventions") == ["antibiotics", "wound-care"]
    assert extension(shown, "root-cause") == ["infection-perioperative"]
    assert extension(shown, "mri-24h") == ["no"]
    (cause,) = extension(shown, "caused-by")
    assert cause["type"] == "AdverseEvent"
    assert cause["identifier"] == {"system": f"{SITE}/events", "value": "e-x1"}


def test_event_is_read_in_the_elements_of_r5(as_reporter, full):
    shown = read(as_reporter, full, "r5").json()

    assert shown["status"] == "in-progress"
    assert shown["identifier"] == [{"system": f"{SITE}/events", "value": "e-x2"}]
    assert code(shown["code"]) == "infection-pocket"
    assert shown["occurrenceDateTime"] == "2020"
    assert [code(each) for each in shown["outcome"]] == ["resolved"]
    assert code(shown["seriousness"]) == "serious"
    device, procedure = shown["suspectEntity"]
    assert device["instanceReference"] == {"reference": "#device"}
    assert code(device["causality"]["entityRelatedness"]) == "possible"
    assert procedure["instanceCodeableConcept"] == {"text": "procedure"}
    items = [code(each["itemCodeableConcept"]) for each in shown["mitigatingAction"]]
    assert items == ["antibiotics", "wound-care"]
    assert len(shown["contributingFactor"]) == 1
    assert {"severity", "event", "date"}.isdisjoint(shown)
    assert extension(shown, "severity") == [3]
    assert extension(shown, "interventions") == []


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("outcome", "fatal", "fatal"),
        ("outcome", "recovering", "recovering"),
        ("outcome", "not-recovered", "ongoing"),
        ("outcome", "recovered-sequelae", "resolvedWithSequelae"),
        ("outcome", "unknown", "unknown"),
        ("severity", "1", "mild"),
        ("severity", "2", "moderate"),
        ("seriousness", "none", "Non-serious"),
    ],
)
def test_codes_are_hl7s_own(as_reporter, make, column, value, said):
    columns = {"severity": "", column: value}
    shown = read(as_reporter, make(**columns)).json()

    assert code(shown[column]) == said


def test_near_miss_is_potential_and_its_outcome_an_extension(as_reporter, make):
    event = make(actuality="near-miss", outcome="not-applicable", severity="")

    shown = read(as_reporter, event).json()

    assert shown["actuality"] == "potential"
    assert "outcome" not in shown
    assert extension(shown, "outcome") == ["not-applicable"]


def test_what_is_not_recorded_is_absent_with_its_reason_where_required(as_reporter, make):
    event = make(year="", severity="", drug="")

    shown = read(as_reporter, event).json()

    reason = {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                "valueCode": "unknown",
            }
        ]
    }
    assert shown["subject"] == shown["_actuality"] == reason
    absent = {"date", "severity", "outcome", "seriousness", "suspectEntity", "contained"}
    assert absent.isdisjoint(shown)
    assert "identifier" not in shown


def test_month_is_shown_where_it_is_kept(as_reporter, make, settings):
    settings.REGISTRY_DATE_PRECISION = "month"

    assert read(as_reporter, make(month="4")).json()["date"] == "2020-04"


@pytest.mark.parametrize("version", ["r4", "r5"])
def test_every_column_has_a_place(as_reporter, full, version):
    """An element, or an extension that is defined: a new column has one of its own."""
    for name in DECLARED[RowKind.EVENT]:
        reply = as_reporter.get(f"/fhir/r5/StructureDefinition/{name.replace('_', '-')}")
        assert reply.json()["url"] == f"{DEFINITIONS}/{name.replace('_', '-')}", name


def test_extensions_of_resources_are_defined(as_reporter, full):
    for version in ("r4", "r5"):
        shown = read(as_reporter, full, version).json()
        inner = [each["extension"][0] for each in shown["suspectEntity"]]
        for each in [*shown["extension"], *inner]:
            (kind,) = [name for name in each if name.startswith("value")]
            definition = as_reporter.get(each["url"].removeprefix(BASE)).json()
            value = definition["differential"]["element"][-1]
            assert f"value{value['type'][0]['code']}".lower() == kind.lower()


def test_another_sites_event_is_missing(registry, full):
    reply = read(client_of(registry.stranger), full)

    assert reply.status_code == 404
    assert reply.json()["issue"][0]["code"] == "not-found"
    assert read(client_of(registry.reviewer), full).status_code == 200


def test_reading_is_logged(registry, as_reporter, full):
    read(as_reporter, full)

    entry = AccessLog.objects.get()
    assert (entry.user, entry.action, entry.count) == (registry.reporter, "row-read", 1)
    assert entry.what == f"event {full.public_id} as FHIR"


@pytest.mark.parametrize(
    ("scopes", "status"), [(("read-rows",), 200), (("read-statistics", "write-events"), 403)]
)
def test_token_needs_the_scope_of_rows(registry, full, scopes, status):
    reply = read(client_of(registry.reporter, scopes=scopes), full)

    assert reply.status_code == status


def test_refusals_are_operation_outcomes(registry, as_reporter, full):
    stranger = client_of(None)
    refused = {
        401: read(stranger, full),
        403: read(client_of(registry.researcher), full),
        404: as_reporter.get("/fhir/r4/Patient/1"),
        405: as_reporter.put(f"/fhir/r4/AdverseEvent/{full.public_id}", {}, format="json"),
        406: as_reporter.get("/fhir/r4/AdverseEvent?_format=xml"),
        400: as_reporter.get(f"/fhir/r4/AdverseEvent/{full.public_id}?_elements=id"),
    }

    kinds = {401: "login", 403: "forbidden", 404: "not-found", 400: "not-supported"}
    for status, reply in refused.items():
        assert reply.status_code == status
        assert reply["Content-Type"] == "application/fhir+json"
        shown = reply.json()
        assert shown["resourceType"] == "OperationOutcome"
        (issue,) = shown["issue"]
        assert issue["severity"] == "error"
        assert issue["code"] == kinds.get(status, "not-supported")
        assert issue["details"]["coding"][0]["system"] == "urn:pump-registry:problem"
        assert issue["diagnostics"]
    assert refused[401]["WWW-Authenticate"]
    assert refused[400].json()["issue"][0]["location"] == ["http._elements"]


def test_throttled_caller_gets_an_outcome(registry, full, monkeypatch):
    from rest_framework.throttling import UserRateThrottle

    monkeypatch.setattr(UserRateThrottle, "rate", "1/min", raising=False)
    client = client_of(registry.reporter)
    read(client, full)

    reply = read(client, full)

    assert reply.status_code == 429
    assert int(reply["Retry-After"]) > 0
    assert reply.json()["issue"][0]["code"] == "throttled"


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("application/fhir+json", "application/fhir+json"),
        ("application/json", "application/json"),
        ("*/*", "application/fhir+json"),
    ],
)
def test_media_type_is_the_one_asked_for(as_reporter, full, accept, given):
    reply = as_reporter.get(f"/fhir/r4/AdverseEvent/{full.public_id}", HTTP_ACCEPT=accept)

    assert reply["Content-Type"] == given


@pytest.mark.parametrize("name", ["json", "application/json", "application/fhir%2Bjson"])
def test_format_parameter_wins_over_accept(as_reporter, full, name):
    address = f"/fhir/r4/AdverseEvent/{full.public_id}?_format={name}"

    assert as_reporter.get(address, HTTP_ACCEPT="text/html").status_code == 200


@pytest.mark.parametrize(("version", "number"), [("r4", "4.0.1"), ("r5", "5.0.0")])
def test_capabilities_are_open_and_true(client, as_reporter, version, number):
    reply = client.get(f"/fhir/{version}/metadata")

    assert reply.status_code == 200
    shown = reply.json()
    assert (shown["resourceType"], shown["fhirVersion"]) == ("CapabilityStatement", number)
    assert [each["code"] for each in shown["rest"][0]["interaction"]] == ["transaction", "batch"]
    assert shown["implementation"]["url"] == f"{BASE}/fhir/{version}"
    resources = {each["type"]: each for each in shown["rest"][0]["resource"]}
    resource = resources["AdverseEvent"]
    named = {each["name"] for each in resource["searchParam"]}
    element = "event" if version == "r4" else "code"
    assert named == {"_id", "_lastUpdated", "date", "category", element}
    values = {"date": "2020", "category": "infection", element: "infection-pocket"}
    values |= {"_id": "0c9b8a7d-6e5f-4a3b-9c2d-1e0f9a8b7c6d", "_lastUpdated": "ge2020"}
    assert as_reporter.get(f"/fhir/{version}/AdverseEvent", values).status_code == 200


def test_unknown_extension_is_missing(client):
    reply = client.get("/fhir/r5/StructureDefinition/patient-name")

    assert reply.status_code == 404
    assert reply.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["metadata", "StructureDefinition/severity"])
def test_statements_take_no_parameter(client, path):
    reply = client.get(f"/fhir/r5/{path}?mode=full")

    assert reply.status_code == 400
    assert reply.json()["issue"][0]["location"] == ["http.mode"]

"""What becomes of AdverseEvents as HL7 publishes them: read, or refused with the reason.

Shortened from the examples of R4 and R5 (hl7.org/fhir, CC0): a rash, and a wrongly labelled drug.
"""

import json

import pytest

from registry.models import Event
from tests.api.fhir.test_create import coded, faults, send, warnings

HL7 = "http://terminology.hl7.org/CodeSystem"
SNOMED = "http://snomed.info/sct"
KEY = {"system": "http://acme.com/ids/patients/risks", "value": "49476534"}
RASH = {
    "resourceType": "AdverseEvent",
    "id": "example",
    "meta": {"tag": [{"system": f"{HL7}/v3-ActReason", "code": "HTEST"}]},
    "text": {"status": "generated", "div": "<div>...</div>"},
    "identifier": KEY,
    "actuality": "actual",
    "category": [coded(f"{HL7}/adverse-event-category", "product-use-error")],
    "event": coded(SNOMED, "304386008", text="This was a mild rash on the left forearm"),
    "subject": {"reference": "Patient/example"},
    "date": "2017-01-29T12:34:56+00:00",
    "seriousness": coded(f"{HL7}/adverse-event-seriousness", "Non-serious"),
    "severity": coded(f"{HL7}/adverse-event-severity", "mild"),
    "recorder": {"reference": "Practitioner/example"},
    "suspectEntity": [{"instance": {"reference": "Medication/example"}}],
}
RASH_R5 = {
    **{name: RASH[name] for name in ("resourceType", "id", "actuality", "category", "subject")},
    "identifier": [KEY],
    "status": "completed",
    "code": RASH["event"],
    "occurrenceDateTime": RASH["date"],
    "seriousness": coded(f"{HL7}/adverse-event-seriousness", "non-serious"),
    "recorder": RASH["recorder"],
    "suspectEntity": [{"instanceReference": {"reference": "Medication/example"}}],
}
LABEL = {
    "resourceType": "AdverseEvent",
    "id": "clinicalcareexample1stage1",
    "identifier": [{"system": "http://acme.com/ids/patients/risks", "value": "001"}],
    "status": "in-progress",
    "actuality": "actual",
    "category": [coded("http://hl7.org/fhir/CodeSystem/adverse-event-category", "x")],
    "code": coded(SNOMED, "62014003"),
    "subject": {"display": "39 year-old male"},
    "encounter": {"display": "encounter where nurse noticed the problem"},
    "detected": "2021-12-10",
    "location": {"display": "Palliative Care Agency"},
    "seriousness": coded(f"{HL7}/adverse-event-seriousness", "serious"),
    "outcome": [coded(SNOMED, "398056004")],
    "suspectEntity": [
        {
            "instanceReference": {"type": "MedicationRequest", "display": "An enzyme capsule"},
            "causality": {
                "entityRelatedness": coded(f"{HL7}/adverse-event-causality-assess", "unlikely")
            },
        }
    ],
    "mitigatingAction": [{"itemReference": {"type": "MedicationAdministration"}}],
    "supportingInfo": [{"itemReference": {"type": "Observation"}}],
    "note": [{"text": "A case."}],
}
OURS = coded("urn:pump-registry:complications", "infection-pocket")
SITE = {"identifier": {"value": "HERE-1"}}


@pytest.mark.parametrize(
    ("version", "example", "places"),
    [
        ("r4", RASH, {"event"}),
        ("r5", RASH_R5, {"code"}),
        ("r5", LABEL, {"code", "outcome", "suspectEntity[0]"}),
    ],
)
def test_examples_are_refused_for_codes_of_other_systems(as_reporter, version, example, places):
    found = faults(send(as_reporter, example, version))

    assert set(found) == {(f"AdverseEvent.{place}", "unknown-code") for place in places}


def test_key_of_the_example_looks_like_a_record_number(as_reporter):
    body = RASH | {"event": OURS, "location": SITE}

    assert faults(send(as_reporter, body)) == [
        ("AdverseEvent.identifier.value", "identifier-found")
    ]


def test_example_with_our_code_and_key_is_read(as_reporter):
    body = RASH | {"event": OURS, "location": SITE, "identifier": {"value": "e-x7"}}

    warned = warnings(as_reporter, json.loads(json.dumps(body)))

    assert {place.removeprefix("AdverseEvent.") for place, _code in warned} == {
        *("text", "category", "subject", "date", "recorder"),
    }
    event = Event.objects.get()
    assert (event.year, event.severity, event.serious_none) == (2017, 1, True)


def test_site_that_is_only_named_is_asked_for(as_reporter):
    body = RASH | {"event": OURS, "location": {"display": "Ward"}, "identifier": {"value": "e-1"}}

    assert faults(send(as_reporter, body)) == [
        ("AdverseEvent.location.identifier.value", "required")
    ]


def test_two_sites_contradict(as_reporter):
    system = "https://elsewhere.example/api/v1/sites/THERE-2/events"
    body = RASH | {
        "event": OURS,
        "location": SITE,
        "identifier": {"system": system, "value": "e-1"},
    }

    ((place, code),) = faults(send(as_reporter, body))
    assert place.startswith("AdverseEvent.")
    assert code == "contradictory"

"""What becomes of AdverseEvents as HL7 publishes them: read, or refused with the reason.

Shortened from the examples of R4 and R5 (hl7.org/fhir, CC0): a rash, a wrongly labelled drug in two
stages, an assault on a ward, and a bleeding in a trial, in the form of the version after R5.
"""

import json

import pytest

from registry.models import Event
from tests.api.fhir.test_create import coded, faults, send, warnings

HL7 = "http://terminology.hl7.org/CodeSystem"
NEXT = "http://hl7.org/fhir/CodeSystem"
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
_LIKELY = {"entityRelatedness": coded(f"{HL7}/adverse-event-causality-assess", "probably-likely")}
LABEL_LATER = {
    **LABEL,
    "id": "clinicalcareexample1stage2",
    "meta": {"versionId": "2", "lastUpdated": "2021-12-15T21:05:01.812+00:00"},
    "status": "completed",
    "code": coded(SNOMED, "370910000"),
    "recordedDate": "2021-12-15",
    "resultingEffect": [{"display": "Condition: anticholinergic drug overdose"}],
    "recorder": {"display": "Physician reviewer"},
    "suspectEntity": [
        *LABEL["suspectEntity"],
        {
            "instanceReference": {"type": "MedicationAdministration", "display": "A new batch"},
            "causality": _LIKELY,
        },
    ],
}
ASSAULT = {
    **LABEL_LATER,
    "id": "clinicalcareexample2",
    "code": coded(SNOMED, "370927008"),
    "subject": {"type": "Patient", "display": "14 year-old male"},
    "location": {"display": "Hospital, Inpatient"},
    "suspectEntity": LABEL_LATER["suspectEntity"][1:],
}
TRIAL = {
    "resourceType": "AdverseEvent",
    "id": "ressae1example",
    "identifier": LABEL["identifier"],
    "status": "completed",
    "actuality": "actual",
    "code": coded(SNOMED, "74474003"),
    "subject": {"reference": "AdverseEvent/ressubjectsae1example"},
    "occurrencePeriod": {"start": "2021-12-02T13:31:00+01:00", "end": "2021-12-09T14:27:00+01:00"},
    "serious": True,
    "seriousnessCriteria": [
        coded(
            "http://hl7.org/fhir/CodeSystem/adverse-event-seriousness-criteria", "lifeThreatening"
        )
    ],
    "clinResSeverityOrGrade": coded(f"{NEXT}/adverse-event-severity", "severe"),
    "study": [{"reference": "AdverseEvent/resstudysae1example"}],
    "causedStudyDiscontinuation": True,
    "mitigatingAction": [{"itemReference": {"reference": "AdverseEvent/endoscopysae1example"}}],
}
OURS = coded("urn:pump-registry:complications", "infection-pocket")
SITE = {"identifier": {"value": "HERE-1"}}


@pytest.mark.parametrize(
    ("version", "example", "places"),
    [
        ("r4", RASH, {"event"}),
        ("r5", RASH_R5, {"code"}),
        ("r5", LABEL, {"code", "outcome", "suspectEntity[0]"}),
        ("r5", LABEL_LATER, {"code", "outcome", "suspectEntity[0]", "suspectEntity[1]"}),
        ("r5", ASSAULT, {"code", "outcome", "suspectEntity[0]"}),
    ],
)
def test_examples_are_refused_for_codes_of_other_systems(as_reporter, version, example, places):
    found = faults(send(as_reporter, example, version))

    assert set(found) == {(f"AdverseEvent.{place}", "unknown-code") for place in places}


def test_example_of_the_next_version_is_refused_by_its_new_elements(as_reporter):
    found = faults(send(as_reporter, TRIAL, "r5"))

    assert set(found) == {
        ("AdverseEvent.code", "unknown-code"),
        *(
            (f"AdverseEvent.{name}", "unknown-element")
            for name in (
                *("serious", "seriousnessCriteria", "clinResSeverityOrGrade"),
                "causedStudyDiscontinuation",
            )
        ),
    }


@pytest.mark.parametrize("example", [LABEL, LABEL_LATER, ASSAULT])
def test_example_in_our_codes_is_read_and_left_out_by_name(example, as_reporter):
    """With our codes, site and key: the rest is read, or named as left out; nothing of it stays."""
    ours = example | {
        "code": OURS,
        "outcome": [coded(f"{HL7}/adverse-event-outcome", "resolved")],
        "location": SITE,
        "identifier": [{"value": "e-x8"}],
    }
    del ours["suspectEntity"]

    reply = send(as_reporter, ours, "r5", HTTP_PREFER="return=OperationOutcome")

    assert reply.status_code == 201, reply.json()
    left = {
        issue["expression"][0].removeprefix("AdverseEvent.").split("[")[0]
        for issue in reply.json()["issue"]
        if issue["severity"] == "warning"
    }
    sent = {"category", "subject", "encounter", "detected", "note", "supportingInfo"}
    later = {"recordedDate", "resultingEffect", "recorder"}
    assert left == sent | {"seriousness", "mitigatingAction"} | (later & set(ours))
    event = Event.objects.get()
    assert (event.complication_id, event.outcome) == ("infection-pocket", "recovered")
    assert (event.year, event.patient, event.implant) == (None, None, None)


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

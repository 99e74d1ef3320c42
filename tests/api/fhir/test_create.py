"""Creating events from AdverseEvent resources: what is read, left out and refused."""

import json
from uuid import uuid4

import pytest

from registry import intake
from registry.models import Event
from registry.records import RowKind
from registry.records.columns import DECLARED
from tests.api.conftest import client_of
from tests.api.fhir.conftest import DEFINITIONS, SITE, implanted

HL7 = "http://terminology.hl7.org/CodeSystem"
SECRET = "Zebulon Quux"


def resource(version="r4", **elements):
    """A small report of the first site; an element of None is left out."""
    code = "event" if version == "r4" else "code"
    date = "date" if version == "r4" else "occurrenceDateTime"
    identifier = {"system": f"{SITE}/events", "value": "e-f1"}
    made = {
        "resourceType": "AdverseEvent",
        "identifier": identifier if version == "r4" else [identifier],
        "actuality": "actual",
        code: coded("urn:pump-registry:complications", "infection-pocket"),
        "subject": {"extension": [absent()]},
        date: "2020",
        **elements,
    }
    if version == "r5":
        made["status"] = "in-progress"
    return {name: value for name, value in made.items() if value is not None}


def coded(system, code, **more):
    return {"coding": [{"system": system, "code": code}], **more}


def absent():
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode": "unknown",
    }


def ours(name, **value):
    return {"url": f"{DEFINITIONS}/{name}", **value}


def send(client, body, version="r4", query="", **headers):
    return client.post(
        f"/fhir/{version}/AdverseEvent{query}",
        json.dumps(body),
        content_type="application/fhir+json",
        **headers,
    )


def faults(reply):
    assert reply.status_code == 400, reply.content
    return [
        (issue["expression"][0], issue["details"]["coding"][0]["code"])
        for issue in reply.json()["issue"]
    ]


def warnings(client, body, version="r4"):
    reply = send(client, body, version, HTTP_PREFER="return=OperationOutcome")
    assert reply.status_code == 201, reply.content
    done, *warned = reply.json()["issue"]
    assert done["severity"] == "information"
    return [(each["expression"][0], each["details"]["coding"][0]["code"]) for each in warned]


def test_event_is_stored_as_a_draft_and_shown(registry, as_reporter):
    reply = send(as_reporter, resource())

    assert reply.status_code == 201, reply.content
    event = Event.objects.get()
    assert (event.site, event.source_id, event.state) == (registry.here, "e-f1", "draft")
    assert (event.year, event.complication_id, event.actuality) == (
        2020,
        "infection-pocket",
        "actual",
    )
    assert reply["Location"] == f"http://testserver/fhir/r4/AdverseEvent/{event.public_id}"
    assert reply["ETag"] == 'W/"1"'
    assert reply["Content-Type"] == "application/fhir+json"
    assert reply.json()["id"] == str(event.public_id)


@pytest.mark.parametrize("version", ["r4", "r5"])
def test_round_trip_is_equal(registry, as_reporter, full, version):
    """Out, in at another registry, out: every column is the same."""
    out = as_reporter.get(f"/fhir/{version}/AdverseEvent/{full.public_id}").json()
    moved = json.dumps(out).replace("http://testserver", "https://elsewhere.example")
    moved = json.loads(moved.replace('"e-x2"', '"e-x3"'))

    reply = send(as_reporter, moved, version)

    assert reply.status_code == 201, reply.content
    again = reply.json()
    for shown in (out, again):
        shown.pop("id")
        shown["meta"].pop("lastUpdated")
    assert json.loads(json.dumps(again).replace('"e-x3"', '"e-x2"')) == out
    bodies = [
        as_reporter.get(f"/api/v1/events/{each.public_id}/").json()
        for each in (full, Event.objects.get(source_id="e-x3"))
    ]
    differing = {name for name in DECLARED[RowKind.EVENT] if bodies[0][name] != bodies[1][name]}
    assert differing == {"source_id"}


@pytest.mark.parametrize("version", ["r4", "r5"])
def test_round_trip_of_a_near_miss_without_an_implant(as_reporter, make, version):
    event = make(
        source_id="n-1",
        actuality="near-miss",
        outcome="not-applicable",
        severity="",
        component_model="synchromed-ii-40",
        age_band="40-64",
    )
    out = as_reporter.get(f"/fhir/{version}/AdverseEvent/{event.public_id}").json()

    again = json.loads(json.dumps(out).replace('"n-1"', '"n-2"'))
    reply = send(as_reporter, again, version)

    assert reply.status_code == 201, reply.content
    first, second = (
        as_reporter.get(f"/api/v1/events/{each.public_id}/").json()
        for each in Event.objects.order_by("pk")
    )
    assert {name for name in DECLARED[RowKind.EVENT] if first[name] != second[name]} == {
        "source_id"
    }


def test_submitted_state_submits_and_a_later_one_is_judged_anew(as_reporter):
    extension = [
        ours("severity", valueInteger=2),
        ours("seriousness", valueCode="none"),
        ours("component-model", valueCode="synchromed-ii-40"),
        ours("state", valueCode="accepted"),
    ]
    body = resource(extension=extension, outcome=coded(f"{HL7}/adverse-event-outcome", "resolved"))

    assert warnings(as_reporter, body) == [("AdverseEvent.extension", "judged-here")]
    assert Event.objects.get().state == "submitted"


def test_submitted_report_needs_what_every_door_asks(as_reporter):
    body = resource(date=None, extension=[ours("state", valueCode="submitted")])

    assert ("AdverseEvent.date", "required") in faults(send(as_reporter, body))
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("concept", "complication"),
    [
        (coded("urn:pump-registry:complications", "catheter-migration"), "catheter-migration"),
        ({"text": "Pump pocket infection"}, "infection-pocket"),
        ({"coding": [{"display": "Pump pocket infection"}]}, "infection-pocket"),
        ({"text": "infected pump pocket"}, "infection-pocket"),
        (coded("urn:pump-registry:imdrf:annex-a", "A0303"), "drug-precipitation"),
        (coded("https://www.imdrf.org/annex-a", "A0303"), "drug-precipitation"),
    ],
)
def test_complication_is_read_by_code_then_imdrf_then_name(as_reporter, concept, complication):
    reply = send(as_reporter, resource(event=concept))

    assert reply.status_code == 201, reply.content
    assert Event.objects.get().complication_id == complication


def test_several_candidates_are_named(as_reporter):
    body = resource(event=coded("urn:pump-registry:imdrf:annex-e", "E1906"))

    reply = send(as_reporter, body)

    assert faults(reply) == [("AdverseEvent.event", "several-codes")]
    said = reply.json()["issue"][0]["diagnostics"]
    assert "infection-pocket" in said
    assert "infection-catheter-tract" in said


@pytest.mark.parametrize(
    ("elements", "column", "value"),
    [
        ({"severity": coded(f"{HL7}/adverse-event-severity", "mild")}, "severity", 1),
        ({"severity": coded(f"{HL7}/adverse-event-severity", "moderate")}, "severity", 2),
        ({"outcome": coded(f"{HL7}/adverse-event-outcome", "ongoing")}, "outcome", "not-recovered"),
        (
            {"seriousness": coded(f"{HL7}/adverse-event-seriousness", "non-serious")},
            "seriousness",
            ["none"],
        ),
        (
            {
                "seriousness": coded(
                    f"{HL7}/adverse-event-seriousness", "SeriousResultsInHospitalization"
                )
            },
            "seriousness",
            ["hospitalisation"],
        ),
        ({"actuality": "potential"}, "actuality", "near-miss"),
        (
            {"extension": [ours("interventions", valueCode="antibiotics")]},
            "interventions",
            ["antibiotics"],
        ),
    ],
)
def test_hl7s_codes_are_read(as_reporter, elements, column, value):
    reply = send(as_reporter, resource(**elements))

    assert reply.status_code == 201, reply.content
    event = Event.objects.get()
    assert as_reporter.get(f"/api/v1/events/{event.public_id}/").json()[column] == value


def test_implant_is_read_from_the_contained_device_or_its_identifier(registry, as_reporter):
    implanted(registry.reporter)
    device = {"resourceType": "Device", "id": "d1", "identifier": [{"value": "i-x1"}]}
    months = [ours("months-since-implant", valueInteger=60)]
    contained = resource(
        contained=[device], suspectEntity=[{"instance": {"reference": "#d1"}}], extension=months
    )
    logical = resource(
        identifier={"system": f"{SITE}/events", "value": "e-f2"},
        suspectEntity=[{"instance": {"type": "Device", "identifier": {"value": "i-x1"}}}],
        extension=months,
    )

    for body in (contained, logical):
        reply = send(as_reporter, body)
        assert reply.status_code == 201, reply.content

    assert [event.implant.source_id for event in Event.objects.all()] == ["i-x1", "i-x1"]


@pytest.mark.parametrize(
    ("elements", "place", "code"),
    [
        ({"date": "2020-04-03"}, "date", "finer-than-kept"),
        ({"date": "2020-04"}, "date", "finer-than-kept"),
        ({"text": {"status": "generated", "div": SECRET}}, "text", "left-out"),
        ({"recorder": {"display": SECRET}}, "recorder", "left-out"),
        ({"study": [{"display": SECRET}]}, "study", "left-out"),
        ({"detected": "2020-04-03"}, "detected", "left-out"),
        ({"_date": {"id": "x"}}, "_date", "left-out"),
        ({"subject": {"display": SECRET}}, "subject", "left-out"),
        ({"subject": {"reference": "Patient/7"}}, "subject", "left-out"),
        ({"category": [coded("http://example.org", "x")]}, "category", "left-out"),
        ({"contained": [{"resourceType": "Patient"}]}, "contained[0]", "left-out"),
        (
            {"contained": [{"resourceType": "Device", "serialNumber": "X123456"}]},
            "contained[0]",
            "left-out",
        ),
        (
            {"extension": [{"url": "http://example.org/x", "valueString": SECRET}]},
            "extension[0]",
            "left-out",
        ),
        ({"suspectEntity": [{"instance": {"display": "?"}}]}, "suspectEntity[0]", "left-out"),
        (
            {"severity": coded(f"{HL7}/adverse-event-severity", "severe")},
            "severity",
            "grade-not-said",
        ),
        (
            {"seriousness": coded(f"{HL7}/adverse-event-seriousness", "Serious")},
            "seriousness",
            "criteria-not-said",
        ),
    ],
)
def test_what_is_not_kept_is_left_out_with_a_warning(as_reporter, elements, place, code):
    assert warnings(as_reporter, resource(**elements)) == [(f"AdverseEvent.{place}", code)]
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("elements", "place", "code"),
    [
        ({"actuality": "maybe"}, "actuality", "unknown-code"),
        ({"actuality": None}, "actuality", "required"),
        ({"subject": None}, "subject", "required"),
        ({"subject": "Patient/7"}, "subject", "bad-type"),
        ({"event": coded("http://snomed.info/sct", "7")}, "event", "unknown-code"),
        ({"event": "infection"}, "event", "bad-type"),
        ({"event": None}, "event", "required"),
        ({"event": coded("urn:pump-registry:complications", "x")}, "event", "unknown-code"),
        ({"date": "last year"}, "date", "bad-value"),
        ({"date": "1850"}, "date", "too-early"),
        ({"outcome": coded(f"{HL7}/adverse-event-outcome", "x")}, "outcome", "unknown-code"),
        ({"outcome": []}, "outcome", "bad-type"),
        ({"severity": {"text": "bad"}}, "severity", "unknown-code"),
        ({"seriousness": {"text": "bad"}}, "seriousness", "unknown-code"),
        ({"identifier": {"value": 7}}, "identifier.value", "bad-type"),
        ({"identifier": "e-1"}, "identifier", "bad-type"),
        ({"location": "HERE-1"}, "location", "bad-type"),
        ({"implicitRules": "http://example.org"}, "implicitRules", "not-understood"),
        ({"modifierExtension": [{"url": "x"}]}, "modifierExtension", "not-understood"),
        ({"extension": {}}, "extension", "bad-type"),
        ({"contained": {}}, "contained", "bad-type"),
        ({"suspectEntity": {}}, "suspectEntity", "bad-type"),
        ({"severty": {}}, "severty", "unknown-element"),
        ({"code": {}}, "code", "unknown-element"),
        ({"extension": [ours("severity", valueString="3")]}, "extension[0].value", "bad-type"),
        ({"extension": [ours("caused-by", valueReference={})]}, "extension[0].value", "required"),
        ({"extension": [ours("state", valueCode="withdrawn")]}, "extension", "unknown-code"),
        (
            {
                "severity": coded(f"{HL7}/adverse-event-severity", "mild"),
                "extension": [ours("severity", valueInteger=3)],
            },
            "severity",
            "contradicts-extension",
        ),
        (
            {
                "seriousness": coded(f"{HL7}/adverse-event-seriousness", "Non-serious"),
                "extension": [ours("seriousness", valueCode="death")],
            },
            "seriousness",
            "contradicts-extension",
        ),
        (
            {
                "extension": [
                    ours("alarm", valueCode="yes"),
                    ours("alarm", valueCode="no"),
                ]
            },
            "extension[1]",
            "contradictory",
        ),
    ],
)
def test_bad_resource_is_refused_at_its_place(as_reporter, elements, place, code):
    body = resource(**elements)
    if place.startswith("identifier"):
        body["location"] = {"identifier": {"value": "HERE-1"}}

    assert faults(send(as_reporter, body)) == [(f"AdverseEvent.{place}", code)]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("severity", {"valueInteger": 9}, "unknown-code"),
        ("mri-24h", {"valueCode": "maybe"}, "unknown-code"),
        ("months-since-implant", {"valueInteger": 5000}, "out-of-range"),
    ],
)
def test_faults_of_intake_name_the_extension(as_reporter, name, value, code):
    reply = send(as_reporter, resource(extension=[ours(name, **value)]))

    place = f"AdverseEvent.extension('{DEFINITIONS}/{name}').value"
    assert (place, code) in faults(reply)


def test_key_that_identifies_is_refused_without_repeating_it(as_reporter):
    body = resource(identifier={"system": f"{SITE}/events", "value": "MRN-1234567"})

    reply = send(as_reporter, body)

    assert faults(reply) == [("AdverseEvent.identifier.value", "identifier-found")]
    assert reply.json()["issue"][0]["code"] == "security"
    assert "1234567" not in reply.content.decode()


def test_key_is_of_the_sites_pattern_where_it_declared_one(registry, as_reporter):
    intake.declare_key_pattern("HERE-1", key_prefix="KSG-", key_digits=4, by=registry.manager)

    refused = send(as_reporter, resource())
    named = {"system": f"{SITE}/events", "value": "KSG-0001"}
    stored = send(as_reporter, resource(identifier=named))

    assert faults(refused) == [("AdverseEvent.identifier.value", "unlike-the-pattern")]
    assert "e-f1" not in refused.text
    assert stored.status_code == 201


def test_no_refusal_or_warning_repeats_a_value(as_reporter):
    body = resource(
        text={"div": SECRET},
        note=[{"text": SECRET}],
        date=SECRET,
        outcome={"text": SECRET},
        location={"display": SECRET},
        **{SECRET: SECRET},
    )

    assert SECRET not in send(as_reporter, body).content.decode()


def test_identifying_elements_are_nowhere_stored(as_reporter):
    warnings(as_reporter, resource(subject={"display": SECRET}, recorder={"display": SECRET}))

    event = Event.objects.get()
    stored = [as_reporter.get(f"/api/v1/events/{event.public_id}/{at}") for at in ("", "history/")]
    assert all(SECRET not in reply.content.decode() for reply in stored)


def test_another_sites_event_is_refused_like_an_unknown_sites(registry, as_reporter):
    there, nowhere = (
        send(
            as_reporter,
            resource(identifier={"value": "e-f1"}, location={"identifier": {"value": code}}),
        )
        for code in ("THERE-2", "NOWHERE-3")
    )

    assert there.status_code == nowhere.status_code == 403
    assert there.json() == nowhere.json()
    assert there.json()["issue"][0]["expression"] == ["AdverseEvent.location.identifier.value"]


@pytest.mark.parametrize(("key", "status"), [("p-x1", 201), ("p-x2", 400)])
def test_subject_is_the_patient_of_the_implant(registry, as_reporter, key, status):
    implanted(registry.reporter)
    body = resource(
        subject={"identifier": {"system": f"{SITE}/patients", "value": key}},
        suspectEntity=[{"instance": {"type": "Device", "identifier": {"value": "i-x1"}}}],
        extension=[ours("months-since-implant", valueInteger=60)],
    )

    reply = send(as_reporter, body)

    assert reply.status_code == status
    if status == 400:
        assert faults(reply) == [("AdverseEvent.subject", "other-patient")]
        assert not Event.objects.exists()


def test_known_source_id_is_a_conflict(as_reporter):
    send(as_reporter, resource())

    reply = send(as_reporter, resource())

    assert reply.status_code == 409
    assert reply.json()["issue"][0]["code"] == "duplicate"


def test_create_is_idempotent_by_key(as_reporter):
    key, body = (
        str(uuid4()),
        resource(identifier=None, location={"identifier": {"value": "HERE-1"}}),
    )

    first, second = (send(as_reporter, body, HTTP_IDEMPOTENCY_KEY=key) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Event.objects.get().source_id


def test_dry_run_judges_everything_and_stores_nothing(as_reporter):
    fine = send(as_reporter, resource(text={"div": "x"}), query="?dry_run=true")
    refused = send(as_reporter, resource(date="1850"), query="?dry_run=true")

    assert fine.status_code == 200
    assert [each["severity"] for each in fine.json()["issue"]] == ["information", "warning"]
    assert refused.status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("prefer", "kind"), [("minimal", None), ("representation", "AdverseEvent")]
)
def test_prefer_says_what_comes_back(as_reporter, prefer, kind):
    reply = send(as_reporter, resource(), HTTP_PREFER=f"handling=strict; return={prefer}")

    assert reply.status_code == 201
    assert (reply.json()["resourceType"] if reply.content else None) == kind


def test_conditional_create_is_refused(as_reporter):
    reply = send(as_reporter, resource(), HTTP_IF_NONE_EXIST="identifier=x")

    assert reply.status_code == 400
    assert not Event.objects.exists()


def test_token_needs_the_scope_to_write(registry):
    reply = send(client_of(registry.reporter, scopes=("read-rows",)), resource())

    assert reply.status_code == 403


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/fhir+json", 400),
        (b"[]", "application/fhir+json", 400),
        (b'{"resourceType": "Patient"}', "application/json", 400),
        (b"<AdverseEvent/>", "application/fhir+xml", 415),
    ],
)
def test_body_that_is_no_adverse_event_is_refused(as_reporter, body, content_type, status):
    reply = as_reporter.generic("POST", "/fhir/r4/AdverseEvent", body, content_type=content_type)

    assert reply.status_code == status
    assert reply.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("elements", "place", "code"),
    [
        ({"outcome": coded(f"{HL7}/adverse-event-outcome", "fatal")}, "outcome", "bad-type"),
        (
            {"severity": coded(f"{HL7}/adverse-event-severity", "mild")},
            "severity",
            "unknown-element",
        ),
        ({"occurrenceTiming": {}}, "occurrenceTiming", "unknown-element"),
        ({"occurrencePeriod": {}, "occurrenceDateTime": None}, "occurrencePeriod", "bad-value"),
        ({"mitigatingAction": [7]}, "mitigatingAction", "bad-type"),
        ({"identifier": {"value": "e-1"}}, "identifier", "bad-type"),
    ],
)
def test_elements_of_r5_are_its_own(as_reporter, elements, place, code):
    body = resource("r5", **elements)
    body["location"] = {"identifier": {"value": "HERE-1"}}

    assert faults(send(as_reporter, body, "r5")) == [(f"AdverseEvent.{place}", code)]


def test_period_is_read_by_its_start(as_reporter):
    body = resource(
        "r5", occurrenceDateTime=None, occurrencePeriod={"start": "2019", "end": "2020"}
    )

    assert warnings(as_reporter, body, "r5") == [("AdverseEvent.occurrencePeriod.end", "left-out")]
    assert Event.objects.get().year == 2019


@pytest.mark.parametrize("sent", ["2020-13", "2020-00", "2020-02-30", "2020-01-01T25:00x", "0000"])
def test_a_date_that_no_calendar_has_is_refused(registry, as_reporter, sent):
    assert faults(send(as_reporter, resource(date=sent))) == [("AdverseEvent.date", "bad-value")]


def device(key="i-x1", site="HERE-1"):
    system = f"http://testserver/api/v1/sites/{site}/implants"
    return {
        "resourceType": "Device",
        "id": "d",
        "identifier": [{"system": system, "value": key}],
    }


def test_a_reference_to_a_device_that_is_not_there_is_refused(registry, as_reporter):
    implanted(registry.reporter)
    suspect = {"instance": {"reference": "#d"}, "extension": [ours("suspect", valueCode="device")]}
    sent = {"extension": [ours("months-since-implant", valueInteger=60)]}
    whole = resource(suspectEntity=[suspect], contained=[device()], **sent)

    refused = [
        send(as_reporter, whole | {"contained": []}),
        send(as_reporter, whole | {"contained": [device() | {"id": "e"}]}),
        send(as_reporter, resource(suspectEntity=[{"instance": {"reference": "#d"}}], **sent)),
    ]

    for reply in refused:
        assert faults(reply) == [("AdverseEvent.suspectEntity[0]", "dangling-reference")]
    assert send(as_reporter, whole).status_code == 201
    assert Event.objects.get().implant.source_id == "i-x1"


def test_a_contained_resource_of_another_kind_is_no_missing_device(as_reporter):
    medication = {"resourceType": "Medication", "id": "m"}
    suspect = {"instance": {"reference": "#m"}}
    body = resource(suspectEntity=[suspect], contained=[medication])

    assert warnings(as_reporter, body) == [
        ("AdverseEvent.contained[0]", "left-out"),
        ("AdverseEvent.suspectEntity[0]", "left-out"),
    ]


def test_a_device_elsewhere_is_left_out_with_a_warning(registry, as_reporter):
    body = resource(suspectEntity=[{"instance": {"reference": "Device/7"}}])

    place = "AdverseEvent.suspectEntity[0].instance"
    assert warnings(as_reporter, body) == [(place, "left-out")]


def test_keys_of_another_site_are_refused(registry, as_reporter):
    implanted(registry.reporter)
    system = "http://testserver/api/v1/sites/THERE-2/patients"
    subject = {"identifier": {"system": system, "value": "p-x1"}}
    suspect = [{"instance": {"reference": "#d"}}]

    other_device = resource(suspectEntity=suspect, contained=[device(site="THERE-2")])
    other_patient = resource(subject=subject)

    place = "AdverseEvent.suspectEntity[0].instance.identifier.system"
    assert faults(send(as_reporter, other_device)) == [(place, "contradictory")]
    place = "AdverseEvent.subject.identifier.system"
    assert faults(send(as_reporter, other_patient)) == [(place, "contradictory")]


@pytest.mark.parametrize(
    ("element", "system", "codes"),
    [
        ("event", "urn:pump-registry:complications", ("infection-pocket", "csf-leak")),
        ("severity", f"{HL7}/adverse-event-severity", ("mild", "severe")),
        ("outcome", f"{HL7}/adverse-event-outcome", ("resolved", "ongoing")),
        ("outcome", "urn:pump-registry:codelist:outcome", ("recovered", "fatal")),
    ],
)
def test_several_codes_of_one_system_are_refused(registry, as_reporter, element, system, codes):
    concept = {"coding": [{"system": system, "code": code} for code in codes]}
    same = {"coding": [{"system": system, "code": codes[0]}] * 2}

    reply = send(as_reporter, resource(**{element: concept}))

    assert faults(reply) == [(f"AdverseEvent.{element}", "several-codes")]
    assert send(as_reporter, resource(**{element: same})).status_code == 201


@pytest.mark.parametrize(("ours_says", "status"), [("recovered", 201), ("fatal", 400)])
def test_an_outcome_in_both_systems_is_one(registry, as_reporter, ours_says, status):
    codings = (
        {"system": f"{HL7}/adverse-event-outcome", "code": "resolved"},
        {"system": "urn:pump-registry:codelist:outcome", "code": ours_says},
    )

    for number, both in enumerate((codings, codings[::-1])):
        body = resource(outcome={"coding": list(both)})
        body["identifier"]["value"] = f"e-{number}x"
        assert send(as_reporter, body).status_code == status


def test_several_causes_are_refused_where_one_is_kept(registry, as_reporter):
    codes = ("surgical-technique", "programming-error")
    items = [
        {"itemCodeableConcept": coded("urn:pump-registry:codelist:root-cause", code)}
        for code in codes
    ]

    reply = send(as_reporter, resource("r5", contributingFactor=items), "r5")

    assert faults(reply) == [("AdverseEvent.contributingFactor", "several-codes")]


def test_dates_that_differ_are_refused(registry, as_reporter):
    reply = send(as_reporter, resource("r5", occurrencePeriod={"start": "2019"}), "r5")

    assert faults(reply) == [("AdverseEvent.occurrencePeriod.start", "contradictory")]


@pytest.mark.parametrize("status", ["entered-in-error", "finished", None, ["completed"]])
def test_a_status_that_no_new_report_has_is_refused(registry, as_reporter, status):
    body = resource("r5") | {"status": status}

    assert faults(send(as_reporter, body, "r5")) == [("AdverseEvent.status", "unknown-code")]


def test_r4_has_no_status(registry, as_reporter):
    body = resource() | {"status": "completed"}

    assert faults(send(as_reporter, body)) == [("AdverseEvent.status", "unknown-element")]


def test_two_codes_in_one_text_are_none(registry, as_reporter):
    body = resource(extension=[ours("interventions", valueCode="wound-care;antibiotics")])
    plain = {"site": "HERE-1", "source_id": "e-9", "complication": "csf-leak"}

    reply = as_reporter.post(
        "/api/v1/events/",
        json.dumps(plain | {"interventions": ["wound-care;antibiotics"]}),
        content_type="application/json",
    )

    assert faults(send(as_reporter, body)) == [("AdverseEvent.extension[0].value", "unknown-code")]
    assert [(each["pointer"], each["code"]) for each in reply.json()["errors"]] == [
        ("/interventions", "bad-type")
    ]
    assert not Event.objects.exists()

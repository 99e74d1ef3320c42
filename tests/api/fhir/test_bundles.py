"""Bundles of new events: all or none in a transaction, each by itself in a batch."""

import json
from uuid import uuid4

import pytest

from registry.models import Event
from tests.api.conftest import client_of
from tests.api.fhir.conftest import DEFINITIONS, SITE, implanted
from tests.api.fhir.test_create import faults, ours, resource


def keyed(key, **elements):
    return resource(identifier={"system": f"{SITE}/events", "value": key}, **elements)


def bundle(kind, *resources, **request):
    request = {"method": "POST", "url": "AdverseEvent", **request}
    entries = [{"resource": each, "request": request} for each in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def send(client, body, query="", at="/fhir/r4", **headers):
    return client.post(
        f"{at}{query}", json.dumps(body), content_type="application/fhir+json", **headers
    )


BAD = {"date": "1850"}


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize("at", ["/fhir/r4", "/fhir/r4/"])
def test_events_of_a_bundle_are_stored(as_reporter, kind, at):
    reply = send(as_reporter, bundle(kind, keyed("b-1"), keyed("b-2", text={"div": "x"})), at=at)

    assert reply.status_code == 200, reply.content
    shown = reply.json()
    assert (shown["resourceType"], shown["type"]) == ("Bundle", f"{kind}-response")
    first, second = (each["response"] for each in shown["entry"])
    event = Event.objects.get(source_id="b-1")
    assert first == {
        "status": "201 Created",
        "location": f"http://testserver/fhir/r4/AdverseEvent/{event.public_id}",
        "etag": 'W/"1"',
    }
    (warning,) = second["outcome"]["issue"]
    assert warning["expression"] == ["Bundle.entry[1].resource.text"]
    assert Event.objects.count() == 2


def test_transaction_stores_all_or_none_and_names_every_fault(as_reporter):
    unread = keyed("b-3", actuality="maybe")

    reply = send(as_reporter, bundle("transaction", keyed("b-1"), keyed("b-2", **BAD), unread))

    assert sorted(faults(reply)) == [
        ("Bundle.entry[1].resource.date", "too-early"),
        ("Bundle.entry[2].resource.actuality", "unknown-code"),
    ]
    assert not Event.objects.exists()


def test_batch_stores_each_by_itself(as_reporter):
    reply = send(as_reporter, bundle("batch", keyed("b-1"), keyed("b-2", **BAD), keyed("b-1")))

    stored, refused, again = (each["response"] for each in reply.json()["entry"])
    assert (stored["status"], refused["status"]) == ("201 Created", "400 Bad Request")
    assert again["status"] == "409 Conflict"
    (issue,) = refused["outcome"]["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.date"]
    assert Event.objects.get().source_id == "b-1"


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_dry_run_stores_nothing(as_reporter, kind):
    reply = send(as_reporter, bundle(kind, keyed("b-1"), keyed("b-2")), "?dry_run=true")

    assert [each["response"] for each in reply.json()["entry"]] == [{"status": "200 OK"}] * 2
    assert not Event.objects.exists()


def test_transaction_stores_causes_first(registry, as_reporter):
    implanted(registry.reporter)
    suspect = {"instance": {"type": "Device", "identifier": {"value": "i-x1"}}}

    def chained(key, months, cause=None):
        extension = [ours("months-since-implant", valueInteger=months)]
        if cause:
            extension.append(ours("caused-by", valueReference={"identifier": {"value": cause}}))
        return keyed(key, suspectEntity=[suspect], extension=extension)

    body = bundle(
        "transaction", chained("b-3", 62, "b-2"), chained("b-2", 61, "b-1"), chained("b-1", 60)
    )
    reply = send(as_reporter, body)

    assert reply.status_code == 200, reply.content
    causes = {event.source_id: event.caused_by for event in Event.objects.all()}
    assert [str(causes[key] and causes[key].source_id) for key in ("b-1", "b-2", "b-3")] == [
        "None",
        "b-1",
        "b-2",
    ]
    order = [each["response"]["location"].split("/")[-1] for each in reply.json()["entry"]]
    assert order[0] == str(Event.objects.get(source_id="b-3").public_id)


def test_circle_of_causes_is_refused(as_reporter):
    def named(key, cause):
        return keyed(
            key,
            extension=[
                {
                    "url": f"{DEFINITIONS}/caused-by",
                    "valueReference": {"identifier": {"value": cause}},
                }
            ],
        )

    reply = send(as_reporter, bundle("transaction", named("b-1", "b-2"), named("b-2", "b-1")))

    assert reply.status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"resourceType": "AdverseEvent"}, "Bundle", "not-a-bundle"),
        ({"type": "message"}, "Bundle.type", "unknown-code"),
        ({"entry": {}}, "Bundle.entry", "bad-type"),
        ({"entry": [{}] * 501}, "Bundle.entry", "bad-type"),
        ({"entry": [7]}, "Bundle.entry[0].request", "required"),
        (
            {"entry": [{"request": {"method": "PUT", "url": "AdverseEvent/1"}}]},
            "Bundle.entry[0].request",
            "not-supported",
        ),
        (
            {"entry": [{"request": {"method": "POST", "url": "Patient"}}]},
            "Bundle.entry[0].request",
            "not-supported",
        ),
        (
            {"entry": [{"request": {"method": "POST", "url": "AdverseEvent", "ifNoneExist": ""}}]},
            "Bundle.entry[0].request.ifNoneExist",
            "not-supported",
        ),
        (
            {"entry": [{"request": {"method": "POST", "url": "AdverseEvent"}}]},
            "Bundle.entry[0].resource",
            "not-an-adverse-event",
        ),
    ],
)
def test_malformed_bundle_is_refused_at_its_place(as_reporter, change, place, code):
    body = bundle("transaction", keyed("b-1")) | change

    assert faults(send(as_reporter, body)) == [(place, code)]
    assert not Event.objects.exists()


def test_bundle_is_idempotent_by_key(as_reporter):
    key, body = str(uuid4()), bundle("transaction", keyed("b-1"))

    first, second = (send(as_reporter, body, HTTP_IDEMPOTENCY_KEY=key) for _ in range(2))

    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"


def test_bundle_needs_the_scope_to_write(registry):
    reply = send(client_of(registry.reporter, scopes=("read-rows",)), bundle("batch"))

    assert reply.status_code == 403


def test_another_sites_events_are_refused(registry):
    reply = send(client_of(registry.stranger), bundle("batch", keyed("b-1")))

    assert reply.json()["entry"][0]["response"]["status"] == "403 Forbidden"
    assert not Event.objects.exists()


def caused(key, by):
    cause = ours("caused-by", valueReference={"identifier": {"value": by}})
    return keyed(key, extension=[cause])


@pytest.mark.parametrize("links", [{"b-1": "b-1"}, {"b-1": "b-2", "b-2": "b-1"}])
def test_a_circle_of_causes_is_told_as_one(as_reporter, links):
    entries = [caused(key, by) for key, by in links.items()]

    refused = send(as_reporter, bundle("transaction", keyed("b-0"), *entries))

    assert sorted({code for _path, code in faults(refused)}) == ["circle"]
    assert len(faults(refused)) == len(links)
    assert not Event.objects.exists()


def test_an_event_that_names_itself_as_its_cause_is_a_circle_alone_too(as_reporter):
    body = caused("b-1", "b-1")

    alone = as_reporter.post(
        "/fhir/r4/AdverseEvent", json.dumps(body), content_type="application/fhir+json"
    )

    assert [code for _path, code in faults(alone)] == ["circle"]


def test_a_dry_run_of_a_batch_finds_what_the_run_finds(as_reporter):
    body = bundle("batch", keyed("b-1"), keyed("b-2", **BAD), keyed("b-1"))

    dry = send(as_reporter, body, "?dry_run=true").json()["entry"]
    assert not Event.objects.exists()
    run = send(as_reporter, body).json()["entry"]

    assert [each["response"]["status"][:3] for each in dry] == ["200", "400", "409"]
    assert [each["response"]["status"][:3] for each in run] == ["201", "400", "409"]

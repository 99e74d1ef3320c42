"""A site's own mapping of words and codes, in FHIR as in files."""

import json

import pytest

from registry import intake
from registry.models import Event
from registry.records import Refusal
from tests.api.conftest import client_of
from tests.api.fhir.test_create import coded, faults, resource, send

SNOMED = "http://snomed.info/sct"
KINKED = f"{SNOMED}|62014003"
MAPPING = {
    "complication": {KINKED: "catheter-kink", "Knick": "Catheter kink", "K-7": "catheter-leak"},
    "outcome": {"http://example.org/outcome|ok": "recovered"},
    "relatedness_device": {"certain": "probable"},
    "root_cause": {f"{SNOMED}|123456789": "infection-perioperative"},
}


@pytest.fixture
def mapped(registry):
    """The first site keeps that mapping."""
    intake.keep_words(registry.here, mapping=json.dumps(MAPPING).encode(), by=registry.manager)


@pytest.mark.parametrize("version", ["r4", "r5"])
@pytest.mark.parametrize(
    ("concept", "complication"),
    [
        (coded(SNOMED, "62014003"), "catheter-kink"),
        ({"text": "knick"}, "catheter-kink"),
        ({"coding": [{"system": SNOMED, "code": "1", "display": "KNICK"}]}, "catheter-kink"),
        (coded("http://example.org/own", "K-7"), "catheter-leak"),
    ],
)
def test_complication_is_read_by_the_sites_own_mapping(
    version, concept, complication, mapped, as_reporter
):
    element = "event" if version == "r4" else "code"

    reply = send(as_reporter, resource(version, **{element: concept}), version)

    assert reply.status_code == 201, reply.json()
    assert Event.objects.get().complication_id == complication


def test_other_columns_are_read_by_it_too(mapped, as_reporter):
    body = resource(
        "r5",
        outcome=[coded("http://example.org/outcome", "ok")],
        contributingFactor=[{"itemCodeableConcept": coded(SNOMED, "123456789")}],
    )

    assert send(as_reporter, body, "r5").status_code == 201
    event = Event.objects.get()
    assert (event.outcome, event.root_cause) == ("recovered", "infection-perioperative")


def test_our_own_code_goes_before_the_mapping(mapped, as_reporter):
    both = coded("urn:pump-registry:complications", "infection-pocket", text="Knick")

    assert send(as_reporter, resource(event=both)).status_code == 201
    assert Event.objects.get().complication_id == "infection-pocket"


def test_mapping_of_a_site_is_for_its_members_alone(mapped, registry):
    intake.add_member(registry.there, user=registry.manager, by=None)

    reply = send(client_of(registry.manager), resource(event=coded(SNOMED, "62014003")))

    assert reply.status_code == 400
    assert ("AdverseEvent.event", "unknown-code") in faults(reply)


def test_code_in_another_system_is_not_the_mapped_one(mapped, as_reporter):
    reply = send(as_reporter, resource(event=coded("http://example.org", "62014003")))

    assert ("AdverseEvent.event", "unknown-code") in faults(reply)


@pytest.mark.parametrize("word", [KINKED, "urn:oid:2.16.840.1.113883.6.163|10007925"])
def test_long_code_is_kept_with_its_system(word, registry):
    mapping = json.dumps({"complication": {word: "catheter-kink"}}).encode()

    kept = intake.keep_words(registry.here, mapping=mapping, by=registry.manager)

    assert kept.words == {"complication": {word: "catheter-kink"}}


@pytest.mark.parametrize(
    "word",
    ["62014003", "MRN|12345678", f"{SNOMED}|{'1' * 19}", "http://snomed.info/sct 62014003"],
)
def test_long_number_without_a_system_is_a_record_number(word, registry):
    mapping = json.dumps({"complication": {word: "catheter-kink"}}).encode()

    with pytest.raises(Refusal) as refusal:
        intake.keep_words(registry.here, mapping=mapping, by=registry.manager)

    assert [each.code for each in refusal.value.faults] == ["identifier-found"]

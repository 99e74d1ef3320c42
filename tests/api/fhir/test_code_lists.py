"""Our code lists as CodeSystem and ValueSet: valid, open to all, and those of what is sent."""

import pytest

from registry.interchange.fhir import OURS
from tests.api.fhir.conftest import BASE
from tests.api.fhir.test_create import faults, resource, send
from tests.api.fhir.test_validation import VERSIONS, hold


def resources(client, kind, version="r5"):
    bundle = client.get(f"/fhir/{version}/{kind}").json()
    return {each["resource"]["url"]: each["resource"] for each in bundle["entry"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["CodeSystem", "ValueSet"])
def test_every_list_is_valid_and_open_to_all(version, kind, client, registry):
    bundle = client.get(f"/fhir/{version}/{kind}").json()

    hold(bundle, version)
    assert bundle["total"] == len(bundle["entry"]) >= 20
    one = client.get(bundle["entry"][0]["fullUrl"].removeprefix(BASE)).json()
    assert one == bundle["entry"][0]["resource"]


def codings_of(part):
    """Every coding inside a resource."""
    if isinstance(part, dict):
        if {"system", "code"} <= part.keys():
            yield part["system"], part["code"]
        for inner in part.values():
            yield from codings_of(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from codings_of(inner)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_code_that_is_sent_is_one_of_its_system(version, client, as_reporter, full):
    systems = {
        url: {each["code"] for each in found["concept"]}
        for url, found in resources(client, "CodeSystem", version).items()
    }
    sent = as_reporter.get(f"/fhir/{version}/AdverseEvent/{full.public_id}").json()
    ours = [each for each in codings_of(sent) if each[0].startswith(f"{OURS}:c")]

    assert len(ours) >= 4
    assert [each for each in ours if each[1] not in systems[each[0]]] == []


def test_every_extension_of_a_code_is_bound_to_the_set_of_what_is_sent(client, as_reporter, full):
    sets = {
        url: {each["code"] for each in found["compose"]["include"][0]["concept"]}
        for url, found in resources(client, "ValueSet").items()
    }
    sent = as_reporter.get(f"/fhir/r4/AdverseEvent/{full.public_id}").json()
    coded = [each for each in sent["extension"] if "valueCode" in each]

    assert len(coded) >= 6
    for extension in coded:
        definition = client.get(extension["url"].removeprefix(BASE)).json()
        hold(definition, "r5")
        *_others, value = definition["differential"]["element"]
        assert extension["valueCode"] in sets[value["binding"]["valueSet"]], extension["url"]


@pytest.mark.parametrize("version", VERSIONS)
def test_code_of_no_list_is_refused_where_it_stands(version, as_reporter):
    url = f"{BASE}/fhir/r5/StructureDefinition/detection"
    sent = resource(version, extension=[{"url": url, "valueCode": "zebra"}])

    reply = send(as_reporter, sent, version)

    assert reply.status_code == 400
    assert faults(reply) == [(f"AdverseEvent.extension('{url}').value", "unknown-code")]
    (issue,) = reply.json()["issue"]
    assert (issue["code"], "zebra" in reply.text) == ("code-invalid", False)


def test_list_is_found_by_its_address_and_another_is_not_found(client, registry):
    found = client.get(f"/fhir/r4/CodeSystem?url={OURS}:codelist:outcome").json()
    none = client.get("/fhir/r4/ValueSet?url=zebra").json()
    missing = client.get("/fhir/r4/ValueSet/zebra")

    assert [each["resource"]["id"] for each in found["entry"]] == ["outcome"]
    assert (none["total"], "entry" in none) == (0, False)
    assert (missing.status_code, missing.json()["resourceType"]) == (404, "OperationOutcome")

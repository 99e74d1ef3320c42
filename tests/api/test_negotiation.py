"""Which format a caller is given, by the qualities of Accept (RFC 9110, 12.5.1)."""

import pytest

EVENTS = "/api/v1/events/"


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/csv, application/json;q=0.9", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.9", "application/json"),
        ("application/json;q=0.1, text/*;q=0.2", "text/csv"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
        ("text/csv;q=0, text/*", None),
        ("text/csv;q=0, text/*, */*;q=0.1", "application/json"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0.9;header=present, application/json; charset=utf-8", "application/json"),
        ("text/csv;q=many, application/json;q=0.9", "text/csv"),
        ("image/png, text/html", None),
    ],
)
def test_format_is_the_one_that_the_caller_likes_best(accept, given, as_reporter):
    reply = as_reporter.get(EVENTS, HTTP_ACCEPT=accept)

    assert reply.status_code == (200 if given else 406)
    assert reply["Content-Type"].split(";")[0] == (given or "application/problem+json")


def test_format_of_the_address_goes_before_accept(as_reporter):
    reply = as_reporter.get(f"{EVENTS}?format=json", HTTP_ACCEPT="text/csv, */*;q=0")

    assert reply["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("application/json;q=0.2, application/fhir+json;q=0.1", "application/json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ("application/fhir+xml, application/json;q=0.5", "application/json"),
    ],
)
def test_fhir_has_two_names_for_json(accept, given, as_reporter):
    reply = as_reporter.get("/fhir/r4/metadata", HTTP_ACCEPT=accept)

    assert reply["Content-Type"] == given


def test_schema_is_had_as_json_by_accept(client, db):
    reply = client.get("/api/v1/schema/", HTTP_ACCEPT="application/yaml;q=0.5, application/json")

    assert reply["Content-Type"].split(";")[0] == "application/json"

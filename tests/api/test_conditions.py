"""Conditional reading and writing of rows, and headers as clients and proxies send them."""

import pytest
from rest_framework.test import APIClient

from registry.models import AccessLog, Token
from registry.vocabulary import TokenScope
from tests.api.conftest import client_of, stored
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory

EVENTS = "/api/v1/events/"


@pytest.fixture
def address(registry):
    return f"{EVENTS}{stored(registry.reporter).public_id}/"


@pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"1-gzip"', 'W/"1-gzip"', '"7", "1"', "*"])
def test_row_that_the_caller_has_is_not_sent_again(known, address, as_reporter):
    looks = AccessLog.objects.count()

    reply = as_reporter.get(address, headers={"If-None-Match": known})

    assert (reply.status_code, reply.content, reply["ETag"]) == (304, b"", '"1"')
    assert AccessLog.objects.count() == looks + 1


@pytest.mark.parametrize("known", ['"2"', "", "1"])
def test_row_in_another_version_is_sent(known, address, as_reporter):
    assert as_reporter.get(address, headers={"If-None-Match": known}).status_code == 200


def test_row_of_another_site_is_missing_before_it_is_unchanged(address, registry):
    reply = client_of(registry.stranger).get(address, headers={"If-None-Match": "*"})

    assert reply.status_code == 404


@pytest.mark.parametrize(("tag", "status"), [('W/"1"', 200), ('"1-gzip"', 200), ('W/"2"', 412)])
def test_change_knows_a_tag_that_a_proxy_rewrote(tag, status, address, as_reporter):
    reply = as_reporter.patch(address, {"severity": 3}, format="json", headers={"If-Match": tag})

    assert reply.status_code == status


def test_change_needs_the_version_that_was_read(address, as_reporter):
    reply = as_reporter.patch(address, {"severity": 3}, format="json")

    assert (reply.status_code, reply.json()["code"]) == (428, "version-required")
    assert reply.json()["errors"][0]["parameter"] == "If-Match"
    assert as_reporter.get(address)["ETag"] == '"1"'


def test_change_of_whatever_is_stored_says_so(address, as_reporter):
    reply = as_reporter.patch(address, {"severity": 3}, format="json", headers={"If-Match": "*"})

    assert (reply.status_code, reply["ETag"]) == (200, '"2"')


def test_row_of_another_site_is_missing_before_its_version_is_asked_for(address, registry):
    reply = client_of(registry.stranger).patch(address, {"severity": 3}, format="json")

    assert reply.status_code == 404


@pytest.mark.parametrize("rows", ["patients", "implants", "exposures"])
def test_change_of_any_row_needs_the_version_that_was_read(rows, registry):
    patient = PatientFactory(site=registry.here)
    row = {
        "patients": lambda: patient,
        "implants": lambda: ImplantFactory(patient=patient),
        "exposures": lambda: ExposureFactory(site=registry.here),
    }[rows]()

    reply = client_of(registry.manager).patch(f"/api/v1/{rows}/{row.public_id}/", {}, format="json")

    assert (reply.status_code, reply.json()["code"]) == (428, "version-required")


@pytest.mark.parametrize("word", ["Token", "token", "Bearer", "bearer"])
def test_token_is_taken_under_either_word(word, registry):
    _token, key = Token.objects.create(
        user=registry.reporter, scopes=frozenset({TokenScope.READ_ROWS})
    )

    reply = APIClient().get(EVENTS, headers={"Authorization": f"{word} {key}"})

    assert reply.status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer nothing", "Basic abc"])
def test_header_without_a_token_of_the_registry_is_refused(header, registry):
    reply = APIClient().get(EVENTS, headers={"Authorization": header})

    assert (reply.status_code, reply.json()["code"]) == (401, "not-authenticated")


@pytest.mark.parametrize("format", ["csv", "svg", "png", "vega", "json"])
def test_options_are_told_in_json_whatever_is_asked(format, registry):
    client = client_of(registry.reviewer)
    accept = {"csv": "text/csv", "svg": "image/svg+xml"}.get(format, "*/*")

    by_parameter = client.options(f"/api/v1/statistics/rates/?format={format}")
    by_header = client.options("/api/v1/statistics/rates/", headers={"Accept": accept})

    for reply in (by_parameter, by_header):
        assert (reply.status_code, reply["Content-Type"]) == (200, "application/json")
        assert "text/csv" in reply.json()["renders"]


def test_form_of_too_many_fields_is_too_large(registry):
    reply = APIClient().post("/api/v1/tokens/", {f"f{n}": "1" for n in range(6000)})

    assert (reply.status_code, reply.json()["code"]) == (413, "body-too-large")

"""Refusals that every address shares."""

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.test import APIClient
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from registry.api import catalogue
from registry.api.problems import problem_response
from registry.records import (
    BadQuery,
    Fault,
    IdentifierFound,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    NotYourSite,
    Refusal,
    RowRuleBroken,
    StateConflict,
    UnknownRow,
    VersionConflict,
)

KEYS = {"type", "title", "status", "code", "detail", "errors"}


def locked():
    """What Django raises where SQLite waited too long."""
    error = OperationalError("database is locked")
    error.sqlite_errorcode = 5
    return error


@pytest.fixture
def client(registry):
    return APIClient()


def check(reply, status, code):
    assert reply.status_code == status
    assert reply["Content-Type"] == "application/problem+json"
    body = reply.json()
    assert body.keys() >= KEYS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:pump-registry:problem:{code}"


@pytest.mark.parametrize("address", ["nothing/", "events/7/", "complications/a/b/", ""])
def test_unknown_address_is_a_problem(client, address):
    check(client.get(f"/api/v1/{address}"), 404, "not-found")


@pytest.mark.django_db
def test_stranger_is_told_how_to_have_a_token(client):
    reply = client.get("/api/v1/events/")

    assert reply.status_code == 401
    assert "Authorization: Token" in reply.json()["detail"]
    assert "/api/v1/tokens/" in reply.json()["detail"]


def test_reader_who_forgot_the_slash_is_led_to_the_address(client):
    reply = client.get("/api/v1/complications?q=kink")

    assert reply.status_code == 301
    assert reply["Location"] == "/api/v1/complications/?q=kink"


def test_write_without_the_slash_is_not_led_astray(client):
    check(client.post("/api/v1/events", {}, format="json"), 404, "not-found")


def test_unknown_method_is_a_problem(client):
    reply = client.put("/api/v1/complications/", {}, format="json")

    check(reply, 405, "method-not-allowed")
    assert "GET" in reply["Allow"]


def test_unreadable_media_type_is_a_problem(as_reporter):
    reply = as_reporter.post("/api/v1/events/", "<x/>", content_type="application/xml")

    check(reply, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"year": NaN}',
        b'{"year": 1, "year": 2}',
        b"[" * 100_000,
    ],
)
def test_unreadable_body_is_a_problem(as_reporter, body):
    reply = as_reporter.post("/api/v1/events/", body, content_type="application/json")

    check(reply, 400, "bad-request")


def test_body_may_begin_with_the_mark_of_utf_8(as_reporter):
    """As Windows' editor writes it, and curl sends it."""
    body = b'\xef\xbb\xbf{"site": "HERE-1"}'
    reply = as_reporter.post("/api/v1/events/", body, content_type="application/json")

    assert [each["pointer"] for each in reply.json()["errors"]] == ["/complication"]


def test_body_in_other_letters_than_utf_8_is_said_so(as_reporter):
    body = '{"site": "Zürich"}'.encode("cp1252")
    reply = as_reporter.post("/api/v1/events/", body, content_type="application/json")

    assert (reply.status_code, reply.json()["detail"]) == (
        400,
        "The body is not UTF-8: send it so.",
    )


def test_field_given_twice_is_said_so(as_reporter):
    reply = as_reporter.post(
        "/api/v1/events/", b'{"year": 1, "year": 2}', content_type="application/json"
    )

    assert reply.json()["detail"] == "The body gives a field twice: give each field once."


def test_body_of_more_than_a_mebibyte_is_refused(as_reporter):
    reply = as_reporter.post(
        "/api/v1/events/", b" " * ((1 << 20) + 1), content_type="application/json"
    )

    check(reply, 413, "body-too-large")


def test_body_that_is_not_even_read_is_too_large_and_not_forbidden(as_reporter, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    reply = as_reporter.post("/api/v1/events/", {"organism": "x" * 2000}, format="json")

    check(reply, 413, "body-too-large")
    assert reply.json()["detail"] == "Send a smaller body."


def test_unknown_format_names_those_there_are(client):
    reply = client.get("/api/v1/complications/", {"format": "xml"})

    check(reply, 400, "unknown-code")
    assert reply.json()["errors"] == [
        {"parameter": "format", "code": "unknown-code", "detail": "Ask for json."}
    ]


@pytest.mark.parametrize("format", ["csv", "svg", "png", "vega"])
def test_format_that_an_address_does_not_render_is_not_acceptable(client, format):
    reply = client.get("/api/v1/complications/", {"format": format})

    check(reply, 406, "format-not-available")


def test_two_formats_are_one_too_many(client):
    check(client.get("/api/v1/complications/?format=json&format=csv"), 400, "repeated-parameter")


def test_accept_header_that_nothing_meets_is_not_acceptable(client):
    check(client.get("/api/v1/complications/", HTTP_ACCEPT="image/png"), 406, "not-acceptable")


def test_problem_is_json_whatever_was_asked(client):
    reply = client.get("/api/v1/complications/none/", HTTP_ACCEPT="application/json")

    check(reply, 404, "not-found")


def test_failure_is_told_without_its_words(registry, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("Zebulon")

    monkeypatch.setattr(catalogue, "every_complication", fail)
    client = APIClient(raise_request_exception=False)

    reply = client.get("/api/v1/complications/")

    check(reply, 500, "internal-error")
    assert "Zebulon" not in reply.content.decode()


def test_failure_is_logged(registry, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise RuntimeError("Zebulon")

    monkeypatch.setattr(catalogue, "every_complication", fail)
    APIClient(raise_request_exception=False).get("/api/v1/complications/")

    assert "An API view failed" in caplog.text


def test_failure_is_left_to_djangos_page_under_debug(settings):
    settings.DEBUG = True

    assert problem_response(RuntimeError("x"), {}) is None


def test_forwarded_address_of_anybody_evades_no_limit(client, monkeypatch):
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "1/min"})
    client.get("/api/v1/categories/", headers={"X-Forwarded-For": "192.0.2.1"})

    reply = client.get("/api/v1/categories/", headers={"X-Forwarded-For": "192.0.2.2"})

    check(reply, 429, "throttled")


@pytest.mark.parametrize(("last", "status"), [("192.0.2.1", 429), ("192.0.2.2", 200)])
def test_limit_behind_a_proxy_counts_the_address_that_it_adds(
    client, monkeypatch, settings, last, status
):
    settings.BEHIND_PROXY = 1
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "1/min"})
    client.get("/api/v1/categories/", headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.1"})

    forged = {"X-Forwarded-For": f"198.51.100.2, {last}"}

    assert client.get("/api/v1/categories/", headers=forged).status_code == status


def test_throttled_reader_is_told_how_long_to_wait(client, monkeypatch):
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "1/min"})
    client.get("/api/v1/categories/")

    reply = client.get("/api/v1/categories/")

    check(reply, 429, "throttled")
    assert 0 < int(reply["Retry-After"]) <= 60


def test_every_reply_tells_its_limit(client, registry, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "9/min"})
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "3/hour"})
    own = APIClient()
    own.force_authenticate(user=registry.reporter)

    replies = [client.get("/api/v1/categories/") for _ in range(4)]
    told = [own.get("/api/v1/sites/"), own.get("/api/v1/zebra/"), own.get("/fhir/r4/AdverseEvent")]

    assert [each["RateLimit-Remaining"] for each in replies] == ["2", "1", "0", "0"]
    assert {each["RateLimit-Limit"] for each in replies} == {"3"}
    assert all(3_590 <= int(each["RateLimit-Reset"]) <= 3_600 for each in replies)
    assert [each.get("RateLimit-Remaining") for each in told] == ["8", None, "7"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (IdentifierFound, 400, "identifier-found"),
        (RowRuleBroken, 400, "row-rule-broken"),
        (BadQuery, 400, "too-many-cells"),
        (NotYourSite, 403, "not-your-site"),
        (NotPermitted, 403, "not-permitted"),
        (UnknownRow, 404, "not-found"),
        (StateConflict, 409, "state-conflict"),
        (NoSnapshot, 409, "no-snapshot"),
        (VersionConflict, 412, "version-conflict"),
        (NotAvailableAtThisDetail, 422, "not-available-at-this-detail"),
        (Refusal, 400, "refused"),
    ],
)
def test_every_refusal_has_its_status(kind, status, code):
    reply = problem_response(kind(Fault("year", "too-many-cells", "mend it")), {})

    assert reply.status_code == status
    body = json.loads(reply.content)
    assert body["code"] == code
    detail = "Mend it."
    if kind is NotAvailableAtThisDetail:
        detail += " For more, ask for an agreement: /agreement/."
    assert body["errors"] == [{"parameter": "year", "code": "too-many-cells", "detail": detail}]


def test_question_that_is_too_fine_leads_to_the_page_for_agreements():
    fine = problem_response(NotAvailableAtThisDetail(Fault("year", "x", "mend it")), {})
    bad = problem_response(BadQuery(Fault("year", "x", "mend it")), {})

    assert json.loads(fine.content)["agreement"] == "/agreement/"
    assert "agreement" not in json.loads(bad.content)


def test_fault_of_a_body_points_into_it(rf):
    request = Request(rf.post("/"))

    reply = problem_response(
        RowRuleBroken(Fault("year", "x", "mend it", line=3)), {"request": request}
    )

    assert json.loads(reply.content)["errors"] == [
        {"pointer": "/year", "code": "x", "detail": "Mend it.", "line": 3}
    ]


def test_many_faults_are_all_listed_and_the_first_ones_summed_up():
    faults = [Fault(f"p{number}", "bad-range", "Mend it.") for number in range(5)]

    body = problem_response(BadQuery(faults), {}).content.decode()

    assert body.count('"parameter"') == 5
    assert "p2: Mend it. And 2 more." in body


def test_exception_of_an_unknown_status_is_a_failure():
    class Teapot(APIException):
        status_code = 418

    assert problem_response(Teapot(), {}).status_code == 500


@pytest.mark.parametrize("address", ["/api/v1/complications/", "/api/v1/events/", "/health/live"])
def test_wrong_host_is_a_problem(address, client):
    reply = client.get(address, headers={"Host": "elsewhere.example"})

    check(reply, 400, "bad-request")
    assert "elsewhere" not in reply.content.decode()


def test_wrong_host_of_fhir_is_an_outcome(client):
    reply = client.get("/fhir/r4/AdverseEvent", headers={"Host": "elsewhere.example"})

    assert (reply.status_code, reply["Content-Type"]) == (400, "application/fhir+json")
    (issue,) = reply.json()["issue"]
    assert issue["details"]["coding"][0]["code"] == "bad-request"


def test_wrong_host_of_a_page_is_told_on_a_page(client):
    reply = client.get("/dashboard/", headers={"Host": "elsewhere.example"})

    assert (reply.status_code, reply["Content-Type"].split(";")[0]) == (400, "text/html")


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/zebra", "/api/v2/events/", "/health/", "/health/zebra"]
)
def test_address_beside_the_api_is_a_problem(address, client, db):
    check(client.get(address), 404, "not-found")


def test_health_takes_no_other_method(client):
    reply = client.post("/health/live")

    check(reply, 405, "method-not-allowed")
    assert reply["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("Zebulon"), 500, "internal-error"),
        (locked(), 503, "busy"),
    ],
)
@pytest.mark.parametrize("address", ["/api/v1/categories/", "/health/live", "/fhir/r5/metadata"])
@pytest.mark.django_db
def test_failure_around_a_view_is_told_by_its_room(address, error, status, code, monkeypatch):
    def fail(_middleware, _request, _response):
        raise error

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_response", fail)

    reply = Client(raise_request_exception=False).get(address)

    assert reply.status_code == status
    body = reply.json()
    told = body["issue"][0]["details"]["coding"][0] if "issue" in body else body
    assert told["code"] == code
    assert "Zebulon" not in reply.content.decode()
    assert ("Retry-After" in reply) is (status == 503)


def test_failure_around_a_page_is_told_on_a_page(monkeypatch):
    def fail(_middleware, _request, _response):
        raise RuntimeError

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_response", fail)

    reply = Client(raise_request_exception=False).get("/login/")

    assert (reply.status_code, reply["Content-Type"].split(";")[0]) == (500, "text/html")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="uses a switch of SQLite's")
def test_database_that_can_store_nothing_is_told(as_reporter, report):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            reply = as_reporter.post("/api/v1/events/", report(), format="json")
        finally:
            cursor.execute("PRAGMA query_only = OFF")

    check(reply, 503, "cannot-store")
    assert reply["Retry-After"] == "5"

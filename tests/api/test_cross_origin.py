"""Pages of other origins: which addresses they may ask, and that no cookie helps them."""

import pytest

ELSEWHERE = "https://notebook.example"
OPEN = [
    "/api/v1/complications/",
    "/api/v1/complications/infection-pocket/",
    "/api/v1/complications.csv",
    "/api/v1/categories/",
    "/api/v1/codelists/",
    "/api/v1/codelists/severity/",
    "/api/v1/codelists/severity.csv",
    "/api/v1/codelists.csv",
    "/api/v1/schema/",
]
CLOSED = [
    "/api/v1/events/",
    "/api/v1/tokens/",
    "/api/v1/statistics/dimensions/",
    "/fhir/r4/AdverseEvent",
]
ALLOWED = "Access-Control-Allow-Origin"


def asked_before(client, path, method, origin=ELSEWHERE):
    """The question that a browser asks before it sends a request with a token."""
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,if-match",
        },
    )


@pytest.mark.parametrize("path", OPEN)
def test_page_of_any_origin_reads_what_needs_no_token(path, client, registry):
    reply = client.get(path, headers={"Origin": ELSEWHERE})

    assert (reply.status_code, reply[ALLOWED]) == (200, ELSEWHERE)
    assert "Origin" in reply["Vary"].title()


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_page_of_any_origin_writes_nothing(method, path, client, registry):
    assert ALLOWED not in getattr(client, method)(path, headers={"Origin": ELSEWHERE})


@pytest.mark.parametrize("path", CLOSED)
def test_page_of_another_origin_reads_nothing_else(path, client, registry):
    assert ALLOWED not in client.get(path, headers={"Origin": ELSEWHERE})
    assert ALLOWED not in asked_before(client, path, "GET")


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_page_of_a_configured_origin_asks_with_a_token(path, method, client, registry, settings):
    settings.CORS_ALLOWED_ORIGINS = [ELSEWHERE]

    reply = asked_before(client, path, method)

    assert (reply.status_code, reply[ALLOWED]) == (200, ELSEWHERE)
    assert method in reply["Access-Control-Allow-Methods"]
    assert {"authorization", "if-match", "idempotency-key"} <= set(
        reply["Access-Control-Allow-Headers"].split(", ")
    )
    assert ALLOWED not in asked_before(
        client, path, method, "https://notebook.example.evil.example"
    )


def test_configured_origin_reads_the_headers_that_it_needs(as_reporter, settings):
    settings.CORS_ALLOWED_ORIGINS = [ELSEWHERE]

    reply = as_reporter.get("/api/v1/events/", headers={"Origin": ELSEWHERE})

    assert reply.status_code == 200
    assert {"ETag", "Link", "Retry-After"} <= set(
        reply["Access-Control-Expose-Headers"].split(", ")
    )


@pytest.mark.parametrize("path", [*OPEN, *CLOSED, "/", "/login/"])
def test_no_origin_is_allowed_to_send_cookies(path, client, registry, settings):
    settings.CORS_ALLOWED_ORIGINS = [ELSEWHERE]

    for reply in (
        client.get(path, headers={"Origin": ELSEWHERE}),
        asked_before(client, path, "GET"),
    ):
        assert "Access-Control-Allow-Credentials" not in reply


@pytest.mark.parametrize("path", ["/", "/login/", "/dashboard/", "/admin/", "/health/live"])
def test_pages_are_for_no_other_origin(path, client, registry, settings):
    settings.CORS_ALLOWED_ORIGINS = [ELSEWHERE]

    assert ALLOWED not in client.get(path, headers={"Origin": ELSEWHERE})

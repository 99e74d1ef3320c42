"""Replies are compressed for who takes gzip; gzip bodies are read within the limit of the body."""

import gzip
import json

import pytest
from django.http import HttpResponse

from registry.api.compression import CompressedReplies
from registry.models import Event
from tests.api.test_bulk import LEAK, file_of

EVENTS = "/api/v1/events/"
GZIP = {"HTTP_CONTENT_ENCODING": "gzip"}


@pytest.mark.parametrize("address", ["/api/v1/categories/", "/fhir/r4/metadata"])
def test_reply_is_compressed_for_who_takes_gzip(address, client, registry):
    plain = client.get(address)
    packed = client.get(address, HTTP_ACCEPT_ENCODING="gzip, deflate")

    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 2


@pytest.mark.parametrize(
    ("path", "kind", "packed"),
    [
        ("/login/", "text/html", False),
        ("/api/v1/statistics/rates/", "image/png", False),
        ("/api/v1/statistics/rates/", "image/svg+xml", True),
        ("/fhir/r5/AdverseEvent", "application/fhir+json", True),
    ],
)
def test_page_and_picture_are_left_as_they_are(path, kind, packed, rf):
    def reply(_request):
        return HttpResponse(b"x" * 1000, content_type=kind)

    given = CompressedReplies(reply)(rf.get(path, HTTP_ACCEPT_ENCODING="gzip"))

    assert ("Content-Encoding" in given) is packed


def test_row_that_was_read_compressed_is_changed_and_not_sent_again(as_reporter, row_ids):
    address = f"{EVENTS}{row_ids['events']}/"
    tag = as_reporter.get(address, HTTP_ACCEPT_ENCODING="gzip")["ETag"]

    assert tag.startswith("W/")
    assert as_reporter.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 304
    changed = as_reporter.patch(address, {"severity": 1}, format="json", HTTP_IF_MATCH=tag)
    assert changed.status_code == 200, changed.content


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity", ""])
def test_packed_report_is_stored(encoding, as_reporter, report):
    body = json.dumps(report()).encode()
    sent = gzip.compress(body) if "gzip" in encoding.lower() else body

    reply = as_reporter.post(
        EVENTS, sent, content_type="application/json", HTTP_CONTENT_ENCODING=encoding
    )

    assert reply.status_code == 201, reply.content
    assert Event.objects.count() == 1


def test_packed_file_is_stored(as_reporter):
    file = gzip.compress(file_of(LEAK))

    reply = as_reporter.post(f"{EVENTS}bulk/", file, content_type="text/csv", **GZIP)

    assert reply.json()["new"] == Event.objects.count() == 1


def test_body_that_unpacks_beyond_the_limit_is_too_large(as_reporter):
    bomb = gzip.compress(b" " * (1 << 24))
    assert len(bomb) < 1 << 15

    reply = as_reporter.post(EVENTS, bomb, content_type="application/json", **GZIP)

    assert (reply.status_code, reply.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    "body",
    [b"{}", gzip.compress(b"{}")[:-9], b"\x1f\x8b\x08" + b"\xff" * 40],
    ids=["plain", "cut short", "damaged"],
)
def test_body_that_is_no_gzip_is_refused(body, as_reporter):
    reply = as_reporter.post(EVENTS, body, content_type="application/json", **GZIP)

    assert (reply.status_code, reply.json()["code"]) == (400, "bad-request")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zebra"])
def test_other_encoding_is_refused_by_its_kind(encoding, as_reporter, report):
    reply = as_reporter.post(EVENTS, report(), format="json", HTTP_CONTENT_ENCODING=encoding)

    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported-media-type")
    assert "zebra" not in reply.content.decode()


@pytest.mark.parametrize("address", ["/api/v1/tokens/", "/fhir/r4/AdverseEvent/_search"])
def test_form_is_sent_as_it_is(address, as_reporter):
    reply = as_reporter.post(
        address,
        gzip.compress(b"username=reporter"),
        content_type="application/x-www-form-urlencoded",
        **GZIP,
    )

    assert reply.status_code == 415

"""Writes that are sent again under the same key."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from registry.models import Event, IdempotencyKey
from tests.api.conftest import client_of

EVENTS = "/api/v1/events/"


def test_same_key_gives_the_same_reply_and_writes_once(as_reporter, report):
    first = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    again = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert again.status_code == first.status_code == 201
    assert again.content == first.content
    assert (again["ETag"], again["Location"]) == (first["ETag"], first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == 1


def test_same_key_with_another_body_is_refused(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    reply = as_reporter.post(
        EVENTS, report(source_id="ev-b"), format="json", HTTP_IDEMPOTENCY_KEY="k-1"
    )

    assert reply.status_code == 409
    assert reply.json()["code"] == "idempotency-key-reused"
    assert Event.objects.count() == 1


def test_key_belongs_to_its_user(registry, as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    reply = client_of(registry.stranger).post(
        EVENTS, report(site="THERE-2"), format="json", HTTP_IDEMPOTENCY_KEY="k-1"
    )

    assert reply.status_code == 201
    assert Event.objects.count() == 2


def test_refused_report_leaves_its_key_free(as_reporter, report):
    as_reporter.post(EVENTS, report(severity=9), format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    assert not IdempotencyKey.objects.exists()

    reply = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert reply.status_code == 201


def test_key_with_a_space_is_refused(as_reporter, report):
    reply = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k 1")

    assert reply.status_code == 400
    assert reply.json()["code"] == "bad-key"


def test_fault_of_the_address_or_a_header_is_no_pointer_into_the_body(as_reporter, report):
    of_header = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k 1")
    of_address = as_reporter.post(f"{EVENTS}?submit=1", report(), format="json")

    assert of_header.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert of_address.json()["errors"][0]["parameter"] == "submit"


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs writers side by side")
@pytest.mark.django_db(transaction=True)
def test_requests_of_one_key_at_the_same_time_write_once(registry, report):
    clients = [client_of(registry.reporter) for _ in range(4)]

    def send(client):
        try:
            return client.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(send, clients))

    assert [reply.status_code for reply in replies] == [201] * 4
    assert len({reply.content for reply in replies}) == 1
    assert Event.objects.count() == 1


def test_kept_reply_holds_a_keyed_digest_of_the_body_only(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    kept = IdempotencyKey.objects.get()
    assert kept.method_path == f"POST {EVENTS}"
    assert len(kept.body_digest) == 64
    assert kept.status == 201

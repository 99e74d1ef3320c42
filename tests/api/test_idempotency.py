"""Writes that are sent again under the same key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from registry.models import Event, IdempotencyKey
from tests.api.conftest import client_of, made_registry

EVENTS = "/api/v1/events/"
BULK = "/api/v1/events/bulk/"


def grown_older(hours):
    """Let every kept reply be so many hours older."""
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(hours=hours))


def refused_as_reused(reply):
    (error,) = reply.json()["errors"]
    return (reply.status_code, error["code"], error["parameter"]) == (
        409,
        "idempotency-key-reused",
        "Idempotency-Key",
    )


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


def counts(reply):
    body = reply.json()
    return {name: body[name] for name in ("dry_run", "new", "unchanged")}


@pytest.mark.parametrize("as_file", [False, True])
def test_real_run_after_a_dry_run_under_one_key_stores(as_reporter, report, as_file):
    sent = {"data": [report()], "format": "json"}
    if as_file:
        row = report(implant="", months_since_implant="")
        row |= {"seriousness": "hospitalisation", "interventions": "antibiotics"}
        cells = f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"
        sent = {"data": cells, "content_type": "text/csv"}

    checked = as_reporter.post(f"{BULK}?dry_run=true", **sent, HTTP_IDEMPOTENCY_KEY="k-1")
    assert counts(checked) == {"dry_run": True, "new": 1, "unchanged": 0}
    assert not IdempotencyKey.objects.exists()
    real = as_reporter.post(BULK, **sent, HTTP_IDEMPOTENCY_KEY="k-1")

    assert counts(real) == {"dry_run": False, "new": 1, "unchanged": 0}
    assert "Idempotent-Replayed" not in real
    assert Event.objects.count() == 1


def test_dry_run_sent_again_is_run_again(as_reporter, report):
    def check():
        return as_reporter.post(
            f"{BULK}?dry_run=true", [report()], format="json", HTTP_IDEMPOTENCY_KEY="k-1"
        )

    assert check().json()["new"] == 1
    as_reporter.post(BULK, [report()], format="json")

    assert counts(check()) == {"dry_run": True, "new": 0, "unchanged": 1}


def test_key_stands_for_its_query(as_reporter, report):
    as_reporter.post(BULK, [report()], format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    for query in ("?dry_run=true", "?dry_run=false"):
        reply = as_reporter.post(
            BULK + query, [report()], format="json", HTTP_IDEMPOTENCY_KEY="k-1"
        )
        assert refused_as_reused(reply), query


def test_key_stands_for_its_path(as_reporter, report):
    event = as_reporter.post(EVENTS, report(), format="json").json()
    address = f"{EVENTS}{event['id']}/"
    as_reporter.post(f"{address}submit/", format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    reply = as_reporter.post(f"{address}accept/", format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert refused_as_reused(reply)


def test_key_stands_for_its_method(registry, report):
    kept = client_of(registry.reporter).post(
        EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1"
    )
    IdempotencyKey.objects.update(method_path=f"PATCH {EVENTS}")  # no address takes both

    reply = client_of(registry.reporter).post(
        EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1"
    )

    assert kept.status_code == 201
    assert refused_as_reused(reply)


def test_order_of_fields_makes_no_other_request(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    turned = dict(reversed(report().items()))
    reply = as_reporter.post(EVENTS, turned, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert (reply.status_code, reply["Idempotent-Replayed"]) == (201, "true")


def test_reply_is_given_again_for_a_day(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    grown_older(hours=23)

    reply = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert (reply.status_code, reply["Idempotent-Replayed"]) == (201, "true")


@pytest.mark.postgresql
def test_key_is_free_after_a_day(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    grown_older(hours=24)

    other = report(source_id="ev-b")
    reply = as_reporter.post(EVENTS, other, format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    again = as_reporter.post(EVENTS, other, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert reply.status_code == 201
    assert "Idempotent-Replayed" not in reply
    assert again["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == 2


@pytest.mark.parametrize("key", ["", "k 1", "k\t1", "k\x7f1", "kl\u00fcssel", "k" * 256], ids=repr)
@pytest.mark.parametrize("address", [EVENTS, f"{BULK}?dry_run=true"])
def test_key_that_is_not_visible_or_too_long_is_refused(address, key, as_reporter, report):
    body = report() if address == EVENTS else [report()]

    reply = as_reporter.post(address, body, format="json", HTTP_IDEMPOTENCY_KEY=key)

    (error,) = reply.json()["errors"]
    assert (reply.status_code, reply.json()["code"]) == (400, "bad-key")
    assert error["parameter"] == "Idempotency-Key"
    assert "1 to 255 visible" in error["detail"]
    assert not Event.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_key_of_1_to_255_visible_characters_is_taken(key, as_reporter, report):
    reply = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY=key)

    assert reply.status_code == 201
    assert IdempotencyKey.objects.get().key == key


def test_fault_of_the_address_or_a_header_is_no_pointer_into_the_body(as_reporter, report):
    of_header = as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k 1")
    of_address = as_reporter.post(f"{EVENTS}?submit=1", report(), format="json")

    assert of_header.json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert of_address.json()["errors"][0]["parameter"] == "submit"


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs writers side by side")
@pytest.mark.django_db(transaction=True)
def test_requests_of_one_key_at_the_same_time_write_once(report):
    registry = made_registry()  # for good, so that the other connections see it
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


def test_kept_reply_holds_a_keyed_digest_of_query_and_body_only(as_reporter, report):
    as_reporter.post(EVENTS, report(), format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    kept = IdempotencyKey.objects.get()
    assert kept.method_path == f"POST {EVENTS}"
    assert len(kept.body_digest) == 64
    assert kept.status == 201

"""Queries over HTTP, and the steps that bring an event back to its site."""

import pytest

from registry import intake
from registry.models import Query
from tests.api.conftest import client_of, stored

pytestmark = pytest.mark.django_db

QUERIES = "/api/v1/queries/"


@pytest.fixture
def event(registry):
    return stored(registry.reporter, submit=True, source_id="e-1")


@pytest.fixture
def query(registry, event):
    return intake.raise_query(
        event.public_id, by=registry.reviewer, column="outcome", ask="implausible"
    )


def send(client, address, body=None, **headers):
    return client.post(address, body, format="json", **headers)


def test_reviewer_asks_and_site_answers_and_reviewer_closes(registry, event):
    body = {"event": str(event.public_id), "field": "outcome", "ask": "missing"}
    asked = send(client_of(registry.reviewer), QUERIES, body)
    assert asked.status_code == 201, asked.content
    shown = asked.json()
    assert (shown["field"], shown["ask"], shown["state"], shown["answer"]) == (
        "outcome",
        "missing",
        "open",
        None,
    )
    one = f"{QUERIES}{shown['id']}/"

    answered = send(client_of(registry.reporter), f"{one}answer/", {"answer": "not-known"})
    assert (answered.json()["state"], answered.json()["answer"]) == ("answered", "not-known")
    closed = send(client_of(registry.reviewer), f"{one}close/")
    assert closed.json()["state"] == "closed"
    assert client_of(registry.reporter).get(one).json()["state"] == "closed"


def test_list_holds_what_is_unsettled_at_own_sites(registry, query):
    mine = client_of(registry.reporter).get(QUERIES).json()["results"]
    assert str(query.public_id) in [each["id"] for each in mine]
    assert client_of(registry.stranger).get(QUERIES).json()["results"] == []

    before = len(mine)
    intake.close_query(query.public_id, by=registry.reviewer)
    assert len(client_of(registry.reporter).get(QUERIES).json()["results"]) == before - 1


def test_another_sites_query_is_missing(registry, query):
    one = f"{QUERIES}{query.public_id}/"

    assert client_of(registry.stranger).get(one).status_code == 404
    reply = send(client_of(registry.stranger), f"{one}answer/", {"answer": "confirmed"})
    assert reply.status_code == 404


@pytest.mark.parametrize("body", [{}, {"answer": "because"}, {"words": "x"}])
def test_answer_is_a_code(registry, query, body):
    address = f"{QUERIES}{query.public_id}/answer/"

    assert send(client_of(registry.reporter), address, body).status_code == 400


def test_answer_of_an_older_version_is_refused(registry, query):
    address = f"{QUERIES}{query.public_id}/answer/"

    reply = send(
        client_of(registry.reporter), address, {"answer": "confirmed"}, HTTP_IF_MATCH='"9"'
    )

    assert reply.status_code == 412


def test_site_takes_an_event_back(registry, event):
    reply = send(client_of(registry.reporter), f"/api/v1/events/{event.public_id}/take-back/")

    assert (reply.status_code, reply.json()["state"]) == (200, "draft")


def test_reviewer_returns_an_event_with_a_question(registry, event):
    address = f"/api/v1/events/{event.public_id}/return/"
    client = client_of(registry.reviewer)
    assert send(client, address).status_code == 400

    reply = send(client, address, {"field": "organism", "ask": "missing"})

    assert (reply.status_code, reply.json()["state"]) == (200, "draft")
    assert Query.objects.filter(rule="", event=event, column="organism").count() == 1


def test_reviewer_reopens_a_rejected_event(registry, event):
    intake.reject_event(event.public_id, by=registry.reviewer, reason="not-confirmed")

    reply = send(
        client_of(registry.reviewer),
        f"/api/v1/events/{event.public_id}/reopen/",
        {"reason": "new-information"},
    )

    assert (reply.json()["state"], reply.json()["reason"]) == ("submitted", "new-information")


@pytest.mark.parametrize("step", ["", "return"])
@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ({"field": "surname", "ask": "missing"}, "field", "unknown-code"),
        ({"ask": "missing"}, "field", "unknown-code"),
        ({"field": "outcome", "ask": "explain"}, "ask", "unknown-code"),
        ({"field": "outcome", "ask": "implausible"}, "field", "asked-already"),
    ],
)
def test_refusal_names_the_fields_of_the_body(registry, event, query, step, asked, field, code):
    one = f"/api/v1/events/{event.public_id}/return/"
    address, body = (one, asked) if step else (QUERIES, {"event": str(event.public_id), **asked})

    reply = send(client_of(registry.reviewer), address, body, HTTP_IF_MATCH="*")

    assert [(each["pointer"], each["code"]) for each in reply.json()["errors"]] == [
        (f"/{field}", code)
    ]

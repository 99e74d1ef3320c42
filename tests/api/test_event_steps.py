"""The steps of an event's state over HTTP: who takes them, with which reason, from which state."""

import pytest

from registry import intake
from registry.models import Event
from tests.api.conftest import client_of, stored

EVENTS = "/api/v1/events/"
REASON = {"reason": "entered-in-error"}


def take(client, event, step, body=None, **headers):
    address = f"{EVENTS}{event.public_id}/{step}/"
    return client.post(address, body, format="json", **headers)


@pytest.fixture
def submitted(registry):
    """A submitted event of the first site."""
    return stored(registry.reporter, submit=True)


@pytest.fixture
def accepted(registry, submitted):
    """An accepted event of the first site."""
    return intake.accept_event(submitted.public_id, by=registry.reviewer)


@pytest.mark.parametrize(
    ("step", "body", "state", "reason"),
    [
        ("accept", None, "accepted", None),
        ("reject", {"reason": "not-an-event"}, "rejected", "not-an-event"),
        ("duplicate", None, "duplicate", "duplicate-of-other"),
    ],
)
def test_reviewer_judges_a_submitted_event(registry, submitted, step, body, state, reason):
    reply = take(client_of(registry.reviewer), submitted, step, body)

    assert reply.status_code == 200
    shown = reply.json()
    assert (shown["state"], shown["reason"], shown["version"]) == (state, reason, 2)
    assert reply["ETag"] == '"2"'


def test_reviewer_reopens_an_accepted_event(registry, accepted):
    shown = take(client_of(registry.reviewer), accepted, "reopen", REASON).json()

    assert (shown["state"], shown["reason"]) == ("submitted", "entered-in-error")


def test_manager_withdraws_an_accepted_event(registry, accepted):
    shown = take(client_of(registry.manager), accepted, "withdraw", REASON).json()

    assert (shown["state"], shown["reason"]) == ("withdrawn", "entered-in-error")


@pytest.mark.parametrize(
    ("step", "body", "right"),
    [
        ("accept", None, "review events"),
        ("reject", REASON, "review events"),
        ("duplicate", None, "review events"),
        ("withdraw", REASON, "withdraw events of this site"),
    ],
)
def test_refusal_names_the_right_that_a_reporter_lacks(registry, submitted, step, body, right):
    reply = take(client_of(registry.reporter), submitted, step, body)

    assert reply.status_code == 403
    assert right in reply.json()["detail"]
    assert Event.objects.get().state == "submitted"


def test_reporter_does_not_reopen(registry, accepted):
    reply = take(client_of(registry.reporter), accepted, "reopen", REASON)

    assert reply.status_code == 403
    assert "review events" in reply.json()["detail"]


@pytest.mark.parametrize("step", ["reject", "withdraw", "reopen"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "required"),
        ({}, "required"),
        ({"reason": ""}, "required"),
        ({"reason": "Zebulon Quux"}, "unknown-code"),
        ({"reason": 5}, "bad-type"),
        ({"reason": ["not-an-event"]}, "bad-type"),
    ],
)
def test_step_needs_a_reason_of_the_list(registry, submitted, step, body, code):
    reply = take(client_of(registry.manager), submitted, step, body)

    assert reply.status_code == 400
    assert [(e["pointer"], e["code"]) for e in reply.json()["errors"]] == [("/reason", code)]
    assert "Zebulon" not in reply.content.decode()


@pytest.mark.parametrize("step", ["submit", "accept", "reject", "duplicate", "withdraw", "reopen"])
def test_step_refuses_fields_that_it_does_not_know(registry, submitted, step):
    reply = take(client_of(registry.manager), submitted, step, {"of": "ev-b", "Zebulon Quux": 1})

    assert reply.status_code == 400
    assert [(e.get("pointer"), e["code"]) for e in reply.json()["errors"]] == [
        ("/of", "unknown-field"),
        (None, "unknown-field"),
    ]
    assert "Zebulon" not in reply.content.decode()


def test_step_with_a_list_for_a_body_is_refused(registry, submitted):
    reply = take(client_of(registry.manager), submitted, "accept", [1])

    assert [e["code"] for e in reply.json()["errors"]] == ["not-an-object"]


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("submit", None),
        ("accept", None),
        ("reject", REASON),
        ("duplicate", None),
        ("withdraw", REASON),
        ("reopen", REASON),
    ],
)
class TestEveryStep:
    """What holds for each of the six addresses."""

    def test_of_another_sites_event_is_not_found(self, registry, submitted, step, body):
        reply = take(client_of(registry.stranger), submitted, step, body, HTTP_IF_MATCH='"7"')

        assert (reply.status_code, reply.json()["code"]) == (404, "not-found")

    def test_of_a_withdrawn_event_conflicts(self, registry, submitted, step, body):
        intake.withdraw_event(submitted.public_id, by=registry.manager, reason="entered-in-error")

        reply = take(client_of(registry.manager), submitted, step, body)

        assert (reply.status_code, reply.json()["code"]) == (409, "state-conflict")

    def test_of_another_version_is_refused(self, registry, submitted, step, body):
        reply = take(client_of(registry.manager), submitted, step, body, HTTP_IF_MATCH='"7"')

        assert (reply.status_code, reply.json()["code"]) == (412, "version-conflict")

    def test_with_a_token_that_only_reads_is_refused(self, registry, submitted, step, body):
        client = client_of(registry.manager, scopes=("read-rows",))

        reply = take(client, submitted, step, body)

        assert reply.status_code == 403
        assert "write-events" in reply.json()["detail"]

    def test_takes_no_parameter(self, registry, submitted, step, body):
        reply = client_of(registry.manager).post(
            f"{EVENTS}{submitted.public_id}/{step}/?force=1", body, format="json"
        )

        assert reply.json()["code"] == "unknown-parameter"


def test_step_sent_again_under_its_key_is_answered_alike(registry, submitted):
    client = client_of(registry.reviewer)
    headers = {"HTTP_IDEMPOTENCY_KEY": "k-1", "HTTP_IF_MATCH": '"1"'}

    first = take(client, submitted, "accept", **headers)
    again = take(client, submitted, "accept", **headers)

    assert (again.status_code, again.content) == (200, first.content)
    assert Event.objects.get().version == 2


def test_nobody_accepts_an_event_of_an_own_site(registry, submitted):
    intake.add_member(registry.here, user=registry.reviewer, by=None)

    reply = take(client_of(registry.reviewer), submitted, "accept")

    assert reply.status_code == 403
    assert Event.objects.get().state == "submitted"


def test_key_stands_for_one_address(registry, submitted):
    other = stored(registry.reporter, submit=True, source_id="ev-other")
    client = client_of(registry.reviewer)
    take(client, submitted, "accept", HTTP_IDEMPOTENCY_KEY="k-1")

    reply = take(client, other, "accept", HTTP_IDEMPOTENCY_KEY="k-1")

    assert (reply.status_code, reply.json()["code"]) == (409, "idempotency-key-reused")
    other.refresh_from_db()
    assert other.state == "submitted"

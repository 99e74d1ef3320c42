"""The versions of an event over HTTP."""

import pytest

from registry import intake
from registry.models import AccessLog
from registry.records import RawReport, RowKind
from tests.api.conftest import client_of, stored

EVENTS = "/api/v1/events/"


@pytest.fixture
def event(registry):
    """An event that was entered, corrected, submitted and accepted."""
    event = stored(registry.reporter, source_id="ev-a")
    raw = RawReport(RowKind.EVENT, {"severity": "3", "drug": ""})
    intake.change_event(event.public_id, raw, by=registry.reporter)
    intake.submit_event(event.public_id, by=registry.reporter)
    return intake.accept_event(event.public_id, by=registry.reviewer)


def history(client, event, **params):
    return client.get(f"{EVENTS}{event.public_id}/history/", params)


def test_history_tells_who_did_what_oldest_first(event, as_reporter):
    reply = history(as_reporter, event)

    assert reply.status_code == 200
    assert reply.json()["next"] is None
    told = reply.json()["results"]
    assert [(one["version"], one["by"], one["action"]) for one in told] == [
        (1, "reporter", "record-event"),
        (2, "reporter", "change-event"),
        (3, "reporter", "submit-event"),
        (4, "reviewer", "accept-event"),
    ]
    assert told[0]["at"] <= told[1]["at"] <= told[2]["at"] <= told[3]["at"]


def test_version_holds_the_fields_that_it_set(event, as_reporter):
    first, second, third, fourth = history(as_reporter, event).json()["results"]

    assert first["changes"]["source_id"] == [None, "ev-a"]
    assert first["changes"]["severity"] == [None, 2]
    assert "outcome" not in first["changes"]
    assert second["changes"] == {"severity": [2, 3], "drug": ["baclofen", None]}
    assert third["changes"] == {"state": ["draft", "submitted"]}
    assert fourth["changes"] == {"state": ["submitted", "accepted"]}


@pytest.mark.parametrize(("who", "sees"), [("reporter", False), ("reviewer", True)])
def test_seals_are_told_to_those_who_see_every_site(registry, event, who, sees):
    told = history(client_of(getattr(registry, who)), event).json()["results"]

    assert (told[-1]["seal"] == event.seal_id) is sees
    assert (told[-1]["seal"] is None) is not sees


def test_auditor_reads_the_history_of_every_site_and_no_event(registry, event):
    client = client_of(registry.auditor)

    assert len(history(client, event).json()["results"]) == 4
    assert client.get(f"{EVENTS}{event.public_id}/").status_code == 403


def test_auditors_token_has_to_be_made_for_reading_rows(registry, event):
    reply = history(client_of(registry.auditor, scopes=("read-statistics",)), event)

    assert reply.status_code == 403
    assert "read-rows" in reply.json()["detail"]


def test_history_of_another_sites_event_is_not_found(registry, event):
    reply = history(client_of(registry.stranger), event)

    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(("who", "status"), [("researcher", 403), (None, 401)])
def test_history_is_closed_to_those_without_rows(registry, event, who, status):
    client = client_of(getattr(registry, who) if who else None)

    assert history(client, event).status_code == status


def test_look_at_a_history_is_logged(registry, event, as_reporter):
    history(as_reporter, event)

    look = AccessLog.objects.get()
    assert (look.user, look.action) == (registry.reporter, "row-read")
    assert look.what == f"history of event {event.public_id}"


def test_history_takes_no_parameter(event, as_reporter):
    assert history(as_reporter, event, limit="5").json()["code"] == "unknown-parameter"


@pytest.mark.parametrize("more", [0, 6])
def test_history_takes_the_same_queries_however_long(
    registry, as_reporter, django_assert_num_queries, more
):
    draft = stored(registry.reporter)
    for step in range(more):
        raw = RawReport(RowKind.EVENT, {"year": str(2010 + step)})
        intake.change_event(draft.public_id, raw, by=registry.reporter)

    # the token (two), roles, sites and their keys, event, versions, complication, and the log
    with django_assert_num_queries(9):
        assert len(history(as_reporter, draft).json()["results"]) == 1 + more

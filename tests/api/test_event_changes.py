"""Changing an event: which fields, whose, in which version, and under which key."""

import pytest

from registry.models import Event
from tests.api.conftest import client_of, stored

EVENTS = "/api/v1/events/"
SECRET = "Zebulon Quux"


def address(event):
    return f"{EVENTS}{event.public_id}/"


def codes(reply):
    return [(error.get("pointer"), error["code"]) for error in reply.json()["errors"]]


def patched(client, event, body, **headers):
    return client.patch(address(event), body, format="json", **{"HTTP_IF_MATCH": "*"} | headers)


def test_draft_is_changed_in_the_fields_that_are_sent(registry, as_reporter):
    event = stored(registry.reporter, drug="morphine")

    reply = patched(as_reporter, event, {"severity": 3, "outcome": "recovered"})

    assert reply.status_code == 200
    assert reply["ETag"] == '"2"'
    shown = reply.json()
    assert (shown["severity"], shown["outcome"], shown["drug"]) == (3, "recovered", "morphine")
    assert (shown["version"], shown["state"]) == (2, "draft")


@pytest.mark.parametrize("nothing", [None, "", []])
def test_null_and_empty_make_a_field_not_recorded(registry, as_reporter, nothing):
    event = stored(registry.reporter, seriousness="hospitalisation")

    shown = patched(as_reporter, event, {"seriousness": nothing}).json()

    assert shown["seriousness"] is None


def test_change_to_what_is_stored_makes_no_version(registry, as_reporter):
    event = stored(registry.reporter)

    reply = patched(as_reporter, event, {"severity": 2})

    assert (reply.status_code, reply["ETag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"severty": 3}, ("/severty", "unknown-column")),
        ({"submit": True}, ("/submit", "unknown-column")),
        ({"state": "accepted"}, ("/state", "unknown-column")),
        ({"version": 7}, ("/version", "unknown-column")),
        ({"patient_name": SECRET}, ("/patient_name", "identifier-found")),
        ({"source_id": "19610412"}, ("/source_id", "identifier-found")),
        ({"organism": SECRET}, ("/organism", "unknown-code")),
        ({"year": 2020.5}, ("/year", "bad-type")),
        ({"site": "THERE-2"}, ("/site", "site-stays")),
        ({"complication": None}, ("/complication", "required")),
    ],
)
def test_bad_change_is_refused_and_never_repeated(registry, as_reporter, body, expected):
    event = stored(registry.reporter)

    reply = patched(as_reporter, event, body)

    assert reply.status_code == 400
    assert expected in codes(reply)
    assert SECRET not in reply.content.decode()
    event.refresh_from_db()
    assert event.version == 1


def test_change_that_is_no_object_is_refused(registry, as_reporter):
    reply = patched(as_reporter, stored(registry.reporter), [{"severity": 3}])

    assert (reply.status_code, codes(reply)) == (400, [(None, "not-an-object")])


def test_change_of_another_version_is_refused(registry, as_reporter):
    event = stored(registry.reporter)

    reply = patched(as_reporter, event, {"severity": 3}, HTTP_IF_MATCH='"7"')

    assert (reply.status_code, reply.json()["code"]) == (412, "version-conflict")


def test_change_of_the_version_that_was_read_is_made(registry, as_reporter):
    event = stored(registry.reporter)

    reply = patched(as_reporter, event, {"severity": 3}, HTTP_IF_MATCH='"1"')

    assert (reply.status_code, reply["ETag"]) == (200, '"2"')


def test_change_sent_again_under_its_key_is_answered_alike(registry, as_reporter):
    event = stored(registry.reporter)
    headers = {"HTTP_IDEMPOTENCY_KEY": "k-1", "HTTP_IF_MATCH": '"1"'}

    first = patched(as_reporter, event, {"severity": 3}, **headers)
    again = patched(as_reporter, event, {"severity": 3}, **headers)

    assert (again.status_code, again.content) == (200, first.content)
    assert again["Idempotent-Replayed"] == "true"


def test_submitted_event_is_changed_no_more_by_its_site(registry, as_reporter):
    event = stored(registry.reporter, submit=True)

    reply = patched(as_reporter, event, {"severity": 3})

    assert (reply.status_code, reply.json()["code"]) == (409, "state-conflict")


def test_reviewer_recodes_a_submitted_event(registry):
    event = stored(registry.reporter, submit=True)

    shown = patched(
        client_of(registry.reviewer), event, {"complication": "infection-meningitis"}
    ).json()

    assert shown["complication"] == "infection-meningitis"
    assert shown["reported_complication"] == "infection-pocket"
    assert shown["state"] == "submitted"


def test_reviewer_changes_no_draft(registry):
    event = stored(registry.reporter)

    reply = patched(client_of(registry.reviewer), event, {"severity": 3})

    assert reply.status_code == 403
    assert "enter rows of this site" in reply.json()["detail"]


def test_another_sites_event_cannot_be_told_from_none(registry):
    event = stored(registry.reporter)

    reply = patched(client_of(registry.stranger), event, {"severity": 3}, HTTP_IF_MATCH='"7"')

    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")
    assert Event.objects.get().severity == 2


def test_token_that_only_reads_changes_nothing(registry):
    event = stored(registry.reporter)

    reply = patched(client_of(registry.reporter, scopes=("read-rows",)), event, {"severity": 3})

    assert reply.status_code == 403
    assert "write-events" in reply.json()["detail"]


def test_unknown_parameter_of_a_change_is_refused(registry, as_reporter):
    event = stored(registry.reporter)

    reply = as_reporter.patch(f"{address(event)}?dry_run=true", {"severity": 3}, format="json")

    assert reply.status_code == 400
    assert Event.objects.get().severity == 2


def test_seal_is_shown_to_those_who_see_every_site(registry, as_reporter):
    event = stored(registry.reporter)

    own = as_reporter.get(address(event)).json()
    listed = as_reporter.get(EVENTS).json()["results"][0]
    reviewed = client_of(registry.reviewer).get(address(event)).json()

    assert own["seal"] is None
    assert listed["seal"] is None
    assert reviewed["seal"] == event.seal_id


@pytest.mark.parametrize("path", [EVENTS, "/api/v1/sites/", f"{EVENTS}?limit=0"])
def test_replies_with_rows_are_kept_by_no_shared_cache(as_reporter, path):
    reply = as_reporter.get(path)

    assert reply["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= set(reply["Vary"].split(", "))


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_paging_parameter_is_given_once(as_reporter, name):
    reply = as_reporter.get(f"{EVENTS}?{name}=5&{name}=6")

    assert reply.status_code == 400
    assert [(e["parameter"], e["code"]) for e in reply.json()["errors"]] == [
        (name, "repeated-parameter")
    ]


@pytest.mark.parametrize(
    "name", ["group_by", "counting", "unit", "per", "level", "release", "labels", "ordering"]
)
def test_list_takes_no_option_of_a_statistic(as_reporter, name):
    reply = as_reporter.get(EVENTS, {name: "year"})

    assert reply.status_code == 400
    assert [(e["parameter"], e["code"]) for e in reply.json()["errors"]] == [
        (name, "unknown-parameter")
    ]

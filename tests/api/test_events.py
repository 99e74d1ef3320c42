"""Reporting, reading and submitting events of one's own site."""

from uuid import UUID

import pytest
from rest_framework.test import APIClient

from registry.models import AccessLog, Event
from tests.api.conftest import client_of, stored

EVENTS = "/api/v1/events/"
SECRET = "Zebulon Quux"


def codes(reply):
    return [
        (error.get("pointer") or error.get("parameter"), error["code"])
        for error in reply.json()["errors"]
    ]


def test_report_is_stored_as_a_draft(registry, as_reporter, report):
    reply = as_reporter.post(EVENTS, report(), format="json")

    assert reply.status_code == 201
    shown = reply.json()
    event = Event.objects.get()
    assert shown["id"] == str(event.public_id)
    assert reply["Location"] == f"http://testserver{EVENTS}{event.public_id}/"
    assert reply["ETag"] == '"1"'
    assert (event.state, event.site, event.severity) == ("draft", registry.here, 3)
    assert {name: shown[name] for name in ("site", "source_id", "complication", "category")} == {
        "site": "HERE-1",
        "source_id": "ev-a",
        "complication": "infection-pocket",
        "category": "infection",
    }
    assert shown["state"] == "draft"
    assert shown["serious"] is True
    assert shown["seriousness"] == ["hospitalisation"]
    assert shown["interventions"] == ["antibiotics", "system-explant-no-replacement"]
    assert shown["component_model"] == "synchromed-ii-40"
    assert shown["root_cause"] is None


def test_report_is_submitted_in_the_same_call(as_reporter, report):
    reply = as_reporter.post(EVENTS, report(submit=True), format="json")

    assert reply.status_code == 201
    assert reply.json()["state"] == "submitted"


def test_blank_null_and_missing_fields_are_not_recorded(as_reporter, report):
    body = report(outcome="", seriousness=None, interventions=[], severity=None)
    del body["sex"]

    shown = as_reporter.post(EVENTS, body, format="json").json()

    for name in ("outcome", "seriousness", "interventions", "severity", "sex", "serious"):
        assert shown[name] is None, name


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"severty": 3}, [("/severty", "unknown-column")]),
        ({"severity": 9}, [("/severity", "unknown-code")]),
        ({"severity": True}, [("/severity", "bad-type")]),
        ({"year": 2020.5}, [("/year", "bad-type")]),
        ({"outcome": {"code": "recovered"}}, [("/outcome", "bad-type")]),
        ({"interventions": [1]}, [("/interventions", "bad-type")]),
        ({"submit": "yes"}, [("/submit", "bad-type")]),
        ({"complication": None}, [("/complication", "required")]),
        ({"submit": True, "year": None}, [("/year", "required")]),
    ],
)
def test_bad_report_is_refused_field_by_field(as_reporter, report, fields, expected):
    reply = as_reporter.post(EVENTS, report(**fields), format="json")

    assert reply.status_code == 400
    assert reply["Content-Type"] == "application/problem+json"
    assert codes(reply) == expected
    assert not Event.objects.exists()


def test_every_fault_of_a_report_is_told_at_once(as_reporter, report):
    reply = as_reporter.post(EVENTS, report(severity=9, outcome="dead", year=1), format="json")

    assert sorted(pointer for pointer, _code in codes(reply)) == ["/outcome", "/severity", "/year"]


@pytest.mark.parametrize(
    "fields",
    [
        {"patient_name": SECRET},
        {"patient_name": {"family": SECRET}},
        {"source_id": "19520311"},
        {"date_of_birth": "1952-03-11"},
    ],
)
def test_identifier_is_refused_and_never_repeated(as_reporter, report, fields):
    reply = as_reporter.post(EVENTS, report(**fields), format="json")

    assert reply.status_code == 400
    assert reply.json()["code"] == "identifier-found"
    assert SECRET not in reply.content.decode()
    assert "1952" not in reply.content.decode()
    assert not Event.objects.exists()


def test_refused_values_are_never_repeated(as_reporter, report):
    for name in report():
        reply = as_reporter.post(EVENTS, report(**{name: SECRET}), format="json")
        assert reply.status_code in (400, 403), name
        assert "Zebulon" not in reply.content.decode(), name


@pytest.mark.parametrize("site", ["THERE-2", "NOWHERE-3"])
def test_foreign_and_unknown_sites_are_refused_alike(as_reporter, report, site):
    reply = as_reporter.post(EVENTS, report(site=site), format="json")

    assert reply.status_code == 403
    assert reply.json()["code"] == "not-your-site"
    assert reply.json()["detail"] == (
        "site: You are not a member of this site, or there is no such site."
    )


def test_used_source_id_names_the_event_that_has_it(as_reporter, report):
    first = as_reporter.post(EVENTS, report(), format="json").json()

    reply = as_reporter.post(EVENTS, report(year=2021), format="json")

    assert reply.status_code == 409
    assert reply.json()["code"] == "duplicate-source-id"
    assert reply.json()["existing"] == first["id"]


def test_body_that_is_no_object_is_refused(as_reporter):
    reply = as_reporter.post(EVENTS, [], format="json")

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["code"] == "not-an-object"


# Reading ---------------------------------------------------------------------------------------


def test_list_holds_own_sites_events_oldest_first(registry, as_reporter):
    first = stored(registry.reporter)
    second = stored(registry.reporter, submit=True)
    stored(registry.stranger, site="THERE-2")

    reply = as_reporter.get(EVENTS)

    assert [row["id"] for row in reply.json()["results"]] == [
        str(first.public_id),
        str(second.public_id),
    ]
    assert reply.json()["next"] is None


def test_list_of_a_reviewer_holds_every_site(registry):
    stored(registry.reporter)
    stored(registry.stranger, site="THERE-2")

    reply = client_of(registry.reviewer).get(EVENTS)

    assert [row["site"] for row in reply.json()["results"]] == ["HERE-1", "THERE-2"]


def test_list_filters_like_every_other_question(registry, as_reporter):
    stored(registry.reporter, drug="morphine")
    wanted = stored(
        registry.reporter, drug="baclofen", severity="4", seriousness="life-threatening"
    )

    reply = as_reporter.get(EVENTS, {"drug": "gabab-agonist", "severity": "4,5", "state": "draft"})

    assert [row["id"] for row in reply.json()["results"]] == [str(wanted.public_id)]


def test_limit_of_a_page_may_have_a_point_and_zeros(as_reporter, registry):
    for _ in range(3):
        stored(registry.reporter)

    assert len(as_reporter.get(EVENTS, {"limit": "2.0"}).json()["results"]) == 2


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"drugs": "x"}, "unknown-parameter"),
        ({"drug": "x"}, "unknown-code"),
        ({"year_min": "2020", "year_max": "2019"}, "bad-range"),
        ({"group_by": "drug"}, "unknown-parameter"),
        ({"limit": "0"}, "bad-range"),
        ({"limit": "501"}, "bad-range"),
        ({"limit": "many"}, "bad-range"),
        ({"cursor": "%00"}, "bad-cursor"),
        ({"cursor": "NmYxYzJkM2U"}, "bad-cursor"),
    ],
)
def test_bad_list_question_is_refused(as_reporter, params, code):
    reply = as_reporter.get(EVENTS, params)

    assert reply.status_code == 400
    assert reply.json()["code"] == code


def test_pages_hold_every_event_once_while_others_are_added(registry, as_reporter):
    wanted = [str(stored(registry.reporter).public_id) for _ in range(5)]
    seen = []
    address = f"{EVENTS}?limit=2"

    while address:
        page = as_reporter.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
        if len(seen) == 2:
            wanted.append(str(stored(registry.reporter).public_id))

    assert seen == wanted


def test_cursor_of_another_sites_event_is_refused(registry, as_reporter):
    stored(registry.reporter)
    reviewer = client_of(registry.reviewer)
    stored(registry.stranger, site="THERE-2")
    stored(registry.reporter)
    # the reviewer's second page starts after the other site's event
    second = reviewer.get(f"{EVENTS}?limit=1").json()["next"]
    third = reviewer.get(second).json()["next"]

    assert as_reporter.get(third).status_code == 400


def test_detail_carries_the_version_as_etag(registry, as_reporter):
    event = stored(registry.reporter)

    reply = as_reporter.get(f"{EVENTS}{event.public_id}/")

    assert reply.status_code == 200
    assert reply["ETag"] == '"1"'
    assert reply.json()["version"] == 1


@pytest.mark.parametrize("action", ["", "submit/"])
def test_event_of_another_site_is_not_found(registry, as_reporter, action):
    event = stored(registry.stranger, site="THERE-2")
    address = f"{EVENTS}{event.public_id}/{action}"

    reply = as_reporter.post(address) if action else as_reporter.get(address)
    unknown = f"{EVENTS}{UUID(int=4)}/{action}"
    none = as_reporter.post(unknown) if action else as_reporter.get(unknown)

    assert reply.status_code == none.status_code == 404
    assert reply.content == none.content


def test_every_look_at_rows_is_logged(registry, as_reporter):
    event = stored(registry.reporter)

    as_reporter.get(EVENTS, {"drug": "baclofen"})
    as_reporter.get(f"{EVENTS}{event.public_id}/")

    one, all_of_them = AccessLog.objects.filter(action="row-read")[:2]
    assert (all_of_them.user, all_of_them.count) == (registry.reporter, 1)
    assert '"where":[["drug",["baclofen"]]]' in all_of_them.what
    assert one.what == f"event {event.public_id}"


@pytest.mark.parametrize("rows", [10, 200])
def test_list_takes_the_same_queries_however_long(
    registry, as_reporter, rows, django_assert_num_queries
):
    for _ in range(rows):
        stored(registry.reporter)

    with django_assert_num_queries(QUERIES_OF_A_LIST):
        assert len(as_reporter.get(f"{EVENTS}?limit=500").json()["results"]) == rows


QUERIES_OF_A_LIST = 6
"""The token, its user's roles, membership, the rows, and the entry in the log."""


# Who may ---------------------------------------------------------------------------------------


def test_stranger_without_a_token_is_asked_to_sign_in(registry):
    for reply in (client_of(None).get(EVENTS), client_of(None).post(EVENTS, {}, format="json")):
        assert reply.status_code == 401
        assert reply["WWW-Authenticate"] == "Token"
        assert reply["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("who", ["researcher", "auditor"])
def test_account_without_a_site_is_told_which_right_it_lacks(registry, report, who):
    client = client_of(getattr(registry, who))

    for reply in (client.get(EVENTS), client.post(EVENTS, report(), format="json")):
        assert reply.status_code == 403
        assert "site membership" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("scope", "reading", "writing"),
    [("read-rows", 200, 403), ("write-events", 403, 201), ("read-statistics", 403, 403)],
)
def test_token_does_what_its_scopes_say(registry, report, scope, reading, writing):
    client = client_of(registry.reporter, scopes=(scope,))

    assert client.get(EVENTS).status_code == reading
    assert client.post(EVENTS, report(), format="json").status_code == writing


def test_missing_scope_is_named(registry):
    reply = client_of(registry.reporter, scopes=("read-statistics",)).get(EVENTS)

    assert reply.json()["detail"] == "This token lacks the scope read-rows: make one that has it."


def test_session_cannot_write_without_the_csrf_token(registry, report):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(registry.reporter, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(EVENTS).status_code == 200
    assert client.post(EVENTS, report(), format="json").status_code == 403


# Submitting ------------------------------------------------------------------------------------


def test_draft_is_submitted(registry, as_reporter):
    event = stored(registry.reporter)

    reply = as_reporter.post(f"{EVENTS}{event.public_id}/submit/", HTTP_IF_MATCH='"1"')

    assert reply.status_code == 200
    assert reply.json()["state"] == "submitted"
    assert reply["ETag"] == f'"{reply.json()["version"]}"' != '"1"'


@pytest.mark.parametrize("tag", ['"7"', "1", 'W/"7"', "nonsense"])
def test_submitting_another_version_is_refused(registry, as_reporter, tag):
    event = stored(registry.reporter)

    reply = as_reporter.post(f"{EVENTS}{event.public_id}/submit/", HTTP_IF_MATCH=tag)

    assert reply.status_code == 412
    assert reply.json()["code"] == "version-conflict"
    event.refresh_from_db()
    assert event.state == "draft"


@pytest.mark.parametrize("tag", ["*", '"3", "1"'])
def test_any_of_several_versions_is_enough(registry, as_reporter, tag):
    event = stored(registry.reporter)

    reply = as_reporter.post(f"{EVENTS}{event.public_id}/submit/", HTTP_IF_MATCH=tag)

    assert reply.status_code == 200


def test_submitted_event_is_not_submitted_again(registry, as_reporter):
    event = stored(registry.reporter, submit=True)

    reply = as_reporter.post(f"{EVENTS}{event.public_id}/submit/")

    assert reply.status_code == 409
    assert reply.json()["code"] == "state-conflict"


def test_incomplete_draft_is_not_submitted(registry, as_reporter):
    event = stored(registry.reporter, year="")

    reply = as_reporter.post(f"{EVENTS}{event.public_id}/submit/")

    assert reply.status_code == 400
    assert codes(reply) == [("/year", "required")]

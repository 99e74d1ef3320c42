"""Bulk of every kind: what became of each row, drafts, faults by kind, possible duplicates."""

import pytest

from registry.models import Event, Exposure, Implant, Patient
from tests.api.conftest import client_of

IMPLANT = {
    "site": "HERE-1",
    "patient": "pt-1",
    "implant": "im-1",
    "component": "pump",
    "model": "synchromed-ii-40",
    "implant_year": 2015,
    "age_band": "40-64",
    "sex": "female",
    "indication": "multiple-sclerosis",
    "drug": "baclofen",
    "months_to_entry": 0,
    "months_followed": 24,
    "exit_status": "active",
}
EXPOSURE = {
    "site": "HERE-1",
    "year": 2020,
    "component": "pump",
    "devices": 41,
    "component_months": 455,
}


def send(client, kind, body, query=""):
    return client.post(f"/api/v1/{kind}/bulk/{query}", body, format="json")


def send_file(client, kind, *rows):
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    body = "\n".join(lines).encode()
    return client.post(f"/api/v1/{kind}/bulk/", body, content_type="text/csv")


@pytest.fixture
def events(report):
    def make(count, **fields):
        return [report(source_id=f"ev-{n}", year=2001 + n, **fields) for n in range(count)]

    return make


# Every row is told -----------------------------------------------------------------------------


def test_reply_gives_the_id_and_state_of_every_event(as_reporter, events):
    send(as_reporter, "events", events(1))

    reply = send(as_reporter, "events", events(2)).json()

    assert (reply["new"], reply["unchanged"]) == (1, 1)
    ids = dict(Event.objects.values_list("source_id", "public_id"))
    assert reply["rows"] == [
        {
            "done": done,
            "site": "HERE-1",
            "source_id": key,
            "id": str(ids[key]),
            "version": 1,
            "state": "submitted",
            "possible_duplicates": [],
        }
        for key, done in (("ev-0", "unchanged"), ("ev-1", "new"))
    ]


def test_dry_run_has_no_id_for_what_it_did_not_store(as_reporter, events):
    send(as_reporter, "events", events(1))

    rows = send(as_reporter, "events", events(2), "?dry_run=true").json()["rows"]

    known = str(Event.objects.get().public_id)
    assert [(row["done"], row["id"], row["state"]) for row in rows] == [
        ("unchanged", known, "submitted"),
        ("new", None, None),
    ]


def test_rows_are_told_beyond_five_hundred(as_reporter, events):
    body = [{**events(1)[0], "source_id": f"ev-{n}", "year": 2000} for n in range(501)]

    rows = send(as_reporter, "events", body).json()["rows"]

    assert [row["source_id"] for row in rows] == [f"ev-{n}" for n in range(501)]
    assert all(row["id"] for row in rows)


def test_reply_names_reports_that_may_be_of_the_same_event(as_reporter, report):
    first = send(as_reporter, "events", [report(source_id="ev-1")]).json()

    again = send(as_reporter, "events", [report(source_id="ev-2")]).json()

    assert (first["alike"], first["rows"][0]["possible_duplicates"]) == (0, [])
    assert (again["alike"], again["rows"][0]["possible_duplicates"]) == (
        1,
        [first["rows"][0]["id"]],
    )
    seen = send(as_reporter, "events", [report(source_id="ev-1")]).json()["rows"]
    assert seen[0]["possible_duplicates"] == [again["rows"][0]["id"]]


# Drafts ----------------------------------------------------------------------------------------


def test_drafts_may_be_incomplete(as_reporter):
    body = [{"site": "HERE-1", "source_id": "ev-1", "complication": "infection-pocket"}]

    refused = send(as_reporter, "events", body)
    reply = send(as_reporter, "events", body, "?submit=false")

    assert refused.status_code == 400
    assert reply.status_code == 200, reply.content
    assert reply.json()["rows"][0]["state"] == "draft"
    assert Event.objects.get().state == "draft"


def test_drafts_hold_to_the_rules_of_what_they_say(as_reporter, report):
    reply = send(as_reporter, "events", [report(severity=5)], "?submit=false")

    assert reply.status_code == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize("kind", ["implants", "exposures"])
def test_only_events_are_drafts(kind, as_reporter):
    reply = send(as_reporter, kind, [], "?submit=false")

    assert [error["code"] for error in reply.json()["errors"]] == ["unknown-parameter"]


# Faults by kind --------------------------------------------------------------------------------


def test_faults_are_told_by_kind_with_their_first_rows(as_reporter, events):
    body = [*events(1), *({**row, "severity": 9} for row in events(5)[1:])]

    reply = send(as_reporter, "events", body).json()

    assert reply["total"] == 4
    assert [
        (kind["field"], kind["code"], kind["rows"], kind["first"]) for kind in reply["kinds"]
    ] == [("severity", "unknown-code", 4, [1, 2, 3])]


def test_kinds_of_a_file_name_its_lines(as_reporter):
    rows = [{**IMPLANT, "implant": f"im-{n}", "implant_year": 1800} for n in range(2)]

    reply = send_file(as_reporter, "implants", *rows).json()

    assert [(kind["field"], kind["rows"], kind["first"]) for kind in reply["kinds"]] == [
        ("implant_year", 2, [2, 3])
    ]


def test_faults_of_shape_and_of_value_are_told_at_once(as_reporter, events):
    first, second, third = events(3)
    body = [{**first, "year": [2020]}, {**second, "severity": 9}, {**third, "sevrity": 3}]

    reply = send(as_reporter, "events", body).json()

    assert [(each["pointer"], each["code"]) for each in reply["errors"]] == [
        ("/0/year", "bad-type"),
        ("/1/severity", "unknown-code"),
        ("/2/sevrity", "unknown-column"),
    ]
    assert not Event.objects.exists()


def test_row_of_a_bad_shape_alone_stores_nothing(as_reporter, events):
    first, second = events(2)

    reply = send(as_reporter, "events", [first, {**second, "sevrity": 3}])

    assert reply.status_code == 400
    assert not Event.objects.exists()


# Other kinds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("post", [lambda *args: send(*args[:2], list(args[2:])), send_file])
def test_implants_are_stored_with_their_patients(post, as_reporter):
    catheter = {**IMPLANT, "implant": "im-2", "component": "catheter", "model": "ascenda"}

    reply = post(as_reporter, "implants", IMPLANT, catheter)

    assert reply.status_code == 200, reply.content
    body = reply.json()
    assert (body["new"], body["updated"], body["unchanged"]) == (2, 0, 0)
    stored = {key: str(each) for key, each in Implant.objects.values_list("source_id", "public_id")}
    assert {row["source_id"]: row["id"] for row in body["rows"]} == stored
    assert [row["state"] for row in body["rows"]] == [None, None]
    assert Patient.objects.get().source_id == "pt-1"


def test_later_follow_up_updates_an_implant(as_reporter):
    send(as_reporter, "implants", [IMPLANT])

    later = [
        {**IMPLANT, "months_followed": 36},
        {**IMPLANT, "implant": "im-2", "component": "catheter", "model": "ascenda"},
    ]
    dry = send(as_reporter, "implants", later, "?dry_run=true").json()
    reply = send(as_reporter, "implants", later).json()

    for body, version in ((dry, 1), (reply, 2)):
        assert (body["new"], body["updated"]) == (1, 1)
        first, second = body["rows"]
        assert (first["done"], first["version"], second["done"]) == ("updated", version, "new")
    assert Implant.objects.get(source_id="im-1").months_followed == 36


def test_declared_device_time_is_told_in_the_order_sent(registry):
    manager = client_of(registry.manager)
    years = [{**EXPOSURE, "year": year} for year in (2021, 2019, 2020)]

    first = send(manager, "exposures", years[:1]).json()
    reply = send(manager, "exposures", years).json()

    assert [row["done"] for row in reply["rows"]] == ["unchanged", "new", "new"]
    assert reply["rows"][0]["id"] == first["rows"][0]["id"]
    assert [row["id"] for row in reply["rows"]] == [
        str(Exposure.objects.get(year=year).public_id) for year in (2021, 2019, 2020)
    ]
    assert [row["source_id"] for row in reply["rows"]] == [None] * 3


def test_only_leads_declare_device_time(as_reporter):
    reply = send(as_reporter, "exposures", [EXPOSURE])

    assert [(each["pointer"], each["code"]) for each in reply.json()["errors"]] == [
        ("/0/site", "not-permitted")
    ]
    assert not Exposure.objects.exists()


@pytest.mark.parametrize("kind", ["implants", "exposures"])
def test_body_of_another_kind_that_is_no_list_is_refused(kind, as_reporter):
    reply = send(as_reporter, kind, {})

    assert [error["code"] for error in reply.json()["errors"]] == ["not-a-list"]
    assert kind in reply.json()["detail"]


@pytest.mark.parametrize("kind", ["events", "implants", "exposures"])
def test_address_says_what_it_takes(kind, as_reporter):
    reply = as_reporter.options(f"/api/v1/{kind}/bulk/")

    assert reply.status_code == 200
    assert reply.json()["parses"] == ["application/json", "text/csv"]


# Rows that differ from the stored ones ---------------------------------------------------------


def test_row_that_differs_is_a_fault_unless_something_else_is_said(as_reporter):
    send(as_reporter, "implants", [IMPLANT])

    reply = send(as_reporter, "implants", [IMPLANT | {"drug": "morphine"}])

    assert reply.status_code == 400
    assert [each["code"] for each in reply.json()["errors"]] == ["differs-from-stored"]


def test_row_that_differs_is_skipped(as_reporter):
    send(as_reporter, "implants", [IMPLANT])

    body = send(
        as_reporter, "implants", [IMPLANT | {"drug": "morphine"}], "?on_conflict=skip"
    ).json()

    assert (body["skipped"], body["updated"], body["rows"][0]["done"]) == (1, 0, "skipped")
    assert Implant.objects.get().drug == "baclofen"


@pytest.mark.parametrize("query", ["?on_conflict=update", "?on_conflict=update&dry_run=true"])
def test_row_that_differs_is_changed_in_the_fields_that_are_sent(query, as_reporter):
    send(as_reporter, "implants", [IMPLANT | {"pump_site": "abdomen"}])

    body = send(as_reporter, "implants", [IMPLANT | {"drug": "morphine"}], query).json()

    implant = Implant.objects.get()
    assert (body["updated"], body["rows"][0]["done"]) == (1, "updated")
    changed = "dry_run" not in query
    assert implant.drug == ("morphine" if changed else "baclofen")
    assert (implant.version, implant.pump_site != "") == (2 if changed else 1, True)


def test_site_changes_its_draft_and_no_submitted_event(as_reporter, events):
    (event,) = events(1)
    send(as_reporter, "events", [event], "?submit=false")
    other = event | {"severity": 2, "seriousness": ["none"]}

    draft = send(as_reporter, "events", [other], "?on_conflict=update&submit=false")
    Event.objects.update(state="submitted")
    submitted = send(as_reporter, "events", [event], "?on_conflict=update")

    assert draft.json()["updated"] == 1
    assert [each["code"] for each in submitted.json()["errors"]] == ["state-conflict"]
    assert Event.objects.get().severity == 2


@pytest.mark.parametrize("kind", ["implants", "patients"])
def test_other_word_is_refused(kind, as_reporter):
    assert send(as_reporter, kind, [], "?on_conflict=overwrite").status_code == 400

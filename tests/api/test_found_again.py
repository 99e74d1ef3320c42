"""An integration finds its own rows again: by key, by last change, page by page."""

from datetime import timedelta

import pytest

from registry import intake
from registry.models import AccessLog, Seal
from registry.records import RawReport, RowKind
from tests.api.conftest import client_of, stored
from tests.factories import ImplantFactory, PatientFactory

EVENTS = "/api/v1/events/"


def found_by(client, **params):
    reply = client.get(EVENTS, params)
    assert reply.status_code == 200, reply.content
    return [row["source_id"] for row in reply.json()["results"]]


def test_events_are_found_by_their_own_key(registry, as_reporter):
    for key in ("ev-1", "ev-2", "ev-3"):
        stored(registry.reporter, source_id=key)

    assert found_by(as_reporter, source_id="ev-2") == ["ev-2"]
    assert found_by(as_reporter, source_id="ev-3,ev-1") == ["ev-1", "ev-3"]
    assert found_by(as_reporter, source_id=["ev-3", "ev-1"]) == ["ev-1", "ev-3"]
    assert found_by(as_reporter, source_id="ev-9") == []


def test_key_of_another_site_finds_nothing(registry, as_reporter):
    stored(registry.stranger, site="THERE-2", source_id="ev-1")

    assert found_by(as_reporter, source_id="ev-1") == []


def test_events_are_found_by_the_keys_of_patient_and_implant(registry, as_reporter):
    patient = PatientFactory(site=registry.here, source_id="pt-a")
    ImplantFactory(patient=patient, source_id="im-a", implant_year=2015)
    when = {"year": "2016", "months_since_implant": "12"}
    stored(registry.reporter, source_id="ev-1", implant="im-a", drug="", **when)
    stored(registry.reporter, source_id="ev-2")

    assert found_by(as_reporter, patient="pt-a") == ["ev-1"]
    assert found_by(as_reporter, implant="im-a") == ["ev-1"]
    assert found_by(as_reporter, implant="im-a", source_id="ev-2") == []


@pytest.mark.parametrize("name", ["source_id", "patient", "implant", "changed_since"])
def test_empty_filter_is_none(name, registry, as_reporter):
    stored(registry.reporter, source_id="ev-1")

    assert found_by(as_reporter, **{name: ""}) == ["ev-1"]


def test_changes_are_found_from_an_instant(registry, as_reporter):
    first = stored(registry.reporter, source_id="ev-1")
    stored(registry.reporter, source_id="ev-2")
    intake.change_event(
        first.public_id, RawReport(RowKind.EVENT, {"severity": "3"}), by=registry.reporter
    )
    *_, second, change = Seal.objects.order_by("number")

    def since(instant):
        return found_by(as_reporter, changed_since=instant)

    assert since(second.at.isoformat()) == ["ev-1", "ev-2"]
    assert since(change.at.isoformat()) == ["ev-1"]
    assert since((change.at + timedelta(microseconds=1)).isoformat()) == []
    unescaped = change.at.isoformat()
    assert "+00:00" in unescaped
    listed = as_reporter.get(f"{EVENTS}?changed_since={unescaped}").json()["results"]
    assert [row["source_id"] for row in listed] == ["ev-1"]


def test_changes_are_found_from_a_seal_by_those_who_see_seals(registry, as_reporter):
    stored(registry.reporter, source_id="ev-1")
    seal = stored(registry.reporter, source_id="ev-2").seal_id
    reviewer = client_of(registry.reviewer)

    assert found_by(reviewer, changed_since=seal - 1) == ["ev-2"]
    assert found_by(reviewer, changed_since=seal) == []
    refused = as_reporter.get(EVENTS, {"changed_since": seal})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-value")


def test_a_seal_that_is_not_there_yet_is_refused(registry):
    reviewer = client_of(registry.reviewer)
    assert found_by(reviewer, changed_since=0) == []

    seal = stored(registry.reporter, source_id="ev-1").seal_id
    refused = reviewer.get(EVENTS, {"changed_since": seal + 1})

    assert refused.status_code == 400
    assert [error["detail"] for error in refused.json()["errors"]] == [
        "The registry has no seal of this number. "
        "Give an instant with its offset, such as 2026-11-30T09:00:00Z."
    ]


@pytest.mark.parametrize(
    "since", ["yesterday", "2026-11-30", "2026-11-30T09:00:00", "2026-13-01T00:00Z"]
)
def test_instant_that_is_not_understood_is_refused(since, as_reporter):
    reply = as_reporter.get(EVENTS, {"changed_since": since})

    assert reply.status_code == 400
    assert reply.json()["errors"] == [
        {
            "parameter": "changed_since",
            "code": "bad-value",
            "detail": "Give an instant with its offset, such as 2026-11-30T09:00:00Z.",
        }
    ]


def test_instant_is_given_once(as_reporter):
    reply = as_reporter.get(f"{EVENTS}?changed_since=1&changed_since=2")

    assert [error["code"] for error in reply.json()["errors"]] == ["repeated-parameter"]


def test_keys_that_are_searched_for_are_in_no_log(registry, as_reporter):
    stored(registry.reporter, source_id="ev-1")
    found_by(as_reporter, source_id="ev-1")

    assert AccessLog.objects.latest("pk").what.endswith("by source_id")


def test_pages_go_on_where_a_row_has_left_the_list(registry, as_reporter):
    first, *_ = (stored(registry.reporter, source_id=f"ev-{n}") for n in range(3))
    page = as_reporter.get(EVENTS, {"state": "draft", "limit": 1}).json()
    intake.discard_event(first.public_id, by=registry.reporter)

    rest = as_reporter.get(page["next"]).json()

    assert [row["source_id"] for row in rest["results"]] == ["ev-1"]


@pytest.mark.parametrize("kind", ["patients", "implants", "exposures"])
def test_other_rows_are_found_from_an_instant_too(kind, registry):
    manager = client_of(registry.manager)
    body = {
        "patients": {"site": "HERE-1", "source_id": "pt-4c9d", "sex": "female"},
        "implants": {"site": "HERE-1", "implant": "im-8x2q", **IMPLANT},
        "exposures": {"site": "HERE-1", "year": 2020, "component": "pump", **TIME},
    }[kind]
    made = manager.post(f"/api/v1/{kind}/", body, format="json")
    assert made.status_code == 201, made.content
    seal = Seal.objects.latest("number")

    def since(value):
        reply = manager.get(f"/api/v1/{kind}/", {"changed_since": value})
        assert reply.status_code == 200, reply.content
        return [row["id"] for row in reply.json()["results"]]

    assert since(seal.at.isoformat()) == since(seal.number - 1) == [made.json()["id"]]
    assert since((seal.at + timedelta(seconds=1)).isoformat()) == since(seal.number) == []


IMPLANT = {
    "patient": "pt-4c9d",
    "component": "pump",
    "model": "synchromed-ii-40",
    "implant_year": 2019,
    "months_to_entry": 0,
    "months_followed": 12,
    "exit_status": "active",
}
TIME = {"devices": 41, "component_months": 455}

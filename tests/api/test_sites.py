"""Which sites a caller works with."""

import pytest

from registry import intake
from registry.models import Implant, Site
from registry.vocabulary import MembershipRole
from tests.api.conftest import client_of
from tests.factories import ImplantFactory, MembershipFactory, PatientFactory, UserFactory

SITES = "/api/v1/sites/"


def test_member_sees_own_sites_only(registry, as_reporter):
    assert as_reporter.get(SITES).json() == {
        "results": [
            {
                "code": "HERE-1",
                "name": "Here",
                "country": "PT",
                "active": True,
                "round_number": None,
                "pump_implants_from": None,
                "catheter_implants_from": None,
                "key_prefix": "",
                "key_digits": None,
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize("who", ["reviewer", "manager"])
def test_staff_of_the_registry_see_every_site(registry, who):
    reply = client_of(getattr(registry, who)).get(SITES)

    assert [row["code"] for row in reply.json()["results"]] == ["HERE-1", "THERE-2"]


def test_others_are_told_what_they_lack(registry):
    assert client_of(None).get(SITES).status_code == 401
    reply = client_of(registry.researcher).get(SITES)
    assert reply.status_code == 403
    assert "site membership" in reply.json()["detail"]


def test_unknown_parameter_is_refused(as_reporter):
    assert as_reporter.get(SITES, {"country": "PT"}).status_code == 400


def test_lead_closes_the_round_of_the_site_once_for_a_key(registry, settings):
    lead = UserFactory()
    MembershipFactory(user=lead, site=registry.here, role=MembershipRole.LEAD)
    Implant.objects.update(exit_status="lost-to-follow-up")
    key = {"Idempotency-Key": "round-of-this-year"}
    client = client_of(lead)

    first = client.post(f"{SITES}HERE-1/close-round/", headers=key)
    again = client.post(f"{SITES}HERE-1/close-round/", headers=key)

    assert (first.status_code, first.json()["round_number"]) == (200, 1)
    assert again.json() == first.json()
    assert Site.objects.get(code="HERE-1").round_number == 1


def test_round_is_not_closed_while_implants_are_behind(registry):
    ImplantFactory(patient=PatientFactory(site=registry.here), implant_year=2000, months_followed=1)

    reply = client_of(registry.manager).post(f"{SITES}HERE-1/close-round/")

    assert reply.status_code == 409
    assert reply.json()["errors"][0]["code"] == "follow-up-behind"


def test_site_of_others_is_not_found_and_a_reporter_may_not_close_its_own(registry, as_reporter):
    assert as_reporter.post(f"{SITES}THERE-2/close-round/").status_code == 404
    assert as_reporter.post(f"{SITES}HERE-1/close-round/").status_code == 403


def test_lead_says_from_which_year_on_implants_count(registry):
    lead = UserFactory()
    MembershipFactory(user=lead, site=registry.here, role=MembershipRole.LEAD)
    client, address = client_of(lead), f"{SITES}HERE-1/implants-from/"

    said = client.post(address, {"component": "pump", "year": 2016}, format="json")
    taken_back = client.post(address, {"component": "pump", "year": None}, format="json")

    assert (said.status_code, said.json()["pump_implants_from"]) == (200, 2016)
    assert said.json()["catheter_implants_from"] is None
    assert (taken_back.status_code, taken_back.json()["pump_implants_from"]) == (200, None)


@pytest.mark.parametrize(
    ("body", "column", "code"),
    [
        ({"component": "pump"}, "year", "bad-type"),
        ({"component": "pump", "year": "2016"}, "year", "bad-type"),
        ({"component": "pump", "year": True}, "year", "bad-type"),
        ({"component": "pump", "year": 1900}, "year", "out-of-range"),
        ({"component": 7, "year": 2016}, "component", "bad-type"),
        ({"year": 2016}, "component", "unknown-code"),
        ({"component": "pump", "year": 2016, "why": "x"}, "why", "unknown-field"),
    ],
)
def test_word_that_is_none_is_refused_by_its_field(registry, body, column, code):
    reply = client_of(registry.manager).post(f"{SITES}HERE-1/implants-from/", body, format="json")

    assert reply.status_code == 400
    errors = reply.json()["errors"]
    assert [(each["pointer"], each["code"]) for each in errors] == [(f"/{column}", code)]


def test_site_of_others_has_no_word_and_a_reporter_says_none(registry, as_reporter):
    said = {"component": "pump", "year": 2016}

    for site, status in (("THERE-2", 404), ("HERE-1", 403)):
        reply = as_reporter.post(f"{SITES}{site}/implants-from/", said, format="json")
        assert reply.status_code == status


def test_lead_declares_the_keys_of_the_site_once(registry):
    lead = UserFactory()
    MembershipFactory(user=lead, site=registry.here, role=MembershipRole.LEAD)
    client, address = client_of(lead), f"{SITES}HERE-1/key-pattern/"

    said = client.post(address, {"key_prefix": "KSG-", "key_digits": 4}, format="json")
    again = client.post(address, {"key_prefix": "KSG-", "key_digits": 5}, format="json")
    away = {"key_prefix": "", "key_digits": None}
    taken_away = client_of(registry.manager).post(address, away, format="json")

    assert (said.status_code, said.json()["key_prefix"], said.json()["key_digits"]) == (
        *(200, "KSG-", 4),
    )
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    assert (taken_away.status_code, taken_away.json()["key_digits"]) == (200, None)


@pytest.mark.parametrize(
    ("body", "column", "code"),
    [
        ({"key_prefix": "KSG-"}, "key_digits", "bad-type"),
        ({"key_prefix": "KSG-", "key_digits": "4"}, "key_digits", "bad-type"),
        ({"key_prefix": "KSG-", "key_digits": 6}, "key_digits", "out-of-range"),
        ({"key_prefix": 7, "key_digits": 4}, "key_prefix", "bad-type"),
        ({"key_prefix": "KSG-1", "key_digits": 4}, "key_prefix", "bad-prefix"),
        ({"key_prefix": "Meier-", "key_digits": 4}, "key_prefix", "identifier-found"),
    ],
)
def test_pattern_that_is_none_is_refused_by_its_field(registry, body, column, code):
    reply = client_of(registry.manager).post(f"{SITES}HERE-1/key-pattern/", body, format="json")

    assert reply.status_code == 400
    errors = reply.json()["errors"]
    assert [(each["pointer"], each["code"]) for each in errors] == [(f"/{column}", code)]


def test_new_keys_of_another_form_are_refused_by_the_api(registry, as_reporter):
    intake.declare_key_pattern("HERE-1", key_prefix="KSG-", key_digits=4, by=registry.manager)
    body = {"site": "HERE-1", "sex": "female", "indication": "stroke"}

    one = as_reporter.post("/api/v1/patients/", {**body, "source_id": "zq-81"}, format="json")
    rows = [{**body, "source_id": key} for key in ("KSG-0001", "zq-81")]
    many = as_reporter.post("/api/v1/patients/bulk/", rows, format="json")
    taken = as_reporter.post("/api/v1/patients/", rows[0], format="json")

    assert [each["pointer"] for each in one.json()["errors"]] == ["/source_id"]
    assert [(each["pointer"], each["code"]) for each in many.json()["errors"]] == [
        ("/1/source_id", "unlike-the-pattern")
    ]
    assert "zq-81" not in one.text + many.text
    assert taken.status_code == 201

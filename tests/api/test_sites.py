"""Which sites a caller works with."""

import pytest

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

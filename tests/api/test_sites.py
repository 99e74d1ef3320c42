"""Which sites a caller works with."""

import pytest

from tests.api.conftest import client_of

SITES = "/api/v1/sites/"


def test_member_sees_own_sites_only(registry, as_reporter):
    assert as_reporter.get(SITES).json() == {
        "results": [{"code": "HERE-1", "name": "Here", "country": "PT", "active": True}],
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

"""Seals and the access log: auditors read them, and nobody writes them."""

import pytest
from django.core.management import call_command

from registry.models import AccessLog, Seal
from tests.factories import EventFactory


@pytest.fixture
def entries(own_site, db):
    event = EventFactory(site=own_site)
    AccessLog.objects.create(action="exact-statistics", what='{"measure":"rates"}', count=3)
    return event


@pytest.mark.parametrize("place", ["seal", "accesslog"])
def test_an_auditor_reads_the_audit_trail(place, entries, auditor, signed_in):
    answer = signed_in(auditor).get(f"/admin/registry/{place}/")

    assert answer.status_code == 200
    assert answer.context["cl"].queryset.exists()


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "manager"])
@pytest.mark.parametrize("place", ["seal", "accesslog"])
def test_the_audit_trail_is_closed_to_others(place, role, entries, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    assert client.get(f"/admin/registry/{place}/").status_code == 403


def test_a_seal_shows_what_was_written_under_it(entries, auditor, signed_in):
    answer = signed_in(auditor).get(f"/admin/registry/seal/{entries.seal_id}/change/")

    assert answer.status_code == 200
    [(kind, key, version)] = answer.context["written"]
    assert (kind, key, version.action) == ("event", str(entries.public_id), "Stored")


def test_a_seal_of_the_catalogue_shows_its_first_fifty_rows(auditor, signed_in):
    call_command("load_catalogue", verbosity=0)
    seal = Seal.objects.get(action="load-catalogue")

    answer = signed_in(auditor).get(f"/admin/registry/seal/{seal.number}/change/")

    written = answer.context["written"]
    assert len(written) == 50
    assert ("category", "infection") in [(kind, key) for kind, key, _version in written]
    assert f"And {seal.rows - 50} more rows" in answer.text


def test_a_seal_is_not_changed(entries, auditor, signed_in):
    client = signed_in(auditor)

    assert client.post("/admin/registry/seal/1/change/", {"action": "other"}).status_code == 403
    assert client.get("/admin/registry/seal/add/").status_code == 403
    assert not Seal.objects.filter(action="other").exists()

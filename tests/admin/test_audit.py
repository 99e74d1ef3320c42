"""Seals and the access log: auditors read them, and nobody writes them."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.intake import accept_event
from registry.models import AccessLog, Event, Seal
from registry.models.append_only import lift_append_only_triggers
from tests.factories import ComplicationFactory, EventFactory


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


PAGE = "/admin/history/"
VERIFY = "/admin/registry/seal/verify/"


@pytest.fixture
def tampered(entries):
    """The history row of the event, altered past its seal."""
    lift_append_only_triggers(connection)
    Event.history.update(year=1999)
    return entries


def versions(answer):
    return [(key, version.by, version.action) for key, version in answer.context["versions"]]


def test_an_auditor_reads_the_history_across_rows(own_site, reviewer, auditor, signed_in):
    first = EventFactory(site=own_site, state="submitted")
    second = EventFactory(site=own_site, state="submitted")
    accept_event(first.public_id, by=reviewer)

    answer = signed_in(auditor).get(PAGE)

    assert versions(answer) == [
        (str(first.public_id), "reviewer", "Changed"),
        (str(second.public_id), "the registry itself", "Stored"),
        (str(first.public_id), "the registry itself", "Stored"),
    ]
    [state] = answer.context["versions"][0][1].changes
    assert (state.field, state.before, state.after) == ("state", "Submitted", "Accepted")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"kind": "event", "by": "reviewer"}, 1),
        ({"kind": "site"}, 1),
        ({"kind": "site", "row": "OWN-1"}, 1),
        ({"kind": "site", "row": "OTHER-2"}, 0),
        ({"kind": "membership"}, 0),
    ],
)
def test_the_history_is_narrowed_by_kind_person_and_row(
    params, found, own_site, reviewer, auditor, signed_in
):
    event = EventFactory(site=own_site, state="submitted")
    accept_event(event.public_id, by=reviewer)

    assert len(versions(signed_in(auditor).get(PAGE, params))) == found


def test_the_history_of_one_event_is_found_by_its_public_id(own_site, auditor, signed_in):
    EventFactory(site=own_site)
    event = EventFactory(site=own_site)

    answer = signed_in(auditor).get(PAGE, {"row": str(event.public_id)})

    assert [key for key, _by, _action in versions(answer)] == [str(event.public_id)]


@pytest.mark.parametrize(
    "params", [{"row": "no-such-key"}, {"kind": "patients"}, {"by": "nobody"}, {"page": "x"}]
)
def test_a_history_that_is_asked_for_wrongly_tells_so_and_echoes_nothing(
    params, entries, auditor, signed_in
):
    answer = signed_in(auditor).get(PAGE, params)

    assert answer.status_code == 200
    if params != {"page": "x"}:
        assert versions(answer) == []
        assert answer.context["form"].errors
        assert not any(value in str(answer.context["form"].errors) for value in params.values())


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "manager"])
def test_the_history_across_rows_is_closed_to_others(role, entries, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    assert client.get(PAGE).status_code == 403
    assert client.post(VERIFY).status_code == 403


def test_looks_at_history_and_seals_are_logged(entries, auditor, signed_in):
    before = list(AccessLog.objects.values_list("pk", flat=True))
    client = signed_in(auditor)

    client.get(PAGE)
    client.get(f"/admin/registry/seal/{entries.seal_id}/change/")

    logged = AccessLog.objects.exclude(pk__in=before).order_by("pk")
    assert list(logged.values_list("what", "count")) == [
        ("event history of all", 1),
        (f"seal {entries.seal_id}", 1),
    ]


def test_the_history_takes_as_many_queries_however_many_versions(
    own_site, reviewer, auditor, signed_in
):
    client = signed_in(auditor)
    migration, site = ComplicationFactory(), own_site

    def queries():
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        return len(queries)

    EventFactory(site=site, complication=migration)
    queries()
    few = queries()
    for _ in range(8):
        event = EventFactory(site=site, complication=migration, state="submitted")
        accept_event(event.public_id, by=reviewer)

    assert queries() == few


def test_a_seal_that_holds_says_so(entries, auditor, signed_in, heads):
    call_command("checkpoint", skip_checks=True)
    client = signed_in(auditor)

    shown = client.get(f"/admin/registry/seal/{entries.seal_id}/change/")
    listed = client.get("/admin/registry/seal/")
    checked = client.post(VERIFY, follow=True)

    assert "Valid: hash, signature, chain and the history rows under it." in shown.text
    assert 'alt="False"' not in listed.text
    seals = Seal.objects.count()
    assert f"The trail is whole: {seals} seals over" in checked.text
    assert f"Its head, for your own keeping: {seals}:{Seal.objects.latest('number').hash}" in (
        checked.text
    )


def test_a_seal_whose_history_was_altered_says_so(tampered, auditor, signed_in):
    client = signed_in(auditor)

    shown = client.get(f"/admin/registry/seal/{tampered.seal_id}/change/")
    checked = client.post(VERIFY, follow=True)

    assert "A history row under it was altered." in shown.text
    assert (
        f"The trail is broken. Seal {tampered.seal_id}: A history row under it was altered."
        in checked.text
    )


def test_a_seal_that_was_altered_breaks_the_chain_in_the_list(entries, auditor, signed_in):
    lift_append_only_triggers(connection)
    Seal.objects.filter(pk=entries.seal_id).update(action="other")

    listed = signed_in(auditor).get("/admin/registry/seal/")

    assert listed.text.count('alt="False"') == 1


def test_a_long_trail_is_checked_by_command(entries, auditor, signed_in, monkeypatch):
    monkeypatch.setattr("registry.admin.audit.MOST_AT_ONCE", 0)
    client = signed_in(auditor)

    assert "run manage.py verify_audit" in client.post(VERIFY, follow=True).text
    shown = client.get(f"/admin/registry/seal/{entries.seal_id}/change/")
    assert "run manage.py verify_audit" in shown.text


def test_checking_the_trail_takes_a_post(entries, auditor, signed_in):
    assert signed_in(auditor).get(VERIFY).status_code == 405


@pytest.mark.parametrize("address", ["/dashboard/", "/api/v1/statistics/counts/"])
def test_an_auditor_has_no_statistics(address, entries, auditor, signed_in):
    assert signed_in(auditor).get(address).status_code == 403


def test_a_seal_is_not_changed(entries, auditor, signed_in):
    client = signed_in(auditor)

    assert client.post("/admin/registry/seal/1/change/", {"action": "other"}).status_code == 403
    assert client.get("/admin/registry/seal/add/").status_code == 403
    assert not Seal.objects.filter(action="other").exists()

"""A follow-up of many implants and a replacement that were left: kept, and offered again."""

import pytest
from django.urls import reverse

from registry import intake
from registry.models import Implant
from registry.records import RawReport, RowKind
from tests.admin.test_autosaving import kept_in, leave, offered
from tests.factories import ImplantFactory, PatientFactory

pytestmark = pytest.mark.django_db

FOLLOW_UP = "/admin/registry/implant/follow-up/"
KEEP = "/admin/registry/implant/autosave/"


@pytest.fixture
def pumps(own_site):
    return [ImplantFactory(patient=PatientFactory(site=own_site)) for _ in range(2)]


@pytest.fixture
def theirs(other_site):
    return ImplantFactory(patient=PatientFactory(site=other_site))


def replacing(implant):
    return reverse("admin:registry_implant_replace", args=[implant.public_id])


def test_a_follow_up_that_was_left_is_offered_and_fills_in_the_page(pumps, reporter, signed_in):
    client = signed_in(reporter)
    one, other = pumps
    typed = {
        "tick": str(one.public_id),
        "rule": "reached",
        "months": "72",
        f"months-{other.public_id}": "66",
        f"ended-{other.public_id}": "lost-to-follow-up",
    }

    assert leave(client, at=FOLLOW_UP, keep=KEEP, **typed).status_code == 204
    shown = client.post(FOLLOW_UP, {"_kept": offered(client, FOLLOW_UP)})

    lines = {line.implant: line for line in shown.context["lines"]}
    assert lines[one].ticked
    assert (lines[other].months, lines[other].ended) == ("66", "lost-to-follow-up")
    assert shown.context["ticked"]["rule"].value() == "reached"
    assert shown.context["ticked"]["months"].value() == "72"
    assert not Implant.objects.exclude(months_followed=60).exists()


def test_a_follow_up_is_kept_while_it_is_looked_at_and_forgotten_once_stored(
    pumps, reporter, signed_in
):
    client = signed_in(reporter)
    one = pumps[0]
    sent = {"row": f"{one.public_id}:{one.version}", f"months-{one.public_id}": "61"}

    client.post(FOLLOW_UP, {**sent, "do": "look"})
    assert offered(client, FOLLOW_UP)
    client.post(FOLLOW_UP, {**sent, "do": "save"})

    assert Implant.objects.get(pk=one.pk).months_followed == 61
    assert offered(client, FOLLOW_UP) is None


def test_of_a_follow_up_only_answers_for_own_implants_are_kept(pumps, theirs, reporter, signed_in):
    client = signed_in(reporter)
    one = pumps[0]
    leave(
        client,
        at=FOLLOW_UP,
        keep=KEEP,
        tick=[str(theirs.public_id), "Maria Schmidt"],
        rule="Maria Schmidt",
        months="04.03.1961",
        surname="Maria Schmidt",
        **{
            f"months-{one.public_id}": "Maria Schmidt",
            f"ended-{one.public_id}": "Maria Schmidt",
            f"months-{theirs.public_id}": "61",
            "months-Maria Schmidt": "61",
        },
    )
    assert kept_in(client) == "{}"

    leave(client, at=FOLLOW_UP, keep=KEEP, surname="Maria Schmidt", tick=str(one.public_id))
    assert str(one.public_id) in kept_in(client)
    assert "Schmidt" not in kept_in(client)


def test_a_replacement_that_was_left_is_offered_and_fills_in_the_page(pumps, reporter, signed_in):
    client = signed_in(reporter)
    page = replacing(pumps[0])
    typed = {
        "version": "1",
        "ended_months_followed": "70",
        "ended_exit_status": "replaced-end-of-service",
        "implant_year": "2016",
        "implant": "Maria-Schmidt",
        "surname": "Maria Schmidt",
    }

    assert leave(client, at=page, keep=KEEP, **typed).status_code == 204
    assert "Schmidt" not in kept_in(client)
    form = client.post(page, {"_kept": offered(client, page)}).context["form"]

    assert form["ended_months_followed"].value() == "70"
    assert form["ended_exit_status"].value() == "replaced-end-of-service"
    assert form["implant_year"].value() == "2016"
    assert Implant.objects.count() == 2


def test_a_replacement_that_is_stored_is_forgotten(pumps, reporter, signed_in):
    client = signed_in(reporter)
    page = replacing(pumps[0])
    sent = {
        "version": str(pumps[0].version),
        "ended_months_followed": "60",
        "ended_exit_status": "replaced-end-of-service",
        "implant_year": "2016",
        "months_followed": "1",
    }
    leave(client, at=page, keep=KEEP, **sent)
    assert kept_in(client) != "{}"

    client.post(page, sent)

    assert Implant.objects.count() == 3
    assert kept_in(client) == "{}"


def test_nobody_keeps_answers_for_what_is_not_theirs(
    pumps, theirs, reporter, reviewer, auditor, signed_in
):
    one = {"ended_months_followed": "70"}

    assert leave(signed_in(reporter), at=replacing(theirs), keep=KEEP, **one).status_code == 404
    assert leave(signed_in(reviewer), at=replacing(pumps[0]), keep=KEEP, **one).status_code == 404
    assert leave(signed_in(reviewer), at=FOLLOW_UP, keep=KEEP, months="7").status_code == 404
    history = reverse("admin:registry_implant_history", args=[pumps[0].public_id])
    assert leave(signed_in(reporter), at=history, keep=KEEP, **one).status_code == 404


@pytest.mark.parametrize("kept", [False, True])
def test_a_replacement_goes_on_where_somebody_changed_the_implant(
    kept, pumps, lead, reporter, signed_in
):
    client, pump = signed_in(reporter), pumps[0]
    page = replacing(pump)
    sent = {
        "version": str(pump.version),
        "ended_months_followed": "70",
        "ended_exit_status": "replaced-end-of-service",
        "implant_year": "2016",
        "months_followed": "1",
    }
    leave(client, at=page, keep=KEEP, **sent)
    later = RawReport(RowKind.IMPLANT, {"months_followed": "66"})
    intake.change_implant(pump.public_id, later, by=lead)

    again = client.post(page, {"_kept": offered(client, page)} if kept else sent)

    assert ("Somebody changed this since" in again.text) != kept
    assert "66 months on file" in again.text
    assert Implant.objects.count() == 2
    client.post(page, {**sent, "version": again.context["form"]["version"].value()})
    assert Implant.objects.count() == 3

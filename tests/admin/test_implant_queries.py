"""Queries about an implant: on its page, in the list and on the start page."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from registry.models import Query
from registry.vocabulary import Role
from tests.factories import ImplantFactory, UserFactory

LIST = "/admin/registry/implant/"


@pytest.fixture
def implant(own_site):
    """An implant that ended for a complication, without its event: a rule asks about it."""
    implant = ImplantFactory(
        patient__site=own_site, source_id="k-1", exit_status="replaced-for-failure"
    )
    ImplantFactory(patient__site=own_site, source_id="k-2")
    call_command("check_quality", verbosity=0)
    return implant


def page(implant):
    return reverse("admin:registry_implant_change", args=[implant.public_id])


def settle(client, said):
    query = Query.objects.get()
    address = reverse("admin:registry_implant_query", args=[query.public_id])
    return client.post(address, {"answer": said})


def test_the_page_says_what_is_asked_and_takes_the_answer(implant, reporter, signed_in):
    client = signed_in(reporter)
    assert "Ended for a complication without its event" in client.get(page(implant)).text

    answer = settle(client, "confirmed")

    assert (answer.status_code, answer["Location"]) == (302, page(implant))
    assert Query.objects.get().state == "answered"
    shown = client.get(page(implant)).text
    assert "The site says: Confirmed as it is." in shown
    assert 'value="confirmed"' not in shown


def test_a_data_manager_of_elsewhere_closes_it_and_nobody_else(
    implant, reporter, reviewer, manager, own_site, signed_in
):
    for user in (reporter, reviewer):
        client = signed_in(user)
        assert 'value="close"' not in client.get(page(implant)).text
        settle(client, "close")
        assert Query.objects.get().state == "open"
    member = UserFactory(roles=[Role.DATA_MANAGER], sites=[own_site])
    assert 'value="close"' not in signed_in(member).get(page(implant)).text
    client = signed_in(manager)
    assert 'value="close"' in client.get(page(implant)).text

    settle(client, "close")

    assert Query.objects.get().state == "closed"
    assert "Ended for a complication" not in client.get(page(implant)).text


def test_the_start_page_counts_and_leads_to_the_list(implant, reporter, signed_in):
    client = signed_in(reporter)
    [waiting] = [
        one
        for one in client.get("/admin/").context["waiting"]
        if one.words == "implant with an open query"
    ]

    assert waiting.number == 1
    listed = client.get(waiting.address).context["cl"].result_list
    assert [row.source_id for row in listed] == ["k-1"]


def test_another_sites_query_is_not_found(implant, other_site, signed_in):
    stranger = UserFactory(roles=[Role.SITE_STAFF], sites=[other_site])
    query = Query.objects.get()
    address = reverse("admin:registry_implant_query", args=[query.public_id])

    assert signed_in(stranger).post(address, {"answer": "confirmed"}).status_code == 404
    assert Query.objects.get().state == "open"


def test_a_query_of_an_implant_is_not_settled_as_one_of_an_event(implant, reporter, signed_in):
    address = reverse("admin:registry_event_query", args=[Query.objects.get().public_id])

    assert signed_in(reporter).post(address, {"answer": "confirmed"}).status_code == 404
    assert Query.objects.get().state == "open"

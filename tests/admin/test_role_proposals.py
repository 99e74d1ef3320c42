"""Proposed roles in the admin: said in words, and decided on pages of their own."""

import pytest
from django.utils import timezone

from registry.models import RoleProposal, User
from registry.vocabulary import Role
from tests.factories import RoleProposalFactory, UserFactory

LIST = "/admin/registry/roleproposal/"


@pytest.fixture(autouse=True)
def _two_people(settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = True


@pytest.fixture
def second(db):
    return UserFactory(username="second", roles=[Role.DATA_MANAGER])


@pytest.fixture
def person(db):
    return UserFactory(username="person", roles=[Role.RESEARCHER])


def ticked(client, person):
    """The page after the box of the reviewer was ticked too."""
    sent = {
        "username": "person",
        "email": "",
        "is_active": "on",
        "roles": ["researcher", "reviewer"],
    }
    return client.post(f"/admin/registry/user/{person.pk}/change/", sent, follow=True)


def page_of(proposal, name):
    return f"{LIST}{proposal.public_id}/{name}/"


def test_ticked_role_is_proposed_in_words(manager, person, signed_in):
    client = signed_in(manager)
    form = client.get(f"/admin/registry/user/{person.pk}/change/").text
    assert "in force once a second data manager has confirmed" in form

    page = ticked(client, person)

    assert "Reviewer is proposed for person. It is not in force before a second" in page.text
    assert User.objects.get(pk=person.pk).roles == {Role.RESEARCHER}
    beside = client.get(f"/admin/registry/user/{person.pk}/change/").text
    assert "Reviewer is proposed by manager and not in force" in beside


def test_second_data_manager_confirms_it_on_its_page(manager, second, person, signed_in):
    ticked(signed_in(manager), person)
    proposal = RoleProposal.objects.get()
    client = signed_in(second)
    waiting = {each.words: each.number for each in client.get("/admin/").context["waiting"]}
    assert waiting["proposed role to confirm"] == 1
    assert "The role is not in force yet." in client.get(f"{LIST}{proposal.public_id}/change/").text
    asked = client.get(page_of(proposal, "confirm")).text
    assert "Judges submitted events of other sites." in asked

    done = client.post(page_of(proposal, "confirm"), follow=True)

    assert "Reviewer for person is in force." in done.text
    assert Role.REVIEWER in User.objects.get(pk=person.pk).roles


def test_who_proposed_it_is_offered_to_withdraw_alone(manager, person, signed_in):
    client = signed_in(manager)
    ticked(client, person)
    proposal = RoleProposal.objects.get()
    page = client.get(f"{LIST}{proposal.public_id}/change/").text

    refused = client.post(page_of(proposal, "confirm"))

    assert "Withdraw…" in page
    assert "Confirm…" not in page
    assert "Another data manager confirms it" in page
    assert "Somebody else than who proposed it confirms it." in refused.text
    assert User.objects.get(pk=person.pk).roles == {Role.RESEARCHER}
    client.post(page_of(proposal, "withdraw"))
    assert RoleProposal.objects.get().decision == "withdrawn"


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "auditor"])
def test_proposals_are_closed_to_all_but_data_managers(role, request, signed_in, manager):
    proposal = RoleProposalFactory(proposed_by=manager, expires_on=timezone.now().date())
    client = signed_in(request.getfixturevalue(role))

    for address in (LIST, page_of(proposal, "confirm")):
        assert client.get(address).status_code == 403


@pytest.mark.parametrize(
    ("standing", "shown"), [("mine", 1), ("waiting", 1), ("confirmed", 0), ("", 2)]
)
def test_list_filters_by_standing(standing, shown, manager, second, signed_in):
    RoleProposalFactory(proposed_by=second, expires_on=timezone.now().date())
    RoleProposalFactory(proposed_by=second, expires_on="2020-01-01")

    answer = signed_in(manager).get(LIST, {"standing": standing} if standing else {})

    assert len(answer.context["cl"].result_list) == shown


def test_auditor_reads_who_proposed_and_who_confirmed(manager, second, person, auditor, signed_in):
    ticked(signed_in(manager), person)
    signed_in(second).post(page_of(RoleProposal.objects.get(), "confirm"))

    page = signed_in(auditor).get("/admin/history/", {"kind": "roleproposal"}).text

    assert "role proposed" in page
    assert "role confirmed" in page

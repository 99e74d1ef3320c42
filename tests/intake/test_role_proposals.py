"""Roles that see all sites are given by two people: each refusal, and what is in force when."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry import intake
from registry.models import RoleProposal, Seal, User, sealed
from registry.models.verification import verify_trail
from registry.records import NotPermitted, RowRuleBroken, StateConflict, UnknownRow
from registry.vocabulary import Role
from tests.factories import RoleProposalFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture(autouse=True)
def _two_people(settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = True


@pytest.fixture
def first():
    return UserFactory(username="first", roles=[Role.DATA_MANAGER])


@pytest.fixture
def second():
    return UserFactory(username="second", roles=[Role.DATA_MANAGER])


@pytest.fixture
def person():
    return UserFactory(username="person", roles=[Role.RESEARCHER])


def changed(person, *, by, **given):
    """The person as stored, with some things changed."""
    stored = User.objects.get(pk=person.pk)
    same = {name: getattr(stored, name) for name in ("username", "email", "is_staff", "is_active")}
    groups = set(stored.groups.values_list("name", flat=True))
    return intake.change_person(stored, **same | {"roles": groups} | given, by=by)


@pytest.fixture
def proposal(person, first):
    [made] = changed(person, roles=["researcher", "reviewer"], by=first).proposed
    return made


def roles_of(person):
    return set(User.objects.get(pk=person.pk).roles)


@pytest.mark.parametrize("role", ["data manager", "reviewer", "auditor"])
def test_role_that_sees_all_sites_is_proposed_and_not_held(person, first, role):
    [proposal] = changed(person, roles=["researcher", role], by=first).proposed

    assert (proposal.role, proposal.proposed_by, proposal.decision) == (role, first, "")
    assert proposal.expires_on == timezone.now().date() + timedelta(days=14)
    assert roles_of(person) == {"researcher"}


@pytest.mark.parametrize("role", ["site staff", "analyst"])
def test_other_roles_are_given_by_one(person, first, role):
    assert changed(person, roles=["researcher", role], by=first).proposed == ()
    assert roles_of(person) == {"researcher", role}


def test_one_person_is_enough_where_the_setting_says_so(person, first, settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = False

    assert changed(person, roles=["reviewer"], by=first).proposed == ()
    assert roles_of(person) == {"reviewer"}


def test_command_gives_every_role(person):
    assert changed(person, roles=["data manager"], by=None).proposed == ()
    assert roles_of(person) == {"data manager"}


def test_new_person_waits_for_the_role_as_well(first):
    made = intake.make_person(
        username="new", password="a long unlikely phrase", roles=["data manager"], by=first
    )

    assert [each.role for each in made.proposed] == ["data manager"]
    assert roles_of(made.person) == set()


def test_second_data_manager_puts_it_in_force(proposal, person, second):
    intake.confirm_role(proposal.public_id, by=second)

    assert roles_of(person) == {"researcher", "reviewer"}
    stored = RoleProposal.objects.get()
    assert (stored.decision, stored.decided_by) == ("confirmed", second)
    seal = Seal.objects.latest("number")
    assert (seal.action, seal.actor) == ("confirm-role", second)
    assert stored.history.first().history_change_reason == "role-confirmed"
    assert verify_trail().breaks == ()


def test_who_proposed_it_does_not_confirm_it(proposal, person, first):
    with pytest.raises(NotPermitted, match="somebody else"):
        intake.confirm_role(proposal.public_id, by=first)

    assert roles_of(person) == {"researcher"}


def test_nobody_confirms_a_role_of_their_own(first, second):
    [proposal] = changed(second, roles=["data manager", "reviewer"], by=first).proposed

    with pytest.raises(NotPermitted, match="of their own"):
        intake.confirm_role(proposal.public_id, by=second)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR, Role.SITE_STAFF])
def test_nobody_but_data_managers_confirms(proposal, role):
    with pytest.raises(NotPermitted, match="decide on roles"):
        intake.confirm_role(proposal.public_id, by=UserFactory(roles=[role]))


def test_withdrawn_proposal_is_not_confirmed(proposal, person, first, second):
    intake.withdraw_role(proposal.public_id, by=first)

    with pytest.raises(StateConflict, match="decided already"):
        intake.confirm_role(proposal.public_id, by=second)
    assert roles_of(person) == {"researcher"}


def test_declined_proposal_is_not_confirmed(proposal, person, second):
    intake.decline_role(proposal.public_id, by=second)

    with pytest.raises(StateConflict, match="decided already"):
        intake.confirm_role(proposal.public_id, by=UserFactory(roles=[Role.DATA_MANAGER]))
    assert roles_of(person) == {"researcher"}


@pytest.mark.parametrize(("days", "in_time"), [(0, True), (-1, False)])
def test_proposal_is_confirmed_until_its_last_day(proposal, second, days, in_time):
    proposal.expires_on = timezone.now().date() + timedelta(days=days)
    with sealed(by=None, action="test") as seal:
        seal.save(proposal)

    if in_time:
        intake.confirm_role(proposal.public_id, by=second)
    else:
        with pytest.raises(StateConflict, match="last day has passed"):
            intake.confirm_role(proposal.public_id, by=second)


def test_expired_proposal_gives_way_to_another(proposal, person, first):
    proposal.expires_on = timezone.now().date() - timedelta(days=1)
    with sealed(by=None, action="test") as seal:
        seal.save(proposal)

    changed(person, roles=["researcher", "reviewer"], by=first)

    assert sorted(RoleProposal.objects.values_list("decision", flat=True)) == ["", "expired"]


def test_role_is_not_proposed_twice(proposal, person, second):
    with pytest.raises(RowRuleBroken, match="proposed for this person already"):
        changed(person, roles=["researcher", "reviewer"], by=second)

    assert RoleProposal.objects.count() == 1


def test_unknown_proposal_is_not_found(second):
    with pytest.raises(UnknownRow):
        intake.confirm_role("nothing", by=second)


def test_who_proposed_it_declines_it_by_withdrawing(proposal, first, second):
    with pytest.raises(NotPermitted, match="withdraw it"):
        intake.decline_role(proposal.public_id, by=first)
    with pytest.raises(NotPermitted, match="decline it"):
        intake.withdraw_role(proposal.public_id, by=second)


def test_proposal_of_somebody_who_is_no_manager_any_more_is_not_confirmed(proposal, first, second):
    changed(first, roles=[], by=second)

    with pytest.raises(StateConflict, match="no data manager any more"):
        intake.confirm_role(proposal.public_id, by=second)


def test_role_of_a_closed_account_is_not_confirmed(proposal, person, first, second):
    changed(person, is_active=False, by=first)

    with pytest.raises(StateConflict, match="account is closed"):
        intake.confirm_role(proposal.public_id, by=second)


def test_confirmation_does_not_join_what_is_kept_apart(person, first, second):
    [proposal] = changed(person, roles=["auditor"], by=first).proposed
    changed(person, roles=["data manager"], by=None)

    with pytest.raises(RowRuleBroken, match="no auditor"):
        intake.confirm_role(proposal.public_id, by=second)


@pytest.mark.parametrize(
    "takes_over",
    [
        lambda second, by: changed(second, password="another long phrase", by=by),
        lambda second, by: changed(second, username="renamed", by=by),
        lambda second, by: intake.remove_codes(second, by=by),
    ],
    ids=["password", "name", "code"],
)
def test_account_that_the_proposer_may_have_come_into_does_not_confirm(
    takes_over, proposal, person, first, second
):
    takes_over(second, first)

    with pytest.raises(NotPermitted, match="a third data manager confirms"):
        intake.confirm_role(proposal.public_id, by=User.objects.get(pk=second.pk))
    assert roles_of(person) == {"researcher"}


def test_account_that_is_opened_again_waits_for_its_role(first, second):
    changed(second, is_active=False, by=first)

    [proposal] = changed(second, is_active=True, by=first).proposed

    assert proposal.role == "data manager"
    assert roles_of(second) == set()


def test_what_a_data_manager_may_decide_is_offered(proposal, person, first, second):
    assert intake.open_to_role(proposal, by=first) == ("withdraw",)
    assert intake.open_to_role(proposal, by=second) == ("confirm", "decline")
    assert intake.open_to_role(proposal, by=person) == ()
    intake.confirm_role(proposal.public_id, by=second)
    assert intake.open_to_role(RoleProposal.objects.get(), by=second) == ()


@pytest.mark.parametrize("who", ["proposed_by", "user"])
def test_database_refuses_a_confirmation_by_the_same_person(who, first, second):
    made = RoleProposalFactory(proposed_by=first, expires_on="2030-01-01")
    made.decision, made.decided_by = "confirmed", getattr(made, who)

    with (
        pytest.raises(IntegrityError, match="confirmed_by_another"),
        transaction.atomic(),
        sealed(by=None, action="test") as seal,
    ):
        seal.save(made)
    made.decided_by = second
    with sealed(by=None, action="test") as seal:
        seal.save(made)

"""Sites and their members: made and changed by data managers, and by nobody else."""

import pytest

from registry.intake import add_member, change_member, change_site, make_site
from registry.models import Membership, Seal, Site, User
from registry.records import NotPermitted, RowRuleBroken
from registry.vocabulary import Role
from tests.factories import MembershipFactory, UserFactory


def faults_of(call, *args, **options):
    with pytest.raises(RowRuleBroken) as refusal:
        call(*args, **options)
    return [(fault.column, fault.code) for fault in refusal.value.faults]


def test_site_is_made_by_a_data_manager(world):
    site = make_site(code="GENEVA", name="A hospital", country="CH", by=world.manager)

    assert Site.objects.get(code="GENEVA").country == "CH"
    assert (site.history.count(), site.active) == (1, True)
    assert Seal.objects.latest("number").actor == world.manager


def test_site_is_made_by_a_command(world):
    assert make_site(code="GENEVA", by=None).name == "GENEVA"


def test_site_code_and_country_are_well_formed_and_new(world):
    assert faults_of(make_site, code="geneva", country="Suisse", by=world.manager) == [
        ("code", "bad-site"),
        ("country", "bad-country"),
    ]
    assert faults_of(make_site, code="BERN", by=world.manager) == [("code", "site-exists")]


@pytest.mark.parametrize("who", ["reporter", "lead", "reviewer", "auditor"])
def test_sites_and_members_are_no_business_of_others(world, who):
    by = getattr(world, who)
    member = Membership.objects.get(user=world.lead)

    with pytest.raises(NotPermitted):
        make_site(code="GENEVA", by=by)
    with pytest.raises(NotPermitted):
        change_site(world.site, name="", country="", active=False, by=by)
    with pytest.raises(NotPermitted):
        add_member(world.site, user=world.reviewer, by=by)
    with pytest.raises(NotPermitted):
        change_member(member, role="reporter", active=True, by=by)


def test_site_is_renamed_and_closed(world):
    changed = change_site(world.site, name="New", country="CH", active=False, by=world.manager)

    assert (changed.name, changed.country, changed.active) == ("New", "CH", False)
    change_site(changed, name="New", country="CH", active=False, by=world.manager)
    assert changed.history.count() == 2
    assert faults_of(
        change_site, changed, name="New", country="ch", active=True, by=world.manager
    ) == [("country", "bad-country")]


def test_member_is_added_once(world):
    member = add_member(world.site, user=world.stranger, role="lead", by=world.manager)

    assert world.stranger.leads(world.site)
    assert member.history.count() == 1
    assert faults_of(add_member, world.site, user=world.stranger, by=world.manager) == [
        ("user", "member-already")
    ]
    assert faults_of(add_member, world.other, user=world.lead, role="chief", by=world.manager) == [
        ("role", "unknown-code")
    ]


def test_member_may_open_the_admin_as_site_staff(world):
    researcher = UserFactory(roles=[Role.RESEARCHER], is_staff=False)

    add_member(world.site, user=researcher, by=world.manager)

    stored = User.objects.get(pk=researcher.pk)
    assert stored.is_staff
    assert stored.roles == {Role.RESEARCHER, Role.SITE_STAFF}


def test_member_who_comes_back_may_open_the_admin_again(world):
    person = UserFactory(is_staff=False)
    member = MembershipFactory(user=person, site=world.site, active=False)

    change_member(member, role="reporter", active=False, by=world.manager)
    assert not User.objects.get(pk=person.pk).is_staff

    change_member(member, role="reporter", active=True, by=world.manager)
    assert User.objects.get(pk=person.pk).is_staff
    assert User.objects.get(pk=person.pk).roles == {Role.SITE_STAFF}


def test_member_changes_role_and_leaves(world):
    member = Membership.objects.get(user=world.lead)

    change_member(member, role="reporter", active=True, by=world.manager)
    assert not world.lead.leads(world.site)

    changed = change_member(member, role="reporter", active=False, by=world.manager)
    assert not world.lead.sites().exists()
    change_member(member, role="reporter", active=False, by=world.manager)
    assert changed.history.count() == 3
    assert faults_of(change_member, changed, role="chief", active=True, by=world.manager) == [
        ("role", "unknown-code")
    ]

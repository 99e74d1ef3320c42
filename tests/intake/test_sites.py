"""Sites and their members: made and changed by data managers, and by nobody else."""

import pytest

from registry.intake import (
    add_member,
    change_member,
    change_site,
    make_site,
    say_implants_from,
)
from registry.models import Membership, Seal, Site, User
from registry.records import NotPermitted, NotYourSite, RowRuleBroken
from registry.vocabulary import Component, Role
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


@pytest.mark.parametrize("who", ["lead", "manager"])
def test_site_says_from_which_year_on_its_implants_count(world, who):
    by = getattr(world, who)

    site = say_implants_from("BERN", component="pump", year=2016, by=by)

    assert site.implants_from(Component.PUMP) == 2016
    assert site.implants_from(Component.CATHETER) is None
    assert Seal.objects.latest("number").actor == by


def test_word_of_a_site_is_taken_back_and_said_twice_without_a_trace(world):
    say_implants_from("BERN", component="catheter", year=2016, by=world.lead)
    before = Seal.objects.count()

    say_implants_from("BERN", component="catheter", year=2016, by=world.lead)
    assert Seal.objects.count() == before
    site = say_implants_from("BERN", component="catheter", year=None, by=world.lead)

    assert site.implants_from(Component.CATHETER) is None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"component": "pump", "year": 1979}, ("year", "out-of-range")),
        ({"component": "pump", "year": 2101}, ("year", "out-of-range")),
        ({"component": "lead", "year": 2016}, ("component", "unknown-code")),
    ],
)
def test_word_of_a_site_is_a_component_and_a_year(world, said, fault):
    assert faults_of(say_implants_from, "BERN", **said, by=world.lead) == [fault]


@pytest.mark.parametrize("year", [1980, 2100])
def test_first_and_last_year_can_be_said(world, year):
    site = say_implants_from("BERN", component="pump", year=year, by=world.lead)

    assert site.implants_from(Component.PUMP) == year


def test_word_of_a_site_is_its_leads_and_of_no_other_site(world):
    said = {"component": "pump", "year": 2016}

    with pytest.raises(NotPermitted):
        say_implants_from("BERN", **said, by=world.reporter)
    with pytest.raises(NotYourSite):
        say_implants_from(world.other.code, **said, by=world.lead)
    with pytest.raises(NotYourSite):
        say_implants_from("NOWHERE", **said, by=world.manager)

"""Sites, people and memberships in the admin: kept by data managers under seals."""

from registry.models import Membership, Site, User
from registry.vocabulary import Role
from tests.factories import MembershipFactory, UserFactory


def test_a_data_manager_makes_a_site(manager, signed_in):
    sent = {"code": "NEW-1", "name": "New hospital", "country": "NL"}

    answer = signed_in(manager).post("/admin/registry/site/add/", sent)

    assert answer.status_code == 302
    site = Site.objects.get(code="NEW-1")
    assert (site.name, site.country, site.active) == ("New hospital", "NL", True)
    assert site.history.get().history_user == manager


def test_a_malformed_site_code_is_refused_at_its_field(manager, signed_in):
    sent = {"code": "new site", "name": "", "country": ""}

    answer = signed_in(manager).post("/admin/registry/site/add/", sent)

    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Site.objects.exists()


def test_a_site_is_closed_and_keeps_its_code(own_site, manager, signed_in):
    sent = {"code": "RENAMED", "name": "Closed hospital", "country": "NL"}

    signed_in(manager).post(f"/admin/registry/site/{own_site.pk}/change/", sent)

    own_site.refresh_from_db()
    assert (own_site.code, own_site.name, own_site.active) == ("OWN-1", "Closed hospital", False)


def test_a_membership_opens_the_admin_to_its_member(own_site, manager, signed_in):
    person = UserFactory(username="person", is_staff=False)
    sent = {"user": person.pk, "site": own_site.pk, "role": "lead"}

    answer = signed_in(manager).post("/admin/registry/membership/add/", sent)

    assert answer.status_code == 302
    member = User.objects.get(pk=person.pk)
    assert member.leads(own_site)
    assert member.is_staff
    assert Role.SITE_STAFF in member.roles


def test_a_second_membership_of_the_same_site_is_refused(own_site, reporter, manager, signed_in):
    sent = {"user": reporter.pk, "site": own_site.pk, "role": "lead"}

    answer = signed_in(manager).post("/admin/registry/membership/add/", sent)

    assert answer.status_code == 200
    assert Membership.objects.get(user=reporter).role == "reporter"


def test_a_membership_is_ended(own_site, reporter, manager, signed_in):
    membership = Membership.objects.get(user=reporter)

    signed_in(manager).post(
        f"/admin/registry/membership/{membership.pk}/change/", {"role": "reporter"}
    )

    membership.refresh_from_db()
    assert membership.active is False


def test_a_lead_sees_the_members_of_the_own_site_only(lead, reporter, other_site, signed_in):
    stranger = UserFactory(username="stranger")
    MembershipFactory(user=stranger, site=other_site)

    answer = signed_in(lead).get("/admin/registry/membership/")

    shown = {membership.user for membership in answer.context["cl"].queryset}
    assert shown == {lead, reporter}


def test_a_reporter_sees_no_memberships(reporter, lead, signed_in):
    answer = signed_in(reporter).get("/admin/registry/membership/")

    assert answer.context["cl"].queryset.count() == 0


def test_a_site_page_names_its_members_to_leads_only(own_site, lead, reporter, signed_in):
    address = f"/admin/registry/site/{own_site.pk}/change/"

    assert "<td>reporter</td>" in signed_in(lead).get(address).text
    assert "<td>lead</td>" not in signed_in(reporter).get(address).text


def test_another_site_is_not_found(other_site, reporter, signed_in):
    address = f"/admin/registry/site/{other_site.pk}/change/"

    assert signed_in(reporter).get(address).status_code == 404

"""Users, their roles and sites, and which rows they see."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import IntegrityError, transaction

from registry.models import (
    AccessLog,
    Event,
    Exposure,
    IdempotencyKey,
    Implant,
    Membership,
    NeverDeleted,
    Patient,
    Site,
    Snapshot,
    Token,
    UnsealedWrite,
    User,
    sealed,
)
from registry.models.roles import install_roles
from registry.records import RowRuleBroken
from registry.vocabulary import MembershipRole, Right, Role, TokenScope
from registry.vocabulary.roles import ROLES
from tests.factories import (
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)
from tests.models.rule_checks import assert_not_unique, assert_refused, store

pytestmark = pytest.mark.django_db

RIGHTS = {
    Role.DATA_MANAGER: "enter-rows see-all-rows judge-events run-registry ask-exact",
    Role.REVIEWER: "see-all-rows judge-events ask-exact",
    Role.AUDITOR: "read-audit",
    Role.RESEARCHER: "ask-protected ask-for-agreement",
    Role.ANALYST: "ask-protected ask-exact-by-agreement ask-for-agreement",
    Role.SITE_STAFF: "work-at-site enter-rows",
}


@pytest.mark.parametrize("role", RIGHTS)
def test_user_has_the_rights_of_the_role_and_no_other(role):
    user = UserFactory(roles=[role])

    assert {right for right in Right if user.may(right)} == set(RIGHTS[role].split())


def test_every_role_has_its_rights_here():
    assert set(RIGHTS) == set(Role) == set(ROLES)


@pytest.mark.parametrize("role", RIGHTS)
def test_deactivated_user_has_no_right(role):
    assert not UserFactory(roles=[role], is_active=False).rights


def test_two_roles_have_the_rights_of_both():
    user = UserFactory(roles=[Role.AUDITOR, Role.RESEARCHER])

    assert user.rights == {Right.READ_AUDIT, Right.ASK_PROTECTED, Right.ASK_FOR_AGREEMENT}


def test_superuser_has_the_rights_of_a_data_manager_while_active():
    rights = User.objects.create_superuser("root", password="x").rights

    assert rights == ROLES[Role.DATA_MANAGER].rights
    assert not UserFactory(is_superuser=True, is_active=False).rights


def test_rights_are_read_with_one_query(django_assert_num_queries):
    user = User.objects.get(pk=UserFactory(roles=[Role.REVIEWER]).pk)

    with django_assert_num_queries(1):
        assert sum(user.may(right) for right in Right) == 3


def test_roles_set_anew_replace_the_old_ones():
    user = UserFactory(roles=[Role.REVIEWER])
    assert user.may(Right.JUDGE_EVENTS)

    with sealed(by=None, action="test") as seal:
        user.set_roles([Role.AUDITOR], seal=seal)

    assert user.roles == {"auditor"}
    assert user.rights == {Right.READ_AUDIT}


@pytest.mark.parametrize(
    ("roles", "superuser"), [([Role.DATA_MANAGER, Role.AUDITOR], False), ([Role.AUDITOR], True)]
)
def test_nobody_audits_what_they_run(roles, superuser):
    user = UserFactory(roles=[Role.REVIEWER], is_superuser=superuser)

    with pytest.raises(RowRuleBroken, match="no auditor"), sealed(by=None, action="test") as seal:
        user.set_roles(roles, seal=seal)

    assert User.objects.get(pk=user.pk).roles == {"reviewer"}


def test_user_history_keeps_roles_and_no_password():
    user = UserFactory(roles=[Role.REVIEWER, Role.ANALYST])

    last = user.history.order_by("-history_id").first()
    assert last.roles == "analyst, reviewer"
    assert {"password", "last_login"}.isdisjoint(field.name for field in last._meta.fields)


def test_sites_are_those_of_active_memberships():
    user = UserFactory()
    site = MembershipFactory(user=user).site
    MembershipFactory(user=user, active=False)
    MembershipFactory()

    assert list(user.sites()) == [site]


def test_deactivated_user_has_no_sites():
    assert list(UserFactory(is_active=False, sites=[SiteFactory()]).sites()) == []


@pytest.mark.parametrize(
    ("role", "active", "leads"),
    [("lead", True, True), ("lead", False, False), ("reporter", True, False)],
)
def test_lead_is_an_active_member_of_that_role(role, active, leads):
    membership = MembershipFactory(role=role, active=active)

    assert membership.user.leads(membership.site) == leads
    assert not membership.user.leads(SiteFactory())


def test_deactivated_lead_leads_nothing():
    membership = MembershipFactory(role="lead", user=UserFactory(is_active=False))

    assert not membership.user.leads(membership.site)


@pytest.mark.parametrize("right", [Right.RUN_REGISTRY, Right.ASK_FOR_AGREEMENT, Right.READ_AUDIT])
def test_people_who_may_are_the_active_ones_of_its_roles(right):
    people = [UserFactory(roles=[role], is_active=active) for role in Role for active in (1, 0)]
    people.append(User.objects.create_superuser("root", password="x"))
    people.append(UserFactory(roles=[Role.RESEARCHER, Role.ANALYST]))

    assert set(User.objects.who_may(right)) == {each for each in people if each.may(right)}
    assert User.objects.who_may(right).count() == len(set(User.objects.who_may(right)))


@pytest.fixture
def two_sites() -> tuple[Site, Site]:
    """Two sites with a row of every kind at each."""
    sites = SiteFactory(code="OWN"), SiteFactory(code="OTHER")
    for site in sites:
        implant = ImplantFactory(patient=PatientFactory(site=site))
        EventFactory(implant=implant)
        ExposureFactory(site=site)
    return sites


ROWS = [Patient, Implant, Exposure, Event]


def seen(model, user) -> set[str]:
    path = "code" if model is Site else "site__code"
    return set(model.objects.visible_to(user).values_list(path, flat=True))


@pytest.mark.parametrize("model", [*ROWS, Site])
class TestVisibleTo:
    def test_member_sees_rows_of_own_site_only(self, model, two_sites):
        assert seen(model, UserFactory(sites=two_sites[:1])) == {"OWN"}

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.DATA_MANAGER])
    def test_reviewer_and_data_manager_see_every_site(self, model, role, two_sites):
        assert seen(model, UserFactory(roles=[role])) == {"OWN", "OTHER"}

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.RESEARCHER, Role.ANALYST])
    def test_others_see_no_rows(self, model, role, two_sites):
        assert seen(model, UserFactory(roles=[role])) == set()

    def test_deactivated_users_see_no_rows(self, model, two_sites):
        assert seen(model, UserFactory(sites=two_sites, is_active=False)) == set()
        assert seen(model, UserFactory(roles=[Role.REVIEWER], is_active=False)) == set()

    def test_strangers_see_no_rows(self, model, two_sites):
        assert seen(model, AnonymousUser()) == set()

    def test_at_narrows_to_a_site(self, model, two_sites):
        assert model.objects.at("OWN").get() == model.objects.at(two_sites[0]).get()


def test_user_is_made_under_a_seal():
    user = User.objects.create_user("anna", password="secret")

    assert user.check_password("secret")
    assert user.history.get().history_type == "+"


def test_last_sign_in_changes_without_a_history_row():
    user = UserFactory()

    user.save(update_fields=["last_login"])

    assert user.history.count() == 1


@pytest.mark.parametrize("change", [{"is_staff": False}, {"email": "a@example.org"}])
def test_anything_else_of_a_user_changes_under_a_seal_only(change):
    user = UserFactory()
    for name, value in change.items():
        setattr(user, name, value)

    with pytest.raises(UnsealedWrite):
        user.save()

    assert User.objects.get(pk=user.pk).is_staff


def test_user_is_never_deleted():
    user = UserFactory()

    with pytest.raises(NeverDeleted), transaction.atomic():
        user.delete()
    with pytest.raises(NeverDeleted), transaction.atomic():
        User.objects.filter(pk=user.pk).delete()

    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("code", ["A", "a1", "A B", "AB\n", "ÄB", ""])
def test_site_code_is_capitals_digits_and_hyphens(code):
    assert SiteFactory(code="A-1").pk

    assert_refused(SiteFactory.build(code=code), "code_is_well_formed")


@pytest.mark.parametrize("country", ["N", "nl", "1A"])
def test_country_is_two_capitals_or_blank(country):
    assert SiteFactory(country="").pk

    assert_refused(SiteFactory.build(country=country), "country_is_a_code")


@pytest.mark.parametrize("rounds", [{"round_number": 1}, {"round_number": 0}])
def test_closed_round_of_a_site_has_its_seal(rounds):
    assert_refused(SiteFactory.build(**rounds), "a_round_has_its_seal")


@pytest.mark.parametrize(
    ("prefix", "digits", "taken"),
    [
        ("KSG-", 4, True),
        ("", None, True),
        ("", 4, False),
        ("KSG-", None, False),
        ("KSG1", 4, False),
        ("KSG-", 0, False),
        ("KSG-", 6, False),
    ],
)
def test_pattern_of_keys_is_whole(prefix, digits, taken):
    site = SiteFactory.build(key_prefix=prefix, key_digits=digits)
    if taken:
        assert store(site).pk
    else:
        assert_refused(site, "key_pattern_is_whole")


def test_site_code_is_used_once():
    SiteFactory(code="ONE")

    assert_not_unique(SiteFactory.build(code="ONE"))


def test_member_stands_once_at_a_site():
    first = MembershipFactory()
    MembershipFactory(user=first.user)

    assert_not_unique(MembershipFactory.build(user=first.user, site=first.site))


def test_membership_is_of_a_reporter_or_a_lead():
    membership = MembershipFactory(role=MembershipRole.LEAD)
    assert Membership.objects.get() == membership

    other = MembershipFactory.build(user=membership.user, site=SiteFactory(), role="boss")
    assert_refused(other, "role_is_coded")


def test_token_without_scopes_reads_statistics_only():
    token, _ = Token.objects.create(UserFactory())

    assert [scope for scope in TokenScope if token.allows(scope)] == ["read-statistics"]


def test_token_allows_its_scopes_only():
    token, key = Token.objects.create(UserFactory(), scopes={TokenScope.WRITE_EVENTS}, label="etl")
    token.refresh_from_db()

    assert [scope for scope in TokenScope if token.allows(scope)] == ["write-events"]
    assert str(token) == "etl"
    assert key not in token.digest


def test_idempotency_key_is_used_once_a_user():
    values = {"key": "k", "method_path": "POST /", "body_digest": "0", "status": 201, "reply": {}}
    user = UserFactory()
    IdempotencyKey.objects.create(user=user, **values)
    IdempotencyKey.objects.create(user=UserFactory(), **values)

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        IdempotencyKey.objects.create(user=user, **values)


def test_access_log_names_the_action_by_a_code():
    assert AccessLog.objects.create(action="row-read").at

    with pytest.raises(IntegrityError, match="action_is_a_code"):
        AccessLog.objects.create(action="Read rows")


SNAPSHOT = {"schema_version": "1", "catalogue_version": "1", "events": 0, "implants": 0}
SNAPSHOT |= {"exposures": 0}


def stored(**columns):
    """Stores a snapshot, as a release is stored: under a seal."""
    with sealed(by=None, action="publish-release") as seal:
        seal.save(Snapshot(**columns))


@pytest.mark.parametrize(
    ("kind", "label", "rule"),
    [
        ("release", "", "release_has_a_label"),
        ("working", "2026Q4", "release_has_a_label"),
        ("draft", "", "is_coded|release_has_a_label"),
    ],
)
def test_only_a_release_has_a_label(kind, label, rule):
    stored(snapshot_id="a", kind="release", label="2026Q3", **SNAPSHOT)
    stored(snapshot_id="b", kind="working", **SNAPSHOT)

    with pytest.raises(IntegrityError, match=rule):
        stored(snapshot_id="c", kind=kind, label=label, **SNAPSHOT)


def test_release_label_is_used_once():
    stored(snapshot_id="a", kind="release", label="2026Q3", **SNAPSHOT)
    stored(snapshot_id="b", kind="working", **SNAPSHOT)
    stored(snapshot_id="c", kind="working", **SNAPSHOT)

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        stored(snapshot_id="d", kind="release", label="2026Q3", **SNAPSHOT)


def permissions(role: Role) -> set[str]:
    group = Group.objects.get(name=role.value)
    return set(group.permissions.values_list("codename", flat=True))


def test_nobody_may_delete():
    for role in Role:
        assert not any(codename.startswith("delete_") for codename in permissions(role))


def test_researcher_and_analyst_open_nothing_in_the_admin():
    assert permissions(Role.RESEARCHER) == permissions(Role.ANALYST) == set()


def test_auditor_views_history_seals_and_access_log_only():
    granted = permissions(Role.AUDITOR)

    assert {"view_seal", "view_accesslog", "view_historicalevent"} <= granted
    assert "view_historicaluser" in granted
    assert all(code.startswith(("view_historical", "view_seal", "view_access")) for code in granted)


def test_site_staff_enter_clinical_rows_and_run_nothing():
    granted = permissions(Role.SITE_STAFF)

    assert {"add_event", "change_event", "add_implant", "add_exposure"} <= granted
    assert {"add_site", "change_user", "change_complication", "view_accesslog"}.isdisjoint(granted)


def test_reviewer_changes_events_and_adds_none():
    granted = permissions(Role.REVIEWER)

    assert {"view_event", "change_event"} <= granted
    assert "add_event" not in granted


def test_data_manager_runs_sites_people_and_catalogue():
    wanted = {"add_site", "add_membership", "change_user", "change_complication", "add_event"}

    assert wanted <= permissions(Role.DATA_MANAGER)


def test_roles_are_put_back_as_they_should_be():
    group = Group.objects.get(name="reviewer")
    before = permissions(Role.REVIEWER)
    group.permissions.clear()

    install_roles()

    assert permissions(Role.REVIEWER) == before

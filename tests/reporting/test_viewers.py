from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from registry.records import Viewer
from registry.reporting import viewer_of
from registry.vocabulary import Role
from tests.factories import AgreementFactory, SiteFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("public", [True, False])
def test_stranger_may_ask_where_statistics_are_public(settings: Any, public: bool) -> None:
    settings.REGISTRY_PUBLIC_STATISTICS = public

    assert viewer_of(AnonymousUser()) == Viewer(may_ask=public, label="public")


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.DATA_MANAGER])
def test_reviewers_and_data_managers_see_everything_exactly(role: Role) -> None:
    viewer = viewer_of(UserFactory(roles=[role]))

    assert (viewer.exact_everywhere, viewer.may_ask, viewer.label) == (True, True, role.value)


@pytest.mark.parametrize(("days", "exact"), [(0, True), (30, True), (-1, False)])
def test_analyst_sees_exactly_while_an_agreement_is_current(days: int, exact: bool) -> None:
    analyst = UserFactory(roles=[Role.ANALYST])
    AgreementFactory(user=analyst, expires_on=timezone.now().date() + timedelta(days=days))

    viewer = viewer_of(analyst)

    assert (viewer.exact_everywhere, viewer.may_ask) == (exact, True)


def test_agreement_without_the_role_opens_nothing() -> None:
    researcher = UserFactory(roles=[Role.RESEARCHER])
    AgreementFactory(user=researcher, expires_on=timezone.now().date() + timedelta(days=30))

    assert viewer_of(researcher).exact_everywhere is False


def test_researcher_asks_protected_questions() -> None:
    user = UserFactory(roles=[Role.RESEARCHER])

    assert viewer_of(user) == Viewer(user_id=user.pk, label="researcher")


def test_member_sees_own_sites_exactly() -> None:
    user = UserFactory(sites=[SiteFactory(code="AA"), SiteFactory(code="BB")])

    viewer = viewer_of(user)

    assert viewer.exact_sites == frozenset({"AA", "BB"})
    assert (viewer.exact_everywhere, viewer.may_ask) == (False, True)


@pytest.mark.parametrize("public", [True, False])
def test_auditor_asks_nothing(settings: Any, public: bool) -> None:
    settings.REGISTRY_PUBLIC_STATISTICS = public

    assert viewer_of(UserFactory(roles=[Role.AUDITOR])).may_ask is False


def test_auditor_with_another_role_asks_as_that() -> None:
    viewer = viewer_of(UserFactory(roles=[Role.AUDITOR, Role.RESEARCHER]))

    assert (viewer.may_ask, viewer.exact_everywhere) == (True, False)


@pytest.mark.parametrize("public", [True, False])
def test_user_without_role_or_site_is_as_a_stranger(settings: Any, public: bool) -> None:
    settings.REGISTRY_PUBLIC_STATISTICS = public

    assert viewer_of(UserFactory()).may_ask is public


def test_deactivated_user_is_as_a_stranger() -> None:
    user = UserFactory(roles=[Role.DATA_MANAGER])
    user.is_active = False

    assert viewer_of(user) == Viewer(may_ask=False)

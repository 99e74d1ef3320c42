"""Two sites, a person for each role, and a way to sign in as one of them."""

import pytest
from django.test import Client

from registry.vocabulary import MembershipRole, Role
from tests.factories import MembershipFactory, SiteFactory, UserFactory

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def own_site(db):
    return SiteFactory(code="OWN-1")


@pytest.fixture
def other_site(db):
    return SiteFactory(code="OTHER-2")


@pytest.fixture
def reporter(own_site):
    return UserFactory(username="reporter", roles=[Role.SITE_STAFF], sites=[own_site])


@pytest.fixture
def lead(own_site):
    user = UserFactory(username="lead", roles=[Role.SITE_STAFF])
    MembershipFactory(user=user, site=own_site, role=MembershipRole.LEAD)
    return user


@pytest.fixture
def reviewer(db):
    return UserFactory(username="reviewer", roles=[Role.REVIEWER])


@pytest.fixture
def manager(db):
    return UserFactory(username="manager", roles=[Role.DATA_MANAGER])


@pytest.fixture
def auditor(db):
    return UserFactory(username="auditor", roles=[Role.AUDITOR])


@pytest.fixture
def signed_in():
    """A client that is signed in as the given user."""

    def client_of(user):
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return client_of

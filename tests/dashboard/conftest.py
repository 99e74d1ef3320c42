"""A snapshots' folder of each test's own, catheters that migrated, and people to ask as."""

import pytest
from django.core.cache import cache
from django.core.management import call_command

from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path, settings):
    settings.REGISTRY_VAR = tmp_path
    cache.clear()


@pytest.fixture
def site(db):
    return SiteFactory(code="OWN-1")


@pytest.fixture
def followed(site):
    """Twelve catheters followed for 60 months each; two migrated at month 12."""
    CategoryFactory(code="catheter", name="Catheter problem")
    migration = ComplicationFactory(name="Catheter migration", core_group="catheter dislodgement")
    implants = [
        ImplantFactory(patient=PatientFactory(site=site), catheter=True, drug="morphine")
        for _ in range(12)
    ]
    for implant in implants[:2]:
        EventFactory(implant=implant, complication=migration)
    return implants


@pytest.fixture
def released(followed):
    call_command("freeze", release="2026Q4", verbosity=0)


@pytest.fixture
def as_role(client):
    def signed_in(*roles, sites=()):
        client.force_login(UserFactory(roles=roles, sites=sites), backend=BACKEND)
        return client

    return signed_in

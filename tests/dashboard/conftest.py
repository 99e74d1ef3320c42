"""A snapshots' folder of each test's own, catheters that migrated, and people to ask as."""

from copy import deepcopy

import pytest
from django.core.cache import cache
from django.core.management import call_command

from registry.models import Site
from registry.reporting.asking import freshness
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)
from tests.kept_rows import copy_snapshots, kept_rows, snapshots_in

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _own_snapshots(tmp_path, settings, request):
    if "kept_followed" in request.fixturenames:
        _implants, folder = request.getfixturevalue("kept_followed")
        copy_snapshots(folder, tmp_path)
    settings.REGISTRY_VAR = tmp_path
    cache.clear()


@pytest.fixture
def site(db):
    return Site.objects.filter(code="OWN-1").first() or SiteFactory(code="OWN-1")


@pytest.fixture(scope="module")
def kept_followed(django_db_setup, django_db_blocker, tmp_path_factory):
    """The catheters that a module's tests start from, and the folder where they are frozen."""
    folder = tmp_path_factory.mktemp("followed")
    with kept_rows(django_db_blocker):
        implants = made_followed(SiteFactory(code="OWN-1"))
        for code in ("OTHER-1", "OTHER-2"):  # three sites that nobody shares, to be published
            SiteFactory(code=code)
        with snapshots_in(folder):
            freshness.refresh()
        yield implants, folder


@pytest.fixture
def followed(kept_followed, db):
    """Twelve catheters followed for 60 months each; two migrated at month 12."""
    implants, _folder = kept_followed
    return deepcopy(implants)


def made_followed(site):
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

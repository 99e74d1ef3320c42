"""The demo: a registry to try, people to sign in as, and a release."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from registry.models import Event, Implant, Seal, Site, Snapshot, User
from registry.vocabulary import Role, SnapshotKind, State

pytestmark = pytest.mark.django_db

PEOPLE = {"reporter", "reviewer", "manager", "researcher", "analyst", "auditor"}


@pytest.fixture(autouse=True)
def _development(settings, tmp_path):
    settings.DEBUG = True
    settings.REGISTRY_VAR = tmp_path


def demo(**options):
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_demo_fills_an_empty_registry_and_publishes_a_release():
    said = demo(events=300)

    assert Event.objects.count() == 300
    assert Event.objects.filter(state=State.SUBMITTED).count() == 3
    assert Event.objects.accepted().count() == 297
    assert Site.objects.count() == 12
    assert set(User.objects.values_list("username", flat=True)) == PEOPLE
    assert Snapshot.objects.filter(kind=SnapshotKind.RELEASE).count() == 1
    assert all(name in said for name in PEOPLE)


def test_demo_again_changes_nothing():
    demo(events=200)
    seals = Seal.objects.count()

    demo(events=200)

    assert Event.objects.count() == 200
    assert Seal.objects.count() == seals


def test_demo_without_events_makes_people_and_a_release_only():
    demo(events=0)

    assert not Event.objects.exists()
    assert not Implant.objects.exists()
    assert set(User.objects.values_list("username", flat=True)) == PEOPLE
    assert Snapshot.objects.filter(kind=SnapshotKind.RELEASE).count() == 1


def test_demo_is_refused_without_debug(settings):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG=1"):
        demo(events=0)

    assert not User.objects.exists()


def test_demo_gives_each_person_a_role():
    demo(events=200)
    people = {user.username: user for user in User.objects.all()}

    assert people["reporter"].sites().count() == 1
    assert people["reporter"].is_staff
    assert people["reporter"].roles == {Role.SITE_STAFF}
    assert people["reviewer"].roles == {Role.REVIEWER}
    assert people["manager"].roles == {Role.DATA_MANAGER}
    assert people["researcher"].roles == {Role.RESEARCHER}
    assert people["analyst"].roles == {Role.ANALYST}
    assert people["analyst"].agreements.count() == 1
    assert people["auditor"].roles == {Role.AUDITOR}
    assert not people["researcher"].is_staff
    assert all(user.check_password("demo") for user in people.values())

"""Pages say why there are no data to answer from, wherever they ask for them."""

import errno

import pytest
from django.urls import reverse_lazy

from registry.reporting.asking import freshness
from registry.snapshot import shelf
from registry.vocabulary import Role
from tests.factories import EventFactory, UserFactory
from tests.snapshot.damages import cut

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def reviewer(client, settings, tmp_path):
    """A signed-in reviewer of a registry with one event and no snapshot."""
    settings.REGISTRY_VAR = tmp_path
    EventFactory(state="accepted")
    client.force_login(UserFactory(roles=[Role.REVIEWER, Role.DATA_MANAGER]), backend=BACKEND)
    yield client
    shelf.forget_open()


@pytest.fixture
def _full(reviewer, monkeypatch):
    def refuse(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device", "/var/registry/x")

    monkeypatch.setattr(freshness, "freeze_database", refuse)


@pytest.mark.usefixtures("_full")
@pytest.mark.parametrize(
    "address",
    ["/dashboard/", "/dashboard/explore/?measure=counts", reverse_lazy("completeness")],
)
def test_page_says_that_the_disk_is_full(reviewer, address):
    page = reviewer.get(address)

    assert page.status_code == 503
    assert "too full for one" in page.text
    assert "/var/registry" not in page.text


@pytest.mark.usefixtures("_full")
def test_other_pages_answer_as_always(reviewer):
    assert reviewer.get("/").status_code == 200


def test_page_says_that_a_release_is_damaged_and_answers_from_others(reviewer):
    release = freshness.publish("2026")
    cut(freshness.root() / release.snapshot_id)

    refused = reviewer.get("/dashboard/explore/?measure=counts&release=2026")
    answered = reviewer.get("/dashboard/explore/?measure=counts")

    assert (refused.status_code, answered.status_code) == (503, 200)
    assert "damaged or were altered" in refused.text
    assert str(freshness.root()) not in refused.text

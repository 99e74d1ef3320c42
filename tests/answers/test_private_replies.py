"""No cache keeps what somebody signed in was shown."""

import pytest
from django.urls import reverse

from registry.vocabulary import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
PAGES = ["home", "dashboard", "explore", "report", "cite", "agreement", "password"]


@pytest.fixture
def person(settings, tmp_path):
    settings.REGISTRY_VAR = tmp_path
    return UserFactory(roles=[Role.RESEARCHER, Role.REVIEWER], is_staff=True)


@pytest.mark.parametrize(
    "address",
    [
        *(pytest.param(lambda name=name: reverse(name), id=name) for name in PAGES),
        pytest.param(lambda: reverse("admin:index"), id="admin"),
        pytest.param(lambda: "/no/such/page/", id="missing"),
        pytest.param(lambda: "/api/v1/snapshots/", id="api"),
        pytest.param(lambda: "/complications/no-such/", id="no such complication"),
    ],
)
def test_reply_to_somebody_signed_in_is_kept_by_no_cache(client, person, address):
    client.force_login(person, backend=BACKEND)

    said = client.get(address())["Cache-Control"]

    assert "private" in said
    assert "no-store" in said or "no-cache" in said


def test_reply_to_a_token_is_kept_by_no_cache(client, person):
    said = client.get("/api/v1/snapshots/", HTTP_AUTHORIZATION="Token nothing")["Cache-Control"]

    assert "no-store" in said


def test_signing_in_is_kept_by_no_cache(client, person):
    person.set_password("a long unlikely phrase")
    person.save(update_fields=["password"])
    sent = {"username": person.username, "password": "a long unlikely phrase"}

    reply = client.post("/login/", sent)

    assert reply.status_code == 302
    assert "no-store" in reply["Cache-Control"]


def test_page_of_a_stranger_may_be_kept(client, person):
    assert "Cache-Control" not in client.get("/")

"""Where a setting asks for a one-time code: what opens without one, and for whom it asks."""

import pytest
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import Token
from registry.vocabulary import Role
from tests.dashboard.conftest import BACKEND
from tests.dashboard.test_one_time_code import added
from tests.factories import SiteFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/one-time-code/"


def sign_in(user, **answers):
    client = Client()
    client.post("/login/", {"username": user.username, "password": "demo", **answers})
    return client


@pytest.fixture
def _required_of_all(settings):
    settings.REGISTRY_CODE_REQUIRED = frozenset({"all"})


@pytest.mark.usefixtures("_required_of_all")
@pytest.mark.parametrize("role", list(Role))
def test_everybody_is_led_to_the_page_that_adds_a_code_and_goes_on_from_there(role):
    user = UserFactory(roles=[role], is_staff=role not in (Role.RESEARCHER, Role.ANALYST))
    client = sign_in(user)

    for address in ("/tokens/", "/", "/api/v1/categories/", "/admin/"):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert "asks your account for a one-time" in client.get(PAGE).text
    added(client, user)

    assert client.get("/tokens/").status_code == 200


@pytest.mark.usefixtures("_required_of_all")
def test_account_that_has_a_code_signs_in_with_it():
    user = UserFactory()
    device = TOTPDevice.objects.create(user=user, name="phone", confirmed=True)

    client = sign_in(user, otp_token=f"{totp(device.bin_key):06d}")

    assert client.get("/tokens/").status_code == 200


@pytest.mark.usefixtures("_required_of_all")
def test_session_in_which_no_code_was_shown_is_ended():
    user = UserFactory()
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    client = Client()
    client.force_login(user, backend=BACKEND)

    assert client.get("/tokens/")["Location"] == "/login/?next=/tokens/"
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("_required_of_all")
def test_strangers_read_what_is_open():
    assert Client().get("/").status_code == 200


@pytest.mark.parametrize(("role", "led"), [(Role.AUDITOR, True), (Role.RESEARCHER, False)])
def test_code_is_asked_of_the_roles_that_are_named(settings, role, led):
    settings.REGISTRY_CODE_REQUIRED = frozenset({"auditor"})

    answer = sign_in(UserFactory(roles=[role])).get("/tokens/")

    assert answer.status_code == (302 if led else 200)


def test_code_is_asked_of_a_superuser_as_of_a_data_manager(settings):
    settings.REGISTRY_CODE_REQUIRED = frozenset({"data manager"})

    assert sign_in(UserFactory(is_superuser=True)).get("/tokens/")["Location"] == PAGE


def test_code_is_asked_of_nobody_without_the_setting():
    assert sign_in(UserFactory(roles=[Role.DATA_MANAGER])).get("/tokens/").status_code == 200


@pytest.mark.usefixtures("_required_of_all")
def test_code_that_is_asked_for_is_not_removed():
    user = UserFactory()
    client = sign_in(user)
    added(client, user)
    assert "Remove it" not in client.get(PAGE).text

    client.post(PAGE, {"remove": "1", "password": "demo"})

    assert TOTPDevice.objects.filter(user=user, confirmed=True).exists()


@pytest.mark.usefixtures("_required_of_all")
def test_answers_of_a_form_are_kept_until_there_is_a_code():
    site = SiteFactory()
    user = UserFactory(roles=[Role.SITE_STAFF], sites=[site])

    answer = sign_in(user).post("/admin/registry/patient/add/", {"source_id": "p1"})

    assert "_kept" in answer.text


@pytest.mark.usefixtures("_required_of_all")
def test_token_is_not_made_without_the_code_that_is_asked_for():
    user = UserFactory()
    sent = {"username": user.username, "password": "demo"}
    json = {"content_type": "application/json"}

    wrong = Client().post("/api/v1/tokens/", sent | {"password": "guess"}, **json)
    right = [Client().post("/api/v1/tokens/", sent, **json) for _ in range(8)]

    assert (right[0].status_code, right[0].content) == (401, wrong.content)
    assert right[-1].status_code == 429
    assert not Token.objects.exists()


def test_token_of_an_account_without_the_code_is_refused_until_it_has_one(settings):
    user = UserFactory()
    _token, key = Token.objects.create(user=user)
    asked = {"headers": {"Authorization": f"Token {key}"}}
    assert Client().get("/api/v1/tokens/", **asked).status_code == 200
    settings.REGISTRY_CODE_REQUIRED = frozenset({"all"})

    refused = Client().get("/api/v1/tokens/", **asked)

    assert refused.status_code == 401
    assert "add one at /one-time-code/" in refused.json()["detail"]
    TOTPDevice.objects.create(user=user, name="phone", confirmed=True)
    assert Client().get("/api/v1/tokens/", **asked).status_code == 200

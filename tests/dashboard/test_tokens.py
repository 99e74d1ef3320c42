"""A person's own API tokens: made once, shown once, revoked at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.models import Token
from tests.factories import UserFactory

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def user(db):
    return UserFactory(username="researcher", is_staff=False)


@pytest.fixture
def own(client, user):
    client.force_login(user, backend=BACKEND)
    return client


def test_strangers_are_led_to_sign_in(client, db):
    assert client.get("/tokens/")["Location"] == "/login/?next=/tokens/"


def test_a_token_is_made_with_its_scopes_and_its_end(own, user):
    answer = own.post("/tokens/", {"label": "notebook", "scopes": ["read-rows"], "lasts": "30"})

    token = Token.objects.get()
    assert (token.user, token.label, token.scopes) == (user, "notebook", {"read-rows"})
    left = token.expiry - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert answer.context["secret"] in answer.text


def test_a_token_is_shown_this_once_and_kept_nowhere(own):
    made = own.post("/tokens/", {"label": "notebook", "lasts": "30"})
    secret = made.context["secret"]

    again = own.get("/tokens/")

    assert secret not in again.text
    assert secret not in Token.objects.get().digest
    assert "no-store" in made["Cache-Control"]


def test_the_token_that_was_shown_works(own, client):
    secret = own.post("/tokens/", {"label": "notebook", "lasts": "1"}).context["secret"]
    client.logout()

    answer = client.get("/api/v1/tokens/", headers={"Authorization": f"Token {secret}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"label": "", "lasts": "30"},
        {"label": "x", "lasts": "9999"},
        {"label": "x", "lasts": "30", "scopes": ["everything"]},
    ],
)
def test_a_token_is_not_made_of_wrong_answers(sent, own):
    answer = own.post("/tokens/", sent)

    assert answer.context["form"].errors
    assert not Token.objects.exists()


def test_only_own_tokens_are_listed(own):
    Token.objects.create(user=UserFactory(), label="of somebody else")

    assert "of somebody else" not in own.get("/tokens/").text


def test_an_own_token_is_revoked(own, user):
    token, _ = Token.objects.create(user=user, label="notebook")

    answer = own.post(f"/tokens/{token.public_id}/revoke/")

    assert answer.status_code == 302
    assert not Token.objects.exists()


def test_a_token_of_somebody_else_is_not_found(own):
    token, _ = Token.objects.create(user=UserFactory(), label="of somebody else")

    assert own.post(f"/tokens/{token.public_id}/revoke/").status_code == 404
    assert Token.objects.exists()


def test_a_token_is_not_revoked_by_a_link(own, user):
    token, _ = Token.objects.create(user=user, label="notebook")

    assert own.get(f"/tokens/{token.public_id}/revoke/").status_code == 405
    assert Token.objects.exists()


def test_a_token_that_has_run_out_is_marked(own, user):
    Token.objects.create(user=user, label="old", expiry=timedelta(days=-1))

    assert "Ended</span>" in own.get("/tokens/").text

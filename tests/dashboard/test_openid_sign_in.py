"""Signing in through a hospital's provider, which runs here; and all that it refuses."""

import logging
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.dashboard import openid_client
from registry.models import User
from registry.vocabulary import Role
from tests.dashboard.openid_provider import CLIENT, OTHER_KEY, SECRET, serving_provider
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def _served():
    with serving_provider() as provider:
        yield provider


@pytest.fixture
def provider(_served, settings):
    _served.restore()
    openid_client.forget_discovered()
    settings.REGISTRY_OIDC_ISSUER = _served.address
    settings.REGISTRY_OIDC_CLIENT_ID = CLIENT
    settings.REGISTRY_OIDC_CLIENT_SECRET = SECRET
    settings.REGISTRY_OIDC_NAME = "Inselspital"
    return _served


@pytest.fixture
def nurse():
    return UserFactory(username="nurse", roles=[Role.SITE_STAFF])


def sent_to_provider(client, **asked):
    """Where the provider is asked, and what."""
    away = client.get("/login/provider/", asked)
    assert away.status_code == 302
    return away["Location"]


def back_from(address):
    """The address of the callback, with what the provider adds."""
    reply = requests.get(address, allow_redirects=False, timeout=5)
    return urlsplit(reply.headers["Location"])


def signed_in(client, **asked):
    """The reply after a whole sign-in."""
    back = back_from(sent_to_provider(client, **asked))
    return client.get(f"{back.path}?{back.query}")


def who(client):
    return client.session.get("_auth_user_id")


def test_person_whom_the_registry_has_signs_in(client, provider, nurse):
    answer = signed_in(client)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert who(client) == str(nurse.pk)
    assert client.get("/tokens/").status_code == 200


def test_state_nonce_and_pkce_are_sent(client, provider, nurse):
    asked = parse_qs(urlsplit(sent_to_provider(client)).query)

    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [CLIENT]
    assert asked["redirect_uri"] == ["http://testserver/login/provider/callback/"]
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert "openid" in asked["scope"][0].split()


def test_sign_in_leads_on_to_the_page_that_was_asked_for(client, provider, nurse):
    assert signed_in(client, next="/tokens/")["Location"] == "/tokens/"


def test_sign_in_leads_to_no_other_host(client, provider, nurse):
    assert signed_in(client, next="https://elsewhere.example/")["Location"] == "/admin/"


def refused(client, caplog, reason, said="Signing in through Inselspital did not succeed."):
    caplog.set_level(logging.WARNING, "registry.dashboard.openid_sign_in")
    answer = signed_in(client)

    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert who(client) is None
    assert said in client.get("/login/").text
    assert reason in caplog.text
    assert "nurse" not in caplog.text


def test_unknown_person_is_not_made(client, provider, caplog):
    refused(client, caplog, "Nobody here", "this registry has no account for you")

    assert not User.objects.exists()


def test_closed_account_is_refused(client, provider, caplog):
    UserFactory(username="nurse", is_active=False)

    refused(client, caplog, "closed", "This account has been closed.")


def test_roles_of_the_provider_are_not_read(client, provider, nurse):
    provider.claims |= {"roles": ["data manager"], "groups": ["admin"]}

    signed_in(client)

    assert User.objects.get(pk=nurse.pk).roles == {Role.SITE_STAFF}


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another-client"}, "InvalidAudienceError"),
        ({"aud": [CLIENT, "another-client"]}, "another party"),
        ({"aud": [CLIENT, "another-client"], "azp": "another-client"}, "another party"),
        ({"iss": "https://elsewhere.example"}, "InvalidIssuerError"),
        ({"nonce": "of another sign-in"}, "nonce differs"),
        ({"exp": int(time.time()) - 3600}, "ExpiredSignatureError"),
        ({"iat": int(time.time()) + 3600}, "ImmatureSignatureError"),
        ({"nbf": int(time.time()) + 3600}, "ImmatureSignatureError"),
    ],
    ids=["audience", "audiences", "party", "issuer", "nonce", "expired", "issued-later", "later"],
)
def test_token_with_a_wrong_claim_is_refused(claims, reason, client, provider, nurse, caplog):
    provider.claims |= claims

    refused(client, caplog, reason)


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_token_without_a_claim_is_refused(claim, client, provider, nurse, caplog):
    provider.without = {claim}

    refused(client, caplog, "MissingRequiredClaimError")


def test_audiences_with_this_client_as_party_are_taken(client, provider, nurse):
    provider.claims |= {"aud": [CLIENT, "another-client"], "azp": CLIENT}

    signed_in(client)

    assert who(client) == str(nurse.pk)


def test_token_without_a_signature_is_refused(client, provider, nurse, caplog):
    provider.algorithm, provider.key = "none", None

    refused(client, caplog, "No key of the provider fits")


def test_token_without_a_signature_is_refused_by_a_key_without_an_algorithm(
    client, provider, nurse, caplog, monkeypatch
):
    provider.algorithm, provider.key = "none", None
    keys = provider.keys()
    del keys["keys"][0]["alg"]
    monkeypatch.setattr(provider, "keys", lambda: keys)

    refused(client, caplog, "InvalidAlgorithmError")


def test_token_of_another_key_is_refused(client, provider, nurse, caplog):
    provider.key = OTHER_KEY

    refused(client, caplog, "InvalidSignatureError")


def test_token_signed_with_the_secret_of_the_client_is_refused(client, provider, nurse, caplog):
    provider.algorithm, provider.key = "HS256", SECRET * 2

    refused(client, caplog, "No key of the provider fits")


@pytest.mark.parametrize("kid", ["two", None])
def test_token_of_an_unknown_key_is_refused(kid, client, provider, nurse, caplog):
    provider.header = {"kid": kid} if kid else {}

    refused(client, caplog, "No key of the provider fits" if kid else "cannot be read")


def test_reply_that_is_no_token_is_refused(client, provider, nurse, caplog):
    provider.token = "nonsense"

    refused(client, caplog, "DecodeError")


def test_code_that_the_provider_refuses_signs_nobody_in(client, provider, nurse, caplog):
    provider.status = 400

    refused(client, caplog, "no token or no keys")


def test_error_of_the_provider_is_told_in_words(client, provider, nurse, caplog):
    state = parse_qs(urlsplit(sent_to_provider(client)).query)["state"][0]

    answer = client.get(
        "/login/provider/callback/", {"error": "access_denied", "state": state}, follow=True
    )

    assert "did not succeed" in answer.text
    assert "access_denied" not in answer.text
    assert who(client) is None
    assert not client.session["oidc_states"]


def test_reply_without_a_sign_in_that_was_begun_is_refused(client, provider, nurse):
    stolen = back_from(sent_to_provider(Client()))

    answer = client.get(f"{stolen.path}?{stolen.query}")

    assert answer["Location"] == "/login/"
    assert who(client) is None


def test_reply_is_taken_once(client, provider, nurse):
    back = back_from(sent_to_provider(client))
    client.get(f"{back.path}?{back.query}")
    client.post("/logout/")

    client.get(f"{back.path}?{back.query}")

    assert who(client) is None


def test_code_is_not_redeemed_without_its_verifier(client, provider, nurse, caplog):
    back = back_from(sent_to_provider(client))
    session = client.session
    for known in session["oidc_states"].values():
        known["code_verifier"] = "x" * 64
    session.save()

    client.get(f"{back.path}?{back.query}")

    assert provider.asked[-1]["code_verifier"] == "x" * 64
    assert who(client) is None


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": None},
    ],
    ids=["another issuer", "not https", "no keys"],
)
def test_discovery_that_does_not_hold_sends_nobody_away(said, client, provider, nurse):
    provider.said = said

    answer = client.get("/login/provider/", follow=True)

    assert answer.redirect_chain == [("/login/", 302)]
    assert "did not succeed" in answer.text


def test_provider_that_does_not_answer_leaves_the_password(client, provider, nurse, settings):
    settings.REGISTRY_OIDC_ISSUER = "http://127.0.0.1:9"

    assert "did not succeed" in client.get("/login/provider/", follow=True).text
    client.post("/login/", {"username": "nurse", "password": "demo"})
    assert who(client) == str(nurse.pk)


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({"email": "Nurse@Insel.example", "email_verified": True}, True),
        ({"email": "nurse@insel.example", "email_verified": False}, False),
        ({"email": "nurse@insel.example", "email_verified": "true"}, False),
        ({"email": "nurse@insel.example"}, False),
        ({"email": "two@insel.example", "email_verified": True}, False),
        ({"email": "", "email_verified": True}, False),
        ({"email_verified": True}, False),
    ],
)
def test_address_counts_once_verified_and_of_one_person(claims, found, client, provider, settings):
    settings.REGISTRY_OIDC_CLAIM = "email"
    UserFactory(username="x", email="nurse@insel.example")
    for name in ("y", "z"):
        UserFactory(username=name, email="two@insel.example")
    UserFactory(username="w", email="")
    provider.claims = claims

    signed_in(client)

    assert (who(client) is not None) == found


@pytest.mark.parametrize("value", [["nurse"], "", None, 7, "NURSE"])
def test_name_is_the_user_name_to_the_letter(value, client, provider, nurse):
    provider.claims = {"preferred_username": value}

    signed_in(client)

    assert who(client) is None


@pytest.fixture
def device(nurse):
    return TOTPDevice.objects.create(user=nurse, name="phone", confirmed=True)


def code_of(device):
    return f"{totp(device.bin_key):06d}"


def test_account_with_a_code_is_asked_for_it(client, provider, nurse, device):
    answer = signed_in(client, next="/tokens/")

    assert answer["Location"] == "/login/provider/code/"
    assert who(client) is None
    assert "Inselspital says who you are." in client.get("/login/provider/code/").text
    done = client.post("/login/provider/code/", {"otp_token": code_of(device)})
    assert done["Location"] == "/tokens/"
    assert who(client) == str(nurse.pk)


def test_wrong_codes_are_counted_and_lock_out(client, provider, device):
    signed_in(client)
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"

    replies = [client.post("/login/provider/code/", {"otp_token": wrong}) for _ in range(8)]

    assert "This code is wrong." in replies[0].text
    assert replies[-1].status_code == 429
    assert client.post("/login/provider/code/", {"otp_token": code_of(device)}).status_code == 429
    assert signed_in(Client()).status_code == 429
    assert who(client) is None


def test_lock_out_after_wrong_passwords_holds_at_the_provider_too(client, provider, nurse):
    for _ in range(8):
        client.post("/login/", {"username": "nurse", "password": "wrong"})

    assert signed_in(client).status_code == 429
    assert who(client) is None


def test_code_is_asked_for_some_minutes_only(client, provider, device):
    signed_in(client)
    session = client.session
    session["provider_waits_for_code"] |= {"since": time.time() - 301}
    session.save()

    answer = client.post("/login/provider/code/", {"otp_token": code_of(device)})

    assert answer["Location"] == "/login/"
    assert who(client) is None


def test_account_that_is_closed_meanwhile_is_not_let_in(client, provider, nurse, device):
    signed_in(client)
    User.objects.filter(pk=nurse.pk).update(is_active=False)

    client.post("/login/provider/code/", {"otp_token": code_of(device)})

    assert who(client) is None


def test_nobody_is_asked_for_a_code_without_a_provider_behind(client, provider):
    assert client.get("/login/provider/code/")["Location"] == "/login/"


@pytest.mark.parametrize(
    ("trusted", "claims", "taken"),
    [
        ({"mfa"}, {"amr": ["pwd", "mfa"]}, True),
        ({"urn:hospital:two"}, {"acr": "urn:hospital:two"}, True),
        ({"mfa"}, {"amr": ["pwd"]}, False),
        ({"mfa"}, {"amr": "mfa"}, False),
        ({"mfa"}, {}, False),
        (set(), {"amr": ["mfa"]}, False),
    ],
)
def test_second_factor_of_the_provider_counts_where_it_is_trusted(
    trusted, claims, taken, client, provider, device, settings
):
    settings.REGISTRY_CODE_REQUIRED = frozenset({"all"})
    settings.REGISTRY_OIDC_TRUSTED_FACTORS = frozenset(trusted)
    provider.claims |= claims

    answer = signed_in(client, next="/tokens/")

    assert answer["Location"] == ("/tokens/" if taken else "/login/provider/code/")
    assert (client.get("/tokens/").status_code == 200) == taken


def test_code_that_is_required_is_added_without_a_password(client, provider, nurse, settings):
    settings.REGISTRY_CODE_REQUIRED = frozenset({"all"})
    signed_in(client)
    assert client.get("/tokens/")["Location"] == "/one-time-code/"
    assert "Your password" not in client.get("/one-time-code/").text

    client.post("/one-time-code/", {"begin": "1"})
    device = TOTPDevice.objects.get(user=nurse)
    client.post("/one-time-code/", {"confirm": "1", "code": code_of(device)})

    assert client.get("/tokens/").status_code == 200


def test_password_is_asked_for_again_a_while_after_the_provider(client, provider, nurse):
    signed_in(client)
    session = client.session
    session["signed_in_by_provider_at"] -= 601
    session.save()

    answer = client.post("/one-time-code/", {"begin": "1"})

    assert answer.context["form"].errors["password"]
    assert not TOTPDevice.objects.exists()


def test_password_that_was_given_stands_in_nobodys_way_at_the_provider(client, provider, nurse):
    User.objects.filter(pk=nurse.pk).update(must_change_password=True)

    signed_in(client)

    assert client.get("/tokens/").status_code == 200
    client.post("/logout/")
    client.post("/login/", {"username": "nurse", "password": "demo"})
    assert client.get("/tokens/")["Location"] == "/password/"


def test_session_ends_with_the_account(client, provider, nurse):
    signed_in(client)
    User.objects.filter(pk=nurse.pk).update(is_active=False)

    assert client.get("/tokens/")["Location"] == "/login/?next=/tokens/"


def test_signing_out_offers_to_sign_out_of_the_provider(client, provider, nurse):
    signed_in(client)

    answer = client.post("/logout/")

    assert who(client) is None
    assert "still signed in at Inselspital" in answer.text
    assert f'href="{provider.address}/logout?client_id={CLIENT}&amp;post_logout' in answer.text


def test_signing_out_of_a_provider_that_offers_none_leads_home(client, provider, nurse):
    provider.said = {"end_session_endpoint": None}
    signed_in(client)

    assert client.post("/logout/")["Location"] == "/"


def test_sign_in_by_password_is_signed_out_as_ever(client, provider, nurse):
    client.post("/login/", {"username": "nurse", "password": "demo"})

    assert client.post("/logout/")["Location"] == "/"


def test_sign_in_page_has_the_hospitals_button_where_it_is_configured(client, provider, settings):
    page = client.get("/login/?next=/tokens/").text
    assert '<a class="button wide" href="/login/provider/?next=%2Ftokens%2F">' in page
    assert "Sign in with Inselspital" in page
    settings.REGISTRY_OIDC_ISSUER = ""

    assert "/login/provider/" not in client.get("/login/").text
    assert client.get("/login/provider/").status_code == 404
    assert client.get("/login/provider/callback/?state=x&code=y").status_code == 404


def test_provider_takes_reading_requests_alone(client, provider):
    assert client.post("/login/provider/").status_code == 405
    assert client.post("/login/provider/callback/").status_code == 405


def test_test_provider_signs_as_a_provider_does(provider):
    token = provider.id_token({"nonce": "n"})

    key = jwt.PyJWK(provider.keys()["keys"][0])
    assert jwt.decode(token, key, algorithms=["RS256"], audience=CLIENT)["sub"] == "s-1"

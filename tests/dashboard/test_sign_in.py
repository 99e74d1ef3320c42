"""Signing in and out, one-time codes, lock-out, and changing a password."""

import pytest
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.factories import UserFactory


@pytest.fixture
def user(db):
    return UserFactory(username="reporter")


def sign_in(client, **answers):
    return client.post("/login/", {"username": "reporter", "password": "demo", **answers})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_a_password_signs_in_and_leads_on(client, user):
    answer = sign_in(client, next="/admin/registry/event/")

    assert answer.status_code == 302
    assert answer["Location"] == "/admin/registry/event/"
    assert is_signed_in(client)


def test_signing_in_leads_to_no_other_host(client, user):
    answer = sign_in(client, next="https://elsewhere.example/")

    assert answer["Location"] == "/"


@pytest.mark.parametrize("answers", [{"password": "wrong"}, {"username": "nobody"}])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(answers, client, user):
    answer = sign_in(client, **answers)

    assert "User name and password do not match." in answer.text
    assert not is_signed_in(client)


def test_a_closed_account_does_not_sign_in(client, db):
    UserFactory(username="reporter", is_active=False)

    sign_in(client)

    assert not is_signed_in(client)


@pytest.fixture
def device(user):
    return TOTPDevice.objects.create(user=user, name="phone", confirmed=True)


def code_of(device):
    return f"{totp(device.bin_key):06d}"


def test_an_account_with_a_code_generator_needs_its_code(client, device):
    answer = sign_in(client)

    assert "needs its one-time code" in answer.text
    assert not is_signed_in(client)


def test_a_wrong_code_does_not_sign_in(client, device):
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"

    sign_in(client, otp_token=wrong)

    assert not is_signed_in(client)


def test_the_right_code_signs_in_once(client, device):
    code = code_of(device)

    sign_in(client, otp_token=code)

    assert is_signed_in(client)
    client.post("/logout/")
    sign_in(client, otp_token=code)
    assert not is_signed_in(client)


def test_a_right_code_does_not_stand_in_for_the_password(client, device):
    sign_in(client, password="wrong", otp_token=code_of(device))

    assert not is_signed_in(client)


def test_an_unconfirmed_code_generator_is_not_asked_for(client, user):
    TOTPDevice.objects.create(user=user, name="phone", confirmed=False)

    sign_in(client)

    assert is_signed_in(client)


def test_eight_wrong_passwords_pause_sign_in_from_that_address(client, user):
    for _ in range(8):
        answer = sign_in(client, password="wrong")

    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.text
    assert answer["Retry-After"] == "900"
    assert sign_in(client).status_code == 429
    assert not is_signed_in(client)


def test_a_pause_holds_for_that_user_and_address_together(client, user):
    UserFactory(username="colleague")
    for _ in range(8):
        sign_in(client, password="wrong")

    assert sign_in(client, username="colleague").status_code == 302


def test_signing_out_takes_a_post(client, user):
    sign_in(client)

    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)
    assert client.post("/logout/")["Location"] == "/"
    assert not is_signed_in(client)


def test_a_password_is_changed(client, user):
    sign_in(client)
    new = "another unlikely phrase"

    answer = client.post(
        "/password/", {"old_password": "demo", "new_password1": new, "new_password2": new}
    )

    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)
    assert is_signed_in(client)


def test_a_weak_password_is_refused(client, user):
    sign_in(client)

    answer = client.post(
        "/password/",
        {"old_password": "demo", "new_password1": "12345", "new_password2": "12345"},
    )

    assert "too short" in answer.text
    user.refresh_from_db()
    assert user.check_password("demo")


def test_strangers_are_led_from_the_password_page_to_sign_in(client, db):
    assert client.get("/password/")["Location"] == "/login/?next=/password/"


@pytest.mark.parametrize("address", ["/", "/login/"])
def test_every_page_carries_the_strict_policy(address, client, db):
    policy = client.get(address)["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_page_holds_inline_style_or_script(client, user):
    sign_in(client)

    for address in ("/", "/tokens/", "/password/", "/admin/"):
        html = client.get(address).text
        assert " style=" not in html
        assert "<style" not in html
        assert "<script>" not in html

"""Adding, replacing, renewing and removing one's own one-time code."""

import re

import pytest
import segno
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import Seal
from registry.vocabulary import Role
from tests.dashboard.conftest import BACKEND
from tests.factories import UserFactory

PAGE = "/one-time-code/"


@pytest.fixture
def reporter(db):
    return UserFactory(username="reporter", roles=[Role.SITE_STAFF])


@pytest.fixture
def signed_in():
    """A client that is signed in as the given user."""

    def client_of(user):
        client = Client()
        client.force_login(user, backend=BACKEND)
        return client

    return client_of


def code_of(device, drift=0):
    """What the person's app shows now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    return f"{totp.token() if not drift else (totp.token() + drift) % 10**6:06d}"


def begin(client):
    return client.post(PAGE, {"begin": "1", "password": "demo"})


def added(client, user):
    """Add a code generator, and give back its recovery codes as they were shown."""
    begin(client)
    device = TOTPDevice.objects.get(user=user, confirmed=False)
    answer = client.post(PAGE, {"confirm": "1", "code": code_of(device)})
    return re.findall(r"<code>(\d{5} \d{5})</code>", answer.text)


def sign_in(client, user, code):
    client.logout()
    sent = {"username": user.username, "password": "demo", "otp_token": code}
    client.post("/login/", sent)
    return "_auth_user_id" in client.session


def test_a_code_generator_is_added_once_it_shows_a_right_code(reporter, signed_in):
    client = signed_in(reporter)

    shown = begin(client)
    device = TOTPDevice.objects.get(user=reporter)
    assert not device.confirmed
    assert device.config_url.replace("&", "&amp;") in shown.text
    answer = client.post(PAGE, {"confirm": "1", "code": code_of(device)})

    device.refresh_from_db()
    assert device.confirmed
    assert len(answer.context["codes"]) == 10
    assert "asks for a one-time code at sign-in" in answer.text
    row = reporter.history.first()
    assert (row.history_change_reason, row.history_user) == ("one-time-code-added", reporter)
    assert Seal.objects.latest("number").action == "add-one-time-code"


def test_the_secret_is_shown_as_an_app_takes_it(reporter, signed_in):
    from base64 import b32decode

    shown = begin(signed_in(reporter)).text

    typed = re.search(r'class="secret">([A-Z2-7 ]+)<', shown)[1].replace(" ", "")
    padded = typed + "=" * (-len(typed) % 8)
    assert b32decode(padded) == TOTPDevice.objects.get().bin_key


def test_the_secret_is_shown_as_a_picture_of_its_own_address(reporter, signed_in):
    shown = begin(signed_in(reporter)).text
    address = TOTPDevice.objects.get().config_url

    [picture] = re.findall(r'<div class="qr">(<svg.*?</svg>)</div>', shown, re.DOTALL)
    assert drawn_modules(picture) == [
        [bool(module) for module in row]
        for row in segno.make(address, error="m", micro=False).matrix
    ]
    assert "<script" not in picture
    assert "style=" not in picture


def drawn_modules(picture):
    """The dark modules that the path of an SVG draws, without the quiet zone of four."""
    path = re.search(r'class="qrline"[^>]* d="([^"]*)"', picture)[1]
    size = int(float(re.search(r'viewBox="0 0 (\d+)', picture)[1])) // 4 - 8
    grid = [[False] * size for _ in range(size)]
    x = y = 0.0
    for kind, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path):
        values = [float(number) for number in re.findall(r"-?[0-9.]+", numbers)]
        if kind == "h":
            for column in range(int(values[0])):
                grid[int(y) - 4][int(x) - 4 + column] = True
            x += values[0]
        elif kind == "m":
            x, y = x + values[0], y + values[1]
        else:
            x, y = values
    return grid


def test_the_secret_is_not_shown_again(reporter, signed_in):
    client = signed_in(reporter)
    begin(client)
    key = TOTPDevice.objects.get().config_url.split("secret=")[1][:16]

    assert key not in client.get(PAGE).text


def test_a_wrong_code_adds_nothing(reporter, signed_in):
    client = signed_in(reporter)
    begin(client)
    device = TOTPDevice.objects.get()

    answer = client.post(PAGE, {"confirm": "1", "code": code_of(device, drift=1)})

    assert "This code is wrong" in answer.text
    assert not TOTPDevice.objects.filter(confirmed=True).exists()
    assert not StaticToken.objects.exists()


@pytest.mark.parametrize("button", ["begin", "renew", "remove"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_nothing_changes_without_the_password(button, password, reporter, signed_in):
    client = signed_in(reporter)
    added(client, reporter)
    before = set(StaticToken.objects.values_list("token", flat=True))

    answer = client.post(PAGE, {button: "1", "password": password})

    assert answer.context["form"].errors["password"]
    assert TOTPDevice.objects.get().confirmed
    assert set(StaticToken.objects.values_list("token", flat=True)) == before


def test_a_confirmation_without_a_beginning_adds_nothing(reporter, signed_in):
    answer = signed_in(reporter).post(PAGE, {"confirm": "1", "code": "123456"})

    assert answer["Location"] == PAGE
    assert not TOTPDevice.objects.exists()


def test_a_recovery_code_signs_in_once(reporter, signed_in):
    client = signed_in(reporter)
    code, *_rest = added(client, reporter)

    assert not sign_in(client, reporter, "00000 00000")
    StaticToken.objects.get(token=code.replace(" ", "")).device.throttle_reset()
    assert sign_in(client, reporter, code)
    assert not sign_in(client, reporter, code)
    assert StaticToken.objects.count() == 9


def test_renewed_recovery_codes_take_the_place_of_the_old(reporter, signed_in):
    client = signed_in(reporter)
    old = added(client, reporter)

    answer = client.post(PAGE, {"renew": "1", "password": "demo"})

    new = {code.replace(" ", "") for code in answer.context["codes"]}
    assert set(StaticToken.objects.values_list("token", flat=True)) == new
    assert not new & {code.replace(" ", "") for code in old}
    assert reporter.history.first().history_change_reason == "recovery-codes-renewed"


def test_recovery_codes_are_not_made_without_a_code_generator(reporter, signed_in):
    signed_in(reporter).post(PAGE, {"renew": "1", "password": "demo"})

    assert not StaticToken.objects.exists()


def test_a_new_code_generator_takes_the_place_of_the_old(reporter, signed_in):
    client = signed_in(reporter)
    added(client, reporter)
    first = TOTPDevice.objects.get()

    added(client, reporter)

    assert TOTPDevice.objects.get().bin_key != first.bin_key


def test_a_code_generator_is_removed_with_its_recovery_codes(reporter, signed_in):
    client = signed_in(reporter)
    added(client, reporter)

    client.post(PAGE, {"remove": "1", "password": "demo"})

    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    assert reporter.history.first().history_change_reason == "one-time-code-removed"
    assert sign_in(client, reporter, "")


def test_strangers_are_led_to_sign_in(client, db):
    assert client.get(PAGE)["Location"] == f"/login/?next={PAGE}"


def test_the_start_page_asks_for_a_code_until_there_is_one(reporter, signed_in):
    client = signed_in(reporter)
    assert "Add a one-time code" in client.get("/admin/").text

    added(client, reporter)

    assert "Add a one-time code" not in client.get("/admin/").text


def test_nobody_reads_another_persons_secret_in_the_admin(signed_in, db):
    client = signed_in(UserFactory(is_superuser=True))

    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert client.get("/admin/otp_static/staticdevice/").status_code == 404

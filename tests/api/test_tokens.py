"""Making, listing and revoking tokens."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from registry.models import Token
from tests.api.conftest import PASSWORD, client_of

TOKENS = "/api/v1/tokens/"


@pytest.fixture
def client(registry):
    return APIClient()


@pytest.fixture
def credentials():
    return {"username": "reporter", "password": PASSWORD}


def test_password_makes_a_token_that_works(client, credentials):
    reply = client.post(TOKENS, credentials | {"scopes": ["read-rows"]}, format="json")

    assert reply.status_code == 201
    made = reply.json()
    assert made["expires_at"] > timezone.now().isoformat()
    assert made["scopes"] == ["read-rows"]
    assert reply["Cache-Control"] == "no-store"
    client.credentials(HTTP_AUTHORIZATION=f"Token {made['token']}")
    assert client.get("/api/v1/sites/").status_code == 200


def test_token_reads_statistics_only_where_nothing_more_is_asked(client, credentials):
    made = client.post(TOKENS, credentials, format="json").json()

    assert made["scopes"] == ["read-statistics"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {made['token']}")
    assert client.get("/api/v1/statistics/dimensions/").status_code == 200
    assert client.get("/api/v1/sites/").status_code == 403


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_form_makes_a_token_as_well(client, credentials, content_type):
    fields = credentials | {"scopes": ["read-statistics"]}
    if content_type.startswith("multipart"):
        reply = client.post(TOKENS, fields, format="multipart")
    else:
        reply = client.post(TOKENS, urlencode(fields, doseq=True), content_type=content_type)

    assert reply.status_code == 201
    assert reply.json()["scopes"] == ["read-statistics"]


@pytest.mark.parametrize("format", ["json", "multipart"])
def test_token_lasts_as_long_as_is_asked(client, credentials, settings, format):
    settings.REGISTRY_TOKEN_DAYS = 30

    made = client.post(TOKENS, credentials | {"lasts": 30}, format=format)
    refused = client.post(TOKENS, credentials | {"lasts": 31}, format=format)

    left = Token.objects.get().expiry - timezone.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert (made.status_code, refused.status_code) == (201, 400)
    assert refused.json()["errors"] == [
        {"pointer": "/lasts", "code": "max_value", "detail": "Give whole days, from 1 to 30."}
    ]


def test_making_a_token_opens_no_session(client, credentials):
    reply = client.post(TOKENS, credentials, format="json")

    assert not reply.cookies


def test_stored_password_ends_every_token_of_its_user_alone(registry, as_reporter):
    other = client_of(registry.stranger)
    registry.reporter.set_password("another one 8")
    registry.reporter.save()

    assert as_reporter.get("/api/v1/sites/").status_code == 401
    assert other.get("/api/v1/sites/").status_code == 200


def test_key_is_not_stored(client, credentials):
    key = client.post(TOKENS, credentials, format="json").json()["token"]

    token = Token.objects.get()
    assert key not in (token.digest, token.token_key)


def test_token_keeps_its_label_and_scopes(client, credentials):
    body = credentials | {"label": "dashboard", "scopes": ["read-statistics"]}

    made = client.post(TOKENS, body, format="json").json()

    assert (made["label"], made["scopes"]) == ("dashboard", ["read-statistics"])


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"username": None}, "/username", "null"),
        ({"password": ""}, "/password", "blank"),
        ({"scopes": ["everything"]}, "/scopes/0", "invalid_choice"),
        ({"label": "x" * 61}, "/label", "max_length"),
        ({"site": "HERE-1"}, "/site", "unknown-field"),
        ({"lasts": 0}, "/lasts", "min_value"),
        ({"lasts": 366}, "/lasts", "max_value"),
        ({"lasts": "30"}, "/lasts", "invalid"),
        ({"lasts": True}, "/lasts", "invalid"),
    ],
)
def test_bad_request_is_refused_field_by_field(client, credentials, change, pointer, code):
    reply = client.post(TOKENS, credentials | change, format="json")

    assert reply.status_code == 400
    assert [(error["pointer"], error["code"]) for error in reply.json()["errors"]] == [
        (pointer, code)
    ]
    assert "everything" not in reply.content.decode()


def test_scope_that_is_none_is_told_those_there_are(client, credentials):
    body = credentials | {"scopes": ["read-rows,write-events"]}

    (error,) = client.post(TOKENS, body, format="json").json()["errors"]

    assert error["detail"] == (
        "Give each scope by itself: read-statistics, write-events, read-rows."
    )


def test_missing_field_is_named(client):
    reply = client.post(TOKENS, {"username": "reporter"}, format="json")

    assert reply.json()["errors"] == [
        {"pointer": "/password", "code": "required", "detail": "Give this field."}
    ]


def test_wrong_password_and_unknown_name_are_told_alike(client, credentials):
    wrong = client.post(TOKENS, credentials | {"password": "guess"}, format="json")
    unknown = client.post(TOKENS, credentials | {"username": "nobody"}, format="json")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong["WWW-Authenticate"] == "Token"


def test_deactivated_user_makes_no_token(client, registry, credentials):
    type(registry.reporter).objects.filter(pk=registry.reporter.pk).update(is_active=False)

    assert client.post(TOKENS, credentials, format="json").status_code == 401


def test_many_failures_lock_the_name_out(client, registry, credentials):
    for _ in range(8):
        client.post(TOKENS, credentials | {"password": "guess"}, format="json")

    reply = client.post(TOKENS, credentials, format="json")

    assert reply.status_code == 429
    assert reply["Content-Type"] == "application/problem+json"
    assert reply["Retry-After"] == "900"  # a quarter of an hour
    assert not Token.objects.exists()


def test_lock_out_leaves_other_names_alone(client, registry, credentials):
    for _ in range(8):
        client.post(TOKENS, credentials | {"password": "guess"}, format="json")

    reply = client.post(TOKENS, credentials | {"username": "reviewer"}, format="json")

    assert reply.status_code == 201


@pytest.fixture
def device(registry):
    return TOTPDevice.objects.create(user=registry.reporter, name="phone", confirmed=True)


def current_code(device):
    return f"{totp(device.bin_key, step=device.step, t0=device.t0, digits=device.digits):06d}"


@pytest.mark.parametrize("otp", [{}, {"otp": "000000"}], ids=["none", "wrong"])
def test_right_password_without_its_code_is_told_and_counted_as_a_wrong_one(
    client, device, credentials, otp
):
    wrong = client.post(TOKENS, credentials | {"password": "guess"}, format="json")
    right = [client.post(TOKENS, credentials | otp, format="json") for _ in range(8)]

    assert (right[0].status_code, right[0].content) == (401, wrong.content)
    assert right[-1].status_code == 429


def test_right_password_that_was_given_is_told_and_counted_as_a_wrong_one(
    client, registry, credentials
):
    type(registry.reporter).objects.filter(pk=registry.reporter.pk).update(
        must_change_password=True
    )
    wrong = client.post(TOKENS, credentials | {"password": "guess"}, format="json")
    right = [client.post(TOKENS, credentials, format="json") for _ in range(8)]

    assert (right[0].status_code, right[0].content) == (401, wrong.content)
    assert right[-1].status_code == 429


def test_second_factor_makes_a_token(client, device, credentials):
    reply = client.post(TOKENS, credentials | {"otp": current_code(device)}, format="json")

    assert reply.status_code == 201


def test_wrong_second_factor_makes_none_and_counts_towards_the_lock(client, device, credentials):
    wrong = f"{(int(current_code(device)) + 1) % 1_000_000:06d}"

    replies = [client.post(TOKENS, credentials | {"otp": wrong}, format="json") for _ in range(9)]

    assert replies[0].status_code == 401
    assert replies[-1].status_code == 429
    assert not Token.objects.exists()


def test_making_tokens_is_throttled(client, credentials, monkeypatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    cache.clear()

    replies = [client.post(TOKENS, credentials, format="json") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [201, 201, 429]
    assert 0 < int(replies[-1]["Retry-After"]) <= 60
    assert replies[-1].json()["code"] == "throttled"
    assert [reply["RateLimit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert {reply["RateLimit-Limit"] for reply in replies} == {"2"}


def test_expired_token_is_refused(registry):
    client = client_of(registry.reporter)
    Token.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    reply = client.get("/api/v1/sites/")

    assert reply.status_code == 401
    assert reply["WWW-Authenticate"] == "Token"
    assert Token.objects.count() == 1  # reading writes nothing; `purge` deletes it


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token nonsense", "Token \xff\xfe"])
def test_unreadable_token_is_refused_even_where_all_may_read(registry, header):
    reply = APIClient().get("/api/v1/complications/", HTTP_AUTHORIZATION=header)

    assert reply.status_code == 401
    assert reply["Content-Type"] == "application/problem+json"


def test_list_holds_own_tokens_without_keys(registry, as_reporter):
    client_of(registry.stranger)

    reply = as_reporter.get(TOKENS)

    (row,) = reply.json()["results"]
    assert row["id"] == str(Token.objects.get(user=registry.reporter).public_id)
    assert set(row) == {"id", "label", "scopes", "created_at", "expires_at"}


def test_revoked_token_stops_working(registry, as_reporter):
    token = Token.objects.get()

    assert as_reporter.delete(f"{TOKENS}{token.public_id}/").status_code == 204
    assert as_reporter.get(TOKENS).status_code == 401


def test_token_of_somebody_else_is_not_found(registry, as_reporter):
    client_of(registry.stranger)
    token = Token.objects.get(user=registry.stranger)

    assert as_reporter.delete(f"{TOKENS}{token.public_id}/").status_code == 404
    assert Token.objects.filter(pk=token.pk).exists()


def test_narrow_token_reaches_only_itself(registry, as_reporter):
    wide = Token.objects.get()
    narrow = client_of(registry.reporter, scopes=("read-statistics",))

    assert len(narrow.get(TOKENS).json()["results"]) == 1
    assert narrow.delete(f"{TOKENS}{wide.public_id}/").status_code == 404
    assert len(as_reporter.get(TOKENS).json()["results"]) == 2


def test_tokens_are_listed_for_who_signed_in_only(client):
    assert client.get(TOKENS).status_code == 401

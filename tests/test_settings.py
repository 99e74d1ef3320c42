"""Every setting that docs/operations.md offers does what it says, or is refused in words."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parent.parent
SETTINGS = ROOT / "registry_project" / "settings.py"
MANUAL = (ROOT / "docs" / "operations.md").read_text()

OFFERED = {
    "DATABASE_URL": (
        "postgres://ann:p%23w@db.example:6543/pumps",
        lambda s: [s["DATABASES"]["default"][k] for k in ("USER", "PASSWORD", "HOST", "PORT")],
        ["ann", "p#w", "db.example", 6543],
    ),
    "REGISTRY_VAR": (None, lambda s: str(s["REGISTRY_VAR"]), None),
    "REGISTRY_DATE_PRECISION": ("month", lambda s: s["REGISTRY_DATE_PRECISION"], "month"),
    "REGISTRY_PUBLIC_STATISTICS": ("1", lambda s: s["REGISTRY_PUBLIC_STATISTICS"], True),
    "REGISTRY_KEY_RECORDS": ("ab" * 32, lambda s: str(s["REGISTRY_KEY_RECORDS"]), "ab" * 32),
    "REGISTRY_KEY_NOISE": ("cd" * 32, lambda s: str(s["REGISTRY_KEY_NOISE"]), "cd" * 32),
    "REGISTRY_KEY_SNAPSHOTS": ("ef" * 32, lambda s: str(s["REGISTRY_KEY_SNAPSHOTS"]), "ef" * 32),
    "REGISTRY_KEY_SEALS": ("ef" * 32, lambda s: str(s["REGISTRY_KEY_SEALS"]), "ef" * 32),
    "REGISTRY_HEADS_FILE": ("/safe/heads", lambda s: s["REGISTRY_HEADS_FILE"], "/safe/heads"),
    "REGISTRY_SNAPSHOTS_KEPT": ("5", lambda s: s["REGISTRY_SNAPSHOTS_KEPT"], 5),
    "REGISTRY_SNAPSHOTS_MB": ("500", lambda s: s["REGISTRY_SNAPSHOTS_MB"], 500),
    "REGISTRY_KEY_FILE": ("/safe/keys", lambda s: s["REGISTRY_KEY_FILE"], "/safe/keys"),
    "REGISTRY_ENGINE": (
        "spark://one.example:7077,two.example:7077",
        lambda s: s["REGISTRY_ENGINE"],
        "spark://one.example:7077,two.example:7077",
    ),
    "REGISTRY_ENGINE_SECONDS": ("90", lambda s: s["REGISTRY_ENGINE_SECONDS"], 90),
    "REGISTRY_THREADS": ("3", lambda s: s["REGISTRY_THREADS"], 3),
    "REGISTRY_FIRST_YEAR": ("1999", lambda s: s["REGISTRY_FIRST_YEAR"], 1999),
    "REGISTRY_RELEASE_DAYS": ("365", lambda s: s["REGISTRY_RELEASE_DAYS"], 365),
    "REGISTRY_RELEASE_GROWTH": ("25", lambda s: s["REGISTRY_RELEASE_GROWTH"], 25),
    "REGISTRY_RELEASE_CHANGED": ("300", lambda s: s["REGISTRY_RELEASE_CHANGED"], 300),
    "REGISTRY_ANSWER_TICK_MS": ("0", lambda s: s["REGISTRY_ANSWER_TICK_MS"], 0),
    "REGISTRY_FREEZE_SECONDS": ("0", lambda s: s["REGISTRY_FREEZE_SECONDS"], 0),
    "REGISTRY_LOCK_SECONDS": (
        "7",
        lambda s: s["DATABASES"]["default"]["OPTIONS"]["timeout"],
        7,
    ),
    "REGISTRY_TOKEN_DAYS": ("30", lambda s: s["REGISTRY_TOKEN_DAYS"], 30),
    "REGISTRY_AGREEMENT_SECOND_PERSON": (
        "1",
        lambda s: s["REGISTRY_AGREEMENT_SECOND_PERSON"],
        True,
    ),
    "REGISTRY_ROLE_SECOND_PERSON": ("0", lambda s: s["REGISTRY_ROLE_SECOND_PERSON"], False),
    "REGISTRY_ROLE_PROPOSAL_DAYS": ("7", lambda s: s["REGISTRY_ROLE_PROPOSAL_DAYS"], 7),
    "REGISTRY_CODE_REQUIRED": (
        "data-manager, auditor",
        lambda s: s["REGISTRY_CODE_REQUIRED"],
        {"data manager", "auditor"},
    ),
    "REGISTRY_AGREEMENT_REMINDER_DAYS": (
        "60",
        lambda s: s["REGISTRY_AGREEMENT_REMINDER_DAYS"],
        60,
    ),
    "REGISTRY_OIDC_ISSUER": (
        "https://login.example/realms/staff",
        lambda s: s["REGISTRY_OIDC_ISSUER"],
        "https://login.example/realms/staff",
    ),
    "REGISTRY_OIDC_CLIENT_ID": ("pumps", lambda s: s["REGISTRY_OIDC_CLIENT_ID"], "pumps"),
    "REGISTRY_OIDC_CLIENT_SECRET": ("s", lambda s: str(s["REGISTRY_OIDC_CLIENT_SECRET"]), "s"),
    "REGISTRY_OIDC_NAME": ("Insel", lambda s: s["REGISTRY_OIDC_NAME"], "Insel"),
    "REGISTRY_OIDC_CLAIM": ("email", lambda s: s["REGISTRY_OIDC_CLAIM"], "email"),
    "REGISTRY_OIDC_TRUSTED_FACTORS": (
        "mfa, urn:two",
        lambda s: s["REGISTRY_OIDC_TRUSTED_FACTORS"],
        {"mfa", "urn:two"},
    ),
    "REGISTRY_DIGEST_ADDRESS": (
        "https://registry.example",
        lambda s: s["REGISTRY_DIGEST_ADDRESS"],
        "https://registry.example",
    ),
    "EMAIL_HOST": ("mail.example", lambda s: s["EMAIL_HOST"], "mail.example"),
    "EMAIL_PORT": ("2525", lambda s: s["EMAIL_PORT"], 2525),
    "EMAIL_HOST_USER": ("ann", lambda s: s["EMAIL_HOST_USER"], "ann"),
    "EMAIL_HOST_PASSWORD": ("p w", lambda s: str(s["EMAIL_HOST_PASSWORD"]), "p w"),
    "EMAIL_USE_TLS": ("0", lambda s: s["EMAIL_USE_TLS"], False),
    "DEFAULT_FROM_EMAIL": ("a@b.example", lambda s: s["DEFAULT_FROM_EMAIL"], "a@b.example"),
    "SECRET_KEY_FALLBACKS": ("old, older", lambda s: s["SECRET_KEY_FALLBACKS"], ["old", "older"]),
    "REDIS_URL": (
        "redis://:pw@cache.example:6380/3",
        lambda s: [s["CACHES"]["default"].get(k) for k in ("BACKEND", "LOCATION")],
        ["registry.shared_cache.RedisOrMemory", "redis://:pw@cache.example:6380/3"],
    ),
    "REPLICA_URL": (
        "postgres://a:pw@replica.example/b?options=-c%20jit%3Doff",
        lambda s: (s["DATABASES"].get("replica") or {}).get("HOST"),
        "replica.example",
    ),
    "REPLICA_SECONDS": ("7", lambda s: s["REPLICA_SECONDS"], 7),
    "CORS_ALLOWED_ORIGINS": (
        "https://a.example, http://localhost:8888",
        lambda s: s["CORS_ALLOWED_ORIGINS"],
        ["https://a.example", "http://localhost:8888"],
    ),
    "CSRF_TRUSTED_ORIGINS": (
        "https://a.example, https://b.example",
        lambda s: s["CSRF_TRUSTED_ORIGINS"],
        ["https://a.example", "https://b.example"],
    ),
    "BEHIND_PROXY": (
        "2",
        lambda s: [s.get("SECURE_PROXY_SSL_HEADER"), s["BEHIND_PROXY"]],
        [("HTTP_X_FORWARDED_PROTO", "https"), 2],
    ),
    "SECURE_SSL_REDIRECT": (
        "0",
        lambda s: [s[k] for k in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE")],
        [False, False],
    ),
    "THROTTLE_ANON": ("5/sec", lambda s: rates(s)["anon"], "5/sec"),
    "THROTTLE_USER": ("5/hour", lambda s: rates(s)["user"], "5/hour"),
    "THROTTLE_TOKEN": ("5/day", lambda s: rates(s)["token"], "5/day"),
    "LOG_LEVEL": ("INFO", lambda s: s["LOGGING"]["root"]["level"], "INFO"),
}
"""For each setting: a value, and what the settings make of it."""

REFUSED = {
    "CORS_ALLOWED_ORIGINS": ["zebulon", "https://a.example/zebulon", "*", "ftp://a.example"],
    "DATABASE_URL": ["zebulon", "mysql://a:zebulon@b/c", "postgres://a:zebu#lon@b/c"],
    "REGISTRY_DATE_PRECISION": ["day"],
    "REGISTRY_PUBLIC_STATISTICS": ["perhaps"],
    "REGISTRY_ENGINE": [
        *("zebulon", "zebulon://h:7077", "spark://zebulon", "spark://h:zebulon"),
        *("spark://h:7077,", "spark://h:7077/zebulon", "spark://a@zebulon:7077", "duckdb zebulon"),
    ],
    "REGISTRY_ENGINE_SECONDS": ["zebulon", "0", "3601"],
    "REGISTRY_THREADS": ["zebulon", "-1", "1025"],
    "REGISTRY_FIRST_YEAR": ["zebulon", "1979", "2999", "-1"],
    "REGISTRY_RELEASE_DAYS": ["zebulon", "-1", "1.5"],
    "REGISTRY_RELEASE_GROWTH": ["zebulon", "-1", "101"],
    "REGISTRY_RELEASE_CHANGED": ["zebulon", "-1"],
    "REGISTRY_ANSWER_TICK_MS": ["zebulon", "1001", "-1"],
    "REGISTRY_FREEZE_SECONDS": ["zebulon", "-1", "1e6"],
    "REGISTRY_SNAPSHOTS_KEPT": ["zebulon", "-1", "1001"],
    "REGISTRY_SNAPSHOTS_MB": ["zebulon", "0"],
    "REGISTRY_LOCK_SECONDS": ["zebulon", "0", "601"],
    "REGISTRY_TOKEN_DAYS": ["zebulon", "0", "3651"],
    "REGISTRY_AGREEMENT_SECOND_PERSON": ["zebulon"],
    "REGISTRY_ROLE_SECOND_PERSON": ["zebulon"],
    "REGISTRY_ROLE_PROPOSAL_DAYS": ["zebulon", "0", "91"],
    "REGISTRY_CODE_REQUIRED": ["zebulon", "all, zebulon", "all, auditor", "data manager"],
    "REGISTRY_AGREEMENT_REMINDER_DAYS": ["zebulon", "0", "366"],
    "REGISTRY_OIDC_ISSUER": [
        "zebulon",
        "http://zebulon.example",
        "https://zebulon.example/?a=b",
        "http://127.0.0.1.zebulon.example",
    ],
    "REGISTRY_DIGEST_ADDRESS": ["zebulon", "https://zebulon/", "https://zebulon, https://b"],
    "EMAIL_PORT": ["zebulon", "0", "65536"],
    "EMAIL_USE_TLS": ["zebulon"],
    "REDIS_URL": [
        "zebulon:6379",
        "http://zebulon",
        "redis://:zebulon@h:x/0",
        "redis://h?zebulon=1",
    ],
    "REPLICA_URL": [
        *("zebulon", "mysql://a:zebulon@b/c", "postgres://a:zebu#lon@b/c", "sqlite:///zebulon"),
    ],
    "REPLICA_SECONDS": ["zebulon", "-1", "601"],
    "BEHIND_PROXY": ["zebulon", "-1", "10"],
    "SECURE_SSL_REDIRECT": ["zebulon"],
    "THROTTLE_ANON": ["zebulon", "600", "0/min", "9/month", "9/week", "-1/min", "/min"],
    "THROTTLE_USER": ["zebulon"],
    "THROTTLE_TOKEN": ["zebulon"],
    "LOG_LEVEL": ["zebulon"],
}
BESIDE = {"REPLICA_URL": {"DATABASE_URL": "postgres://a:pw@primary.example/b"}}
"""What a setting needs beside it."""

FREE = set(OFFERED) - set(REFUSED)
"""What takes any text: keys are held to their form by checks of their own, as origins are."""


def rates(settings):
    return settings["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Run the settings of a production server with some given."""
    for name in {*OFFERED, "DEBUG"}:
        monkeypatch.delenv(name, raising=False)

    def start(**given):
        minimal = {
            "SECRET_KEY": "k" * 50,
            "ALLOWED_HOSTS": "registry.example",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'registry.sqlite3'}",
        }
        for name, text in {**minimal, "REGISTRY_VAR": str(tmp_path), **given}.items():
            monkeypatch.setenv(name, text)
        return runpy.run_path(str(SETTINGS))

    return start


def test_manual_offers_what_is_tried_here_and_what_settings_read():
    offered = {
        name
        for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", MANUAL, re.MULTILINE)
        for name in re.findall(r"[A-Z_]+", row)
    }
    needed = {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS"}
    read = set(
        re.findall(
            r"\b(?:flag|listed|origins?|whole|chosen|engine|rate|roles|issuer|environ\.get)"
            r"\(\s*\"([A-Z_]+)\"",
            SETTINGS.read_text(),
        )
    )

    assert offered == set(OFFERED)
    assert read == offered | needed
    assert set(REFUSED) <= set(OFFERED)
    assert {
        "REGISTRY_VAR",
        "REGISTRY_KEY_RECORDS",
        "REGISTRY_KEY_NOISE",
        "REGISTRY_KEY_SNAPSHOTS",
        "REGISTRY_KEY_SEALS",
        "REGISTRY_KEY_FILE",
        "REGISTRY_HEADS_FILE",
        "REGISTRY_OIDC_CLIENT_ID",
        "REGISTRY_OIDC_CLIENT_SECRET",
        "REGISTRY_OIDC_NAME",
        "REGISTRY_OIDC_CLAIM",
        "REGISTRY_OIDC_TRUSTED_FACTORS",
        "SECRET_KEY_FALLBACKS",
        "CSRF_TRUSTED_ORIGINS",
        "EMAIL_HOST",
        "EMAIL_HOST_USER",
        "EMAIL_HOST_PASSWORD",
        "DEFAULT_FROM_EMAIL",
    } == FREE


PRODUCT = """
import hashlib, django
django.setup()
import numpy as np
draw = np.random.default_rng(1)
one, other = draw.random((603, 603)), draw.random((603, 309))
print(hashlib.sha256((one @ other).tobytes()).hexdigest())
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="One processor has one thread.")
def test_products_of_matrices_are_the_same_however_many_processors_there_are(started):
    """Threads add up in another order, which an answer that is asked again would show."""
    started()
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRODUCT],
            cwd=ROOT,
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": "registry_project.settings", "OPENBLAS_NUM_THREADS": many},
            capture_output=True,
            check=True,
        ).stdout
        for many in ("1", "2")
    }

    assert len(digests) == 1


@pytest.mark.parametrize(("workers", "threads"), [("", 0), ("1", 0), ("3", 2), ("20", 1)])
def test_workers_share_the_processors(workers, threads, started, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)

    assert started(WEB_CONCURRENCY=workers)["REGISTRY_THREADS"] == threads


@pytest.mark.parametrize("name", OFFERED)
def test_setting_does_what_the_manual_says(name, started, tmp_path):
    given, found, expected = OFFERED[name]
    if name == "REGISTRY_VAR":
        given = str(tmp_path / "elsewhere")
        expected = given

    assert found(started(**{name: given}, **BESIDE.get(name, {}))) == expected


@pytest.mark.parametrize("name", sorted(OFFERED.keys() - {"DATABASE_URL"}))
def test_setting_that_is_empty_is_as_one_left_out(name, started):
    _, found, _ = OFFERED[name]
    if name == "REGISTRY_VAR":
        pytest.skip("It would make the folder var/ of this checkout.")

    assert found(started(**{name: ""})) == found(started())


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in REFUSED.items() for t in ts])
def test_value_that_a_setting_does_not_take_is_refused_in_words(name, text, started):
    with pytest.raises(ImproperlyConfigured) as refusal:
        started(**{name: text}, **BESIDE.get(name, {}))

    said = str(refusal.value)
    assert said.startswith(f"{name} must be ")
    assert "zebulon" not in said
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_replica_is_refused_beside_sqlite(started):
    with pytest.raises(ImproperlyConfigured, match="REPLICA_URL must be"):
        started(REPLICA_URL="postgres://a:pw@replica.example/b")


def test_replica_is_only_read(started):
    given = "postgres://a@replica.example/b?options=-c%20jit%3Doff"
    settings = started(REPLICA_URL=given, **BESIDE["REPLICA_URL"])

    options = settings["DATABASES"]["replica"]["OPTIONS"]["options"]
    assert options == "-c jit=off -c default_transaction_read_only=on"


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_password_in_an_address_is_not_listed_with_the_settings(name, started):
    if name == "REDIS_URL":
        settings = started(REDIS_URL="redis://:zebulon@127.0.0.1/0")
        assert "zebulon" not in repr([settings["REDIS_URL"], settings["CACHES"]])
    else:
        settings = started(DATABASE_URL="postgres://a:zebulon@127.0.0.1/b")
        shown = {key: value for key, value in settings.items() if "zebulon" in repr(value)}
        assert set(shown) == {"DATABASES"}  # Django hides its PASSWORD where settings are shown


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", "-c lock_timeout=7s"),
        ("?options=-c%20jit%3Doff", "-c jit=off -c lock_timeout=7s"),
    ],
)
def test_wait_for_a_lock_of_postgresql_is_bounded(query, options, started):
    settings = started(DATABASE_URL=f"postgres://a@127.0.0.1/b{query}", REGISTRY_LOCK_SECONDS="7")

    assert settings["DATABASES"]["default"]["OPTIONS"]["options"] == options


def test_registry_in_development_has_a_database_of_its_own(started, tmp_path):
    settings = started(DEBUG="1", DATABASE_URL="")

    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "registry.sqlite3")


def test_production_starts_with_nothing_else(started):
    settings = started()

    assert settings["CACHES"]["default"]["BACKEND"].endswith("LocMemCache")
    assert settings["CACHES"]["limits"]["BACKEND"] == "registry.shared_cache.CountsInFiles"
    assert settings["REGISTRY_RELEASE_DAYS"] == 350
    assert settings["REGISTRY_RELEASE_GROWTH"] == 10
    assert settings["REGISTRY_RELEASE_CHANGED"] == 200
    assert settings["BEHIND_PROXY"] == 0
    assert settings["REGISTRY_ROLE_SECOND_PERSON"] is True
    assert settings["REGISTRY_CODE_REQUIRED"] == frozenset()


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_production_does_not_start_without_what_must_be_given(missing, started):
    with pytest.raises(ImproperlyConfigured, match=missing):
        started(**{missing: ""})

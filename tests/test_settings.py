"""Settings as docs/operating.md offers them: each does what it says, or is refused in words."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).parent.parent
SETTINGS = ROOT / "registry_project" / "settings.py"
GUIDE = (ROOT / "docs" / "operating.md").read_text()


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Starts the settings of a deployment with more in its environment."""

    def started(**given: str) -> dict[str, Any]:
        for name in offered():
            monkeypatch.delenv(name, raising=False)
        production = {
            "DEBUG": "0",
            "SECRET_KEY": "x" * 50,
            "ALLOWED_HOSTS": "registry.example.org",
            "DATABASE_URL": "postgres://name:word@127.0.0.1/registry",
            "REGISTRY_VAR": str(tmp_path / "var"),
        }
        for name, value in (production | given).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return started


def offered() -> list[str]:
    rows = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]


def test_every_setting_that_is_offered_is_read():
    read = set(re.findall(r"[A-Z][A-Z_]{3,}", SETTINGS.read_text()))

    assert len(offered()) > 15
    assert set(offered()) <= read


def test_deployment_starts_without_any_other_setting(start):
    found = start()

    assert found["CACHES"]["default"]["BACKEND"].endswith("LocMemCache")
    assert found["DATABASES"]["default"]["ENGINE"].endswith("postgresql")
    assert found["REGISTRY_RELEASE_DAYS"] == 80


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"REGISTRY_DATE_PRECISION": "month"}, "REGISTRY_DATE_PRECISION", "month"),
        ({"REGISTRY_PUBLIC_STATISTICS": "1"}, "REGISTRY_PUBLIC_STATISTICS", True),
        ({"REGISTRY_FIRST_YEAR": "2011"}, "REGISTRY_FIRST_YEAR", 2011),
        ({"REGISTRY_RELEASE_DAYS": "120"}, "REGISTRY_RELEASE_DAYS", 120),
        ({"REGISTRY_ANSWER_TICK_MS": "0"}, "REGISTRY_ANSWER_TICK_MS", 0),
        ({"REGISTRY_KEY_FILE": "/a/b.json"}, "REGISTRY_KEY_FILE", "/a/b.json"),
        ({"SECRET_KEY_FALLBACKS": "a, b"}, "SECRET_KEY_FALLBACKS", ["a", "b"]),
        ({"CSRF_TRUSTED_ORIGINS": "https://a.b"}, "CSRF_TRUSTED_ORIGINS", ["https://a.b"]),
        ({"SECURE_SSL_REDIRECT": "0"}, "SECURE_SSL_REDIRECT", False),
        (
            {"BEHIND_PROXY": "1"},
            "SECURE_PROXY_SSL_HEADER",
            ("HTTP_X_FORWARDED_PROTO", "https"),
        ),
    ],
)
def test_setting_does_what_it_says(start, given, name, value):
    assert start(**given)[name] == value


def test_requests_are_limited_as_said(start):
    found = start(THROTTLE_ANON="5/sec", THROTTLE_USER="7/hour", THROTTLE_TOKEN="9/day")

    assert found["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"] == {
        "anon": "5/sec",
        "user": "7/hour",
        "token": "9/day",
    }


def test_redis_address_is_the_cache_and_is_never_shown(start):
    cache = start(REDIS_URL="redis://:hidden-word@127.0.0.1:6379/3")["CACHES"]["default"]

    assert cache["LOCATION"] == "redis://:hidden-word@127.0.0.1:6379/3"
    assert "hidden-word" not in repr(cache)


@pytest.mark.parametrize(
    "given",
    [
        {"REGISTRY_DATE_PRECISION": "odd-word"},
        {"REGISTRY_PUBLIC_STATISTICS": "odd-word"},
        {"REGISTRY_FIRST_YEAR": "odd-word"},
        {"REGISTRY_FIRST_YEAR": "1902"},
        {"REGISTRY_RELEASE_DAYS": "-3"},
        {"REGISTRY_ANSWER_TICK_MS": "70000"},
        {"THROTTLE_ANON": "odd-word"},
        {"THROTTLE_USER": "9/fortnight"},
        {"THROTTLE_TOKEN": "0/day"},
        {"REDIS_URL": "http://odd-word:6379"},
        {"DATABASE_URL": "odd-word://a/b"},
        {"DATABASE_URL": "mysql://odd-word/b"},
        {"BEHIND_PROXY": "odd-word"},
    ],
)
def test_setting_that_cannot_be_read_is_refused_by_name(start, given):
    ((name, value),) = given.items()

    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        start(**given)

    assert value not in str(refused.value)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_what_production_needs_is_asked_for(start, missing):
    with pytest.raises(ImproperlyConfigured, match=missing):
        start(**{missing: ""})

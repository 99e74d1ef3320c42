"""What the balancer is told."""

import os
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder

from registry.api import health
from registry.reporting.asking import freshness
from registry.snapshot import shelf
from tests.factories import EventFactory
from tests.redis_server import caches_at
from tests.snapshot.damages import update_rows


def test_server_that_answers_is_alive(client):
    reply = client.get("/health/live")

    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})
    assert "no-store" in reply["Cache-Control"]


@pytest.mark.django_db
def test_server_with_its_database_is_ready(client):
    reply = client.get("/health/ready")

    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ok",
        "checks": dict.fromkeys(
            ("database", "folder", "cache", "keys", "snapshots", "freezing", "engine"), "ok"
        ),
    }


@pytest.mark.django_db
def test_missing_migration_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="registry").last().delete()

    reply = client.get("/health/ready")

    assert reply.status_code == 503
    assert reply.json()["checks"] == {
        "database": "failed",
        "folder": "ok",
        "cache": "ok",
    }


def test_missing_database_is_not_ready(client, monkeypatch):
    def refuse(_connection):
        raise DatabaseError("password authentication failed")

    monkeypatch.setattr(health, "MigrationExecutor", refuse)

    reply = client.get("/health/ready")

    assert reply.status_code == 503
    assert "password" not in reply.content.decode()


@pytest.mark.django_db
def test_cache_that_does_not_answer_is_not_ready(client, settings):
    settings.CACHES = caches_at("redis://:hidden-word@127.0.0.1:1/0")

    reply = client.get("/health/ready")

    assert reply.status_code == 503
    assert reply.json()["checks"]["cache"] == "failed"
    assert "hidden-word" not in reply.content.decode()


@pytest.mark.django_db
def test_missing_folder_is_not_ready(client, settings):
    settings.REGISTRY_VAR = Path(settings.REGISTRY_VAR) / "gone"

    assert client.get("/health/ready").json()["checks"]["folder"] == "failed"


def test_health_is_only_read(client):
    assert client.post("/health/live").status_code == 405


@pytest.mark.django_db
def test_folder_that_may_not_be_written_is_not_ready(client, settings, tmp_path, monkeypatch):
    settings.REGISTRY_VAR = tmp_path
    monkeypatch.setattr(health, "access", lambda path, mode: not mode & os.W_OK)

    assert client.get("/health/ready").json()["checks"]["folder"] == "failed"


@pytest.mark.django_db
def test_damaged_release_is_not_ready(client, settings, tmp_path):
    settings.REGISTRY_VAR = tmp_path
    EventFactory(state="accepted")
    release = freshness.publish("2026")
    before = client.get("/health/ready")
    update_rows(freshness.root() / release.snapshot_id)

    after = client.get("/health/ready")

    assert (before.status_code, after.status_code) == (200, 503)
    assert [name for name, how in after.json()["checks"].items() if how != "ok"] == ["snapshots"]


@pytest.mark.django_db
def test_cluster_without_a_master_is_not_ready(client, settings):
    settings.REGISTRY_ENGINE = "spark://127.0.0.1:1"

    reply = client.get("/health/ready")

    assert reply.status_code == 503
    assert [name for name, how in reply.json()["checks"].items() if how != "ok"] == ["engine"]


@pytest.mark.django_db
def test_missing_key_is_not_ready(client, settings):
    settings.REGISTRY_KEY_SNAPSHOTS = ""

    checks = client.get("/health/ready").json()["checks"]

    assert (checks["keys"], checks["snapshots"]) == ("failed", "failed")


@pytest.mark.django_db
def test_freeze_that_failed_is_not_ready(client, settings, tmp_path):
    settings.REGISTRY_VAR = tmp_path
    freshness.root().mkdir()
    with pytest.raises(OSError, match="full"), shelf.attempting(freshness.root()):
        raise OSError("full")

    assert client.get("/health/ready").json()["checks"]["freezing"] == "failed"


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_options_says_which_methods_there_are(client, address):
    reply = client.options(address)

    assert (reply.status_code, reply["Allow"]) == (200, "GET, HEAD, OPTIONS")

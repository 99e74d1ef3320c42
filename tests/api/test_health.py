"""What the balancer is told."""

from pathlib import Path

import pytest
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder

from registry.api import health
from tests.redis_server import redis_at


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
        "checks": {"database": "ok", "folder": "ok", "cache": "ok"},
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
    settings.CACHES = {"default": redis_at("redis://:hidden-word@127.0.0.1:1/0")}

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

"""What the log holds of refusals and of failures."""

import io
import logging

import pytest
from django.test import Client

from registry.vocabulary import Role
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(monkeypatch):
    """What the server's own handler has written."""
    (console,) = [each for each in logging.root.handlers if each.name == "console"]
    stream = io.StringIO()
    monkeypatch.setattr(console, "stream", stream)
    return stream


def test_forbidden_page_is_a_line_without_a_traceback(client, written):
    client.force_login(
        UserFactory(roles=[Role.REVIEWER], is_staff=True),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    reply = client.get("/admin/registry/user/")

    assert reply.status_code == 403
    assert "Forbidden" in written.getvalue()
    assert "Traceback" not in written.getvalue()


def test_unknown_host_is_a_line_without_a_traceback(client, written):
    reply = client.get("/", HTTP_HOST="elsewhere.example")

    assert reply.status_code == 400
    assert "Invalid HTTP_HOST header" in written.getvalue()
    assert "Traceback" not in written.getvalue()


def test_failure_keeps_its_traceback(written, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("broken")

    monkeypatch.setattr("registry.dashboard.catalogue.render", fail)

    reply = Client(raise_request_exception=False).get("/")

    assert reply.status_code == 500
    assert "RuntimeError: broken" in written.getvalue()

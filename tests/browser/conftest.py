"""Debian's Chromium over a running server; without it these tests say that they were skipped."""

from collections.abc import Iterator
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from registry.models.append_only import lift_append_only_triggers
from tests.browser.chromium import BROWSERS, CHROMIUM
from tests.small_registry import fill

REPORTS_VIOLATIONS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", event =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


class OneAtATime:
    """An application that answers one request at a time.

    Threads of the server share one connection to SQLite. One that waits for it inside SQLite holds
    Python's lock, which a function of SQL that runs on it needs: both wait for ever.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app, self._lock = app, Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        with self._lock:
            reply = self._app(environ, start_response)
            try:
                return [b"".join(reply)]
            finally:
                getattr(reply, "close", lambda: None)()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(f"needs Debian's Chromium at {' or '.join(map(str, BROWSERS))}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(chromium, django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[str]:
    """The address of a server over one registry that all tests of a module share.

    Loading the catalogue for each test took longer than the tests. What a test enters is rolled
    back with it on SQLite, whose one connection the server shares, and stays until the module ends
    on PostgreSQL.
    """
    folder = tmp_path_factory.mktemp("registry")
    with django_db_blocker.unblock(), override_settings(REGISTRY_VAR=folder):
        cache.clear()
        fill()
        connection.inc_thread_sharing()  # for good: a request may end after its server has
        server = LiveServer("localhost")
        if connection.vendor == "sqlite":
            server.thread.httpd.set_app(OneAtATime(server.thread.httpd.get_app()))
        server.thread.httpd.RequestHandlerClass.disable_nagle_algorithm = True
        yield server.url
        server.stop()
        cache.clear()
        lift_append_only_triggers(connection)
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def page(chromium, served) -> Iterator[Page]:
    """A page that keeps what the content policy refused."""
    context = chromium.new_context(color_scheme="light", base_url=served)
    context.add_init_script(REPORTS_VIOLATIONS)
    yield context.new_page()
    context.close()


@pytest.fixture
def plain_page(chromium, served) -> Iterator[Page]:
    """A page in a browser that runs no script."""
    context = chromium.new_context(java_script_enabled=False, base_url=served)
    yield context.new_page()
    context.close()

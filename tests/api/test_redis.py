"""The API and its pages with a cache in Redis: a real one, one that goes away, and none at all."""

import logging
import socket
import sys
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.core.cache import caches
from django.core.management import call_command
from rest_framework.test import APIClient
from rest_framework.throttling import AnonRateThrottle, ScopedRateThrottle

from registry import shared_cache
from registry.models import User
from tests.api.conftest import PASSWORD, client_of
from tests.redis_server import ADDRESS, a_running_redis, caches_at

COUNTS = "/api/v1/statistics/counts/?group_by=complication"
TOKENS = "/api/v1/tokens/"

pytestmark = pytest.mark.usefixtures("own_folder")


class Forwarder:
    """A port of this machine that leads to Redis until it is closed, and again once reopened."""

    def __init__(self, host, port):
        self.target, self.port, self.open_sockets = (host, port), 0, []
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        for each in [self.listener, *self.open_sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.open_sockets.clear()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.open_sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)


@pytest.fixture
def cached_at(settings):
    """Let the cache be the one that settings make of REDIS_URL."""

    def use(address, prefix=""):
        settings.CACHES = caches_at(address, prefix)

    shared_cache._OUTAGES.clear()
    yield use
    caches["default"].memory.clear()
    shared_cache._OUTAGES.clear()


@pytest.fixture
def real():
    """A Redis that answers, and a prefix of this test alone."""
    with a_running_redis() as found:
        yield found


@pytest.fixture
def forwarded(real, cached_at):
    """The cache at a Redis that can be made to go away."""
    parts = urlsplit(ADDRESS)
    forwarder = Forwarder(parts.hostname, parts.port or 6379)
    sign_in = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    cached_at(f"redis://{sign_in}127.0.0.1:{forwarder.port}{parts.path}", real[1])
    yield forwarder
    forwarder.close()


@pytest.fixture
def nowhere(cached_at):
    """The cache at a port where nothing listens, with a password."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    cached_at(f"redis://:zebulon@127.0.0.1:{port}/0")


@pytest.fixture
def manager(cohort):
    """A data manager who may open the admin."""
    User.objects.filter(pk=cohort.manager.pk).update(is_staff=True)
    return cohort.manager


def kept(real):
    """The keys that this test keeps in Redis, without prefix and version."""
    server, prefix = real
    return {key.decode().split(":", 2)[2] for key in server.scan_iter(f"{prefix}:*")}


def test_api_and_pages_answer_from_a_real_redis(manager, real, forwarded, client, monkeypatch):
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    credentials = {"username": "reviewer", "password": PASSWORD}

    made = [APIClient().post(TOKENS, credentials, format="json") for _ in range(3)]
    assert [reply.status_code for reply in made] == [201, 201, 429]
    reader = APIClient()
    reader.credentials(HTTP_AUTHORIZATION=f"Token {made[0].json()['token']}")
    first, again = reader.get(COUNTS), reader.get(COUNTS)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert reader.get(f"{COUNTS}&format=png").status_code == 200
    client.force_login(manager)
    for page in ("/", "/dashboard/", "/admin/", "/admin/statistics/"):
        assert client.get(page).status_code == 200, page

    kinds = {key.split("_")[0].split("-")[0] for key in kept(real)}
    assert {"throttle", "answer", "picture"} <= kinds
    assert client.get("/health/ready").json()["checks"]["cache"] == "ok"


def test_answer_comes_from_redis_for_another_process(reviewer, forwarded, monkeypatch):
    first = reviewer.get(COUNTS)
    caches["default"].memory.clear()

    def work(*args, **kwargs):
        raise AssertionError("worked out again")

    monkeypatch.setattr("registry.reporting.answering._exact", work)

    assert reviewer.get(COUNTS).content == first.content


def test_redis_that_goes_away_is_missed_by_no_page(
    reviewer, manager, forwarded, client, caplog, monkeypatch
):
    monkeypatch.setattr(shared_cache, "SECONDS_UNTIL_RETRY", 0.2)
    first = reviewer.get(COUNTS)
    client.force_login(manager)

    with caplog.at_level(logging.WARNING, "registry.shared_cache"):
        forwarded.close()
        assert reviewer.get(COUNTS).content == first.content
        assert client.get("/admin/").status_code == 200
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        failed = [name for name, how in ready.json()["checks"].items() if how != "ok"]
        assert failed == ["cache"]
        forwarded.open()
        time.sleep(0.3)
        assert reviewer.get(COUNTS).content == first.content
        assert client.get("/health/ready").status_code == 200

    told = [r.getMessage() for r in caplog.records if r.name == "registry.shared_cache"]
    assert len(told) == 2, told
    assert told[0].startswith("Redis cannot be used")
    assert told[1].startswith("Redis answers again")


@pytest.mark.usefixtures("nowhere")
def test_limits_hold_within_a_process_while_redis_is_down(registry, client, monkeypatch):
    monkeypatch.setattr(AnonRateThrottle, "THROTTLE_RATES", {"anon": "2/min"})

    codes = [client.get("/api/v1/categories/").status_code for _ in range(3)]

    assert codes == [200, 200, 429]


@pytest.mark.usefixtures("nowhere")
def test_writes_and_tokens_go_on_while_redis_is_down(registry, report):
    credentials = {"username": "reporter", "password": PASSWORD}

    made = APIClient().post(TOKENS, credentials, format="json")
    reply = client_of(registry.reporter).post("/api/v1/events/", report(), format="json")

    assert (made.status_code, reply.status_code) == (201, 201)


@pytest.mark.usefixtures("nowhere")
def test_whoever_waits_for_a_silent_redis_is_one_at_a_time(db, client):
    outage = caches["default"].outage
    client.get("/api/v1/categories/")
    assert [outage.lets_ask() for _ in range(20)] == [False] * 20

    outage.retry_at = time.monotonic()

    assert [outage.lets_ask() for _ in range(20)] == [True] + [False] * 19


@pytest.mark.usefixtures("nowhere")
def test_release_is_published_while_redis_is_down(cohort):
    call_command("freeze", release="2026Q4", verbosity=0)

    assert client_of(cohort.researcher).get(COUNTS).status_code == 200


def test_pages_answer_where_the_client_is_missing(reviewer, cached_at, client, monkeypatch):
    cached_at("redis://:zebulon@127.0.0.1:6379/0")
    monkeypatch.setitem(sys.modules, "redis", None)

    assert reviewer.get(COUNTS).status_code == 200
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["cache"]) == (503, "failed")


@pytest.mark.usefixtures("nowhere")
def test_neither_log_nor_health_tells_the_password(db, client, caplog):
    replies = [client.get("/api/v1/categories/"), client.get("/health/ready")]

    told = caplog.text + "".join(reply.content.decode() for reply in replies)
    assert "Redis cannot be used (ConnectionError)" in caplog.text
    assert "zebulon" not in told

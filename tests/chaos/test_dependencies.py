"""PostgreSQL and Redis are stopped and started under a server that is asked all the while."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from registry.shared_cache import SECONDS_UNTIL_RETRY
from tests.chaos.__main__ import ROOT
from tests.chaos.servers import Cluster, a_cluster, free_port, redis_on, wait_for
from tests.chaos.serving import REPORT, Clients

PEOPLE = """
from registry.intake import add_member, load_catalogue, make_site
from registry.models import Token, User
from registry.vocabulary import TokenScope
load_catalogue()
manager = User.objects.create_superuser("manager")
nurse = User.objects.create_user("nurse")
add_member(make_site(code="HERE-1", by=manager), user=nurse, by=manager)
print(Token.objects.create(user=nurse, label="", scopes=TokenScope.codes())[1])
"""
THREADS = 4


@dataclass(frozen=True)
class Running:
    """A server, what it stands on, and a token for it."""

    cluster: Cluster
    port: int
    redis_port: int
    token: str

    def asked(self, path: str, report: dict | None = None) -> http.client.HTTPResponse:
        """The reply to a GET, or to a POST of a report; its body is in `said`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        body = None if report is None else json.dumps(report)
        connection.request("GET" if report is None else "POST", path, body, headers)
        reply = connection.getresponse()
        reply.said = reply.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return reply


@contextmanager
def gunicorn(environment: dict[str, str], port: int) -> Iterator[None]:
    words = ["registry_project.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", str(THREADS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *words, "--no-control-socket"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with a_cluster() as cluster:
        port, redis_port = free_port(), free_port()
        environment = os.environ | {
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "registry_project.settings",
            "DATABASE_URL": cluster.address,
            "REGISTRY_VAR": str(tmp_path_factory.mktemp("running")),
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "LOG_LEVEL": "CRITICAL",
        }
        manage = [sys.executable, "manage.py"]
        for words in (["migrate", "-v", "0"], ["shell", "--no-imports", "-c", PEOPLE]):
            said = subprocess.run(
                [*manage, *words], cwd=ROOT, env=environment, check=True, capture_output=True
            )
        token = said.stdout.decode().split()[-1]
        with gunicorn(environment, port):
            yield Running(cluster, port, redis_port, token)


def stored(running: Running) -> set[str]:
    with psycopg.connect(running.cluster.address) as server:
        return {key for (key,) in server.execute("SELECT source_id FROM registry_event")}


def cache_of(running: Running) -> str:
    """What is told of Redis, once it was asked again after an outage."""
    until = time.monotonic() + 2 * SECONDS_UNTIL_RETRY
    while True:
        said: str = json.loads(running.asked("/health/ready").said)["checks"]["cache"]
        if said == "ok" or time.monotonic() > until:
            return said
        time.sleep(0.2)


def test_postgresql_that_stops_under_load_is_told_and_loses_nothing(running):
    """503 with Retry-After meanwhile; afterwards everything that was acknowledged is there."""
    clients = Clients(running.port, running.token, "d", count=THREADS)
    clients.start()
    clients.wait_for_one()
    running.cluster.stop()
    time.sleep(0.5)
    report, live, ready = (
        running.asked("/api/v1/events/", REPORT | {"source_id": "away-1"}),
        running.asked("/health/live"),
        running.asked("/health/ready"),
    )
    page, fhir = running.asked("/"), running.asked("/fhir/r4/AdverseEvent")
    running.cluster.start()
    clients.stop()
    met = clients.join()

    assert (report.status, report.headers["Retry-After"]) == (503, "5")
    assert report.headers["Content-Type"] == "application/problem+json"
    assert json.loads(report.said)["code"] == "database-unreachable"
    assert live.status == 200
    assert (ready.status, json.loads(ready.said)["checks"]["database"]) == (503, "failed")
    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert "does not answer" in page.said
    assert (fhir.status, json.loads(fhir.said)["resourceType"]) == (503, "OperationOutcome")
    assert (met.failed, met.busy > 0) == (0, True)
    assert set(met.stored) <= stored(running)


def test_first_request_after_a_restart_is_answered(running):
    """Every thread holds a connection to a server that is gone, and does not know it yet."""
    for number in range(THREADS * 3):  # so that each has one
        running.asked("/api/v1/events/", REPORT | {"source_id": f"br-{number}"})
    running.cluster.stop()
    running.cluster.start()

    replies = [
        running.asked("/api/v1/events/", REPORT | {"source_id": f"ft-{number}"}).status
        for number in range(THREADS * 3)
    ]

    assert replies == [201] * THREADS * 3


def test_redis_that_stops_under_load_fails_no_request(running):
    with redis_on(running.redis_port):
        assert running.asked("/api/v1/events/?fields=id").status == 200
        assert cache_of(running) == "ok"
        clients = Clients(running.port, running.token, "r", count=THREADS)
        clients.start()
        clients.wait_for_one()
    time.sleep(0.5)
    ready = running.asked("/health/ready")
    clients.stop()
    met = clients.join()
    with redis_on(running.redis_port):
        assert cache_of(running) == "ok"

    assert (ready.status, json.loads(ready.said)["checks"]["cache"]) == (503, "failed")
    assert (met.failed, met.busy) == (0, 0)
    assert set(met.stored) <= stored(running)

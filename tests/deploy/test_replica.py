"""Two web processes over one folder, with a PostgreSQL whose replica freezes are read from."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import dj_database_url
import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from pytest_django import DjangoDbBlocker, Settings

from registry.snapshot import replica
from tests.deploy.test_slow_clients import DEPLOY, ROOT, running
from tests.postgres_pair import PostgresPair, a_running_pair, free_port

FILL = """
import django, sys
django.setup()
from django.core.management import call_command
from registry.models import Token, User
from registry.vocabulary import TokenScope
from tests.small_registry import fill
call_command("migrate", verbosity=0)
fill()
user = User.objects.get(username="reporter")
token, key = Token.objects.create(user=user, scopes=frozenset(TokenScope))
print(key)
"""
EVENT = {"site": "OWN-1", "complication": "catheter-migration", "year": 2020}
NUMBERS = count()


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Two web processes, what they share, and a reporter's token."""

    pair: PostgresPair
    environment: dict[str, str]
    ports: tuple[int, int]
    key: str

    def asked(self, web: int, address: str, body: object = None) -> Any:
        """What one of the web processes replies."""
        request = Request(
            f"http://127.0.0.1:{self.ports[web]}/api/v1/{address}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.key}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=60) as reply:  # noqa: S310 - a web process of this test
            return json.loads(reply.read())

    def write(self, web: int) -> str:
        """Enter an event at one of the web processes; its public id."""
        key = {"source_id": f"r-{next(NUMBERS)}"}
        return str(self.asked(web, "events/", EVENT | key)["id"])

    def freeze(self, *options: str, **environment: str) -> str:
        """Freeze by command, and give what the log says of it."""
        ended = subprocess.run(
            [sys.executable, "manage.py", "freeze", *options],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stderr

    def write_and_freeze(self) -> str:
        """Enter an event and freeze it by command; what the log says.

        Where a web process was freezing in the background, that freeze may have the event already,
        and the command says nothing: then once more.
        """
        for _attempt in range(5):
            self.write(0)
            if said := self.freeze():
                return said
        raise AssertionError("Every event was frozen before the command.")

    def snapshot(self, web: int) -> str:
        """The id of the snapshot that one of the web processes answers from."""
        told = self.asked(web, "statistics/counts/?site=OWN-1")
        return str(told["meta"]["snapshot"]["id"])

    def seals(self) -> tuple[int, int]:
        """The seal that the working snapshot was frozen at, and the newest of the primary."""
        working = Path(self.environment["REGISTRY_VAR"]) / "snapshots" / "working.json"
        newest = self.pair.ask("primary", "SELECT max(number) FROM registry_seal")
        return json.loads(working.read_text())["seal_number"], newest


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with ExitStack() as held:
        pair = held.enter_context(a_running_pair())
        ports = (free_port(), free_port())
        environment = os.environ | {
            "DEBUG": "1",
            "DATABASE_URL": pair.address("primary"),
            "REPLICA_URL": pair.address("replica"),
            "REGISTRY_VAR": str(tmp_path_factory.mktemp("var")),
            "DJANGO_SETTINGS_MODULE": "registry_project.settings",
            "LOG_LEVEL": "INFO",
            "WEB_CONCURRENCY": "1",
            "REGISTRY_FREEZE_SECONDS": "0",
        }
        pair.add_replica()
        filled = subprocess.run(
            [sys.executable, "-c", FILL],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        pair.ask("primary", "CREATE DATABASE other TEMPLATE registry", database="postgres")
        for port in ports:
            command = [sys.executable, "-m", "gunicorn", "-c", str(DEPLOY / "gunicorn.conf.py")]
            held.enter_context(
                running([*command, "-b", f"127.0.0.1:{port}"], **_given(environment))
            )
        found = Deployment(
            pair=pair, environment=environment, ports=ports, key=filled.stdout.split()[-1]
        )
        for port in ports:
            _wait(port)
        yield found


def _given(environment: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if os.environ.get(name) != text}


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/health/live", timeout=10).close()
            return
        except URLError:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture
def _paused(deployment: Deployment) -> Iterator[None]:
    """A replica that receives and does not replay."""
    deployment.pair.ask("replica", "SELECT pg_wal_replay_pause()")
    yield
    deployment.pair.ask("replica", "SELECT pg_wal_replay_resume()")


@pytest.mark.usefixtures("_paused")
def test_what_one_web_process_wrote_the_other_shows_at_once(deployment: Deployment) -> None:
    written = deployment.write(0)

    assert deployment.asked(1, f"events/{written}/")["id"] == written


def test_both_web_processes_answer_from_one_snapshot(deployment: Deployment) -> None:
    before = deployment.snapshot(0)
    deployment.write(1)

    until = time.monotonic() + 60  # a freeze that takes over a second goes on in the background
    while (after := deployment.snapshot(0)) == before and time.monotonic() < until:
        time.sleep(0.5)

    assert after != before
    assert deployment.snapshot(1) == after
    assert len(set(deployment.seals())) == 1


def test_freeze_is_read_from_the_replica_and_is_that_of_the_primary(
    deployment: Deployment,
) -> None:
    said = deployment.write_and_freeze()
    of_replica = deployment.snapshot(0)
    of_primary = deployment.freeze("--whole", REPLICA_URL="")

    assert "Freezing from the replica." in said
    assert "A whole freeze is made" not in said
    assert "replica" not in of_primary
    assert deployment.snapshot(0) == of_replica
    assert len(set(deployment.seals())) == 1


@pytest.mark.usefixtures("_paused")
def test_freeze_is_not_behind_where_the_replica_is(deployment: Deployment) -> None:
    said = deployment.write_and_freeze()

    assert "not from the replica. It is more than 1 s behind." in said
    assert len(set(deployment.seals())) == 1


@pytest.fixture
def addressed(
    deployment: Deployment, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[str], None]]:
    """Lets this process have the pair's primary as its database, and an address as its replica."""
    own = connections["default"]
    with django_db_blocker.unblock():
        _connect("default", deployment.pair.address("primary"))
        yield partial(_connect, replica.REPLICA)
        for alias in ("default", replica.REPLICA):
            connections[alias].close()
    connections["default"] = own
    del connections[replica.REPLICA], connections.databases[replica.REPLICA]


def _connect(alias: str, address: str) -> None:
    given = {"default": {}} | {alias: dict(dj_database_url.parse(address))}
    configured = connections.configure_settings(given)[alias]
    if alias != "default":
        connections.databases[alias] = configured
    connections[alias] = DatabaseWrapper(configured, alias)


NOBODY = "postgres://registry@127.0.0.1:1/registry"


def test_replica_that_has_caught_up_is_read(
    deployment: Deployment, addressed: Callable[[str], None]
) -> None:
    addressed(deployment.pair.address("replica"))
    deployment.write(0)

    assert replica.database_to_read() == replica.REPLICA
    assert not replica.is_missing()


def test_replica_is_waited_for(
    deployment: Deployment, addressed: Callable[[str], None], settings: Settings
) -> None:
    settings.REPLICA_SECONDS = 60
    addressed(deployment.pair.address("replica"))
    deployment.pair.ask("replica", "SELECT pg_wal_replay_pause()")
    deployment.write(0)
    resumed = Timer(0.5, deployment.pair.ask, ("replica", "SELECT pg_wal_replay_resume()"))
    resumed.start()

    assert replica.database_to_read() == replica.REPLICA
    resumed.join()


@pytest.mark.parametrize(
    ("which", "database", "why"),
    [
        ("primary", "registry", "It is no replica any more: it takes writes of its own."),
        ("replica", "other", "It is a replica of another registry: it lacks the newest seal."),
        ("replica", "postgres", 'It does not answer: relation "registry_seal" does not exist'),
        ("nobody", "", "It does not answer: connection failed"),
    ],
)
def test_what_is_no_replica_of_the_registry_is_not_read(
    which: str,
    database: str,
    why: str,
    deployment: Deployment,
    addressed: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    addressed(NOBODY if which == "nobody" else deployment.pair.address(which, database))
    deployment.write(0)

    assert replica.database_to_read() == "default"
    assert f"Freezing from the primary, not from the replica. {why}" in " ".join(caplog.messages)
    assert replica.is_missing() == (which != "replica")

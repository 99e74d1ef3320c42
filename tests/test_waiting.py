"""A wait for somebody else's write is bounded and told in words; checks and freezes do not wait.

Each test holds the write lock of a database of its own and asks the registry from a process of
its own, as a second server process would.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from registry.admin.busy import server_error
from registry.models.audit import _SEAL_LOCK
from registry.records.waiting import WAITED_TOO_LONG, waited_too_long

pytestmark = pytest.mark.postgresql

ROOT = Path(__file__).parent.parent
HEADER = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome"
)
EVENTS = f"{HEADER}\nHERE-1,ev-1,,infection-pocket,2020,,3,hospitalisation,recovered\n"
PEOPLE = """
from registry.intake import add_member, load_catalogue, make_site
from registry.models import Token, User
from registry.vocabulary import TokenScope
load_catalogue()
manager = User.objects.create_superuser("manager")
nurse = User.objects.create_user("nurse")
add_member(make_site(code="HERE-1", by=manager), user=nurse, by=manager)
_, key = Token.objects.create(user=nurse, label="", scopes=TokenScope.codes())
print(key)
"""
ASKING = """
import json, re
from io import BytesIO
from django.test import Client
from registry.models import Event, User
from tests.test_waiting import EVENTS, the_lock

key, about = {key!r}, {about!r}
browser = Client()
browser.force_login(User.objects.get(username="nurse"))
api = Client(headers=dict(authorization="Token " + key))
report = dict(zip(*(line.split(",") for line in EVENTS.split())))
report = {{name: value for name, value in report.items() if value}}
report |= dict(year=2020, severity=3, seriousness=["hospitalisation"])

def upload(**more):
    return browser.post("/admin/upload/", dict(events=BytesIO(EVENTS.encode()), **more))

def send(path, body):
    return api.post("/api/v1/" + path, json.dumps(body), content_type="application/json")

def told(reply):
    return [reply.status_code, reply.headers.get("Retry-After"), reply.headers["Content-Type"],
            reply.content.decode()[:2000]]

with the_lock(about):
    checked = upload()
    token = re.search(r'name="checked" value="([^"]+)"', checked.content.decode())
    said = dict(
        check=told(checked),
        store=told(upload(store="1", checked=token and token[1])),
        dry_run=told(send("events/bulk/?dry_run=true", [report])),
        bulk=told(send("events/bulk/", [report])),
        event=told(send("events/", report)),
        signed_in=told(Client().post("/login/", dict(username="nurse", password="wrong"))),
    )
    said["held"] = Event.objects.count()
said["stored"] = told(upload(store="1", checked=token[1]))
said["held_after"] = Event.objects.count()
print(json.dumps(said))
"""

FREEZING = """
import json
from pathlib import Path
import numpy as np
from django.db import DatabaseError, transaction
from registry.models import Event, User
from registry.models.consistent_reading import consistent_view
from registry.snapshot import source
from tests.test_waiting import the_lock

def freeze():
    manifest, _ = source.freeze_database(
        Path({folder!r}),
        record_keys=lambda ids: np.ones((len(ids) // 16, 2), dtype=np.int64),
        keys="mark",
        hands_of=lambda sites, together: dict(),
        signing=b"",
    )
    return (Path({folder!r}) / manifest.snapshot_id).is_dir()

def write():
    User.objects.filter(username="nurse").update(last_login=None)

said = {{}}
with the_lock({about!r}):
    said["frozen"] = freeze()
try:
    with consistent_view():
        Event.objects.count()
        with the_lock({about!r}):
            said["let_in"] = True
        write()
except DatabaseError:
    said["refused"] = True
write()
said["writes"] = True
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Deployment:
    """A registry with a database and a folder of its own."""

    environment: dict[str, str]
    about: str
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the registry."""
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, cwd=ROOT, timeout=240
        )

    def done(self, *words: str) -> str:
        """Run a command that must succeed, for what it says."""
        finished = self.run(*words)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()


@contextmanager
def the_lock(about: str) -> Iterator[None]:
    """Hold the write lock of a database, as a long import does; about: its file or its address."""
    if not about.startswith("postgres"):
        holder = sqlite3.connect(about, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.close()
        return
    import psycopg

    with psycopg.connect(about) as server:
        server.execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
        yield


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A migrated registry on the database of this run, whose writes wait one second."""
    folder = tmp_path_factory.mktemp("waiting")
    name = f"registry_waiting_test_{os.getpid()}"
    given = connection.settings_dict
    is_postgresql = connection.vendor == "postgresql"
    about = str(folder / "registry.sqlite3")
    if is_postgresql:
        import psycopg

        who = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
        address = f"postgres://{who}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}"
        about = f"{address}/{name}"
        server = psycopg.connect(f"{address}/postgres", autocommit=True)
        server.execute(f'CREATE DATABASE "{name}"')
    environment = os.environ | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
        "DATABASE_URL": about if is_postgresql else f"sqlite:///{about}",
        "REGISTRY_VAR": str(folder / "var"),
        "REGISTRY_LOCK_SECONDS": "1",
        "LOG_LEVEL": "CRITICAL",
    }
    (folder / "events.csv").write_text(EVENTS)
    (folder / "others.csv").write_text(EVENTS.replace("ev-1", "ev-2"))
    made = Deployment(environment, about, folder)
    try:
        made.done("migrate", "--verbosity", "0")
        yield made
    finally:
        if is_postgresql:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            server.close()


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    """The token of a nurse at the deployment's site."""
    return deployment.done("shell", "--no-imports", "-c", PEOPLE).splitlines()[-1]


def test_command_that_waits_too_long_says_so_in_one_line(deployment, key):
    events = str(deployment.folder / "others.csv")

    with the_lock(deployment.about):
        stored = deployment.run("import_csv", "--by", "nurse", "--events", events)

    assert stored.returncode == 1
    assert stored.stderr == f"{WAITED_TOO_LONG}\n"


def test_check_does_not_wait_for_a_write(deployment, key):
    events = str(deployment.folder / "events.csv")

    with the_lock(deployment.about):
        checked = deployment.run("import_csv", "--by", "nurse", "--events", events, "--dry-run")

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.endswith("dry run: nothing was stored\n")


def test_freeze_reads_beside_a_write_and_a_write_gets_in_beside_a_freeze(deployment, key):
    script = FREEZING.format(about=deployment.about, folder=str(deployment.folder / "frozen"))

    told = deployment.done("shell", "--no-imports", "-c", script).splitlines()[-1]

    assert json.loads(told) == {"frozen": True, "let_in": True, "refused": True, "writes": True}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL lets it note the snapshot")
def test_freeze_that_cannot_note_its_snapshot_says_so_in_one_line(deployment, key):
    with the_lock(deployment.about):
        frozen = deployment.run("freeze")

    assert (frozen.returncode, frozen.stderr) == (1, f"{WAITED_TOO_LONG}\n")
    deployment.done("freeze")


def test_pages_and_api_say_that_the_registry_is_busy(deployment, key):
    script = ASKING.format(key=key, about=deployment.about)

    told = json.loads(deployment.done("shell", "--no-imports", "-c", script).splitlines()[-1])

    assert told["check"][0] == told["dry_run"][0] == 200
    status, retry_after, kind, page = told["store"]
    assert (status, retry_after, kind) == (503, "5", "text/html; charset=utf-8")
    assert "Nothing that you sent was stored." in page
    for sent in ("bulk", "event"):
        status, retry_after, kind, body = told[sent]
        assert (status, retry_after, kind) == (503, "5", "application/problem+json")
        assert json.loads(body)["code"] == "busy"
        assert json.loads(body)["detail"] == WAITED_TOO_LONG
    if connection.vendor == "sqlite":  # where signing in writes under the same lock
        status, retry_after, _, page = told["signed_in"]
        assert (status, retry_after) == (503, "5")
        assert "The registry is busy" in page
    assert told["held"] == 0
    assert told["stored"][0] == 302
    assert told["held_after"] == 1


def test_other_failures_of_a_database_are_not_called_a_wait(tmp_path):
    database = sqlite3.connect(tmp_path / "a.sqlite3")
    with pytest.raises(sqlite3.OperationalError) as failure:
        database.execute("SELECT * FROM nowhere")
    database.close()

    assert not waited_too_long(failure.value)
    assert not waited_too_long(OperationalError("no connection"))
    assert not waited_too_long(ValueError())
    assert not waited_too_long(None)


def test_wait_outside_a_view_leaves_open_whether_it_was_stored(tmp_path, rf):
    path = str(tmp_path / "a.sqlite3")
    late = sqlite3.connect(path, timeout=0, isolation_level=None)

    with the_lock(path):
        try:
            late.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            page = server_error(rf.post("/login/"))
    late.close()

    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Check whether your data were stored" in page.content.decode()

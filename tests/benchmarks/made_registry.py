"""A registry to measure: made by `manage.py generate` and frozen, or one that is there already."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[2]
POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"
LABEL = "bench"
SETTINGS = "tests.benchmarks.settings"


@contextmanager
def registry(events: int, *, existing: bool) -> Iterator[None]:
    """Set the environment to a registry of so many events, and remove it afterwards.

    It is made on the PostgreSQL that DATABASE_URL names, or on this machine's where one answers,
    in a database of its own; on SQLite otherwise. existing: take the database of DATABASE_URL and
    the newest release in REGISTRY_VAR as they are.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))  # one for every process
    os.environ.pop("REDIS_URL", None)
    if existing:
        if not {"DATABASE_URL", "REGISTRY_VAR"} <= set(os.environ):
            raise SystemExit("--existing: set DATABASE_URL and REGISTRY_VAR.")
        yield
        return
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as var, _database(var) as url:
        os.environ |= {"DATABASE_URL": url, "REGISTRY_VAR": var}
        Path(var, "static").mkdir()  # a server says where it is missing
        manage("make_keys")
        manage("migrate", "--verbosity", "0")
        manage("generate", "--events", str(events), "--sites", str(_sites(events)))
        yield


def manage(*words: str) -> None:
    """Run a management command and say how long it took."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "django", *words]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    say(f"{' '.join(words)}: {time.perf_counter() - began:.1f} s")


def say(text: str) -> None:
    """Tell what is being done, beside the table."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _database(var: str) -> Iterator[str]:
    server = os.environ.get("DATABASE_URL", POSTGRESQL)
    if not server.startswith("postgres"):
        yield f"sqlite:///{var}/registry.sqlite3"
        return
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        if "DATABASE_URL" in os.environ:
            raise
        say("PostgreSQL did not answer: the ORM is measured on SQLite.")
        yield f"sqlite:///{var}/registry.sqlite3"
        return
    name = f"registry_bench_{os.getpid()}"
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _sites(events: int) -> int:
    return 12 if events < 200_000 else 40

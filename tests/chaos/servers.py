"""Servers of a test's own, which it stops and starts: PostgreSQL and Redis."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
REDIS = shutil.which("redis-server")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@dataclass(frozen=True)
class Cluster:
    """A cluster of PostgreSQL in a folder, run by somebody who is not root."""

    folder: Path
    port: int
    who: dict[str, Any]

    @property
    def address(self) -> str:
        """Its one database."""
        return f"postgres://registry@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs; raises CalledProcessError."""
        subprocess.run(
            [str(PROGRAMS[-1] / program), "-D", str(self.folder / "data"), *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self.who,
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        said = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "start", "-w", "-o", said, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """Stop it as a machine that fails would: nobody is told."""
        self.run("pg_ctl", "stop", "-m", "immediate")


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """A running cluster; skips the test where PostgreSQL's programs are not found."""
    if not PROGRAMS:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl (Debian: apt-get install postgresql)")
    who: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        if os.getuid() == 0:
            known = {each.pw_name for each in pwd.getpwall()}
            user = "postgres" if "postgres" in known else "nobody"
            who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            shutil.chown(name, user)
        cluster = Cluster(Path(name), free_port(), who)
        cluster.run("initdb", "-A", "trust", "-U", "registry", "--no-sync", "-E", "UTF8")
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.run("pg_ctl", "stop", "-m", "immediate", "--silent")


@contextmanager
def redis_on(port: int) -> Iterator[None]:
    """A Redis of its own on a port; skips the test where the program is not found."""
    if REDIS is None:
        pytest.skip("needs redis-server (Debian: apt-get install redis-server)")
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([REDIS, *words], stdout=subprocess.DEVNULL, cwd="/")
    try:
        wait_for(port)
        yield
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, seconds: float = 60) -> None:
    """Wait until somebody listens; raises TimeoutError."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise TimeoutError(f"Nobody listens on {port}.") from None
            time.sleep(0.1)
        else:
            return

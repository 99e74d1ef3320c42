"""A PostgreSQL and its streaming replica for tests, made in a folder of their own on loopback."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

PROGRAMS = ("initdb", "pg_basebackup", "pg_ctl")
NAME = "registry"
SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = replica
hot_standby = on
fsync = off
shared_buffers = 32MB
max_connections = 40
"""


def programs() -> Path | None:
    """The folder of the newest PostgreSQL of Debian's, or where its programs are on the path."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name)
    )
    on_path = shutil.which(PROGRAMS[0])
    folders = [*reversed(found), *([Path(on_path).parent] if on_path else [])]
    return next((each for each in folders if all((each / p).exists() for p in PROGRAMS)), None)


class PostgresPair:
    """A primary, and a replica that streams from it; both of one user, without a password.

    owner: whom the server belongs to. Its database of that name is made, where it is not there.
    """

    def __init__(self, folder: Path, bin: Path, user: str | None, owner: str = NAME) -> None:
        self.folder, self._bin, self._user = folder, bin, user
        self.ports = {"primary": free_port(), "replica": free_port()}
        self._do("initdb", "-A", "trust", "-U", owner, "-E", "UTF8", "--no-sync", "-D", "primary")
        with (folder / "primary" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)
        self._start("primary")
        if owner != "postgres":
            self.ask("primary", f"CREATE DATABASE {owner}", database="postgres")

    def add_replica(self) -> None:
        """Copy the primary, and follow it from there."""
        port = str(self.ports["primary"])
        options = ["-R", "-X", "stream", "-c", "fast", "--no-sync", "-D", "replica"]
        self._do("pg_basebackup", "-h", "127.0.0.1", "-p", port, "-U", NAME, *options)
        self._start("replica")

    def address(self, which: str, database: str = NAME) -> str:
        """As DATABASE_URL takes it."""
        return f"postgres://{NAME}@127.0.0.1:{self.ports[which]}/{database}"

    def ask(self, which: str, statement: str, *, database: str = NAME) -> Any:
        """The first value of what a statement gives, if it gives any."""
        with psycopg.connect(self.address(which, database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchone()[0] if found.description else None  # type: ignore[index]

    def stop(self, which: str) -> None:
        """Stop one at once."""
        if (self.folder / which / "postmaster.pid").exists():
            self._do("pg_ctl", "-D", which, "-m", "immediate", "-w", "stop")

    def _start(self, which: str) -> None:
        options = f"-p {self.ports[which]}"
        self._do("pg_ctl", "-D", which, "-w", "-l", f"{which}.log", "-o", options, "start")

    def _do(self, program: str, *arguments: str) -> None:
        log = self.folder / "said.log"  # a pipe would stay open as long as the server runs
        with log.open("w") as said:
            ended = subprocess.run(
                [str(self._bin / program), *arguments],
                cwd=self.folder,
                user=self._user,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        assert ended.returncode == 0, log.read_text()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def a_running_pair(owner: str = NAME) -> Iterator[PostgresPair]:
    """A primary whose replica is still to be added; skips the test where there is none to start.

    PostgreSQL refuses to run as root, which then hands it to the user of Debian's package.
    """
    bin = programs()
    if bin is None:
        pytest.skip("needs initdb and pg_basebackup (Debian: apt-get install postgresql)")
    user = None
    if os.getuid() == 0:
        known = {each.pw_name for each in pwd.getpwall()}
        user = next((each for each in ("postgres", "nobody") if each in known), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is no other user.")
    folder = Path(tempfile.mkdtemp(prefix="registry-pair-"))  # pytest's own are closed to others
    if user is not None:
        shutil.chown(folder, user)
    pair = None
    try:
        pair = PostgresPair(folder, bin, user, owner)
        yield pair
    finally:
        if pair is not None:
            pair.stop("replica")
            pair.stop("primary")
        shutil.rmtree(folder)

"""docs/operations.md is followed from a bare machine to a lost key, command by command.

The machine is a folder (walked.py): its database server, its certificate and its nginx are real.
`make walk` follows it, for minutes; the suite reads the commands alone.
"""

import faulthandler
import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from tests.deploy.test_slow_clients import NGINX, OPENSSL, free_ports
from tests.deploy.walked import (
    NAMES,
    NOT_RUN,
    OF_SYSTEMD,
    PAGE,
    PASSWORD,
    Machine,
    blocks,
    is_left_out,
)
from tests.postgres_pair import a_running_pair, programs
from tests.wheels import ROOT, built_wheel

SAMPLES = ROOT / "tests" / "samples"
NEEDED = {"nginx": NGINX, "openssl": OPENSSL, **{p: shutil.which(p) for p in ("curl", "unzip")}}


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A bare machine; skips where Debian's programs are not installed, and outside `make walk`."""
    if "REGISTRY_WALK" not in os.environ:
        pytest.skip("make walk follows the document: each command is a process of its own.")
    missing = [name for name, found in NEEDED.items() if not found]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian: apt-get install {' '.join(missing)})")
    with a_running_pair(owner="postgres") as pair:
        found = programs()
        assert found is not None
        root = Path(
            tempfile.mkdtemp(prefix="registry-walk-")
        )  # pytest's names are long for sockets
        machine = Machine(root, pair.ports["primary"], found, *free_ports(2))
        try:
            machine.make()
            wheel = built_wheel(root / "built")
            shutil.move(wheel.parent, root / "release" / "dist")
            yield machine
        finally:
            machine.leave()


def asked(machine: Machine, path: str, token: str = "", **body: str) -> tuple[int, Any]:
    """A reply through nginx; waits for a server that is starting."""
    context = ssl.create_default_context(cafile=f"{machine.root}/etc/ssl/registry/fullchain.pem")
    head = {"Authorization": f"Token {token}"} if token else {}
    data = json.dumps(body).encode() if body else None
    request = Request(f"https://localhost:{machine.tls_port}{path}", data, head)
    if body:
        request.add_header("Content-Type", "application/json")
    until = time.monotonic() + 60
    while True:
        with suppress(URLError):
            try:
                with urlopen(request, timeout=30, context=context) as reply:  # noqa: S310
                    said = reply.read()
                    return reply.status, json.loads(said) if said.startswith(b"{") else said
            except HTTPError as error:
                said = error.read()
                if b'"busy"' not in said:
                    return error.code, json.loads(said) if said.startswith(b"{") else said
        assert time.monotonic() < until, (machine.root / "registry.log").read_text()[-3000:]
        time.sleep(0.3)


def key_file_without(machine: Machine, name: str) -> None:
    """Take an entry out of the key file, as the document says."""
    path = machine.root / "var/lib/registry/disclosure-keys.json"
    keys = json.loads(path.read_text())
    del keys[name]
    path.write_text(json.dumps(keys))


def test_every_command_is_parsed_and_what_is_not_run_is_in_the_document() -> None:
    commands = [command for block in blocks() for command in block]

    assert all(any(each.startswith(begin) for each in commands) for begin in NOT_RUN)
    assert len([each for each in commands if is_left_out(each)]) < len(commands) / 4
    for block in blocks():
        subprocess.run(["bash", "-n", "-c", "\n".join(block)], check=True)
    units = " ".join(each for each in commands if each.startswith(OF_SYSTEMD))
    timers = {path.stem.removeprefix("registry@") for path in (ROOT / "deploy").glob("*.timer")}
    assert all(set(named.split(",")) == timers for named in re.findall(r"@\{(.*?)\}", units))
    hashed = (ROOT / "requirements.txt").read_text()
    assert len(re.findall(r"^[a-z][\w.\[\]-]*==", hashed, re.MULTILINE)) > 30
    assert not re.search(r"^[a-z][^\\\n]*$", hashed, re.MULTILINE), "a requirement without hashes"


def test_a_stranger_follows_the_document_to_its_end(machine: Machine) -> None:
    """One walk, since each step stands on those before it."""
    faulthandler.cancel_dump_traceback_later()  # each command has a time of its own
    receipt = release = ""
    for block in blocks():
        text, ends_with = "\n".join(block), 0
        if "freeze --release" in text:
            data = [f"--events {SAMPLES}/taira-2013-events.csv"]
            data += [f"--implants {SAMPLES}/taira-2013-implants.csv"]
            machine.follow([f"registry import_csv --by {NAMES[0]} --accept {' '.join(data)}"])
        if "snapshots/ID" in text:
            damaged = machine.root / f"var/lib/registry/snapshots/{release}/registry.duckdb"
            damaged.write_bytes(damaged.read_bytes()[:-100])
            assert release[:12] in machine.follow(["registry verify_snapshots"], ends_with=1)
            assert asked(machine, "/health/ready")[0] == 503
        if "verify_snapshots --sign" in text:
            key_file_without(machine, "snapshots")
        if "verify_audit --head NUMBER:HASH --sign" in text:
            key_file_without(machine, "seals")
        if "RENAME TO registry_before" in text:  # what was written after the backup is gone
            late = "DJANGO_SUPERUSER_USERNAME=late registry createsuperuser"
            machine.follow([late])
            ends_with = 1

        said = machine.follow(block, ends_with=ends_with)

        if ends_with:
            assert "the database ends at seal" in said
        if "check --deploy" in text:
            warned = set(re.findall(r"\b(?:registry|security)\.[EW]\d+", said))
            assert warned <= set(re.findall(r"`((?:registry|security)\.\w+)`", PAGE.read_text()))
        if heads := re.findall(r"\b\d+:[0-9a-f]{64}\b", said):
            machine.said["NUMBER:HASH"] = heads[-1]
        if "freeze --release" in text:
            receipt, release = published(machine)
            machine.said |= {"RECEIPT": receipt, "snapshots/ID*": f"snapshots/{release[:12]}*"}
        if "nginx" in machine.running and "registry" in machine.running:
            status, said = asked(machine, "/health/ready")
            assert status == 200, f"{block}: {said}"

    assert asked(machine, "/login/", "")[0] == 200
    assert receipt
    assert "Traceback" not in (machine.root / "registry.log").read_text()


def published(machine: Machine) -> tuple[str, str]:
    """The receipt of an answer from the release, and the release's id."""
    status, told = asked(machine, "/api/v1/tokens/", username=NAMES[0], password=PASSWORD)
    assert status == 201, told
    path = "/api/v1/statistics/counts/?release=2026Q4"
    status, answer = asked(machine, path, told["token"])
    assert status == 200, answer
    return answer["meta"]["receipt"], answer["meta"]["snapshot"]["id"]

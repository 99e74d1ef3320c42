"""A short form of `make chaos`: a few kills of each act but `restore`, which takes longest.

What a restore that fails leaves is held by tests/backup/test_refusals.py.
"""

import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.chaos.__main__ import ROOT

pytestmark = pytest.mark.postgresql

ACTS = ("import_csv", "freeze", "freeze --release", "backup", "POST", "writers")


def test_kills_lose_nothing_and_leave_nothing_half_or_over():
    chosen = [word for act in ACTS for word in ("--only", act)]
    few = ["--kills", "2", "--seconds", "1", "--writers", "4"]
    command = [sys.executable, "-m", "tests.chaos", "--databases", connection.vendor]

    finished = subprocess.run(
        [*command, *few, *chosen],
        cwd=ROOT,
        env=os.environ | {"REGISTRY_VAR": ""},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    table = [line.strip("| ").split(" | ") for line in finished.stdout.splitlines()[2:]]
    assert [act for _, act, *_ in table] == list(ACTS)
    for _, act, kills, done, acknowledged, *bad in table:
        assert bad == ["0", "0", "0"], finished.stdout
        if act == "writers":
            assert int(acknowledged) > 0
        else:
            assert int(kills) + int(done) == 2

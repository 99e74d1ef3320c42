"""`make chaos`: kills commands and servers at random moments, and counts what that cost.

Prints a table for each database. `python -m tests.chaos --kills 5 --seconds 10 --only freeze`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.databases import a_database

ROOT = Path(__file__).parents[2]
TITLES = ("database", "act", "kills", "finished first", "acknowledged", "lost", "half", "leftovers")


def main(arguments: list[str]) -> int:
    """Run the chosen acts on the chosen databases; 1 where anything was lost, half or left over."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of each act on each database")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long writers write")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--only", action="append", help="an act; may be given several times")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    print(f"| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}", flush=True)
    failed = 0
    for kind in asked.databases.split(","):
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as folder,
            a_database(kind, Path(folder)) as address,
        ):
            failed |= _on(kind, address, Path(folder), asked)
    return failed


def _on(kind: str, address: str, folder: Path, asked: argparse.Namespace) -> int:
    environment = os.environ | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
        "DATABASE_URL": address,
        "REGISTRY_VAR": str(folder / "var"),
        "REGISTRY_FREEZE_SECONDS": "0",
        "THROTTLE_USER": "1000000/min",
        "LOG_LEVEL": "CRITICAL",
    }
    said = vars(asked) | {"kind": kind, "folder": str(folder)}
    finished = subprocess.run(
        [sys.executable, "-m", "tests.chaos.killing", json.dumps(said)], cwd=ROOT, env=environment
    )
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

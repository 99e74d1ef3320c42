"""`make attack`: attack registries of several sizes and seeds, and print what came of it.

First persons, from release to release (people.py), then cells of one release and of many.

Each registry has a database and keys of its own, in a folder that goes at the end.
"""

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.disclosure.attack.own_process import begin, environment

EVENTS_PER_IMPLANT = 1.42
REFERENCE_EVENTS = 150_000
QUESTIONS = 500
MODULE = "tests.disclosure.attack"


def main() -> int:
    """Run what was asked for; 1 where a limit is broken."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--implants", default="800,6000", help="sizes, by commas")
    parser.add_argument("--seeds", type=int, default=5, help="registries of each size, at least 2")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the findings of each registry")
    parser.add_argument(
        "--tables", type=int, default=30, help="of the universe, for each registry; 0 for its share"
    )
    parser.add_argument(
        "--only",
        choices=("cells", "curves", "persons"),
        help="the attacks on cells, on curves and denominators, or on persons, alone",
    )
    parser.add_argument("--people", default="800,6000,50000", help="sizes for persons, by commas")
    parser.add_argument(
        "--practice", type=int, default=5, help="registries made up to learn persons on, as well"
    )
    parser.add_argument("--pairs", type=int, default=100, help="persons of each kind, a registry")
    for hidden in ("--attack", "--seed", "--share", "--reference", "--repeat", "--into"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.repeat:
        return _repeat(asked.repeat)
    if asked.attack:
        return _attack(asked)
    if asked.reference:
        return _reference(int(asked.reference), Path(asked.into))
    if asked.seeds < 2:
        parser.error("--seeds: the attacker learns on the others, so give 2 or more")
    if asked.only == "persons":
        broken = _people(asked)
    else:
        sizes = [int(size) for size in asked.implants.split(",")]
        broken = [] if asked.only else _people(asked)
        asked.only = None if asked.only == "cells" else asked.only
        broken = [*broken, *_orchestrate(sizes, asked)]
    print("\n".join(f"Broken: {each}" for each in broken) or "Every limit holds.")
    return 1 if broken else 0


def _people(asked: argparse.Namespace) -> list[str]:
    """Persons: the registry over HTTP, what it is built after, and designs that must lose."""
    from tests.disclosure.attack.people import SERVERS, campaign

    with tempfile.TemporaryDirectory(prefix="registry-people-") as made:
        return campaign(
            [int(size) for size in asked.people.split(",")],
            seeds=asked.seeds,
            many=asked.pairs,
            practice=asked.practice,
            names=SERVERS,
            processes=asked.processes,
            folder=asked.keep or Path(made),
        )


def _orchestrate(sizes: list[int], asked: argparse.Namespace) -> list[str]:
    from tests.disclosure.attack.report import report, report_of_some

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="registry-attack-") as made:
        folder = asked.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        reference = folder / "reference.pickle"
        jobs = [] if asked.only else [(["--reference", str(REFERENCE_EVENTS)], reference)]
        for size in sorted(sizes, reverse=True):
            for seed in range(1, asked.seeds + 1):
                dealt = len(jobs) if asked.only else len(jobs) - 1
                share = f"{dealt}/{len(sizes) * asked.seeds}"
                told = ["--attack", str(size), "--seed", str(seed), "--share", share]
                told += ["--only", asked.only] if asked.only else []
                into = folder / f"{size}-{seed}.pickle"
                jobs.append(([*told, "--tables", str(asked.tables)], into))
        with ThreadPoolExecutor(asked.processes) as pool:
            list(pool.map(_in_its_own_process, jobs))
        records = {
            size: [_read(folder / f"{size}-{seed}.pickle") for seed in range(1, asked.seeds + 1)]
            for size in sizes
        }
        found = report_of_some(records) if asked.only else report(records, _read(reference))
    print("\n".join(found.lines))
    print(f"{time.monotonic() - began:.0f} s in {asked.processes} processes")
    return found.broken


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - written by this very run


def _in_its_own_process(job: tuple[list[str], Path]) -> None:
    """Attack one registry in a folder of its own, which goes afterwards."""
    arguments, into = job
    if into.exists():
        return
    with tempfile.TemporaryDirectory(prefix="registry-attacked-") as var:
        (Path(var) / "static").mkdir()  # the server warns where it is not there
        subprocess.run(
            [sys.executable, "-m", MODULE, *arguments, "--into", str(into)],
            env=environment(var),
            check=True,
        )


def _attack(asked: argparse.Namespace) -> int:
    begin()
    from django.core.management import call_command

    from registry.keys import make_keys
    from tests.disclosure.attack.campaign import Plan, run

    call_command("migrate", verbosity=0)
    make_keys()
    implants, seed = int(asked.attack), int(asked.seed)
    share, shares = map(int, asked.share.split("/"))
    plan = Plan(
        questions=QUESTIONS // shares, shares=shares, share=share, most_tables=asked.tables or None
    )
    began = time.monotonic()

    def tell(said: str) -> None:
        print(f"{implants} seed {seed}, {time.monotonic() - began:.0f} s: {said}", flush=True)

    record = run(
        plan,
        events=round(implants * EVENTS_PER_IMPLANT),
        seed=seed,
        again=_asked_again,
        tell=tell,
        only=asked.only,
    )
    with Path(asked.into).open("wb") as file:
        pickle.dump(record, file)
    return 0


def _asked_again(addresses: list[str], key: str) -> list[str]:
    """Digests of the same answers from a process that has just started."""
    done = subprocess.run(
        [sys.executable, "-m", MODULE, "--repeat", key],
        input=json.dumps(addresses),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def _repeat(key: str) -> int:
    begin()
    from tests.disclosure.attack.consistency import digest
    from tests.disclosure.attack.registries import door_with

    door = door_with(key)
    print(json.dumps([digest(door, address) for address in json.load(sys.stdin)]))
    return 0


def _reference(events: int, into: Path) -> int:
    """Exact rates of a registry so large that chance hardly moves them, and its hazards."""
    begin()
    from django.core.management import call_command

    from registry.keys import make_keys
    from tests.disclosure.attack.asking import Asker
    from tests.disclosure.attack.registries import (
        SITES,
        door_of,
        fill,
        release,
        sites_with_implants,
    )
    from tests.disclosure.attack.utility import rate_limits
    from tests.disclosure.attack.yardstick import Hazards, Yardstick

    call_command("migrate", verbosity=0)
    make_keys()
    fill(events=events, seed=1_000)
    release("large")
    found = Yardstick(
        rate_limits(
            Asker(door_of("manager", "data manager")),
            release="large",
            site=sites_with_implants(),
        ),
        Hazards.of(events=events, sites=SITES, seed=1_000),
    )
    with into.open("wb") as file:
        pickle.dump(found, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())

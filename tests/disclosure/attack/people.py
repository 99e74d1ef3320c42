"""`python -m tests.disclosure.attack.people`: attack persons, on simulated servers of any size and
on the registry itself over HTTP (`--designs published`).

Every registry is one file of findings in the folder: a run that was cut goes on where it stopped.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.disclosure.attack.designs import FINER, FIRST, FREE, NAIVE, SECOND
from tests.disclosure.attack.limits import CHANGE_LOSES, MOST_BY_CATEGORIES, MOST_BY_LENS
from tests.disclosure.attack.own_process import begin, environment
from tests.disclosure.attack.paired import (
    CHANGES,
    RELEASED,
    TWENTY,
    Persons,
    collect,
    hidden_over_releases,
    lines,
    recognised,
    simulated,
)
from tests.disclosure.attack.persons import BY_ALL, BY_EIGHT
from tests.disclosure.attack.worlds import EVENTS_PER_IMPLANT, made_up

MODULE = "tests.disclosure.attack.people"

DESIGNS = {
    "second": SECOND,
    "finer": FINER,
    "first": FIRST,
    "naive": NAIVE,
    "free": FREE,
}
PUBLISHED = "published"
HELD = ("second", PUBLISHED)
"""Designs that limits are for; the others must lose."""

SERVERS = (PUBLISHED, "second", "finer", "first", "naive", "free")
OWN_FROM = 101
"""The seeds of the attacker's own registries."""

FEW_CHANGES = (RELEASED, TWENTY)
"""What controls, and the registry over HTTP, are asked for: each takes long there."""
HEAD = (
    "| registry | persons | many | over complications: AUC, TPR | over categories | over both "
    "| AUC by size of the complication: 1 to 10, 11 to 40, 41 to 150 |",
    "|---|---|---|---|---|---|---|",
)


def main() -> int:
    """Run what was asked for; 1 where a limit is broken or a negative control does not lose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--implants", default="800,6000", help="sizes, by commas")
    parser.add_argument("--seeds", type=int, default=5, help="registries of each size, at least 2")
    parser.add_argument("--pairs", type=int, default=100, help="persons of each kind in each")
    parser.add_argument(
        "--designs", default="second", help=f"of {', '.join((*DESIGNS, PUBLISHED))}"
    )
    parser.add_argument(
        "--practice", type=int, default=5, help="registries that he makes up to learn on, as well"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the findings of each registry")
    for hidden in ("--attack", "--seed", "--into"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.attack:
        size, seed = int(asked.attack), int(asked.seed)
        return _attack(asked.designs, size, seed, asked.pairs, Path(asked.into))
    if asked.seeds < 2:
        parser.error("--seeds: the attacker learns on the others, so give 2 or more")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="registry-people-") as made:
        broken = campaign(
            [int(size) for size in asked.implants.split(",")],
            seeds=asked.seeds,
            many=asked.pairs,
            practice=asked.practice,
            names=asked.designs.split(","),
            processes=asked.processes,
            folder=asked.keep or Path(made),
        )
    print("\n".join(f"Broken: {each}" for each in broken) or "Every limit holds.")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if broken else 0


def campaign(
    sizes: Sequence[int],
    *,
    seeds: int,
    many: int,
    practice: int,
    names: Sequence[str],
    processes: int,
    folder: Path,
) -> list[str]:
    """Attack registries of these sizes behind these servers, print what came of it, and give back
    the limits that are broken and the controls that do not lose.

    practice: registries that the attacker makes up besides, where a design is held to limits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(1, seeds + 1)
    own = range(OWN_FROM, OWN_FROM + practice)
    jobs = {
        (each, size, seed, many, folder)
        for size in sizes
        for name in names
        for each, seed in (
            *((name, seed) for seed in numbers),
            *((_practised(name), seed) for seed in own if name in HELD),
        )
    }
    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(_in_its_own_process, sorted(jobs, key=lambda job: job[1:3])))
    broken = []
    for name in names:
        for size in sorted(sizes):
            registries = [_read(folder, name, size, seed) for seed in numbers]
            learnt = own if name in HELD else ()
            practised = [_read(folder, _practised(name), size, seed) for seed in learnt]
            broken += _told(name, size, registries, practised)
    return broken


def _practised(name: str) -> str:
    """The design that the attacker makes his own registries after."""
    return "second" if name == PUBLISHED else name


def _told(name: str, size: int, registries: list[Persons], practice: list[Persons]) -> list[str]:
    said = DESIGNS[name].name if name in DESIGNS else "the registry, over HTTP"
    print(f"\n{said}, {size:,} implants\n")
    told, broken = lines(size, registries, practice)
    print("\n".join((*HEAD, *told)), flush=True)
    if name in HELD:
        return [f"{name}: {each}" for each in broken]
    return [f"{name} at {size:,}: {each}" for each in not_lost(name, registries)]


def not_lost(name: str, registries: list[Persons]) -> list[str]:
    """What a negative control should have lost by, and did not."""
    none, lens = (recognised(registries, change, "arrival") for change in FEW_CHANGES)
    if name == "finer":
        known = lens.auc > MOST_BY_CATEGORIES
        return [] if known else [f"persons were found with only {lens.auc:.2f}"]
    if name == "free":
        gain = lens.auc - none.auc
        return [] if gain > MOST_BY_LENS else [f"the lens added only {gain:+.2f}"]
    return [] if none.auc > CHANGE_LOSES else [f"persons were found with only {none.auc:.2f}"]


def _path(folder: Path, name: str, size: int, seed: int) -> Path:
    return folder / f"people-{name}-{size}-{seed}.pickle"


def _read(folder: Path, name: str, size: int, seed: int) -> Persons:
    with _path(folder, name, size, seed).open("rb") as file:
        found: Persons = pickle.load(file)  # noqa: S301 - written by this very run
    return found


def _in_its_own_process(job: tuple[str, int, int, int, Path]) -> None:
    """Attack one registry in a process and a folder of its own, which goes afterwards."""
    name, size, seed, many, folder = job
    into = _path(folder, name, size, seed)
    if into.exists():
        return
    with tempfile.TemporaryDirectory(prefix="registry-attacked-") as var:
        (Path(var) / "static").mkdir()  # the server warns where it is not there
        told = ["--attack", str(size), "--seed", str(seed), "--pairs", str(many)]
        subprocess.run(
            [sys.executable, "-m", MODULE, *told, "--designs", name, "--into", str(into)],
            env=environment(var),
            check=True,
        )


def _attack(name: str, size: int, seed: int, many: int, into: Path) -> int:
    """One registry behind one server."""
    began = time.process_time()
    found = (
        _published(size, seed, many) if name == PUBLISHED else _simulated(name, size, seed, many)
    )
    part = into.with_suffix(".part")
    with part.open("wb") as file:
        pickle.dump(found, file)
    part.rename(into)
    print(f"{name} {size} seed {seed}: {time.process_time() - began:.0f} s", flush=True)
    return 0


def _simulated(name: str, size: int, seed: int, many: int) -> Persons:
    world, design = made_up(implants=size, seed=seed), DESIGNS[name]
    changes = CHANGES if name in HELD else {said: CHANGES[said] for said in FEW_CHANGES}
    known = BY_ALL if name in HELD else BY_EIGHT
    serve = simulated(design, seed)
    found = collect(world, serve, seed=seed, many=many, changes=changes, known=known)
    found.hidden = hidden_over_releases(world, design, seed=seed)
    return found


def _published(size: int, seed: int, many: int) -> Persons:
    """The registry's own answers; in a process that has a database of its own."""
    begin()
    from tests.disclosure.attack.published import collect_published, filled

    door = filled(events=round(size * EVENTS_PER_IMPLANT), seed=seed)
    changes = {said: CHANGES[said] for said in FEW_CHANGES}
    return collect_published(door, seed=seed, changes=changes, many=many)


if __name__ == "__main__":
    sys.exit(main())

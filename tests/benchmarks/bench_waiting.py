"""Measures how long a nurse's save waits beside a check of a file, an import of it, and a freeze.

Run as `make bench-waiting [BENCH=ROWS]` (40,000 rows without). It measures on
SQLite, and on PostgreSQL where one answers at DATABASE_URL or on this machine, in databases and
folders of its own. It prints a table, writes `waiting.json` in REGISTRY_VAR (`var/`), and judges
nothing.

Eight writers press save once a second each. A save that is late because the one before it still
waits counts from the second it was due, so that a long wait counts as often as it would be met.
"""

import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = "postgres://postgres@127.0.0.1:5432/postgres"
SITE = "KLINIKUM-A"
WRITERS = 8
SECONDS = 20.0
"""How long saves are measured at least, beside nothing and beside freezes."""

LOADS = ("nothing", "check", "import", "freeze")
HEADER = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome,"
    "component_model,drug,indication,age_band,sex,days_since_procedure"
)
CATHETER = ("catheter-kink", "catheter-migration")
PUMP = ("infection-pocket", "csf-leak", "pump-motor-stall", "seroma-pocket", "baclofen-withdrawal")


@dataclass(frozen=True)
class Waits:
    """How long saves waited beside one load, in seconds, and how long the load itself took."""

    database: str
    beside: str
    saves: int
    failed: int
    p50: float
    p95: float
    longest: float
    load_seconds: float
    load_failed: bool


def event(draw: random.Random, source_id: str) -> dict[str, str]:
    """One event of a site that sends no implants."""
    code = draw.choice(CATHETER + PUMP)
    values = (
        SITE,
        source_id,
        "",
        code,
        str(draw.randint(2008, 2024)),
        "",
        str(draw.randint(1, 3)),
        "none",
        "recovered",
        "ascenda" if code in CATHETER else "synchromed-ii-20",
        "baclofen",
        "cerebral-palsy",
        draw.choice(("6-11", "12-17", "18-39")),
        draw.choice(("male", "female")),
        draw.choice(("0-7", "8-30", "31-60", "over-365")),
    )
    return dict(zip(HEADER.split(","), values, strict=True))


def events(rows: int) -> Iterator[dict[str, str]]:
    """The rows of the file that is checked and imported."""
    draw = random.Random(7)
    for number in range(rows):
        yield event(draw, f"k{number:05d}")


def write(path: Path, rows: int) -> None:
    """Write the file as a site would."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER.split(","))
        writer.writeheader()
        writer.writerows(events(rows))


def carry(load: str, path: Path) -> None:
    """Be the load: check the file, import it, or freeze for as long as saves are measured."""
    from registry.intake import import_records
    from registry.models import User
    from registry.records import RowKind
    from registry.reporting.asking import freshness

    nurse = User.objects.get(username="nurse")
    if load == "freeze":
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            freshness.refresh()
    elif load != "nothing":
        import_records({RowKind.EVENT: path}, by=nurse, dry_run=load == "check")
    else:
        time.sleep(SECONDS)


def save_until(done: threading.Event, load: str) -> tuple[list[float], int]:
    """Save one event a second in each of eight threads; the waits in seconds, and the failures."""
    from django.db import OperationalError, connection

    from registry.intake import record_event
    from registry.models import User
    from registry.records import RawReport, RowKind

    waits: list[float] = []
    failures: list[float] = []

    def save(writer: int) -> None:
        nurse = User.objects.get(username="nurse")
        draw = random.Random(writer)
        due, number = time.monotonic() + writer / WRITERS, 0
        while True:
            if done.wait(max(0.0, due - time.monotonic())):
                break
            number += 1
            values = event(draw, f"{load}-{writer}-{number}")
            try:
                record_event(RawReport(RowKind.EVENT, values), by=nurse, submit=True)
                waits.append(time.monotonic() - due)
            except OperationalError:
                failures.append(time.monotonic() - due)
            due += 1.0
        connection.close()

    threads = [threading.Thread(target=save, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits + failures, len(failures)


def measure(rows: int, database: str) -> list[Waits]:
    """Measure saves beside every load in turn, on a database that is migrated and empty."""
    from django.core.management import call_command

    from registry.intake import add_member, load_catalogue, make_site
    from registry.models import User

    call_command("migrate", verbosity=0)
    load_catalogue()
    manager = User.objects.create_superuser("bench")
    nurse = User.objects.create_user("nurse")
    add_member(make_site(code=SITE, by=manager), user=nurse, by=manager)
    path = Path(os.environ["REGISTRY_VAR"], "events.csv")
    write(path, rows)
    found = []
    for load in LOADS:
        done = threading.Event()
        start = time.monotonic()
        taken: list[float] = []
        child = subprocess.Popen([sys.executable, __file__, "carry", load, str(path)])

        def watch(
            child: subprocess.Popen[bytes] = child,
            taken: list[float] = taken,
            start: float = start,
            done: threading.Event = done,
        ) -> None:
            child.wait()
            taken.append(time.monotonic() - start)
            done.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        waits, failed = save_until(done, load)
        watcher.join()
        load_failed = child.returncode != 0
        found.append(described(database, load, waits, failed, taken[0], load_failed=load_failed))
        print_row(found[-1])
    return found


def described(
    database: str,
    load: str,
    waits: list[float],
    failed: int,
    load_seconds: float,
    *,
    load_failed: bool,
) -> Waits:
    """Percentiles of the waits, a failed save counted with the time it took to fail."""
    cuts = statistics.quantiles(waits, n=20)
    return Waits(
        database=database,
        beside=load,
        saves=len(waits),
        failed=failed,
        p50=round(statistics.median(waits), 3),
        p95=round(cuts[18], 3),
        longest=round(max(waits), 3),
        load_seconds=round(load_seconds, 1),
        load_failed=load_failed,
    )


def print_row(row: Waits) -> None:
    """One line of the table."""
    print(
        f"{row.database:<11} {row.beside:<8} {row.saves:>6} {row.failed:>6} "
        f"{row.p50:>8.3f} {row.p95:>8.3f} {row.longest:>8.3f} {row.load_seconds:>7.1f}"
        f"{' failed' if row.load_failed else ''}",
        flush=True,
    )


def on_database(rows: int, database: str, url: str, folder: Path) -> list[Waits]:
    """Measure in a process of its own, whose settings name the database."""
    result = folder / f"{database}.json"
    environment = os.environ | {
        "DATABASE_URL": url,
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
        "REGISTRY_VAR": str(folder / database),
        "REGISTRY_FREEZE_SECONDS": "3600",
    }
    command = [sys.executable, __file__, "measure", str(rows), database, str(result)]
    subprocess.run(command, env=environment, check=True)
    return [Waits(**row) for row in json.loads(result.read_text())]


def on_postgresql(rows: int, folder: Path) -> list[Waits]:
    """Measure on a database that is made for it and dropped; nothing where no server answers."""
    import psycopg

    url = os.environ.get("DATABASE_URL", "")
    server = url if url.startswith("postgres") else LOCAL
    name = f"registry_waiting_{os.getpid()}"
    try:
        connection = psycopg.connect(server, connect_timeout=3, autocommit=True)
    except psycopg.OperationalError:
        print("PostgreSQL did not answer: SQLite alone was measured.")
        return []
    with connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            return on_database(rows, "PostgreSQL", f"{server.rsplit('/', 1)[0]}/{name}", folder)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def with_django(work: Callable[[], None]) -> None:
    """Do what needs the registry's settings."""
    import django

    sys.path.insert(0, str(ROOT))
    django.setup()
    work()


def main() -> None:
    """Measure on both databases, or be one of the processes that this takes."""
    if sys.argv[1:2] == ["carry"]:
        with_django(lambda: carry(sys.argv[2], Path(sys.argv[3])))
        return
    if sys.argv[1:2] == ["measure"]:
        rows, database, result = int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
        with_django(lambda: keep(measure(rows, database), result))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    print(f"{WRITERS} writers, a save a second each; a file of {rows:,} rows; seconds")
    print("database    beside    saves failed      p50      p95  longest    load")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlite = f"sqlite:///{folder / 'waiting.sqlite3'}"
        found = on_database(rows, "SQLite", sqlite, folder) + on_postgresql(rows, folder)
    var = Path(os.environ.get("REGISTRY_VAR") or ROOT / "var")
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    report = {"rows": rows, "writers": WRITERS, "waits": [asdict(row) for row in found]}
    (var / "waiting.json").write_text(json.dumps(report, indent=1) + "\n")


def keep(rows: list[Waits], path: Path) -> None:
    """Leave what was measured for the process that asked."""
    path.write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()

"""Measures a freeze against COPY alone, and a refresh after one more event.

Run as `python tests/benchmarks/bench_freeze.py [EVENTS]`, with DATABASE_URL naming a PostgreSQL
server: a database of its own beside that one is filled with a synthetic registry of EVENTS events,
and dropped at the end. Each line is measured in a process of its own, and prints wall time,
processor time (its own and that of the server process that read for it, where that runs on this
machine) and the most memory it held. It judges nothing. JSON goes to bench_freeze.json in
REGISTRY_VAR.

COPY alone writes the columns that a freeze reads to a file, as the tables have them, in two
statements: `copy` of the very columns of the two tables and the patient's, and `copy joined` with
public ids in the place of primary keys, as rows travel between registries.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

HERE = Path(__file__).resolve()
STEPS = ("copy", "copy joined", "whole freeze", "refresh after one event")


def server_seconds(pid: int) -> float:
    """Processor seconds of a process of this machine so far, 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes() -> float:
    """The most memory that this process has held since it began; not that of what started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("This machine does not say how much memory a process held.")


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Do it, and say what it took."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    server, own, began = server_seconds(pid), time.process_time(), time.perf_counter()
    work()
    return {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - own + server_seconds(pid) - server,
        "peak_megabytes": peak_megabytes(),
    }


def copy(folder: Path, *, joined: bool) -> None:
    """Let PostgreSQL write the columns of implants, events and exposures to files."""
    from django.db import connection, transaction
    from django.db.models import F

    from registry.models import Event, Exposure, Implant
    from registry.snapshot.schema import EVENT_SOURCE, EXPOSURE_SOURCE, IMPLANT_SOURCE

    keys = {"public_id": "pk", "implant": "implant_id", "patient": "patient_id"}
    paths = {
        name: path if not joined else f"{name}__public_id" if name != "public_id" else name
        for name, path in (keys | {"caused_by": "caused_by_id"}).items()
    }
    of_patient = {"sex": "patient__sex", "indication": "patient__indication"}
    others = {"site": "site__code", "complication": "complication_id"}
    with transaction.atomic():
        for model, names, more in (
            (Implant, IMPLANT_SOURCE, of_patient),
            (Event, EVENT_SOURCE, {"accepted_at": "seal__at"}),
            (Exposure, EXPOSURE_SOURCE, {}),
        ):
            columns = [F((paths | others | more).get(name, name)) for name in names]
            rows = model._base_manager.order_by().values_list(*columns)
            statement, parameters = rows.query.sql_with_params()
            with (
                (folder / f"{model._meta.model_name}.csv").open("wb") as file,
                connection.cursor() as cursor,
                cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)", parameters) as blocks,
            ):
                for block in blocks:
                    file.write(block)


def freeze(root: Path, *, whole: bool = False) -> None:
    """Freeze the registry into a folder of the benchmark's own."""
    from registry.disclosure import hands, record_keys
    from registry.snapshot.source import freeze_database

    keyed = partial(record_keys, bytes(range(32)))
    freeze_database(
        root,
        record_keys=keyed,
        keys="benchmark",
        whole=whole,
        hands_of=hands,
        signing=bytes(range(32)),
    )


def add_event() -> None:
    """One more accepted event, like the newest flip of a pump."""
    from registry.models import Event, sealed

    like = Event.objects.filter(complication="pump-flip", implant__isnull=False).latest("pk")
    like.pk, like._state.adding = None, True
    like.public_id = Event._meta.get_field("public_id").get_default()
    like.source_id = f"b{time.time_ns()}"[:20]
    like.caused_by = None
    with sealed(by=None, action="benchmark") as seal:
        seal.save(like)


def measure(step: str, folder: Path) -> dict[str, float]:
    """Measure one step in this process."""
    if step == "refresh after one event":
        add_event()
    work = {
        "copy": partial(copy, folder, joined=False),
        "copy joined": partial(copy, folder, joined=True),
        "whole freeze": partial(freeze, folder / "snapshots", whole=True),
        "refresh after one event": partial(freeze, folder / "snapshots"),
    }[step]
    return measured(work)


def held() -> dict[str, int]:
    """How many rows the registry has."""
    from registry.models import Event, Exposure, Implant

    return {model.__name__: model._base_manager.count() for model in (Event, Implant, Exposure)}


def main() -> None:
    """Make a registry in a database of its own and measure on it; or measure one step."""
    sys.path.insert(0, str(HERE.parents[2]))
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_project.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.DEBUG = False  # which keeps every statement
    if len(sys.argv) == 4 and sys.argv[1] == "--step":
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
        return
    if connection.vendor != "postgresql":
        print("Not measured: COPY is PostgreSQL's own, and DATABASE_URL names another database.")
        return
    from django.core.management import call_command

    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    name = connection.settings_dict["NAME"]
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    folder = Path(tempfile.mkdtemp(prefix="bench-freeze-", dir=settings.REGISTRY_VAR))
    try:
        call_command("generate", events=events, sites=40)
        found = compare(folder, database=made)
        kept = settings.REGISTRY_VAR / "bench_freeze.json"
        kept.write_text(json.dumps(found, indent=1) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        connection.creation.destroy_test_db(name, verbosity=0)


def compare(folder: Path, *, database: str) -> dict[str, Any]:
    """Measure each step in a process of its own, and print what it took."""
    from django.db import connection

    found: dict[str, Any] = {
        "rows": held(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "steps": {},
    }
    print(", ".join(f"{count:,} {name.lower()}s" for name, count in found["rows"].items()))
    connection.close()
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    for step in STEPS:
        done = subprocess.run(
            [sys.executable, str(HERE), "--step", step, str(folder)],
            env=os.environ | {"DATABASE_URL": url},
            check=True,
            stdout=subprocess.PIPE,  # what goes wrong is told as it is
            text=True,
        )
        took = found["steps"][step] = json.loads(done.stdout)
        print(
            f"{step:24} {took['seconds']:8.1f} s {took['processor_seconds']:8.1f} s processor "
            f"{took['peak_megabytes']:6.0f} MB",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()

"""Measures the rounds of a hospital's export: what is told, what is mended, what is stored.

Run as `python tests/benchmarks/bench_rounds.py [ROWS]`; DATABASE_URL chooses the database. The
export is that of tests/management/test_import_rounds.py, with every usual fault, and is mended by
what the first round tells alone. It prints, and judges nothing.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django


def timed(said: str, run: Callable[[], Any]) -> Any:
    """What a step gives; prints its seconds, and those of the processor."""
    start, worked = time.perf_counter(), time.process_time()
    found = run()
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    print(f"{said}: {seconds:.1f} s, {worked:.1f} s of the processor")
    return found


def rounds(rows: int) -> None:
    """The check of the export as it arrives, that of the mended one, its import, and once more."""
    from registry.intake import ImportRefused, import_records, load_catalogue
    from registry.models import User
    from registry.records import RowKind
    from tests.management.test_import_rounds import export, mended, written

    load_catalogue()
    manager = User.objects.create_superuser("bench")
    lines = export(rows)

    def taken(path: Path, *, dry_run: bool) -> Any:
        return import_records({RowKind.EVENT: path}, by=manager, dry_run=dry_run)

    def refused(path: Path) -> ImportRefused:
        try:
            taken(path, dry_run=True)
        except ImportRefused as refusal:
            return refusal
        raise SystemExit("The export has no fault.")

    with tempfile.TemporaryDirectory() as folder:
        first = written(Path(folder, "first.csv"), lines)
        refusal = timed("first round, checked", lambda: refused(first))
        print(f"  {refusal.total:,} faults of {len(refusal.kinds)} kinds")
        second = written(Path(folder, "second.csv"), mended(lines, refusal))
        for step, dry_run in (("checked", True), ("stored", False), ("sent again", False)):
            done = timed(f"second round, {step}", lambda dry=dry_run: taken(second, dry_run=dry))
            counts = done.counts[RowKind.EVENT]
            print(f"  {counts.new:,} new, {counts.unchanged:,} unchanged")


def main() -> None:
    """Measure in a database of its own."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connection

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":  # in a file, as in use
        connection.settings_dict["TEST"]["NAME"] = f"{name}.rounds"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        print(connection.vendor)
        rounds(rows)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()

"""Measures import_csv: rows a second and memory, with history and seal, in a database of its own.

Run as `python tests/benchmarks/bench_import.py [ROWS]`; DATABASE_URL chooses the database. It
prints, and judges nothing: 2,000 rows a second is what the documents promise. The memory that is
printed is the most that the process held so far, so that the last lines, of ten times the rows,
should stand little above the first.
"""

import csv
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django

IMPLANT_HEADER = (
    "site,patient,implant,component,model,implant_year,age_band,sex,indication,drug,"
    "label_status,procedure,months_to_entry,months_followed,exit_status,refills,procedures"
)
EVENT_HEADER = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,"
    "relatedness_device,relatedness_procedure,relatedness_drug,outcome,interventions,"
    "root_cause,detection,days_since_procedure,days_since_refill,caused_by,actuality"
)


def _key(kind: str, number: int) -> str:
    """A key without six digits in a row, which would look like a record number."""
    return f"{kind}{number // 1000}x{number % 1000}"


def implants(rows: int) -> Iterator[list[object]]:
    """Pumps and catheters, two to a patient, at twenty sites; five years of follow-up."""
    draw = random.Random(1)
    for number in range(rows):
        pump, patient = number % 2 == 0, number // 2
        component = ("pump", "synchromed-ii-20") if pump else ("catheter", "ascenda")
        sex = ("female", "male")[patient % 2]
        yield [
            f"SITE-{patient % 20}",
            _key("p", patient),
            _key("i", number),
            *component,
            2005 + patient % 10,
            "40-64",
            sex,
            "multiple-sclerosis",
            "baclofen",
            "on-label-mono",
            "primary-implant",
            0,
            60,
            draw.choice(("active", "lost-to-follow-up", "explant-elective")),
            20 if pump else "",
            1,
        ]


def events(rows: int, devices: int) -> Iterator[list[object]]:
    """Leaks and migrations on those devices; every tenth is caused by the one before it."""
    draw = random.Random(2)
    for number in range(rows):
        follows = number % 10 == 9
        device = (number - 1 if follows else number) % devices
        month = draw.randint(1, 60)
        yield [
            f"SITE-{device // 2 % 20}",
            _key("e", number),
            _key("i", device),
            "csf-leak" if device % 2 == 0 else "catheter-migration",
            2005 + device // 2 % 10 + month // 12,
            month,
            3,
            "hospitalisation;intervention-to-prevent",
            "probable",
            "possible",
            "not-assessed",
            "recovered",
            "blood-patch;wound-revision",
            "unknown",
            "symptom",
            "8-30",
            "8-30",
            _key("e", number - 1) if follows else "",
            "actual",
        ]


UNNAMED_HEADER = EVENT_HEADER + ",model,drug,indication,age_band,sex"
PUMP_KINDS = ("pump-motor-stall", "pump-flip")
CATHETER_KINDS = ("catheter-migration", "catheter-kink", "csf-leak")


def unnamed_events(rows: int) -> Iterator[list[object]]:
    """Events that name no implant, of one site that declares its device time, over ten years."""
    draw = random.Random(3)
    for number in range(rows):
        pump = draw.random() < 0.5
        kinds = PUMP_KINDS if pump else CATHETER_KINDS
        yield [
            "SITE-0",
            _key("u", number),
            "",  # implant
            draw.choice(kinds),
            2005 + number % 10,
            "",  # months since implant
            draw.randint(2, 4),
            "hospitalisation",
            "probable",
            "possible",
            "not-assessed",
            "recovered",
            "wound-revision",
            "unknown",
            draw.choice(("symptom", "routine-imaging")),
            "",
            "",
            "",
            "actual",
            "synchromed-ii-20" if pump else "ascenda",
            draw.choice(("baclofen", "morphine")),
            draw.choice(("multiple-sclerosis", "crps")),
            draw.choice(("18-39", "40-64", "65-79")),
            draw.choice(("female", "male")),
        ]


def write(path: Path, header: str, rows: Iterator[list[object]]) -> Path:
    """Write one file as a site would."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(rows: int) -> None:
    """Import half the rows as implants and half as events, then the same files again.

    Then as many events that name no implant, which are compared with each other by their answers.
    """
    from django.db import connection

    from registry.intake import import_records
    from registry.models import User
    from registry.records import RowKind

    manager = User.objects.filter(username="bench").first()
    manager = manager or User.objects.create_superuser("bench")
    half = rows // 2
    with tempfile.TemporaryDirectory() as folder:
        files = {
            RowKind.IMPLANT: write(Path(folder, "implants.csv"), IMPLANT_HEADER, implants(half)),
            RowKind.EVENT: write(Path(folder, "events.csv"), EVENT_HEADER, events(half, half)),
        }
        unnamed = write(Path(folder, "unnamed.csv"), UNNAMED_HEADER, unnamed_events(half))
        turns = [(attempt, *each) for attempt in ("new", "again") for each in files.items()]
        for attempt, kind, path in (*turns, ("without an implant", RowKind.EVENT, unnamed)):
            start = time.perf_counter()
            counts = import_records({kind: path}, by=manager).counts[kind]
            seconds = time.perf_counter() - start
            done = counts.new + counts.updated + counts.unchanged
            print(
                f"{connection.vendor} {kind.value} {attempt}: {done:,} rows, "
                f"{done / seconds:,.0f} rows/s, peak {peak_megabytes():.0f} MB"
            )


def main() -> None:
    """Measure a tenth of the rows and then all of them, so that memory can be compared."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connection

    from registry.intake import load_catalogue

    for size in (rows // 10, rows):
        name = connection.settings_dict["NAME"]
        if connection.vendor == "sqlite":  # in a file: a database in memory would be measured too
            connection.settings_dict["TEST"]["NAME"] = f"{name}.bench"
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            load_catalogue()
            measure(size)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()

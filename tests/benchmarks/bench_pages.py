"""Measures the pages and addresses of entry on a small registry and on a large one.

Run as `make bench-pages [BENCH="--events 1000000"]`. It makes two registries with `manage.py
generate`, of 10,000 events and of so many, on the PostgreSQL of DATABASE_URL or of this machine, or
on SQLite where none answers, in databases of its own that are dropped afterwards. History, seals,
work that waits, queries, pairs and an access log are added. Each page is asked for by Django's test
client, so that everything runs but the socket; the first time counts for nothing. It prints the
median of the others in milliseconds and the number of SQL statements, and judges nothing.

--existing FOLDER... measures on databases that are there: each FOLDER is a REGISTRY_VAR that holds
a file `database-url`. --only WORDS: pages whose names contain them. --slow: the slowest statements.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = (sys.executable, "-m", "tests.benchmarks.bench_pages")
SMALL = 10_000
RUNS = 5
SECONDS = 4.0
"""A page that is slow is asked for fewer times."""


@dataclass(frozen=True)
class Asked:
    """What one page took: the median in milliseconds, SQL statements, and the slowest of them."""

    name: str
    ms: float
    statements: int
    slowest_ms: float
    slowest: str


def measured(only: str) -> dict[str, object]:
    """Ask for every page in this process."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from registry.models import Event, Implant
    from tests.benchmarks.pages import pages, signed_in

    clients = signed_in()
    found = []
    for page in pages():
        if only not in page.name:
            continue
        with CaptureQueriesContext(connection) as sql:
            reply = page.ask(clients[page.user])
        if reply.status_code not in (200, 201):
            raise SystemExit(f"{page.name}: {reply.status_code} of {page.address}")
        last = sql.captured_queries
        taken: list[float] = []
        while len(taken) < RUNS and (len(taken) < 2 or sum(taken) < SECONDS):
            began = time.perf_counter()
            page.ask(clients[page.user])
            taken.append(time.perf_counter() - began)
        slow = max(last, key=lambda one: float(one["time"]))
        found.append(
            Asked(
                page.name,
                1000 * statistics.median(taken),
                len(last),
                1000 * float(slow["time"]),
                slow["sql"],
            )
        )
        print(f"{found[-1].ms:9.1f} ms {page.name}", file=sys.stderr, flush=True)
    return {
        "events": Event.objects.count(),
        "implants": Implant.objects.count(),
        "database": connection.vendor,
        "pages": [asdict(one) for one in found],
    }


def in_a_process(only: str) -> dict[str, object]:
    """Measure in a process of its own, on the database that the environment names."""
    command = [*MODULE, "--measure", "--only", only]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def each_size(asked: argparse.Namespace) -> Iterator[dict[str, object]]:
    """The measurements, smaller registry first."""
    from tests.benchmarks.made_registry import SETTINGS, manage, registry, say

    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    os.environ["BENCH_CACHE"] = "locmem"  # as a server has one
    for folder in asked.existing:
        url = Path(folder, "database-url").read_text().strip()
        os.environ |= {"DATABASE_URL": url, "REGISTRY_VAR": folder}
        yield in_a_process(asked.only)
    if asked.existing:
        return
    server = os.environ.get("DATABASE_URL")
    for events in (SMALL, asked.events):
        os.environ.pop("DATABASE_URL", None)
        if server:
            os.environ["DATABASE_URL"] = server
        with registry(events, existing=False):
            began = time.perf_counter()
            subprocess.run([*MODULE, "--add-work"], cwd=ROOT, check=True)
            say(f"history and work: {time.perf_counter() - began:.1f} s")
            manage("freeze")
            manage("collectstatic", "--noinput")  # pages name their files by their content
            yield in_a_process(asked.only)


def written(small: dict, large: dict) -> Iterator[str]:
    """The table in Markdown."""
    yield f"| milliseconds | {small['events']:,} events | {large['events']:,} | times | SQL | SQL |"
    yield "|---|---|---|---|---|---|"
    for one, other in zip(small["pages"], large["pages"], strict=True):
        assert one["name"] == other["name"]
        times = max(other["ms"], 1) / max(one["ms"], 1)
        mark = "**" if times > 5 else ""
        yield (
            f"| {one['name']} | {one['ms']:.0f} | {other['ms']:.0f} | {mark}{times:.1f}{mark} "
            f"| {one['statements']} | {other['statements']} |"
        )


def main() -> None:
    """Measure on both registries and print the table; or be the process that measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--existing", nargs="*", default=[])
    parser.add_argument("--only", default="")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--add-work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if asked.measure or asked.add_work:
        import django

        django.setup()
        if asked.add_work:
            from tests.benchmarks.page_rows import add_work

            add_work()
        else:
            print(json.dumps(measured(asked.only)))
        return
    found = list(each_size(asked))
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, {found[0]['database']}, "
        f"{datetime.now(UTC):%d %B %Y %H:%M} UTC"
    )
    print("\n".join(written(found[0], found[-1])))
    if asked.slow:
        for one in found[-1]["pages"]:
            print(
                f"\n{one['name']}: {one['slowest_ms']:.0f} of {one['ms']:.0f} ms\n{one['slowest']}"
            )
    kept = Path(os.environ.get("REGISTRY_VAR") or ROOT / "var", "bench-pages.json")
    if kept.parent.is_dir():
        kept.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

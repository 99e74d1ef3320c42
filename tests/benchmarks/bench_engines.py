"""Measures the eight questions on DuckDB and on a Spark cluster of this machine, and compares them.

Run as `make bench-engines BENCH="--events 1000000"`. `--times 10` puts ten copies of the made
registry beside each other, in SQL, which is ten times as many patients in a minute's work; `--only
6 7 8` asks these questions alone. Every statement must give the same lines on both; a difference
ends the run.
"""

# ruff: noqa: S608 - names come from the schema

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from tests.benchmarks.bench_statistics import machine
from tests.benchmarks.eight_questions import QUESTIONS, Question
from tests.benchmarks.made_registry import say
from tests.benchmarks.timing import Timed, timed

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"

OWN = {
    "events": {
        "events": ("event_no", "cause_no", "episode"),
        "implants": ("device_no", "patient_no", "pump_no", "catheter_no", "procedure_no"),
    },
    "implants": {"implants": ("device_no", "patient_no")},
    "exposures": {"exposures": ("exposure_no",)},
}
"""The columns of each table that number rows, by the table whose rows they number."""

DEFAULTS = """\
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 1g
spark.executor.memory {memory}m
spark.cores.max {cores}
"""


def multiplied(folder: Path, times: int, sizes: Mapping[str, int]) -> None:
    """Put copies of every row into a snapshot's files, each with numbers of its own."""
    from registry.snapshot.freeze import DATABASE, ROW_GROUP

    other = folder / "copies.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute(f"ATTACH '{folder / DATABASE}' AS one (READ_ONLY)")
        for table, numbered in OWN.items():
            held = {name for (name, *_) in connection.execute(f"DESCRIBE one.{table}").fetchall()}
            moved = ", ".join(
                f"({column} + copy * {sizes[of]})::INTEGER AS {column}"
                for of, columns in numbered.items()
                for column in columns
                if column in held
            )
            connection.execute(
                f"CREATE TABLE {table} AS SELECT * EXCLUDE (copy) REPLACE ({moved}) "
                f"FROM one.{table}, range({times}) r(copy) ORDER BY copy"
            )
            path = folder / f"{table}.parquet"
            path.unlink()
            connection.execute(
                f"COPY (FROM {table}) TO '{path}' "
                f"(FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP}, COMPRESSION zstd)"
            )
    other.rename(folder / DATABASE)


def made(root: Path, events: int, times: int) -> Any:
    """A frozen synthetic registry, and its manifest."""
    from registry.synthetic import registry
    from tests.synthetic.frozen import frozen_synthetic

    began = time.perf_counter()
    frozen = frozen_synthetic(root, registry(events=events, sites=120))
    say(f"{events} events made and frozen: {time.perf_counter() - began:.0f} s")
    manifest = frozen.store.manifest
    frozen.store._engine.close()  # DuckDB would go on with the file that is replaced
    if times > 1:
        sizes = {table: getattr(manifest, table) for table in OWN}
        multiplied(root / manifest.snapshot_id, times, sizes)
    return frozen


@contextmanager
def cluster(folder: Path, *, cores: int, memory: int) -> Iterator[Any]:
    """A master and a worker of all cores."""
    from tests.spark_cluster import a_running_cluster

    defaults = DEFAULTS.format(cores=cores, memory=memory)
    with a_running_cluster(
        folder, workers=1, cores=cores, memory=memory + 200, defaults=defaults
    ) as running:
        yield running


class Comparing:
    """An engine whose every answer is held to another's, outside the time that is measured."""

    def __init__(self, engine: Any, other: Any) -> None:
        self._engine, self._other = engine, other
        self.statements = 0

    def run(self, text: str, parameters: Sequence[Any]) -> Any:
        """Answer one statement by both; ends the run where they differ."""
        from tests.snapshot.test_spark import lines_of

        found, other = self._engine.run(text, parameters), self._other.run(text, parameters)
        if lines_of(found) != lines_of(other):
            raise SystemExit(f"The engines differ: {text} {parameters}")
        self.statements += 1
        return found


def asking(frozen: Any, question: Question, engine: Any) -> Callable[[], object]:
    """The exact answer to a question, on one engine."""
    from registry.filters import parse_query
    from registry.records import Viewer
    from registry.reporting import answering
    from registry.snapshot.store import Store

    store = Store(engine, frozen.store.manifest)
    query = parse_query(question.params, measure=question.measure)
    of = replace(frozen, store=store)
    viewer = Viewer(exact_everywhere=True, label="bench")
    return lambda: answering.exact_answer(query, question.measure, of, viewer=viewer, anew=True)


def peak_of(process: int) -> float:
    """The most memory that a process and its children had, in megabytes, as Linux keeps it."""
    place = Path("/proc") / str(process)
    _, _, peak = (place / "status").read_text().partition("VmHWM:")  # none where it has ended
    own = int(peak.split()[0]) / 1024 if peak else 0.0
    children = [each for of in place.glob("task/*/children") for each in of.read_text().split()]
    return own + sum(peak_of(int(child)) for child in children)


def main(words: Sequence[str] | None = None) -> None:
    """Make a registry; compare, measure, and print."""
    parser = argparse.ArgumentParser(prog="make bench-engines BENCH=...", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to make")
    parser.add_argument("--times", type=int, default=1, help="how many copies of them")
    parser.add_argument("--runs", type=int, default=5, help="runs of each question")
    every = [question.number for question in QUESTIONS]
    parser.add_argument("--only", type=int, nargs="+", choices=every, default=every)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="of the worker")
    parser.add_argument("--memory", type=int, default=2000, help="MB of the worker's executor")
    options = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "REGISTRY_VAR": str(folder)}
    try:
        measure(folder, options)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Compare and measure, and print the table."""
    import django

    django.setup()
    from django.core.management import call_command

    from registry.intake import make_site
    from registry.snapshot.engine import DuckDB
    from registry.snapshot.freeze import DATABASE
    from registry.snapshot.spark import Application, Spark

    for command in ("make_keys", "migrate", "load_catalogue"):
        call_command(command, verbosity=0)
    frozen = made(folder / "snapshots", options.events, options.times)
    for code, country in frozen.store.manifest.terms.sites.items():
        make_site(code=code, name=code, country=country, by=None)  # questions may name it
    files = folder / "snapshots" / frozen.snapshot_id
    (folder / "spark").mkdir()
    rows = options.events * options.times
    duck = DuckDB(files / DATABASE, rows=rows)
    with cluster(folder / "spark", cores=options.cores, memory=options.memory) as running:
        application = Application(running.master)
        spark = Spark(files, application=application, keyed=True, seconds=3600)
        began = time.perf_counter()
        spark.run("SELECT count(*) AS n FROM events", [])
        joined = time.perf_counter() - began
        taken: dict[int, tuple[Timed, Timed, int]] = {}
        for question in (each for each in QUESTIONS if each.number in options.only):
            both = Comparing(spark, duck)
            asking(frozen, question, both)()
            times = [
                timed(asking(frozen, question, engine), options.runs) for engine in (duck, spark)
            ]
            taken[question.number] = (times[0], times[1], both.statements)
            say(f"{question.number}: {times[0].median:.0f} ms, {times[1].median:.0f} ms")
        java = application.context()._gateway.proc.pid
        memory = {
            "this process, with DuckDB": peak_of(os.getpid()) - peak_of(java),
            "Spark's driver": peak_of(java),
            "the worker and its executor": sum(peak_of(each.pid) for each in running.workers),
        }
        application.end()
    print(written(rows, frozen.store.manifest, options, taken, joined, memory))


def written(
    rows: int,
    manifest: Any,
    options: argparse.Namespace,
    taken: Mapping[int, tuple[Timed, Timed, int]],
    joined: float,
    memory: Mapping[str, float],
) -> str:
    """The table in Markdown; medians in milliseconds."""
    about = machine()
    lines = [
        f"{rows:,} events, {manifest.implants * options.times:,} implants; "
        f"{about['processors']} processors ({about['processor']}), load {about['load']:.1f}, "
        f"{about['at']}; {options.cores} cores and {options.memory:,} MB for Spark; milliseconds.",
        "",
        "| question | statements | DuckDB | Spark | Spark / DuckDB | sums |",
        "|---|---|---|---|---|---|",
    ]
    for question in (each for each in QUESTIONS if each.number in taken):
        duck, spark, statements = taken[question.number]
        lines.append(
            f"| {question.number} {question.title} | {statements} | {duck.median:,.0f} | "
            f"{spark.median:,.0f} | {spark.over(duck):.0f} | equal |"
        )
    told = ", ".join(f"{name} {peak:,.0f} MB" for name, peak in memory.items())
    lines += [
        "",
        f"- to join the cluster and answer once: {joined:.1f} s",
        f"- peak memory: {told}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

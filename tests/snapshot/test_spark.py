"""Spark gives the sums that DuckDB gives, on a real cluster, and words where it cannot."""

import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from django.core.cache import cache

from registry.filters import parse_query
from registry.records import EngineAway, EventQuery, Refusal
from registry.reporting import answer
from registry.reporting.answering import protected_answer
from registry.reporting.asking import freshness
from registry.reporting.asking.freshness import Frozen
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected.truths import truths_of
from registry.snapshot import engines, shelf
from registry.snapshot.engine import Arrays, DuckDB, Value
from registry.snapshot.freeze import DATABASE, freeze_rows
from registry.snapshot.manifest import Manifest
from registry.snapshot.spark import Application, Spark, answers
from registry.synthetic import registry
from registry.vocabulary import Measure
from tests.questions import CODES, EXACT, PROTECTED
from tests.reporting import test_oracle_curves, test_oracle_truths
from tests.reporting.test_oracle import COUNTING, Questions, World, imported
from tests.snapshot.rows import event, implant, shipped_terms
from tests.spark_cluster import SparkCluster, a_running_cluster
from tests.synthetic.frozen import frozen_synthetic

QUESTIONS = int(os.environ.get("REGISTRY_SPARK_QUESTIONS", "1"))
"""Random questions of each kind for each registry; `make soak-spark` asks more."""

SEEDS = range(int(os.environ.get("REGISTRY_SPARK_SEEDS", "1")))
IS_SOAK = "REGISTRY_SPARK_SEEDS" in os.environ
AT_ONCE = 3
"""Statements that are run side by side, as threads of a web process do."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master and two workers, and no application on them afterwards."""
    with a_running_cluster(tmp_path_factory.mktemp("spark"), workers=2) as running:
        yield running
        engines.application(running.master).end()


@pytest.fixture
def _own_snapshots(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
    shelf.forget_open()
    yield
    shelf.forget_open()


Statement = tuple[str, tuple[Value, ...]]


class RecordingDuckDB(DuckDB):
    """DuckDB, which keeps each different statement with its answer."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / DATABASE, rows=0)
        self.kept: dict[Statement, Arrays] = {}

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement, once."""
        statement = (text, tuple(parameters))
        if statement not in self.kept:
            self.kept[statement] = super().run(text, parameters)
        return self.kept[statement]


def lines_of(found: Arrays) -> tuple[list[str], Counter[tuple[Any, ...]]]:
    """The lines of an answer in no order: engines give them in any."""
    names = sorted(found)
    columns = [np.ma.filled(np.ma.asarray(found[name]).astype(object), None) for name in names]
    return names, Counter(zip(*(column.tolist() for column in columns), strict=True))


def ask_everything(world: World, frozen: Frozen, seed: int) -> set[str]:
    """Ask each measure, exact and protected, and random questions; gives what was answered."""
    answered = set()
    for kind, questions in (("exact", EXACT), ("protected", PROTECTED)):
        for label, text in questions.items():
            measure = Measure(CODES[label])
            query = parse_query(dict(parse_qsl(text)), measure=measure)
            if kind == "exact":
                answer(query, measure=measure, viewer=world.viewer)
            else:
                protected_answer(query, measure, frozen)
            answered.add(f"{kind} {label}")
    dice = Random(seed)
    random = Questions(world.oracle, dice)
    for _ in range(QUESTIONS):
        drawn = [(measure, random.draw(measure)) for measure in COUNTING]
        curve = test_oracle_curves.drawn_question(random, dice)
        curves = (Measure.SURVIVAL, Measure.INCIDENCE, Measure.BURDEN)
        for measure, params in [*drawn, *((measure, curve) for measure in curves)]:
            try:
                query = parse_query(params, measure=measure)
                answer(query, measure=measure, viewer=world.viewer)
            except Refusal:
                continue  # the oracle's tests hold which are
    trees = trees_of(
        frozen.store.manifest.terms, data_as_of=frozen.data_as_of, policy=test_oracle_truths.POLICY
    )
    for form, counting in test_oracle_truths.FORMS:
        nodes = [test_oracle_truths.drawn_node(random, trees, dice) for _ in range(QUESTIONS)]
        truths_of(nodes, store=frozen.store, trees=trees, form=form, counting=counting)
    return answered


def one_of_each_form(statements: Iterable[Statement]) -> dict[str, Statement]:
    """One of all statements that differ in nothing but conditions on one column, and in numbers."""
    return {form_of(text): (text, values) for text, values in statements}


def form_of(text: str) -> str:
    held = r"BETWEEN \? AND \?|= \?|IN \([?, ]+\)|IS NULL|IS NOT NULL"
    text = re.sub(rf"\b[a-z]\w*\.\w+ ({held})", "C", text)
    text = re.sub(r"(NOT )?\(C( OR C)*\)", "C", text)
    text = re.sub(r"C( AND C)+", "C", text)
    return re.sub(r"\d+", "0", re.sub(r"VALUES .*?\) AS", "VALUES R) AS", text))


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_snapshots")
@pytest.mark.parametrize("seed", SEEDS)
def test_sums_of_every_measure_are_those_of_duckdb_to_the_last_digit(
    seed: int, cluster: SparkCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorders: list[RecordingDuckDB] = []

    def opened(folder: Path, manifest: Manifest) -> RecordingDuckDB:
        recorders.append(RecordingDuckDB(folder))
        return recorders[-1]

    monkeypatch.setattr(engines, "opened", opened)
    world = imported(seed)
    frozen = freshness.current()
    answered = ask_everything(world, frozen, seed)
    (recorder,) = recorders
    spark = Spark(
        freshness.root() / frozen.snapshot_id,
        application=engines.application(cluster.master),
        keyed=True,
        seconds=120,
    )

    def differs(statement: Statement) -> str:
        text, values = statement
        told, expected = (
            lines_of(found) for found in (spark.run(text, values), recorder.kept[statement])
        )
        return "" if told == expected else f"{text} {values}: told {told}, found {expected}"

    chosen = list(recorder.kept) if IS_SOAK else list(one_of_each_form(recorder.kept).values())
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = [each for each in threads.map(differs, chosen) if each]

    assert not found, "\n".join([f"{len(found)} of {len(chosen)} differ:", *found[:5]])
    assert answered == {f"exact {name}" for name in EXACT} | {f"protected {n}" for n in PROTECTED}
    assert len(chosen) > 100


@pytest.mark.usefixtures("_own_snapshots")
def test_configured_cluster_gives_the_answer_of_duckdb(
    cluster: SparkCluster, tmp_path: Path, settings: Any
) -> None:
    frozen = frozen_synthetic(tmp_path / "snapshots", registry(events=1500, sites=6, seed=2))
    query = EventQuery(group_by=("sex",))
    expected = protected_answer(query, Measure.COUNTS, frozen)
    settings.REGISTRY_ENGINE = cluster.master
    shelf.forget_open()
    cache.clear()
    store = shelf.open_store(tmp_path / "snapshots", frozen.snapshot_id)

    told = protected_answer(query, Measure.COUNTS, replace(frozen, store=store))

    assert isinstance(store._engine, Spark)
    assert told == expected
    assert any(row["status"] == "ok" for row in told.rows)


@pytest.fixture
def spark(tmp_path: Path, cluster: SparkCluster) -> Spark:
    """A few rows on the cluster; a statement may take a minute."""
    return spark_of(tmp_path, cluster.master, seconds=60)


def spark_of(root: Path, master: str, *, seconds: int) -> Spark:
    manifest = freeze_rows(
        root,
        events=[event(f"e{number}", on=f"i{number}") for number in range(ROWS)],
        implants=[implant(f"i{number}") for number in range(ROWS)],
        exposures=(),
        terms=shipped_terms(),
    )
    application = engines.application(master)
    return Spark(root / manifest.snapshot_id, application=application, keyed=False, seconds=seconds)


ROWS = 150
COUNTED = "SELECT count(*) AS n FROM implants"
LONG = (
    "SELECT count(*) AS n FROM (SELECT /*+ REPARTITION(8) */ event_no FROM events) a"
    " JOIN events b ON a.event_no <> b.device_no JOIN events c ON b.event_no <> c.device_no"
    " WHERE (a.event_no * b.event_no + c.event_no) % 7 = ?"
)
"""3 million lines to look at, in eight parts: seconds."""


def test_spark_gives_an_array_per_column_masked_where_nothing_is_recorded(spark: Spark) -> None:
    found = spark.run(
        "SELECT device_no AS n, nullif(device_no, ?) AS other, device_no > ? AS later, "
        "count(*) / 2 AS half FROM implants WHERE device_no < 2 GROUP BY device_no ORDER BY n",
        [0, 0],
    )

    assert {name: values.tolist() for name, values in found.items()} == {
        "n": [0, 1],
        "other": [None, 1],
        "later": [False, True],
        "half": [0.5, 0.5],
    }
    assert np.ma.getmaskarray(found["other"]).tolist() == [True, False]
    assert not isinstance(found["n"], np.ma.MaskedArray)


def test_spark_refuses_a_sum_that_does_not_fit(spark: Spark) -> None:
    from pyspark.errors import ArithmeticException

    with pytest.raises(ArithmeticException):
        spark.run("SELECT sum(device_no + ?) AS n FROM implants", [2**62])


def test_spark_reads_the_snapshot_that_it_was_opened_on(
    spark: Spark, tmp_path: Path, cluster: SparkCluster
) -> None:
    other = freeze_rows(
        tmp_path, events=(), implants=[implant("i")], exposures=(), terms=shipped_terms()
    )
    application = engines.application(cluster.master)
    newer = Spark(tmp_path / other.snapshot_id, application=application, keyed=False, seconds=60)

    told = [each.run(COUNTED, [])["n"].tolist() for each in (spark, newer, spark)]

    assert told == [[ROWS], [1], [ROWS]]


def test_files_that_a_machine_does_not_find_are_told(spark: Spark) -> None:
    spark.run(COUNTED, [])
    (spark._folder / "implants.parquet").unlink()

    with pytest.raises(EngineAway) as refusal:
        spark.run("SELECT sum(device_no) AS n FROM implants", [])

    assert refusal.value.faults[0].code == "lost"


def test_question_is_answered_although_a_worker_dies_and_words_tell_when_none_is_left(
    tmp_path: Path, cluster: SparkCluster
) -> None:
    """Part of one story, since each machine takes seconds to start."""
    spark, hasty = (spark_of(tmp_path, cluster.master, seconds=each) for each in (60, 4))
    expected = DuckDB(spark._folder / DATABASE, rows=ROWS).run(without_hints(LONG), [3])

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(spark.run, LONG, [3])
        wait_for_tasks(spark, asked)
        cluster.lose_worker()
        told = asked.result()
    cluster.lose_worker()
    with pytest.raises(EngineAway) as refusal:
        hasty.run(COUNTED, [])
    was_failing = engines.application(cluster.master).is_failing()
    cluster.add_worker()

    assert told["n"].tolist() == expected["n"].tolist()
    assert refusal.value.faults[0].code == "no-answer-in-time"
    assert was_failing
    assert spark.run(COUNTED, [])["n"].tolist() == [ROWS]
    assert not engines.application(cluster.master).is_failing()
    cluster.add_worker()


def without_hints(text: str) -> str:
    return text.replace("/*+ REPARTITION(8) */", "")


def wait_for_tasks(spark: Spark, asked: Future[Any]) -> None:
    """Wait until machines work on a statement that was asked for."""
    until = time.monotonic() + 180
    while time.monotonic() < until and not asked.done():
        tracker = spark._application.context().statusTracker()
        stages = map(tracker.getStageInfo, tracker.getActiveStageIds())
        if any(stage and stage.numActiveTasks and stage.numTasks == 8 for stage in stages):
            return
        time.sleep(0.05)
    raise AssertionError(f"Nothing was begun: {asked}")


def test_process_goes_on_after_its_java_was_killed(spark: Spark) -> None:
    spark.run(COUNTED, [])
    java = spark._application.context()._gateway.proc

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(spark.run, LONG, [3])
        wait_for_tasks(spark, asked)
        java.kill()
        with pytest.raises(EngineAway) as refusal:
            asked.result()

    assert refusal.value.faults[0].code == "lost"
    assert spark.run(COUNTED, [])["n"].tolist() == [ROWS]


def test_master_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    application = Application(f"spark://127.0.0.1:{NOBODY}")
    spark = Spark(tmp_path, application=application, keyed=False, seconds=60)

    with pytest.raises(EngineAway) as refusal:
        spark.run(COUNTED, [])

    assert refusal.value.faults[0].code == "away"
    assert application.is_failing()


NOBODY = 1
"""A port at which nobody answers."""


def test_any_of_several_masters_will_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as standby:
        port = standby.getsockname()[1]

        assert answers(f"spark://127.0.0.1:{NOBODY},127.0.0.1:{port}")

    assert not answers(f"spark://127.0.0.1:{NOBODY},127.0.0.1:{port}")

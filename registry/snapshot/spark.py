"""Spark over the Parquet files of a snapshot, for registries that outgrow one machine.

A process is one application on the cluster, whatever snapshots it has open; it is connected at its
first question. Memory, cores, addresses and secrets are Spark's own settings: `spark-defaults.conf`
in SPARK_CONF_DIR (docs/scaling.md).
"""

import logging
import socket
import subprocess
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import EngineAway, Fault
from registry.snapshot.engine import Arrays, Value
from registry.snapshot.schema import TABLES, Kind, columns_of

logger = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 2
"""How long a master may take to accept a connection."""

SECONDS_TO_END = 10
"""How long Java may take to end."""

SECONDS_KEPT_IN_MIND = 30
"""How long a process says that it cannot be answered, after a statement that was not."""

ALWAYS = {
    "spark.app.name": "pump-registry",
    "spark.ui.enabled": "false",  # it would show what is asked, to anybody
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "true",  # a sum that does not fit is an error and no other number
}
UNLESS_SET = {
    "spark.cores.max": "2",  # without it the first process takes every core of the cluster
    "spark.sql.shuffle.partitions": "16",
    "spark.log.level": "ERROR",
}
"""Where `spark-defaults.conf` says nothing."""

MOST_OF_A_LINE = 300
"""Characters of an error that are logged: what Java says goes on for pages."""

_TYPES = {Kind.CODE: "SMALLINT", Kind.NUMBER: "INT", Kind.BITS: "BIGINT", Kind.FLAG: "BOOLEAN"}
_ARRAYS = {"boolean": np.bool_, "double": np.float64, "float": np.float64}

SAID = {
    "away": "The cluster that answers statistics does not answer. Ask again in a while.",
    "no-answer-in-time": (
        "The cluster that answers statistics took too long. Ask again in a while, or ask less."
    ),
    "lost": "The cluster that answers statistics lost this question. Ask again.",
}
"""What a reader is told; why stands in the log alone."""


class Application:
    """This process on a cluster; opened anew where the cluster, or Spark's own process, was lost.

    master: `spark://host:port`, or several hosts with their ports, comma-separated.
    """

    def __init__(self, master: str) -> None:
        self.master = master
        self._context: Any = None
        self._lock = Lock()
        self._groups = count(1)
        self._failed_at = float("-inf")

    def context(self) -> Any:
        """The connection; raises EngineAway where no master answers."""
        with self._lock:
            if self._context is not None and not _is_stopped(self._context):
                return self._context
            if not answers(self.master):
                raise self.refusal("away", "No master answers.")
            try:
                _forget()
                self._context = _connected(self.master)
            except Exception as error:  # no pyspark, no Java, other versions, a wrong secret
                raise self.refusal("away", _first_line(error)) from error
            return self._context

    def end(self) -> None:
        """Leave the cluster; another question joins it again."""
        with self._lock:
            self._context = None
            _forget()

    def is_failing(self) -> bool:
        """Whether no master answers, or the last statement failed a moment ago."""
        recently = time.monotonic() - self._failed_at < SECONDS_KEPT_IN_MIND
        return recently or not answers(self.master)

    def run(self, session: Any, text: str, parameters: Sequence[Value], *, seconds: int) -> Arrays:
        """Answer one statement, or cancel it after so many seconds; raises EngineAway."""
        from py4j.protocol import Py4JError
        from pyspark.errors import AnalysisException, ArithmeticException, PySparkException

        context, group = session.sparkContext, f"registry-{next(self._groups)}"
        late = Timer(seconds, _cancel, (context, group))
        began = time.monotonic()
        try:
            context.setJobGroup(group, "statistics", interruptOnCancel=True)
            late.start()
            found = session.sql(text, args=list(parameters))
            arrays = _arrays(found.schema, found.collect())
        except (AnalysisException, ArithmeticException):
            raise  # the statement's own fault, whatever engine it runs on
        except (Py4JError, PySparkException, OSError) as error:
            code = "lost" if time.monotonic() - began < seconds else "no-answer-in-time"
            raise self.refusal(code, _first_line(error)) from error
        finally:
            late.cancel()
        self._failed_at = float("-inf")
        return arrays

    def refusal(self, code: str, why: str) -> EngineAway:
        """The refusal of a question; the log has why."""
        self._failed_at = time.monotonic()
        logger.error("Not answered by %s: %s", self.master, why)
        return EngineAway(Fault("", code, SAID[code]))


class Spark:
    """One snapshot's Parquet files, which every machine of the cluster finds at the same path.

    keyed: whether implants carry record keys. seconds: how long a statement may take.
    """

    def __init__(
        self, folder: Path, *, application: Application, keyed: bool, seconds: int
    ) -> None:
        self._folder, self._application = folder, application
        self._keyed, self._seconds = keyed, seconds
        self._session: Any = None
        self._lock = Lock()

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement: an array per column, masked where the column has NULLs.

        Raises EngineAway where the cluster does not answer, or not in time.
        """
        try:
            session = self._opened()
        except EngineAway:
            raise
        except Exception as error:  # whatever it is, nothing was asked yet
            raise self._application.refusal("lost", _first_line(error)) from error
        return self._application.run(session, text, parameters, seconds=self._seconds)

    def close(self) -> None:
        """Let go of the files; the application stays."""
        with self._lock:
            self._session = None

    def _opened(self) -> Any:
        """A session with the three tables of this snapshot, and none of another."""
        context = self._application.context()  # says it where there is no pyspark

        from pyspark.sql import SparkSession

        with self._lock:
            if self._session is None or self._session.sparkContext is not context:
                session = SparkSession(context).newSession()
                session.conf.set("spark.sql.broadcastTimeout", self._seconds)
                for table in TABLES:
                    columns = columns_of(table, keyed=self._keyed)
                    schema = ", ".join(f"{each.name} {_TYPES[each.kind]}" for each in columns)
                    path = (self._folder / f"{table}.parquet").absolute().as_uri()
                    session.read.schema(schema).parquet(path).createOrReplaceTempView(table)
                self._session = session
            return self._session


def answers(master: str) -> bool:
    """Whether any of the masters accepts a connection."""
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER):
                return True
        except OSError:
            continue
    return False


def _connected(master: str) -> Any:
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()  # starts Java, which reads spark-defaults.conf
    conf = SparkConf().setMaster(master)
    for name, value in UNLESS_SET.items():
        conf.setIfMissing(name, value)
    for name, value in ALWAYS.items():
        conf.set(name, value)
    return SparkContext(conf=conf)


def _is_stopped(context: Any) -> bool:
    """Whether the application ended: Spark stops it where a master removed it."""
    try:
        return context._jsc is None or bool(context._jsc.sc().isStopped())
    except Exception:  # whatever it is, Java does not answer any more
        return True


def _forget() -> None:
    """Let go of an application that ended, and of Java, which may have been killed."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    gateway = SparkContext._gateway
    if gateway is None:
        return
    try:
        if SparkContext._active_spark_context is not None:
            SparkContext._active_spark_context.stop()
    except Exception as error:  # Java is gone, and nothing is left to stop
        logger.info("An application on Spark could not be stopped: %s", type(error).__name__)
    gateway.shutdown()
    java = gateway.proc
    java.stdin.close()  # at which it ends
    try:
        java.wait(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        java.kill()
        java.wait()
    SparkContext._gateway = SparkContext._jvm = None
    SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None


def _cancel(context: Any, group: str) -> None:
    try:
        context.cancelJobGroup(group)
    except Exception as error:  # Java is gone: whoever waits is told that already
        logger.info("A statement could not be cancelled: %s", type(error).__name__)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:MOST_OF_A_LINE]


def _arrays(schema: Any, rows: Sequence[Any]) -> Arrays:
    """The columns of a few rows of sums."""
    found: dict[str, Any] = {}
    for place, field in enumerate(schema.fields):
        dtype = _ARRAYS.get(field.dataType.typeName(), np.int64)
        values = [row[place] for row in rows]
        blank = [value is None for value in values]
        filled: NDArray[Any] = np.array(
            [0 if value is None else value for value in values], dtype=dtype
        )
        found[field.name] = np.ma.array(filled, mask=blank) if any(blank) else filled
    return found

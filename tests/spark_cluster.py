"""A real Spark cluster for tests: a master and workers, each a process on loopback."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS_TO_START = 60
DEFAULTS = """\
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 512m
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.memory 480m
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.shuffle.partitions 1
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
"""
"""Small processes, and no code compiled for a statement over a few hundred rows."""


class SparkCluster:
    """A master, its workers, and the folder of their logs."""

    def __init__(self, folder: Path, *, cores: int, memory: int) -> None:
        self.folder, self._size = folder, ["--cores", f"{cores}", "--memory", f"{memory}m"]
        self._started: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self.process, self.master = self._start(
            "master.Master", ["--host", "127.0.0.1", "--port", "0"], r"master at (spark://\S+)"
        )

    def add_worker(self) -> None:
        """Start a worker, and wait until the master knows it."""
        options = ["--host", "127.0.0.1", *self._size, self.master]
        process, _ = self._start("worker.Worker", options, "(Successfully) registered with master")
        self.workers.append(process)

    def lose_worker(self) -> None:
        """End a worker and what it runs, as a machine does whose plug is pulled."""
        _end(self.workers.pop(0))

    def end(self) -> None:
        """End every process of the cluster."""
        for process in self._started:
            _end(process)

    def _start(
        self, name: str, options: list[str], announced: str
    ) -> tuple[subprocess.Popen[bytes], str]:
        found = find_spec("pyspark")
        assert found is not None
        assert found.origin is not None
        home = Path(found.origin).parent
        log = self.folder / f"{name}-{len(self._started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [
                    *(home / "bin" / "spark-class", f"org.apache.spark.deploy.{name}"),
                    *("--webui-port", "0"),
                    *options,
                ],
                env=os.environ
                | {
                    "SPARK_HOME": str(home),
                    "SPARK_LOCAL_IP": "127.0.0.1",
                    "SPARK_WORKER_DIR": str(self.folder / "work"),
                    "SPARK_DAEMON_MEMORY": "192m",
                    "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                },
                cwd=self.folder,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        until = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < until and process.poll() is None:
            if said := re.search(announced, log.read_text()):
                return process, said[1]
            time.sleep(0.1)
        raise AssertionError(f"{name} did not start:\n{log.read_text()[-2000:]}")


def _log_nothing(_error: object) -> None:
    """What Spark refused is raised; that is enough."""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children: a worker's executors are of its group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def a_running_cluster(
    folder: Path, *, workers: int, cores: int = 1, memory: int = 512, defaults: str = DEFAULTS
) -> Iterator[SparkCluster]:
    """A cluster of so many workers; skips the test where pyspark or Java is missing.

    cores, memory: of each worker, in MB. defaults: what `spark-defaults.conf` says.
    """
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: make spark.")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("There is no Java: Debian has it in openjdk-17-jre-headless.")
    conf = folder / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(defaults)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(conf))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.delenv("SPARK_HOME", raising=False)
        # Its logger gives every handler that pytest adds to it, thus those of all later tests, a
        # format of its own.
        patch.setattr("pyspark.errors.PySparkException._log_exception", _log_nothing)
        cluster = SparkCluster(folder, cores=cores, memory=memory)
        try:
            for _ in range(workers):
                cluster.add_worker()
            yield cluster
        finally:
            cluster.end()

"""Which engine sums over snapshots: DuckDB in this process, or Spark on a cluster."""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which

from django.conf import settings

from registry.snapshot.engine import DuckDB, Engine
from registry.snapshot.freeze import DATABASE
from registry.snapshot.manifest import Manifest
from registry.snapshot.spark import Application, Spark

DUCKDB = "duckdb"


@dataclass(frozen=True, slots=True)
class EngineFault:
    """Why no statement can be run on the engine that is configured, and what to do."""

    message: str
    hint: str


PYSPARK_MISSING = EngineFault(
    "REGISTRY_ENGINE names a Spark cluster, and pyspark is not installed.",
    "Install requirements-spark.txt, or leave REGISTRY_ENGINE out; see docs/scaling.md.",
)
JAVA_MISSING = EngineFault(
    "REGISTRY_ENGINE names a Spark cluster, and there is no Java for Spark to run on.",
    "Install Java (Debian: openjdk-17-jre-headless), or set JAVA_HOME; see docs/scaling.md.",
)


def opened(folder: Path, manifest: Manifest) -> Engine:
    """The engine of one snapshot whose files were checked; nothing is asked of a cluster yet."""
    if settings.REGISTRY_ENGINE == DUCKDB:
        rows = max(manifest.events, manifest.implants, manifest.exposures)
        return DuckDB(folder / DATABASE, rows=rows, threads=settings.REGISTRY_THREADS)
    return Spark(
        folder,
        application=application(settings.REGISTRY_ENGINE),
        keyed=bool(manifest.keys),
        seconds=settings.REGISTRY_ENGINE_SECONDS,
    )


@lru_cache(maxsize=1)
def application(master: str) -> Application:
    """This process on the cluster of a master."""
    return Application(master)


def engine_fault() -> EngineFault | None:
    """What the configured engine lacks on this machine; asks no cluster."""
    if settings.REGISTRY_ENGINE == DUCKDB:
        return None
    if find_spec("pyspark") is None:
        return PYSPARK_MISSING
    return None if os.environ.get("JAVA_HOME") or which("java") else JAVA_MISSING


def is_failing() -> bool:
    """Whether the engine does not answer: no master, or none of its machines a moment ago."""
    if settings.REGISTRY_ENGINE == DUCKDB:
        return False
    return engine_fault() is not None or application(settings.REGISTRY_ENGINE).is_failing()

"""What runs the store's statements, and DuckDB, which does unless another is configured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import duckdb
from numpy.typing import NDArray

Value = str | int | float | bool
Arrays = Mapping[str, NDArray]  # type: ignore[type-arg]  # one array per column, of its own type
ROWS_FOR_TWO = 122_881
"""More than one row group of DuckDB's, which one thread reads, however many there are."""


class Engine(Protocol):
    """Whatever runs a portable SELECT over one snapshot."""

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement: an array per column, masked where the column has NULLs."""

    def close(self) -> None:
        """Let go of the snapshot's files."""


class DuckDB:
    """One snapshot's DuckDB file, opened read-only; many threads and processes may share it.

    A snapshot swapped in later changes nothing here: the file that was opened stays readable. An
    error inside DuckDB leaves its connection unusable: it is opened anew, so that one statement
    that it cannot run is the only one that fails.

    rows: how many its longest table has. Sharing out work that one thread does takes up to twice
    the processor time, and the other threads wait for nothing. threads: how many share out what is
    longer; 0 for DuckDB's own choice, one to each processor.
    """

    def __init__(self, path: Path, *, rows: int, threads: int = 0) -> None:
        self._path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false"
        }
        if rows < ROWS_FOR_TWO:
            threads = 1
        if threads:
            self._config["threads"] = str(threads)
        if threads == 1:
            self._config["async_threads"] = "0"
        self._lock = Lock()
        self._connection = self._connected()

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement: an array per column, masked where the column has NULLs."""
        connection = self._connection
        try:
            return _answer(connection, text, parameters)
        except (duckdb.InternalException, duckdb.FatalException):
            self._reopen(connection)
            raise

    def close(self) -> None:
        """Let go of the file; whoever is still asking fails."""
        with self._lock:
            self._connection.close()

    def _connected(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._path), read_only=True, config=self._config)

    def _reopen(self, broken: duckdb.DuckDBPyConnection) -> None:
        """Open the file anew, once for all threads that met the same broken connection.

        Connections of a process share one database, which goes on being broken until all are
        closed.
        """
        with self._lock:
            if self._connection is broken:
                broken.close()
                self._connection = self._connected()


def _answer(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Sequence[Value]
) -> Arrays:
    with connection.cursor() as cursor:
        return cursor.execute(text, list(parameters)).fetchnumpy()

"""The engine that runs the store's statements; nothing else knows which one it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import duckdb
from numpy.typing import NDArray

Value = str | int | float | bool
Arrays = Mapping[str, NDArray]  # type: ignore[type-arg]  # one array per column, of its own type


class Engine(Protocol):
    """Whatever runs a portable SELECT over one snapshot."""

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement: an array per column, masked where the column has NULLs."""


class DuckDB:
    """One snapshot's DuckDB file, opened read-only; many threads and processes may share it.

    A snapshot swapped in later changes nothing here: the file that was opened stays readable. An
    error inside DuckDB leaves its connection unusable: it is opened anew, so that one statement
    that it cannot run is the only one that fails.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
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

    def _connected(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(
            str(self._path), read_only=True, config={"enable_external_access": "false"}
        )

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

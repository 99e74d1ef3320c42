"""The engine that runs the store's statements; nothing else knows which one it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
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

    A snapshot swapped in later changes nothing here: the file that was opened stays readable.
    """

    def __init__(self, path: Path) -> None:
        self._connection = duckdb.connect(
            str(path), read_only=True, config={"enable_external_access": "false"}
        )

    def run(self, text: str, parameters: Sequence[Value]) -> Arrays:
        """Answer one statement: an array per column, masked where the column has NULLs."""
        with self._connection.cursor() as cursor:
            return cursor.execute(text, list(parameters)).fetchnumpy()

"""What an import has to remember of its rows, on disk: memory does not grow with its files.

Each is a private database of SQLite that no other process can open and that ends with its
connection. It holds de-identified rows alone, and is written to disk, in the folder for temporary
files, only where it outgrows its cache.
"""

import pickle  # nosec B403
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar
from weakref import finalize

K = TypeVar("K", bound=int | str | tuple[int, str])
V = TypeVar("V")

_CACHE_KIB = 8_192


class _OnDisk:
    """A private database with these tables, which is closed when nothing holds it any more."""

    def __init__(self, *tables: str) -> None:
        # A page may hand an import from one thread to the next; two never use it at once.
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        finalize(self, self._rows.close)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._rows.execute(f"PRAGMA {setting}")
        for table in tables:
            self._rows.execute(f"CREATE TABLE {table} WITHOUT ROWID")
        self._rows.execute("BEGIN")  # for ever: statements are not synced one by one


class Shelf(_OnDisk, Generic[K, V]):
    """Values by key: a number, a text, or a site's number with a text. Values are pickled.

    They are read by this process alone.
    """

    def __init__(self) -> None:
        super().__init__("kept (key PRIMARY KEY, value BLOB)")

    def put(self, items: Iterable[tuple[K, V]]) -> None:
        """Keeps values, in place of earlier ones."""
        self._rows.executemany(
            "INSERT OR REPLACE INTO kept VALUES (?, ?)",
            ((_plain(key), pickle.dumps(value)) for key, value in items),
        )

    def find(self, keys: Iterable[K]) -> dict[K, V]:
        """The values of those keys that have one."""
        found: dict[K, V] = {}
        for key in keys:
            for (value,) in self._rows.execute(
                "SELECT value FROM kept WHERE key = ?", (_plain(key),)
            ):
                found[key] = pickle.loads(value)  # noqa: S301  # nosec B301
        return found


class BlockShelf(_OnDisk, Generic[V]):
    """Values in blocks, in the order of their numbers. Values are pickled."""

    def __init__(self) -> None:
        super().__init__(
            "kept (number INTEGER PRIMARY KEY, value BLOB)",
            "blocks (block INTEGER, number INTEGER, PRIMARY KEY (block, number))",
        )

    def keep(self, number: int, value: V, blocks: Iterable[int]) -> None:
        """Keeps a value in these blocks, each of 64 bits; one of this number already stays."""
        kept = self._rows.execute(
            "INSERT OR IGNORE INTO kept VALUES (?, ?)", (number, pickle.dumps(value))
        )
        if kept.rowcount:
            self._rows.executemany(
                "INSERT OR IGNORE INTO blocks VALUES (?, ?)", [(block, number) for block in blocks]
            )

    def near(self, blocks: Iterable[int]) -> Iterator[V]:
        """The values of these blocks, each once, read as they are asked for."""
        wanted = tuple(blocks)
        marks = ", ".join("?" * len(wanted))
        numbers = f"SELECT DISTINCT number FROM blocks WHERE block IN ({marks}) ORDER BY number"  # noqa: S608  # nosec B608
        for (number,) in self._rows.execute(numbers, wanted):
            found = self._rows.execute("SELECT value FROM kept WHERE number = ?", (number,))
            for (value,) in found:
                yield pickle.loads(value)  # noqa: S301  # nosec B301


def _plain(key: int | str | tuple[int, str]) -> int | str:
    return f"{key[0]}/{key[1]}" if isinstance(key, tuple) else key

"""Derives all staged rows in parts of whole patients, so that memory does not grow with them."""

# ruff: noqa: S608 - the text is of this module's own names and numbers

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from registry.snapshot import derive

ROWS_AT_ONCE = 60_000
"""About how many devices, or events of none, are derived at once: few enough for the memory."""


@dataclass(frozen=True, slots=True)
class StagedPart:
    """A choice of staged rows: conditions on implants, and on events."""

    implants: str = "true"
    events: str = "true"


_UNNAMED = """
CREATE TEMP TABLE unnamed AS
SELECT e.event_no FROM staged_events e
WHERE NOT EXISTS (FROM staged_implants i WHERE i.implant = e.implant)
"""


def parts_of(connection: duckdb.DuckDBPyConnection) -> list[StagedPart]:
    """Parts that hold every staged row once; patients, with all of their events, in one each.

    Where there is more than one, events that name no staged device come in parts of their own.
    """
    count = _parts(connection, "staged_implants")
    if count <= 1:
        return [StagedPart()]
    connection.execute(_UNNAMED)
    others = _parts(connection, "unnamed")
    named = "implant IN (SELECT implant FROM raw_implants)"
    unnamed = "event_no IN (SELECT event_no FROM unnamed WHERE event_no % {} = {})"
    return [
        *(StagedPart(f"hash(patient) % {count} = {place}", named) for place in range(count)),
        *(StagedPart("false", unnamed.format(others, place)) for place in range(others)),
    ]


def _parts(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    return -(-int(rows) // ROWS_AT_ONCE)


@contextmanager
def derived(connection: duckdb.DuckDBPyConnection, part: StagedPart) -> Iterator[None]:
    """Derive a part, which is there as long as the context."""
    for table, chosen in (("implants", part.implants), ("events", part.events)):
        connection.execute(
            f"CREATE TEMP TABLE raw_{table} AS SELECT * FROM staged_{table} WHERE {chosen}"
        )
    for statement in derive.IN_ORDER:
        connection.execute(statement)
    yield
    for statement in (*derive.AFTERWARDS, "DROP TABLE raw_events", "DROP TABLE raw_implants"):
        connection.execute(statement)

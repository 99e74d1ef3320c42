"""Derives all staged rows in parts of whole patients, so that memory does not grow with them."""

# ruff: noqa: S608 - the text is of this module's own names and numbers

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from registry.snapshot import derive

DEVICES_AT_ONCE = 100_000
"""About how many devices are derived at once: what is worked out of them fits into the memory."""


@dataclass(frozen=True, slots=True)
class StagedPart:
    """A choice of staged rows: conditions on implants, and on events."""

    implants: str = "true"
    events: str = "true"


def parts_of(connection: duckdb.DuckDBPyConnection) -> list[StagedPart]:
    """Parts that hold every staged row once; patients, with all of their events, in one each.

    Where there is more than one, events that name no staged device make the last.
    """
    (devices,) = connection.execute("SELECT count(*) FROM staged_implants").fetchall()[0]
    count = -(-devices // DEVICES_AT_ONCE)
    if count <= 1:
        return [StagedPart()]
    named = "implant IN (SELECT implant FROM raw_implants)"
    unnamed = "NOT EXISTS (FROM staged_implants i WHERE i.implant = staged_events.implant)"
    return [
        *(StagedPart(f"hash(patient) % {count} = {place}", named) for place in range(count)),
        StagedPart("false", unnamed),
    ]


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

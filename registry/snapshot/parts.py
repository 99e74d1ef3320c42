"""Derives all staged rows in parts of whole patients, so that memory does not grow with them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from registry.snapshot import derive

ROWS_AT_ONCE = 60_000
"""About how many devices, or events of none, are derived at once: few enough for the memory."""


@dataclass(frozen=True, slots=True)
class StagedPart:
    """A choice of staged rows, and of record keys: statements that give them."""

    implants: str = "FROM staged_implants"
    events: str = "FROM staged_events"
    implant_keys: str = "FROM implant_keys"
    patient_keys: str = "FROM patient_keys"


_UNNAMED = """
SELECT count(*) FROM staged_events e
WHERE NOT EXISTS (FROM staged_implants i WHERE i.implant = e.implant)
"""

_BY_PART = {
    "implants": """
SELECT (hash(patient) % {named})::INTEGER AS part, * FROM staged_implants
""",
    "events": """
SELECT coalesce(i.part, {named} + e.event_no % {unnamed})::INTEGER AS part, e.*
FROM staged_events e
LEFT JOIN (SELECT implant, part FROM implants_by_part) i ON i.implant = e.implant
""",
    "implant_keys": """
SELECT i.part, k.*
FROM implant_keys k JOIN (SELECT implant, part FROM implants_by_part) i ON i.implant = k.id
""",
    "patient_keys": """
SELECT (hash(id) % {named})::INTEGER AS part, * FROM patient_keys
""",
}


@contextmanager
def in_parts(
    connection: duckdb.DuckDBPyConnection, *, keyed: bool
) -> Iterator[Sequence[StagedPart]]:
    """Parts that hold every staged row once; patients, with all of their events, in one each.

    Where there is more than one, events that name no staged device come in parts of their own, and
    rows are first put in the order of their parts, so that each part reads little but its own.
    keyed: whether there are record keys.
    """
    named = _parts(connection, "SELECT count(*) FROM staged_implants")
    if named <= 1:
        yield [StagedPart()]
        return
    unnamed = _parts(connection, _UNNAMED)
    tables = [table for table in _BY_PART if keyed or not table.endswith("_keys")]
    for table in tables:
        rows = _BY_PART[table].format(named=named, unnamed=max(unnamed, 1))
        connection.execute(f"CREATE TEMP TABLE {table}_by_part AS {rows} ORDER BY part")
    chosen = "SELECT * EXCLUDE (part) FROM {}_by_part WHERE part = {}"
    yield [
        StagedPart(**{table: chosen.format(table, part) for table in tables})
        for part in range(named + unnamed)
    ]
    for table in tables:
        connection.execute(f"DROP TABLE {table}_by_part")


def _parts(connection: duckdb.DuckDBPyConnection, count: str) -> int:
    (rows,) = connection.execute(count).fetchall()[0]
    return -(-int(rows) // ROWS_AT_ONCE)


@contextmanager
def derived(
    connection: duckdb.DuckDBPyConnection, part: StagedPart, *, keyed: bool
) -> Iterator[None]:
    """Derive a part, which is there as long as the context; keyed: with its record keys."""
    raw = {"TABLE raw_implants": part.implants, "TABLE raw_events": part.events}
    if keyed:
        raw["VIEW raw_implant_keys"] = part.implant_keys
        raw["VIEW raw_patient_keys"] = part.patient_keys
    for name, rows in raw.items():
        connection.execute(f"CREATE TEMP {name} AS {rows}")
    for statement in derive.IN_ORDER:
        connection.execute(statement)
    yield
    for statement in (*derive.AFTERWARDS, *(f"DROP {name}" for name in reversed(raw))):
        connection.execute(statement)

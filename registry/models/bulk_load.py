"""Loads whole tables into an empty database: COPY on PostgreSQL, bulk INSERT on SQLite.

For generated data only: rows written here have no history (see verification.GENERATED).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models

_NULL = r"\N"

_KEYS_AND_UNIQUES = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u')
    ORDER BY contype DESC, conname
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index
    WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    ORDER BY 1
"""

Chunk = Mapping[str, Sequence[Any]]


def load_rows(model: type[models.Model], chunks: Iterable[Chunk]) -> int:
    """Write rows, as stored values by column name; returns how many.

    Each chunk names every column of the table. None is NULL, or empty text in a text column.
    The table's constraints check every row; memory is that of one chunk.
    """
    fields = model._meta.concrete_fields
    if connection.vendor == "postgresql":
        return _copy(model, fields, chunks)
    return _insert(model, fields, chunks)


def drawn_ids(draw: Random, count: int) -> list[str]:
    """Version 4 UUIDs as 32 hexadecimal digits, as both databases take them."""
    digits = draw.randbytes(16 * count).hex()
    variant = "89ab"
    return [
        f"{one[:12]}4{one[13:16]}{variant[int(one[16], 16) & 3]}{one[17:]}"
        for one in (digits[start : start + 32] for start in range(0, 32 * count, 32))
    ]


@contextmanager
def indexes_set_aside(*tables: type[models.Model]) -> Iterator[None]:
    """Drop foreign keys, unique constraints and indexes, and recreate them after loading.

    Recreating them checks all rows, much faster than row by row. In one transaction: an error
    restores everything. On PostgreSQL only; SQLite is fast enough. Also resets the tables' number
    sequences and their statistics.
    """
    if connection.vendor != "postgresql":
        yield
        return
    names = [connection.ops.quote_name(model._meta.db_table) for model in tables]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(_KEYS_AND_UNIQUES, [names])
        constraints = cursor.fetchall()
        cursor.execute(_INDEXES, [names])
        indexes = cursor.fetchall()
        for table, name, _ in constraints:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in constraints:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)
        for name in names:
            cursor.execute(f"ANALYZE {name}")


def _copy(
    model: type[models.Model], fields: Sequence[models.Field[Any, Any]], chunks: Iterable[Chunk]
) -> int:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in fields)
    statement = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    written = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            texts = [_texts(field, chunk[field.attname]) for field in fields]
            lines = list(map("\t".join, zip(*texts, strict=True)))
            if lines:
                copy.write("\n".join(lines) + "\n")
            written += len(lines)
    return written


def _insert(
    model: type[models.Model], fields: Sequence[models.Field[Any, Any]], chunks: Iterable[Chunk]
) -> int:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    # The statement contains table and column names of this project only.
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608  # nosec B608
    written = 0
    with connection.cursor() as cursor:
        for chunk in chunks:
            values = [_values(field, chunk[field.attname]) for field in fields]
            rows = list(zip(*values, strict=True))
            cursor.executemany(statement, rows)
            written += len(rows)
    return written


def _texts(field: models.Field[Any, Any], values: Sequence[Any]) -> list[str]:
    """Values in COPY's text format: codes, keys and numbers, in which nothing needs escaping."""
    blank = "" if _is_text(field) else _NULL
    return [blank if value is None else str(value) for value in values]


def _values(field: models.Field[Any, Any], values: Sequence[Any]) -> Sequence[Any]:
    if not _is_text(field):
        return values
    return ["" if value is None else value for value in values]


def _is_text(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.CharField) and not field.null

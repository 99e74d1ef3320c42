"""Statements on many rows that the ORM cannot express.

Their text contains table and column names of this project only; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models


def update_rows(
    model: type[models.Model], objs: Sequence[models.Model], names: Sequence[str]
) -> None:
    """Write the named fields of up to a few thousand rows; one statement on PostgreSQL.

    `QuerySet.bulk_update` grows with the square of the rows, and on PostgreSQL a statement a row
    spends its time on planning the table's constraints.
    """
    fields: list[Any] = [model._meta.pk, *map(model._meta.get_field, names)]
    rows = [
        [field.get_db_prep_save(getattr(obj, field.attname), connection) for field in fields]
        for obj in objs
    ]
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    key, *columns = [quote(field.column) for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            key_type, *types = [field.rel_db_type(connection) for field in fields]
            changes = ", ".join(
                f"{column} = new.{column}::{type_}"
                for column, type_ in zip(columns, types, strict=True)
            )
            places = f"({', '.join(['%s'] * len(fields))})"
            cursor.execute(
                f"UPDATE {table} SET {changes} "  # noqa: S608  # nosec B608
                f"FROM (VALUES {', '.join([places] * len(rows))}) "
                f"AS new ({', '.join([key, *columns])}) "
                f"WHERE {table}.{key} = new.{key}::{key_type}",
                [value for row in rows for value in row],
            )
        else:
            changes = ", ".join(f"{column} = %s" for column in columns)
            cursor.executemany(
                f"UPDATE {table} SET {changes} WHERE {key} = %s",  # noqa: S608  # nosec B608
                [[*values, key_value] for key_value, *values in rows],
            )


def copy_to_history(
    model: type[models.Model], keys: Sequence[object], stamps: Mapping[str, object]
) -> None:
    """Copy rows from the database into their history table, in one statement.

    stamps: the history table's own columns, the same for all the rows.
    """
    history = model.history.model  # type: ignore[attr-defined]
    own = [history._meta.get_field(name) for name in stamps]
    key: Any = model._meta.pk
    quote = connection.ops.quote_name
    kept = [quote(field.column) for field in history.tracked_fields]
    into = ", ".join([*kept, *(quote(field.column) for field in own)])
    taken = ", ".join([*kept, *["%s"] * len(own)])
    among = ", ".join(["%s"] * len(keys))
    params = [
        *(
            field.get_db_prep_save(value, connection)
            for field, value in zip(own, stamps.values(), strict=True)
        ),
        *(key.get_db_prep_save(value, connection) for value in keys),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(history._meta.db_table)} ({into}) SELECT {taken} "  # noqa: S608  # nosec B608
            f"FROM {quote(model._meta.db_table)} WHERE {quote(key.column)} IN ({among}) "
            f"ORDER BY {quote(key.column)}",
            params,
        )


def distinct_values(model: type[models.Model], name: str) -> list[Any]:
    """The different values of an indexed column that is never NULL, in order.

    Each is the next after the one before, by the index: a DISTINCT reads every row.
    """
    quote = connection.ops.quote_name
    field: Any = model._meta.get_field(name)
    column, table = quote(field.column), quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(v) AS (SELECT min({column}) FROM {table} "  # noqa: S608  # nosec B608
            f"UNION ALL SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.v) "
            "FROM found WHERE found.v IS NOT NULL) SELECT v FROM found WHERE v IS NOT NULL"
        )
        return [value for (value,) in cursor.fetchall()]

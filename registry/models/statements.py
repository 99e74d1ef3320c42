"""Statements that the ORM cannot express, or puts together anew each time.

Their text contains table and column names of this project only; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, connections, models, transaction

from registry.models.lookups import chosen_by


def insert_row(obj: models.Model, *, using: str) -> None:
    """Insert one row and set its key, as `save(force_insert=True)` does, without its signals.

    Takes a third of the time: the statement is put together once. For tables whose database
    numbers their rows.
    """
    database, model = connections[using], type(obj)
    obj._prepare_related_fields_for_save("save")  # type: ignore[attr-defined]
    values = [
        field.get_db_prep_save(getattr(obj, field.attname), database) for field in _written(model)
    ]
    with transaction.mark_for_rollback_on_error(using=using), database.cursor() as cursor:
        cursor.execute(_insertion(model, using), values)
        obj.pk = cursor.fetchone()[0] if database.vendor == "postgresql" else cursor.lastrowid
    obj._state.adding, obj._state.db = False, using


@cache
def _written(model: type[models.Model]) -> Sequence[Any]:
    """The columns of a table but its key."""
    return [field for field in model._meta.concrete_fields if field is not model._meta.pk]


@cache
def _insertion(model: type[models.Model], using: str) -> str:
    database = connections[using]
    quote = database.ops.quote_name
    fields = _written(model)
    key: Any = model._meta.pk
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    returned = f" RETURNING {quote(key.column)}" if database.vendor == "postgresql" else ""
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES ({places}){returned}"  # noqa: S608  # nosec B608


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
    prepared = [key.get_db_prep_save(value, connection) for value in keys]
    among, chosen = chosen_by(quote(key.column), key, prepared, connection)
    params = [
        *(
            field.get_db_prep_save(value, connection)
            for field, value in zip(own, stamps.values(), strict=True)
        ),
        chosen,
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(history._meta.db_table)} ({into}) SELECT {taken} "  # noqa: S608  # nosec B608
            f"FROM {quote(model._meta.db_table)} WHERE {among} "
            f"ORDER BY {quote(key.column)}",
            params,
        )


def plan_anew(model: type[models.Model]) -> None:
    """Have PostgreSQL look at a table, with the rows of this transaction, before its next plans.

    It does so by itself a minute after a commit. SQLite plans by its indexes alone.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def first_column(make: Callable[[int], models.QuerySet], key: int) -> list[Any]:
    """The first column of a query by one key, which the ORM puts together once in a process.

    For what every request asks: to put a query together takes several times as long as to ask it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_put_together(make), [key])
        return [row[0] for row in cursor.fetchall()]


@cache
def _put_together(make: Callable[[int], models.QuerySet]) -> str:
    text, values = make(0).query.sql_with_params()
    if values != (0,):
        raise ValueError("The query has other parameters than its key.")
    return str(text)


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

"""Which tables a backup holds, at which migrations, and their rows as lines that no engine owns.

A table is known by the models of the migrations that the database has, not by those of the code:
so a database is backed up before it is upgraded, and a backup of an older version is restored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import F
from django.db.models.functions import Collate

from registry.backup.refusals import UnusableBackup
from registry.models.fields import CodeSetField

KEPT_OUT = frozenset(
    {
        "django_session",
        "axes_accessattempt",
        "axes_accessattemptexpiration",
        "axes_accessfailurelog",
        "axes_accesslog",
    }
)
"""Sessions would be signed in again, and lock-outs hold addresses of people; both pass by."""

MADE_BY_MIGRATE = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "auth_group",
        "auth_group_permissions",
    }
)
"""Tables that hold rows as soon as there are tables at all."""

Migration = tuple[str, str]
Model = type[models.Model]

_AT_A_TIME = 2000
_BY_BYTES = {"sqlite": "BINARY", "postgresql": "C"}
_AS_JSON = frozenset({str, int, bool, float, type(None)})
_PLAIN = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)


def applied_migrations() -> list[Migration]:
    """The migrations that the database has; raises UnusableBackup where the code lacks one."""
    loader = MigrationLoader(connection)
    return sorted(known(loader, loader.applied_migrations))


def known(loader: MigrationLoader, migrations: Iterable[Migration]) -> list[Migration]:
    """These migrations, of which the code must have each.

    Raises UnusableBackup where it is older than they are.
    """
    found = [each for each in migrations if each[0] in loader.migrated_apps]
    missing = [each for each in found if each not in loader.graph.nodes]
    if missing:
        app, name = min(missing)
        raise UnusableBackup(
            f"This is of a newer version of the registry: migration {name} of {app} is not known "
            "here. Install that version first."
        )
    return found


def leaves(loader: MigrationLoader, migrations: Iterable[Migration]) -> list[Migration]:
    """The last of these migrations of each application."""
    held = set(migrations)
    nodes = loader.graph.node_map
    return sorted(
        each
        for each in held
        if not any(child.key[0] == each[0] and child.key in held for child in nodes[each].children)
    )


def tables_at(loader: MigrationLoader, migrations: Sequence[Migration]) -> dict[str, Model]:
    """The model of each table that a backup holds, by the table's name, as of these migrations."""
    state = loader.project_state(leaves(loader, migrations))
    found = {
        model._meta.db_table: model
        for model in state.apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    }
    return {name: found[name] for name in sorted(found.keys() - KEPT_OUT)}


def columns_of(model: Model) -> list[str]:
    """The columns of a table, in the order in which lines hold them."""
    return [str(field.column) for field in model._meta.concrete_fields]


def lines_of(model: Model) -> Iterator[str]:
    """Each row as a line of JSON, in the order of the primary keys, whichever the database.

    Memory is that of some thousand rows. One query.
    """
    fields = model._meta.concrete_fields
    writers = [_written(field) for field in fields]
    key: Any = model._meta.pk
    order = Collate(key.attname, _BY_BYTES[connection.vendor]) if _is_text(key) else F("pk")
    rows = model._base_manager.order_by(order).values_list(*(field.attname for field in fields))
    for row in rows.iterator(chunk_size=_AT_A_TIME):
        values = [write(value) for write, value in zip(writers, row, strict=True)]
        yield json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def _is_text(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.CharField)


def load_lines(model: Model, columns: Sequence[str], lines: Iterable[str]) -> int:
    """Write rows as they are, without history, and say how many; the tables' rules hold them.

    columns: what each line holds. Memory is that of some thousand rows. Raises UnusableBackup
    where the columns are not those of the table.
    """
    fields = {str(field.column): field for field in model._meta.concrete_fields}
    if sorted(columns) != sorted(fields):
        raise UnusableBackup(f"The columns of {model._meta.db_table} are not those of its version.")
    readers = [_stored(fields[column]) for column in columns]
    quote = connection.ops.quote_name
    table, names = quote(model._meta.db_table), ", ".join(map(quote, columns))
    written = 0
    stream = iter(lines)
    while chunk := list(islice(stream, _AT_A_TIME)):
        rows = [
            [stored(value) for stored, value in zip(readers, json.loads(line), strict=True)]
            for line in chunk
        ]
        # The statement contains table and column names of this project only.
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with (
                    connection.wrap_database_errors,
                    cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
                ):
                    for row in rows:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(columns))
                cursor.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608  # nosec B608
                    rows,
                )
        written += len(rows)
    return written


def _written(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    if isinstance(field, models.JSONField):
        return _as_it_is
    if isinstance(field, CodeSetField):
        return field.get_prep_value
    return _as_json


def _as_it_is(value: Any) -> Any:
    return value


def _as_json(value: Any) -> Any:
    """A value as JSON has it: instants in UTC, the rest as text."""
    if type(value) in _AS_JSON:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"No way to write a {type(value).__name__} into a backup is known.")


def _stored(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """How the database takes a value of JSON."""
    if isinstance(field, models.JSONField):
        return partial(_stored_json, field)
    if isinstance(field, _PLAIN) and not isinstance(field, CodeSetField):
        return _as_it_is
    return partial(_prepared, field)


def _stored_json(field: models.JSONField, value: Any) -> Any:
    if value is None and field.null:
        return None
    return connection.ops.adapt_json_value(value, field.encoder)


def _prepared(field: models.Field[Any, Any], value: Any) -> Any:
    return field.get_db_prep_save(value, connection)

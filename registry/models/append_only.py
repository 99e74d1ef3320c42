"""Triggers that keep history tables and seals append-only, in the database itself.

They refuse UPDATE and DELETE, and TRUNCATE on PostgreSQL; on SQLite also an INSERT OR REPLACE,
which would delete without a DELETE trigger. Both databases raise an integrity error.
SQLite rebuilds a table, and so drops its triggers, when a migration adds a column: they are put
back after every `migrate`, and a system check looks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from registry.models.audit import Seal, SealedHistory

_REFUSAL = "The audit trail is append-only."
_FUNCTION = "registry_refuse_change"


def append_only_tables() -> list[str]:
    """The tables that only ever grow: every history table, and the seals."""
    growing = (SealedHistory, Seal)
    return sorted(m._meta.db_table for m in apps.get_models() if issubclass(m, growing))


def install_append_only_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers of every append-only table that exists, replacing existing ones."""
    tables = _existing_tables(connection)
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and tables:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
                f"MESSAGE = '{_REFUSAL}'; END $$"
            )
        for table in tables:
            for name, event in _triggers(connection, table).items():
                cursor.execute(_create(connection, table, name, event))


@contextmanager
def updates_allowed(connection: BaseDatabaseWrapper, table: str) -> Iterator[None]:
    """Lift the trigger that refuses updates of one table, for a redaction inside a transaction.

    The trigger is put back at the end; where the transaction fails, it was never away.
    """
    quote = connection.ops.quote_name
    [name] = [name for name, event in _triggers(connection, table).items() if event == "UPDATE"]
    suffix = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER IF EXISTS {quote(name)}{suffix}")
    yield
    with connection.cursor() as cursor:
        cursor.execute(_create(connection, table, name, "UPDATE"))


def lift_append_only_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: for a test's flush, or for a migration that corrects history."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in _existing_tables(connection):
            suffix = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
            for name in _triggers(connection, table):
                cursor.execute(f"DROP TRIGGER IF EXISTS {quote(name)}{suffix}")


def missing_append_only_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that are missing or disabled; tables not created yet miss none."""
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {name for (name,) in cursor.fetchall()}
    wanted = [
        name for table in _existing_tables(connection) for name in _triggers(connection, table)
    ]
    return sorted(set(wanted) - present)


def _existing_tables(connection: BaseDatabaseWrapper) -> list[str]:
    present = set(connection.introspection.table_names())
    return [table for table in append_only_tables() if table in present]


def _triggers(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """The triggers of one table: name -> the event that each refuses."""
    events = ["UPDATE", "DELETE"]
    events.append("TRUNCATE" if connection.vendor == "postgresql" else "REPLACE")
    return {f"{table}_no_{event.lower()}": event for event in events}


def _create(connection: BaseDatabaseWrapper, table: str, name: str, event: str) -> str:
    # The statement contains table, column and trigger names of this project only.
    quote = connection.ops.quote_name
    if connection.vendor == "postgresql":
        return (
            f"CREATE TRIGGER {quote(name)} BEFORE {event} ON {quote(table)} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    if event == "REPLACE":
        key = "number" if table == Seal._meta.db_table else "history_id"
        exists = f"EXISTS (SELECT 1 FROM {quote(table)} WHERE {key} = NEW.{key})"  # noqa: S608  # nosec B608
        return (
            f"CREATE TRIGGER {quote(name)} BEFORE INSERT ON {quote(table)} WHEN {exists} {refuse}"
        )
    return f"CREATE TRIGGER {quote(name)} BEFORE {event} ON {quote(table)} {refuse}"

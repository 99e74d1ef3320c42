"""Triggers that keep history, seals and access log append-only, in the database itself.

They refuse UPDATE and DELETE, and TRUNCATE on PostgreSQL; on SQLite also an INSERT OR REPLACE,
which would delete without a DELETE trigger. Both databases raise an integrity error. On PostgreSQL
they are ALWAYS triggers: session_replication_role = replica does not pass them by.
SQLite rebuilds a table, and so drops its triggers, when a migration adds a column: they are put
back after every `migrate`, and a system check looks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from registry.models.access_log import AccessLog
from registry.models.audit import Seal, SealedHistory

_REFUSAL = "The audit trail is append-only."
_FUNCTION = "registry_refuse_change"
_BODY = (
    " BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', "
    f"MESSAGE = '{_REFUSAL}'; END "
)


def append_only_tables() -> list[str]:
    """The tables that only ever grow: every history table, the seals, and the access log."""
    return sorted(_keys())


def _keys() -> dict[str, str]:
    """Each table that only ever grows -> the column of its key."""
    growing = (SealedHistory, Seal, AccessLog)
    found: Iterable[Any] = (m for m in apps.get_models() if issubclass(m, growing))
    return {model._meta.db_table: model._meta.pk.column for model in found}


def install_append_only_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers of every append-only table that exists, replacing existing ones."""
    tables = _existing_tables(connection)
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and tables:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$${_BODY}$$"
            )
        for table in tables:
            for name, event in _triggers(connection, table).items():
                _put_on(connection, cursor, table, name, event)


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
        _put_on(connection, cursor, table, name, "UPDATE")


def lift_append_only_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: for a test's flush, or for a migration that corrects history."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in _existing_tables(connection):
            suffix = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
            for name in _triggers(connection, table):
                cursor.execute(f"DROP TRIGGER IF EXISTS {quote(name)}{suffix}")


def bypassed_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """In words what no longer keeps the audit trail append-only in this database.

    Triggers that are missing, disabled or altered; a table that is not created yet misses none. On
    PostgreSQL also the function that they call, and a session_replication_role, of the server, the
    database or a role, that skips others.
    """
    found = _faulty_triggers(connection)
    return found + (_skipped(connection) if connection.vendor == "postgresql" else [])


def _faulty_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    wanted = {
        name: (table, event)
        for table in _existing_tables(connection)
        for name, event in _triggers(connection, table).items()
    }
    present = _present_triggers(connection)
    faulty = []
    for name, (table, event) in sorted(wanted.items()):
        state, definition = present.get((table, name), ("", ""))
        if not state:
            faulty.append(f"trigger {name} is missing")
        elif state != "A":
            faulty.append(f"trigger {name} is disabled")
        elif definition.replace('"', "") != _create(connection, table, name, event):
            faulty.append(f"trigger {name} was altered")
    return faulty


def _present_triggers(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], tuple[str, str]]:
    """Table and name -> whether it is always enabled ("A"), and the statement that made it."""
    if connection.vendor == "postgresql":
        query = """
            SELECT relname, tgname, tgenabled::text, pg_get_triggerdef(trigger.oid, true)
            FROM pg_trigger AS trigger JOIN pg_class ON pg_class.oid = tgrelid
            WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid)
        """
    else:
        query = "SELECT tbl_name, name, 'A', sql FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {(table, name): (state, sql) for table, name, state, sql in cursor.fetchall()}


def _skipped(connection: BaseDatabaseWrapper) -> list[str]:
    """What on PostgreSQL passes all triggers by, or makes them do nothing."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [_FUNCTION])
        if any(body != _BODY for (body,) in cursor.fetchall()):
            found.append(f"function {_FUNCTION} was altered")
        cursor.execute("SELECT current_setting('session_replication_role')")
        in_force = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM pg_db_role_setting, unnest(setconfig) AS given "
            "WHERE given ILIKE 'session_replication_role=%%' AND given NOT ILIKE '%%=origin' "
            "AND setdatabase IN (0, (SELECT oid FROM pg_database "
            "WHERE datname = current_database()))"
        )
        if in_force != "origin" or cursor.fetchone()[0]:
            found.append("session_replication_role is set, which skips triggers and foreign keys")
    return found


def _existing_tables(connection: BaseDatabaseWrapper) -> list[str]:
    present = set(connection.introspection.table_names())
    return [table for table in append_only_tables() if table in present]


def _triggers(connection: BaseDatabaseWrapper, table: str) -> dict[str, str]:
    """The triggers of one table: name -> the event that each refuses."""
    events = ["UPDATE", "DELETE"]
    events.append("TRUNCATE" if connection.vendor == "postgresql" else "REPLACE")
    return {f"{table}_no_{event.lower()}": event for event in events}


def _put_on(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, table: str, name: str, event: str
) -> None:
    cursor.execute(_create(connection, table, name, event))
    if connection.vendor == "postgresql":
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # it alters no table with pending checks
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _create(connection: BaseDatabaseWrapper, table: str, name: str, event: str) -> str:
    """The statement that makes a trigger, as the database gives it back.

    It contains table, column and trigger names of this project only, which need no quotes.
    """
    if connection.vendor == "postgresql":
        return (
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    if event == "REPLACE":
        key = _keys()[table]
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608  # nosec B608
        return f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN {exists} {refuse}"
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} {refuse}"

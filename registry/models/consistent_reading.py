"""Reading the whole database as it is at one instant, while others write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextmanager
def consistent_view(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """One view of the whole database, however long the reading takes; nobody waits for it.

    using: the database, or a copy of it. SQLite gives the view to any transaction; this one is not
    begun as those that write are, and refuses to write. PostgreSQL is asked for both. Inside a
    transaction that is open already, its view stands.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with _deferred(connection), transaction.atomic(using=using):
            yield


@contextmanager
def _deferred(database: Any) -> Iterator[None]:
    """Let SQLite's transactions begin without the write lock, and read only."""
    database.ensure_connection()  # which sets the mode
    mode, database.transaction_mode = database.transaction_mode, "DEFERRED"
    try:
        with database.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        yield
    finally:
        database.transaction_mode = mode
        with database.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")

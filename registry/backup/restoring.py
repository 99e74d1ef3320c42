"""Makes a registry of a backup: everything in one transaction, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from registry.backup.archive import CUT, Backup, checked
from registry.backup.making import RECORDS
from registry.backup.refusals import UnusableBackup
from registry.backup.tables import (
    KEPT_OUT,
    MADE_BY_MIGRATE,
    Migration,
    Model,
    known,
    leaves,
    load_lines,
    tables_at,
)
from registry.models.bulk_load import indexes_set_aside
from registry.records.waiting import waited_too_long
from registry.snapshot import shelf
from registry.snapshot.freeze import BUILDING
from registry.snapshot.manifest import make_lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a sound backup says that it holds."""

    made_at: str
    rows: Mapping[str, int]
    snapshots: tuple[str, ...]
    migrations: tuple[Migration, ...]


def look_into(path: Path) -> Held:
    """Check every checksum of a backup, and say what it holds; reads no database.

    Raises UnusableBackup, and OSError.
    """
    with checked(path) as backup:
        return _held(backup)


def restore_backup(path: Path, *, snapshots: Path) -> Held:
    """Make the registry of the backup in an empty database, rows and history as they were.

    The tables are made as they were at the backup, filled, and brought to this version by its
    migrations, in one transaction; snapshots are moved into place right before it ends. Tables
    without rows, as `migrate` makes them, are made anew. Memory stays flat. Raises UnusableBackup
    where the database holds rows, or the backup cannot be restored: then nothing has changed.
    """
    with checked(path) as backup, shelf.freezing(snapshots):
        held = _held(backup)
        loader = MigrationLoader(connection)
        tables = _tables_of(held, loader)
        workspace = Path(tempfile.mkdtemp(prefix=f"{BUILDING}restore-", dir=snapshots))
        try:
            _unpack(backup, held, workspace)
            with _one_transaction():
                _empty(tables)
                MigrationExecutor(connection).migrate(leaves(loader, held.migrations))
                _fill(backup, held, tables)
                _bring_up_to_date()
                _move_into_place(workspace, snapshots, held)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
            ContentType.objects.clear_cache()
    return held


def _held(backup: Backup) -> Held:
    said = backup.manifest
    try:
        held = Held(
            made_at=str(said["made_at"]),
            rows={name: int(table["rows"]) for name, table in said["tables"].items()},
            snapshots=tuple(map(str, said["snapshots"])),
            migrations=tuple((str(app), str(name)) for app, name in said["migrations"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableBackup(CUT) from error
    wanted = {f"tables/{name}.jsonl" for name in held.rows}
    if wanted != {name for name in backup.members if name.startswith("tables/")}:
        raise UnusableBackup(CUT)
    return held


def _tables_of(held: Held, loader: MigrationLoader) -> dict[str, Model]:
    """The models of the tables in the backup, as of its migrations."""
    migrations = known(loader, held.migrations)
    tables = tables_at(loader, migrations)
    if tables.keys() != held.rows.keys() or len(migrations) != len(held.migrations):
        raise UnusableBackup(
            "This backup holds other tables than this version of the registry knows: it is of a "
            "newer version, or of one with other parts. Install that version first."
        )
    return tables


@contextmanager
def _one_transaction() -> Iterator[None]:
    """All or nothing, tables included; SQLite's foreign keys are not held row by row.

    What the database refuses is told in words; waiting too long for others stays what it is.
    """
    connection.disable_constraint_checking()
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        if waited_too_long(error):
            raise
        raise UnusableBackup(
            "The database refuses what the backup holds, and nothing was restored: "
            f"{type(error).__name__}."
        ) from error
    finally:
        connection.enable_constraint_checking()


def _empty(tables: Mapping[str, Model]) -> None:
    """Drop the registry's tables, none of which may hold a row of anybody's."""
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    ours |= {*tables, *KEPT_OUT, "django_migrations"}
    found = sorted(ours & set(connection.introspection.table_names()))
    quote = connection.ops.quote_name
    quoted = ", ".join(map(quote, found))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and found:
            cursor.execute(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE")
        for name in found:
            if name in MADE_BY_MIGRATE | KEPT_OUT:
                continue
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {quote(name)})")  # noqa: S608  # nosec B608
            if cursor.fetchone()[0]:
                raise UnusableBackup(
                    f"The database is not empty ({name} has rows), and nothing was restored: give "
                    "DATABASE_URL of an empty one."
                )
        if connection.vendor == "postgresql" and found:
            cursor.execute(f"DROP TABLE {quoted} CASCADE")
        elif found:
            for name in found:
                cursor.execute(f"DROP TABLE {quote(name)}")


def _fill(backup: Backup, held: Held, tables: Mapping[str, Model]) -> None:
    with indexes_set_aside(*tables.values()):
        for name, model in tables.items():
            columns = backup.manifest["tables"][name]["columns"]
            rows = load_lines(model, columns, backup.lines(f"tables/{name}.jsonl"))
            if rows != held.rows[name]:
                raise UnusableBackup(CUT)


def _bring_up_to_date() -> None:
    """Run the migrations that came after the backup, and what `migrate` puts in place.

    Foreign keys are checked before anything is moved that no transaction takes back.
    """
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    emit_post_migrate_signal(0, False, connection.alias)
    connection.check_constraints()


def _unpack(backup: Backup, held: Held, workspace: Path) -> None:
    """Write the snapshots beside their place, lastingly."""
    for snapshot_id in held.snapshots:
        (workspace / snapshot_id).mkdir(mode=0o700)
    for name in backup.members:
        place, _, within = name.partition("/")
        if place == "snapshots":
            backup.copy(name, workspace / within)
    for folder in (*(workspace / each for each in held.snapshots), workspace):
        make_lasting(folder)


def _move_into_place(workspace: Path, root: Path, held: Held) -> None:
    """Move each snapshot in place of what has its name, and last the records that name them."""
    for snapshot_id in held.snapshots:
        place = root / snapshot_id
        if place.exists():
            place.rename(workspace / f"replaced-{snapshot_id}")
        (workspace / snapshot_id).rename(place)
    for name in RECORDS:
        if (workspace / name).exists():
            os.replace(workspace / name, root / name)
    make_lasting(root)

"""Makes a backup while others write: one view of the database, and its snapshots with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Set
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from io import BufferedReader
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from registry.backup.archive import Members, refuse_existing, writing
from registry.backup.refusals import DamagedSnapshots, UnusableBackup
from registry.backup.tables import applied_migrations, columns_of, lines_of, tables_at
from registry.models.consistent_reading import consistent_view
from registry.snapshot import shelf
from registry.snapshot.integrity import MANIFEST
from registry.vocabulary import SnapshotKind

SNAPSHOTS, RELEASE = "registry_snapshot", SnapshotKind.RELEASE.value
RECORDS = (shelf.WORKING, shelf.BEFORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a backup holds: rows by table, and the ids of the snapshots."""

    rows: dict[str, int]
    snapshots: tuple[str, ...]


def make_backup(path: Path, *, snapshots: Path) -> Made:
    """Write the whole database and its snapshots into one file; holds no key and no session.

    snapshots: the folder of snapshots. The database is read in one view, and nobody waits for it;
    a freeze that is running is waited for. Memory stays flat. Raises UnusableBackup where there is
    nothing to back up or the file is there already, and DamagedSnapshots after everything else was
    backed up where a snapshot is not what was frozen.
    """
    refuse_existing(path)
    migrations = applied_migrations()
    tables = tables_at(MigrationLoader(connection), migrations)
    if SNAPSHOTS not in tables:
        raise UnusableBackup("There is no registry in this database: nothing was backed up.")
    said: dict[str, Any] = {
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "version": _version(),
        "engine": connection.vendor,
        "migrations": migrations,
        "tables": {},
    }
    with ExitStack() as files, ExitStack() as view, writing(path, lambda: said) as members:
        with shelf.freezing(snapshots):
            view.enter_context(consistent_view())
            listed = _listed(tables[SNAPSHOTS])
            records, found = _opened(snapshots, listed.keys(), files)
        for name, model in tables.items():
            rows = members.add_lines(f"tables/{name}.jsonl", lines_of(model))
            said["tables"][name] = {"columns": columns_of(model), "rows": rows}
        view.close()
        kept, damaged = _add_snapshots(members, found)
        for name, file in records.items():
            members.add_file(f"snapshots/{name}", file)
        said["snapshots"] = kept
    if (
        damaged := damaged
        | {each for each, kind in listed.items() if kind == RELEASE} - found.keys()
    ):
        raise DamagedSnapshots(
            f"Without {len(damaged)} snapshots that are not what was frozen: "
            f"{', '.join(sorted(damaged))}. Run verify_snapshots; see docs/operations.md."
        )
    return Made(
        rows={name: table["rows"] for name, table in said["tables"].items()},
        snapshots=tuple(kept),
    )


def _version() -> str:
    try:
        return version("pump-registry")
    except PackageNotFoundError:  # run from its folder, not installed
        return ""


def _listed(model: Any) -> dict[str, str]:
    """The kind of each snapshot that the database names, by id; the first reading of its view."""
    return dict(model._base_manager.values_list("snapshot_id", "kind"))


Opened = dict[str, dict[str, BufferedReader]]


def _opened(
    root: Path, listed: Set[str], files: ExitStack
) -> tuple[dict[str, BufferedReader], Opened]:
    """The two records and the files of the snapshots that stay, open: nobody takes them away."""
    records = {
        name: files.enter_context((root / name).open("rb"))
        for name in RECORDS
        if (root / name).exists()
    }
    names = listed | {_named_by(file) for file in records.values()}
    found: Opened = {
        folder.name: {
            path.name: files.enter_context(path.open("rb")) for path in sorted(folder.iterdir())
        }
        for folder in sorted(shelf.folders(root))
        if folder.name in names
    }
    return records, found


def _named_by(record: BufferedReader) -> str:
    """The id of the snapshot that a record names; empty where the record is cut."""
    try:
        content = json.load(record)
    except ValueError:
        return ""
    finally:
        record.seek(0)
    return str(content.get("snapshot_id", "")) if isinstance(content, dict) else ""


def _add_snapshots(members: Members, found: Opened) -> tuple[list[str], set[str]]:
    """Add the snapshots that are what was frozen; the ids of these, and of the others."""
    kept, damaged = [], set()
    for snapshot_id, files in found.items():
        if not _is_sound(files):
            damaged.add(snapshot_id)
            continue
        for name, file in files.items():
            members.add_file(f"snapshots/{snapshot_id}/{name}", file)
        kept.append(snapshot_id)
    return kept, damaged


def _is_sound(files: dict[str, BufferedReader]) -> bool:
    """Whether the files are those of the manifest; what was frozen before it had sums passes.

    The signature is for `verify_snapshots`: a backup asks for no key.
    """
    if MANIFEST not in files:
        return False
    try:
        listed = json.load(files[MANIFEST]).get("files", {})
        sums = {name: (size, digest) for name, (size, digest) in listed.items()}
    except (AttributeError, TypeError, ValueError):
        return False
    found = {name: _sum_of(file) for name, file in files.items() if name != MANIFEST}
    for file in files.values():
        file.seek(0)
    return not sums or found == sums


def _sum_of(file: BufferedReader) -> tuple[int, str]:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return file.tell(), digest


def leave_newest(folder: Path, pattern: str, *, keep: int) -> Iterator[Path]:
    """Delete all backups of a folder but the newest by name, and give those that went."""
    for old in sorted(folder.glob(pattern))[:-keep]:
        old.unlink()
        yield old

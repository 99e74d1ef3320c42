"""Freezes rows into one immutable snapshot: allow-listed columns in Parquet and a DuckDB file.

The folder is written beside its final name, synced, and renamed, so that readers see a whole
snapshot or none. Its name is the SHA-256 of the canonical rows, the code lists, the terms and the
schema version: the same rows always give the same snapshot.
"""

# ruff: noqa: S608 - names come from the schema

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.snapshot import derive
from registry.snapshot.canonical import Digests, changed_blocks, digest_table, snapshot_id
from registry.snapshot.delays import Delays, delays_of
from registry.snapshot.episodes import link_episodes
from registry.snapshot.integrity import Damage, digests_of
from registry.snapshot.manifest import Manifest, make_lasting
from registry.snapshot.parts import derived, in_parts
from registry.snapshot.schema import SCHEMA_VERSION, TABLES
from registry.snapshot.staging import (
    Codes,
    Feed,
    RecordKeys,
    Row,
    RowFeed,
    in_transaction,
    open_staging,
    quoted,
    stage,
    stage_record_keys,
)
from registry.snapshot.terms import Terms

RecordKey = Callable[[bytes], tuple[int, int]]

DATABASE = "registry.duckdb"
BUILDING = ".building-"
STAGING = "staging"
SNAPSHOT = "snapshot"
ROW_GROUP = 30_720
"""Rows of a group in Parquet, all of which are held while it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A snapshot that was written, and the digests of its rows, for the next to build on."""

    manifest: Manifest
    digests: Digests


def freeze_rows(
    root: Path,
    *,
    events: Iterable[Row],
    implants: Iterable[Row],
    exposures: Iterable[Row],
    terms: Terms,
    record_key: RecordKey | None = None,
    keys: str = "",
    hands: Mapping[str, int] | None = None,
    closed_on: Mapping[str, str] | None = None,
    signing: bytes = b"",
    when_read: Callable[[], None] | None = None,
) -> Manifest:
    """Write one snapshot under `root`, unless the same one is there already, and describe it.

    events, implants, exposures: rows in the order of EVENT_SOURCE, IMPLANT_SOURCE and
    EXPOSURE_SOURCE; they are read once and never held whole. None and "" are "not recorded".
    record_key: from a public id's bytes to two numbers of 30 and 31 bits, kept with each implant.
    keys: the mark of the secret behind `record_key`; other keys make another snapshot.
    hands: the number of each site's hand; each site is one of its own where they are left out.
    closed_on: the day of each site's last closed follow-up round.
    signing: the key that signs the manifest; a snapshot is opened with the same.
    when_read: called once all rows are read, when their source may be let go.
    Raises ValueError where `caused_by` runs in a circle.
    """
    feed = RowFeed(events=events, implants=implants, exposures=exposures)
    record_keys = _one_by_one(record_key) if record_key else None
    with building(root) as workspace, open_staging(workspace / STAGING) as connection:
        return freeze_feed(
            root,
            workspace,
            feed,
            connection,
            terms=terms,
            record_keys=record_keys,
            keys=keys,
            hands=each_its_own(terms.sites) if hands is None else hands,
            closed_on=closed_on or {},
            signing=signing,
            when_read=when_read,
        ).manifest


def each_its_own(sites: Iterable[str]) -> Mapping[str, int]:
    """Hands where no person may report or correct at two sites."""
    return {site: number for number, site in enumerate(sorted(sites), 1)}


def _one_by_one(record_key: RecordKey) -> RecordKeys:
    def record_keys(public_ids: bytes) -> NDArray[np.int64]:
        starts = range(0, len(public_ids), 16)
        keys = [record_key(public_ids[start : start + 16]) for start in starts]
        return np.array(keys, dtype=np.int64).reshape(-1, 2)

    return record_keys


@contextmanager
def building(root: Path) -> Iterator[Path]:
    """A folder to work in, which is gone afterwards; `STAGING` and `SNAPSHOT` lie in it."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=BUILDING, dir=root))
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def freeze_feed(
    root: Path,
    workspace: Path,
    feed: Feed,
    connection: duckdb.DuckDBPyConnection,
    *,
    terms: Terms,
    record_keys: RecordKeys | None,
    keys: str,
    hands: Mapping[str, int],
    closed_on: Mapping[str, str],
    signing: bytes,
    when_read: Callable[[], None] | None = None,
) -> Freeze:
    """Stage everything that a feed has, and freeze it.

    workspace: a folder of `building`; connection: to an empty staging file. when_read: as
    `freeze_rows` takes it.
    """
    codes = stage(connection, feed, terms, workspace)
    if record_keys is not None:
        stage_record_keys(connection, feed, record_keys)
    if when_read is not None:
        when_read()
    link_episodes(connection)
    snapshot = NewSnapshot(
        terms=terms,
        codes=codes,
        keys=keys,
        hands=hands,
        closed_on=closed_on,
        delays=delays_of(connection),
        signing=signing,
        keyed=record_keys is not None,
    )
    return snapshot.write(connection, root, workspace)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSnapshot:
    """What a snapshot is made with, besides its rows; keyed: whether it has record keys.

    signing: the key that signs its manifest.
    """

    terms: Terms
    codes: Codes
    keys: str
    hands: Mapping[str, int]
    closed_on: Mapping[str, str]
    delays: Delays
    signing: bytes
    keyed: bool

    def write(
        self,
        connection: duckdb.DuckDBPyConnection,
        root: Path,
        workspace: Path,
        *,
        before: Freeze | None = None,
    ) -> Freeze:
        """Write the derived rows as a snapshot, and put its folder in place under `root`.

        before: the snapshot that all rows are taken from which were not derived anew; the numbers
        of those that were stand in `anew_events` and `anew_implants`.
        """
        folder = workspace / SNAPSHOT
        folder.mkdir(mode=0o700)
        if before is not None:
            last = root / before.manifest.snapshot_id
            shutil.copyfile(last / DATABASE, folder / DATABASE)
        connection.execute(f"ATTACH {quoted(folder / DATABASE)} AS frozen")
        if before is None:
            self._fill(connection, workspace)
        else:
            self._fill_anew(connection)
        changed = {
            table: None if before is None else self._changed(connection, table) for table in TABLES
        }
        connection.execute("SET threads = 1")  # another digests; each more needs more memory
        with ThreadPoolExecutor(1) as beside, connection.cursor() as cursor:
            digesting = beside.submit(self._digests, cursor, before, changed)
            for table in TABLES:
                path = folder / f"{table}.parquet"
                if before is not None and changed[table] == frozenset():
                    os.link(last / path.name, path)  # never written to again
                else:
                    connection.execute(_copied(f"FROM frozen.{table}", path, "COMPRESSION zstd"))
            digests = digesting.result()
        connection.execute("RESET threads")
        manifest = self.described(connection, digests)
        connection.execute("DETACH frozen")
        manifest = self._published(folder, root, manifest)
        return Freeze(manifest=manifest, digests=digests)

    def _published(self, folder: Path, root: Path, manifest: Manifest) -> Manifest:
        """Sync every file, sign, and rename the folder into place; gives the manifest there.

        An equal snapshot that is there and sound stays; one that is not makes way.
        """
        for path in folder.iterdir():
            path.chmod(0o600)
            make_lasting(path)
        manifest = replace(manifest, files=digests_of(folder))
        manifest.write(folder, key=self.signing)
        make_lasting(folder)
        place = root / manifest.snapshot_id
        try:
            return Manifest.sound(place, key=self.signing)
        except FileNotFoundError:
            pass
        except Damage:
            place.rename(folder.parent / "damaged")
        folder.rename(place)
        make_lasting(root)
        return manifest

    def _fill(self, connection: duckdb.DuckDBPyConnection, workspace: Path) -> None:
        """Derive every staged row, and write them in the order of their numbers.

        Several parts are gathered first, beside the snapshot, and sorted from there.
        """
        rows = {table: derive.rows_of(table, keyed=self.keyed) for table in TABLES}
        gathered = ("events", "implants")
        folders = {table: workspace / f"parts_of_{table}" for table in gathered}
        with in_parts(connection, keyed=self.keyed) as parts:
            if len(parts) == 1:
                with derived(connection, parts[0], keyed=self.keyed):
                    self._create(connection, rows)
                return
            for place, part in enumerate(parts):
                with derived(connection, part, keyed=self.keyed):
                    for table, folder in folders.items():
                        folder.mkdir(exist_ok=True)
                        path = quoted(folder / f"{place}.parquet")
                        connection.execute(
                            f"COPY ({rows[table]}) TO {path} (FORMAT parquet, ROW_GROUP_SIZE 20480)"
                        )
        files = {table: quoted(folder / "*.parquet") for table, folder in folders.items()}
        self._create(
            connection, rows | {table: f"FROM read_parquet({files[table]})" for table in gathered}
        )

    def _create(self, connection: duckdb.DuckDBPyConnection, rows: Mapping[str, str]) -> None:
        with in_transaction(connection):
            for table, columns in TABLES.items():
                ordered = f"{rows[table]} ORDER BY {columns[0].name}"
                connection.execute(f"CREATE TABLE frozen.{table} AS {ordered}")

    def _fill_anew(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put rows that were derived anew in the place of those of the last snapshot."""
        with in_transaction(connection):
            for table, columns in TABLES.items():
                number = columns[0].name
                rows = derive.rows_of(table, keyed=self.keyed)
                chosen = f"WHERE {number} IN (SELECT {number} FROM anew_{table})"
                if table == "exposures":
                    chosen = ""
                connection.execute(f"DELETE FROM frozen.{table} {chosen}")
                anew = f"SELECT * FROM ({rows}) r {chosen} ORDER BY {number}"
                connection.execute(f"INSERT INTO frozen.{table} {anew}")

    def _changed(self, connection: duckdb.DuckDBPyConnection, table: str) -> frozenset[int] | None:
        """The blocks with changed rows; None where all are to be digested."""
        return None if table == "exposures" else changed_blocks(connection, table)

    def _digests(
        self,
        connection: duckdb.DuckDBPyConnection,
        before: Freeze | None,
        changed: Mapping[str, frozenset[int] | None],
    ) -> Digests:
        return {
            table: digest_table(
                connection,
                table,
                keyed=self.keyed,
                before=before.digests[table] if before is not None else (),
                changed=changed[table],
            )
            for table in TABLES
        }

    def described(
        self, connection: duckdb.DuckDBPyConnection, digests: Digests | None = None
    ) -> Manifest:
        """The manifest of the rows in `frozen`, their id included; before their files are listed.

        digests: those of the rows' blocks, where they are known.
        """
        if digests is None:
            digests = self._digests(connection, None, dict.fromkeys(TABLES))
        first, last = connection.execute(derive.YEARS).fetchall()[0]
        counts: dict[str, Any] = {
            table: int(connection.execute(f"SELECT count(*) FROM frozen.{table}").fetchall()[0][0])
            for table in TABLES
        }
        standing = connection.execute(
            "SELECT site, bool_and(round_number IS NOT NULL) FROM frozen.implants "
            "GROUP BY site ORDER BY site"
        ).fetchall()
        keys = self.keys if self.keyed else None
        return Manifest(
            snapshot_id=snapshot_id(
                digests,
                counts=counts,
                terms=self.terms,
                codes=self.codes,
                keys=keys,
                hands=self.hands,
                closed_on=self.closed_on,
                delays=self.delays,
            ),
            schema_version=SCHEMA_VERSION,
            terms=self.terms,
            years=None if first is None else (first, last),
            codes=self.codes,
            keys=self.keys,
            hands=self.hands,
            closed_on=self.closed_on,
            delays=self.delays,
            rounds={self.codes["site"][place]: closed for place, closed in standing},
            **counts,
        )


def _copied(rows: str, path: Path, *more: str) -> str:
    """A statement that writes rows as Parquet."""
    options = ", ".join(("FORMAT parquet", f"ROW_GROUP_SIZE {ROW_GROUP}", *more))
    return f"COPY ({rows}) TO {quoted(path)} ({options})"


__all__ = ["DATABASE", "RecordKey", "Row", "freeze_rows"]

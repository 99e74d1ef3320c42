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
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.snapshot import derive
from registry.snapshot.canonical import Digests, changed_blocks, digest_table, snapshot_id
from registry.snapshot.manifest import Manifest
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
    when_read: Callable[[], None] | None = None,
) -> Manifest:
    """Write one snapshot under `root`, unless the same one is there already, and describe it.

    events, implants, exposures: rows in the order of EVENT_SOURCE, IMPLANT_SOURCE and
    EXPOSURE_SOURCE; they are read once and never held whole. None and "" are "not recorded".
    record_key: from a public id's bytes to two numbers of 30 and 31 bits, kept with each implant.
    keys: the mark of the secret behind `record_key`; other keys make another snapshot.
    hands: the number of each site's hand; each site is one of its own where they are left out.
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
    for table in ("implants", "events"):
        connection.execute(f"CREATE TEMP VIEW raw_{table} AS SELECT * FROM staged_{table}")
    link_episodes(connection)
    for statement in derive.IN_ORDER:
        connection.execute(statement)
    snapshot = NewSnapshot(
        terms=terms, codes=codes, keys=keys, hands=hands, keyed=record_keys is not None
    )
    return snapshot.write(connection, root, workspace)


def link_episodes(connection: duckdb.DuckDBPyConnection) -> None:
    """Number the episodes of all staged events that another caused."""
    found = connection.execute(derive.CAUSES).fetchnumpy()
    linked = {  # noqa: F841 - DuckDB reads it by name
        "event_no": found["event_no"],
        "cause_no": found["cause_no"],
        "episode": _episodes(found["event_no"], found["cause_no"]),
    }
    connection.execute(
        "CREATE TEMP TABLE episodes AS SELECT event_no, cause_no, episode FROM linked"
    )


def _episodes(event_no: NDArray[np.int64], cause_no: NDArray[np.int64]) -> NDArray[np.int64]:
    """The episode of each event that another caused; `event_no` rises, with each number once."""
    linked = np.union1d(event_no, cause_no)
    places, causes = np.searchsorted(linked, event_no), np.searchsorted(linked, cause_no)
    return linked[episode_of(len(linked), places, causes)[places]]


def episode_of(
    count: int, event_no: NDArray[np.int64], cause_no: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number the episode of each of `count` events: that of the event which started it.

    event_no, cause_no: each event that another caused, and that other. Raises ValueError where
    the causes run in a circle.
    """
    start = np.arange(count)
    start[event_no] = cause_no
    for _ in range(count.bit_length() + 1):
        start = start[start]
    if not np.isin(start, event_no).any():
        return start
    raise ValueError("caused_by: the causes of some events run in a circle; break it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSnapshot:
    """What a snapshot is made with, besides its rows; keyed: whether it has record keys."""

    terms: Terms
    codes: Codes
    keys: str
    hands: Mapping[str, int]
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
        with in_transaction(connection):
            for table in TABLES:
                self._fill(connection, table, anew=before is None)
        changed = {
            table: None if before is None else self._changed(connection, table) for table in TABLES
        }
        with ThreadPoolExecutor(1) as beside, connection.cursor() as cursor:
            digesting = beside.submit(self._digests, cursor, before, changed)
            for table in TABLES:
                path = folder / f"{table}.parquet"
                if before is not None and changed[table] == frozenset():
                    os.link(last / path.name, path)  # never written to again
                else:
                    connection.execute(
                        f"COPY frozen.{table} TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd)"
                    )
            digests = digesting.result()
        manifest = self._described(connection, digests)
        connection.execute("DETACH frozen")
        manifest.write(folder)
        _publish(folder, root / manifest.snapshot_id)
        return Freeze(manifest=manifest, digests=digests)

    def _fill(self, connection: duckdb.DuckDBPyConnection, table: str, *, anew: bool) -> None:
        number = TABLES[table][0].name
        rows = derive.rows_of(table, keyed=self.keyed)
        if anew:
            connection.execute(f"CREATE TABLE frozen.{table} AS {rows} ORDER BY {number}")
            return
        chosen = f"WHERE {number} IN (SELECT {number} FROM anew_{table})"
        if table == "exposures":
            chosen = ""
        connection.execute(f"DELETE FROM frozen.{table} {chosen}")
        connection.execute(
            f"INSERT INTO frozen.{table} SELECT * FROM ({rows}) r {chosen} ORDER BY {number}"
        )

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

    def _described(self, connection: duckdb.DuckDBPyConnection, digests: Digests) -> Manifest:
        first, last = connection.execute(derive.YEARS).fetchall()[0]
        counts = {
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
            ),
            schema_version=SCHEMA_VERSION,
            terms=self.terms,
            years=None if first is None else (first, last),
            codes=self.codes,
            keys=self.keys,
            hands=self.hands,
            rounds={self.codes["site"][place]: closed for place, closed in standing},
            **counts,
        )


def _publish(written: Path, folder: Path) -> None:
    """Sync every file and rename the folder into place; an equal snapshot there stays."""
    for path in written.iterdir():
        path.chmod(0o600)
        _sync(path)
    _sync(written)
    if folder.exists():
        return
    written.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["DATABASE", "RecordKey", "Row", "episode_of", "freeze_rows"]

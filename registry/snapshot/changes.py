"""Freezes what has changed since the last freeze, on the rows that were staged then.

The result is what a whole freeze would give, to the last digit and under the same id. Rows are
derived anew of every patient with a changed implant, with all events, and of every other event that
changed or whose episode did, with its patient; all others are taken from the last snapshot.
"""

# ruff: noqa: S608 - names come from the schema

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

import duckdb

from registry.snapshot import derive
from registry.snapshot.canonical import Digests
from registry.snapshot.delays import delays_of
from registry.snapshot.episodes import link_episodes
from registry.snapshot.freeze import DATABASE, Freeze, NewSnapshot
from registry.snapshot.integrity import Damage, digest_of, read_signed, signed
from registry.snapshot.manifest import Manifest, write_whole
from registry.snapshot.schema import SCHEMA_VERSION
from registry.snapshot.staging import (
    STAGED,
    Feed,
    RecordKeys,
    fed_rows,
    in_transaction,
    open_staging,
    quoted,
    stage_record_keys,
)
from registry.snapshot.terms import Terms

KEPT = ".staged"
STAGED_FILE, SEALED = "staged.duckdb", "sealed.json"
SHARE_FOR_WHOLE = 0.2
LEAST_FOR_WHOLE = 10_000
"""Where more rows than these have changed since the last whole freeze, the next one is whole.

It is no slower then, and puts the rows of the files in order again.
"""


class MustFreezeWhole(Exception):
    """What is staged cannot be built on; a whole freeze is always right."""


class ChangedFeed(Feed, Protocol):
    """The rows that changed, all declared exposure, and how many rows there should be."""

    def count(self, table: str) -> int:
        """How many rows a whole feed would have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The last freeze, whose staged rows lie ready: at which seal, and what came of it.

    changed: how many rows have changed since the last whole freeze, counted each time.
    """

    seal_number: int
    seal_hash: str
    snapshot_id: str
    digests: Digests
    changed: int = 0
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def read(cls, root: Path, *, key: bytes) -> Self | None:
        """What the staging folder says of itself; None where a freeze must start afresh.

        So it must where the staged rows are not those that `seal_staged` sealed under the key.
        """
        try:
            sealed = read_signed(root / KEPT / SEALED, key)
            if sealed["files"] != _staged_files(root / KEPT):
                return None
            with open_staging(root / KEPT) as connection:
                texts = connection.execute("SELECT said FROM kept").fetchall()
            said = json.loads(texts[0][0]) if texts else None
        except (Damage, FileNotFoundError, duckdb.Error):
            return None
        if said is None or said["schema_version"] != SCHEMA_VERSION:
            return None
        digests = {table: tuple(found) for table, found in said.pop("digests").items()}
        return cls(**said, digests=digests)

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Say it in the staging file, where nothing else is said."""
        with in_transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS kept (said VARCHAR)")
            connection.execute("DELETE FROM kept")
            connection.execute("INSERT INTO kept VALUES (?)", [json.dumps(asdict(self))])


def seal_staged(folder: Path, *, key: bytes) -> None:
    """Seal the staged rows, which the next freeze builds on; call it when their file is closed."""
    write_whole(folder / SEALED, signed({"files": _staged_files(folder)}, key))


def _staged_files(folder: Path) -> dict[str, list[object]]:
    """The staging file, and DuckDB's log where one is left; as `seal_staged` keeps them."""
    return {path.name: list(digest_of(path)) for path in sorted(folder.glob(f"{STAGED_FILE}*"))}


def freeze_changes(
    root: Path,
    workspace: Path,
    feed: ChangedFeed,
    connection: duckdb.DuckDBPyConnection,
    kept: Kept,
    *,
    terms: Terms,
    record_keys: RecordKeys,
    keys: str,
    hands: Mapping[str, int],
    closed_on: Mapping[str, str],
    signing: bytes,
    when_read: Callable[[], None],
) -> tuple[Freeze, int]:
    """Freeze the registry again, from the staged rows and those that changed since.

    Gives the freeze, and how many rows have changed since the last whole one.
    connection: to the staging file that `kept` was read from; what it says of itself is taken
    back before anything is changed. when_read: called once all is read, when the database may be
    let go. Raises MustFreezeWhole, or an error of DuckDB's, where it
    cannot be built on.
    """
    manifest = _manifest(root, kept.snapshot_id, signing)
    if (manifest.schema_version, manifest.keys) != (SCHEMA_VERSION, keys):
        raise MustFreezeWhole("The last snapshot is of other keys or of an older schema.")
    if manifest.terms != terms:
        raise MustFreezeWhole("The catalogue or the sites have changed.")
    if manifest.hands != hands:
        raise MustFreezeWhole("Other sites than before share their people.")
    files = {table: workspace / f"{table}.csv" for table in STAGED}
    for table, path in files.items():
        feed.write(table, path)
    before = Freeze(manifest=manifest, digests=kept.digests)
    with in_transaction(connection):
        connection.execute("DELETE FROM kept")
        exposures_as_before = _merge(connection, files, feed.key_type, changed=kept.changed)
    for table in STAGED:
        if _count(connection, STAGED[table].name) != feed.count(table):
            raise MustFreezeWhole(f"The {table} are not as many as they should be.")
    changed = _count(connection, "new_events", "new_implants")
    if exposures_as_before and not changed and manifest.closed_on == closed_on:
        return before, kept.changed
    stage_record_keys(connection, feed, record_keys)
    when_read()
    _choose(connection, root / kept.snapshot_id / DATABASE)
    for kind in ("implant", "patient"):
        connection.execute(f"CREATE TEMP VIEW raw_{kind}_keys AS FROM {kind}_keys")
    for statement in derive.IN_ORDER:
        connection.execute(statement)
    snapshot = NewSnapshot(
        terms=terms,
        codes=manifest.codes,
        keys=keys,
        hands=hands,
        closed_on=closed_on,
        delays=delays_of(connection),
        signing=signing,
        keyed=True,
    )
    return snapshot.write(connection, root, workspace, before=before), kept.changed + changed


def _manifest(root: Path, snapshot_id: str, key: bytes) -> Manifest:
    try:
        return Manifest.sound(root / snapshot_id, key=key)
    except FileNotFoundError as error:
        raise MustFreezeWhole("The last snapshot is gone.") from error
    except Damage as damage:
        raise MustFreezeWhole(f"The last snapshot is damaged: {damage}") from damage


def _count(connection: duckdb.DuckDBPyConnection, *tables: str) -> int:
    counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return int(connection.execute(f"SELECT {counts}").fetchall()[0][0])


def _merge(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Path],
    key_type: str,
    *,
    changed: int,
) -> bool:
    """Put changed rows in the place of the old ones, and new ones at the end.

    changed: how many have been since the last whole freeze. Says whether all declared exposure
    is as it was. `touched` are the patients whose implants changed, or count from another year
    on; of an implant that is another patient's now, both.
    """
    for table, path in files.items():
        staged = STAGED[table]
        connection.execute(
            f"CREATE TEMP TABLE new_{table} AS SELECT CAST(0 AS BIGINT) AS {staged.number}, r.* "
            f"FROM ({fed_rows(table, path, key_type)}) r"
        )
    size = _count(connection, "staged_implants", "staged_events")
    changed += _count(connection, "new_implants", "new_events")
    if changed > LEAST_FOR_WHOLE and changed > size * SHARE_FOR_WHOLE:
        raise MustFreezeWhole("Much has changed since the last whole freeze.")
    connection.execute(
        "CREATE TEMP TABLE touched AS SELECT patient FROM staged_implants "
        "WHERE implant IN (SELECT implant FROM new_implants) "
        "UNION SELECT patient FROM new_implants"
    )
    _number(connection, "implants")
    _number(connection, "events")
    for table in ("implants", "events"):
        staged = STAGED[table]
        connection.execute(
            f"DELETE FROM {staged.name} "
            f"WHERE {staged.key} IN (SELECT {staged.key} FROM new_{table})"
        )
        connection.execute(f"INSERT INTO {staged.name} SELECT * FROM new_{table}")
    return _replace_exposures(connection)


def _number(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Changed rows keep their numbers; new ones go on from the last, in the order of their keys.

    Raises MustFreezeWhole where a new row's key lies before an old one's.
    """
    staged = STAGED[table]
    key, number = staged.key, staged.number
    connection.execute(
        f"CREATE TEMP TABLE numbers_{table} AS "
        f"SELECT n.{key}, s.{number} FROM new_{table} n LEFT JOIN {staged.name} s USING ({key})"
    )
    first, last, size = connection.execute(
        f"SELECT (SELECT min({key}) FROM numbers_{table} WHERE {number} IS NULL), "
        f"max({key}), coalesce(max({number}) + 1, 0) FROM {staged.name}"
    ).fetchall()[0]
    if first is not None and last is not None and first < last:
        raise MustFreezeWhole(f"New {table} do not come after the others.")
    connection.execute(
        f"UPDATE new_{table} SET {number} = given.number FROM ("
        f"SELECT {key}, coalesce({number}, {size} - 1 + row_number() OVER ("
        f"PARTITION BY {number} IS NULL ORDER BY {key})) AS number FROM numbers_{table}"
        f") given WHERE given.{key} = new_{table}.{key}"
    )


def _replace_exposures(connection: duckdb.DuckDBPyConnection) -> bool:
    staged = STAGED["exposures"]
    connection.execute(
        f"UPDATE new_exposures SET {staged.number} = given.number FROM ("
        "SELECT exposure, row_number() OVER (ORDER BY exposure) - 1 AS number FROM new_exposures"
        ") given WHERE given.exposure = new_exposures.exposure"
    )
    rows = _differing("new_exposures", staged.name)
    differing = _count(connection, f"({rows})") > 0
    if differing:
        # Where nothing else is said, implants count after the last declared year.
        last = "(SELECT site, component, max(year) FROM {} GROUP BY ALL)"
        others = _differing(last.format("new_exposures"), last.format(staged.name))
        connection.execute(
            "INSERT INTO touched SELECT DISTINCT patient FROM staged_implants "
            f"WHERE (site, component) IN (SELECT (site, component) FROM ({others}))"
        )
        connection.execute(f"DELETE FROM {staged.name}")
        connection.execute(f"INSERT INTO {staged.name} SELECT * FROM new_exposures")
    return not differing


def _differing(one: str, other: str) -> str:
    return f"(FROM {one} EXCEPT FROM {other}) UNION ALL (FROM {other} EXCEPT FROM {one})"


def _choose(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Choose the rows to write anew, which `anew_events` and `anew_implants` number.

    Events: those that changed, whose episode or cause did, and all of the patients whose implants
    did. Implants: all of these patients. Those of the other events' patients are derived as well,
    for the events to be told by, and are as they were.
    """
    link_episodes(connection)
    connection.execute(f"ATTACH {quoted(database)} AS before (READ_ONLY)")
    connection.execute(
        "CREATE TEMP TABLE anew_events AS "
        "SELECT event_no FROM new_events "
        "UNION "
        "SELECT e.event_no FROM staged_events e JOIN staged_implants i ON i.implant = e.implant "
        "WHERE i.patient IN (SELECT patient FROM touched) "
        "UNION "
        "SELECT b.event_no FROM before.events b LEFT JOIN episodes x USING (event_no) "
        "WHERE b.episode <> coalesce(x.episode, b.event_no) "
        "OR b.cause_no IS DISTINCT FROM x.cause_no"
    )
    connection.execute(
        "CREATE TEMP TABLE raw_events AS SELECT * FROM staged_events "
        "WHERE event_no IN (SELECT event_no FROM anew_events)"
    )
    connection.execute(
        "CREATE TEMP TABLE raw_implants AS SELECT * FROM staged_implants WHERE patient IN ("
        "SELECT patient FROM touched UNION "
        "SELECT i.patient FROM raw_events e JOIN staged_implants i ON i.implant = e.implant)"
    )
    connection.execute(
        "CREATE TEMP TABLE anew_implants AS SELECT device_no FROM staged_implants "
        "WHERE patient IN (SELECT patient FROM touched)"
    )

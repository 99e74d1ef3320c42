"""Freezes rows into one immutable snapshot: allow-listed columns in Parquet and a DuckDB file.

The folder is written beside its final name, synced, and renamed, so that readers see a whole
snapshot or none. Its name is the SHA-256 of the canonical rows, the terms and the schema version:
the same rows always give the same snapshot.
"""

import csv
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.snapshot import derive
from registry.snapshot.codes import code_columns, code_lists
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import (
    EVENT_SOURCE,
    EXPOSURE_SOURCE,
    IMPLANT_SOURCE,
    RECORD_KEYS,
    SCHEMA_VERSION,
    TABLES,
    Kind,
    SnapshotColumn,
)
from registry.snapshot.terms import Terms
from registry.vocabulary import CatheterModel, Drug, Indication, PumpModel

Row = Sequence[object]
RecordKey = Callable[[bytes], tuple[int, int]]

DATABASE = "registry.duckdb"
_NUMBERS = frozenset(
    [
        "year",
        "months_since_implant",
        "severity",
        "implant_year",
        "months_to_entry",
        "months_followed",
        "refills",
        "procedures",
        "devices",
        "component_months",
    ]
)
_CHUNK = 65_536
_NOTHING = -(2**63)


def freeze_rows(
    root: Path,
    *,
    events: Iterable[Row],
    implants: Iterable[Row],
    exposures: Iterable[Row],
    terms: Terms,
    record_key: RecordKey | None = None,
    keys: str = "",
    when_read: Callable[[], None] | None = None,
) -> Manifest:
    """Write one snapshot under `root`, unless the same one is there already, and describe it.

    events, implants, exposures: rows in the order of EVENT_SOURCE, IMPLANT_SOURCE and
    EXPOSURE_SOURCE; they are read once and never held whole. None and "" are "not recorded".
    record_key: from a public id's bytes to two numbers of 30 and 31 bits, kept with each implant.
    keys: the mark of the secret behind `record_key`; other keys make another snapshot.
    when_read: called once all rows are read, when their source may be let go.
    Raises ValueError where `caused_by` runs in a circle.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=root))
    try:
        staging = building / "staging"
        staging.mkdir(mode=0o700)
        with duckdb.connect(str(staging / "staging.duckdb")) as connection:
            _load(connection, staging, "raw_implants", IMPLANT_SOURCE, implants)
            _load(connection, staging, "raw_events", EVENT_SOURCE, events)
            _load(connection, staging, "raw_exposures", EXPOSURE_SOURCE, exposures)
            if when_read is not None:
                when_read()
            _load_terms(connection, terms)
            _derive(connection)
            codes = code_lists(terms, _codes_found(connection))
            _create_code_types(connection, codes)
            extra = _load_record_keys(connection, record_key) if record_key else ""
            _write_tables(connection, building, extra)
            manifest = _describe(connection, terms, codes, keys=keys, keyed=record_key is not None)
            connection.execute("DETACH frozen")
        shutil.rmtree(staging)
        manifest.write(building)
        _publish(building, root / manifest.snapshot_id)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return manifest


def _load(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: str,
    names: tuple[str, ...],
    rows: Iterable[Row],
) -> None:
    """Stage rows by way of a file that DuckDB reads in parallel: a row at a time is too slow."""
    path = folder / f"{table}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    types = dict.fromkeys(names, "VARCHAR")
    connection.execute(
        f"CREATE TABLE {table} AS SELECT {', '.join(_staged(name) for name in names)} "  # noqa: S608 - names from the schema
        "FROM read_csv(?, columns = ?, auto_detect = false, header = false, delim = ',', "
        "quote = '\"', nullstr = '')",
        [str(path), types],
    )
    path.unlink()


def _staged(name: str) -> str:
    """How a source column is typed: NULL is a blank number, an empty text a blank code."""
    if name in {"public_id", "implant", "patient", "caused_by"}:
        return f"replace(lower({name}), '-', '') AS {name}"
    if name in _NUMBERS:
        return f"{name}::INTEGER AS {name}"
    if name == "interventions":
        return f"{name}::BIGINT AS {name}"
    if name in derive.CRITERIA.values():
        return f"coalesce({name}::BOOLEAN, false) AS {name}"
    return f"coalesce({name}, '') AS {name}"


def _load_terms(connection: duckdb.DuckDBPyConnection, terms: Terms) -> None:
    connection.execute(
        "CREATE TABLE terms (code VARCHAR, category VARCHAR, clock VARCHAR, in_totals BOOLEAN);"
        "CREATE TABLE sites (code VARCHAR, country VARCHAR);"
        "CREATE TABLE parents (list VARCHAR, code VARCHAR, parent VARCHAR);"
    )
    parents = [
        *(("pump_model", model.value, model.manufacturer.value) for model in PumpModel),
        *(("catheter_model", model.value, model.manufacturer.value) for model in CatheterModel),
        *(("drug", drug.value, drug.drug_class.value) for drug in Drug),
        *(("indication", each.value, each.group.value) for each in Indication),
    ]
    _insert(connection, "parents", parents)
    _insert(
        connection,
        "terms",
        [(t.code, t.category, t.clock, t.in_totals) for t in terms.complications],
    )
    _insert(connection, "sites", list(terms.sites.items()))


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows in one statement: one for each row takes several times as long."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    statement = f"INSERT INTO {table} VALUES {', '.join([row] * len(rows))}"  # noqa: S608 - our names
    connection.execute(statement, [value for each in rows for value in each])


def _derive(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in derive.BEFORE_EPISODES:
        connection.execute(statement)
    causes = connection.execute(derive.CAUSES).fetchnumpy()
    count = connection.execute("SELECT count(*) FROM raw_events").fetchall()[0][0]
    episodes = {  # noqa: F841 - DuckDB reads it by name
        "event_no": np.arange(count),
        "episode": episode_of(count, causes["event_no"], causes["cause_no"]),
    }
    connection.execute("CREATE TABLE episodes AS SELECT event_no, episode FROM episodes")
    for statement in derive.AFTER_EPISODES:
        connection.execute(statement)


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


def _load_record_keys(connection: duckdb.DuckDBPyConnection, record_key: RecordKey) -> str:
    """Keep two keys for each implant and two for its patient; returns the columns to add."""
    rows = connection.execute("SELECT device_no, public_id, patient FROM all_implants").fetchall()
    keys = np.array(
        [
            (number, *record_key(bytes.fromhex(device)), *record_key(bytes.fromhex(patient)))
            for number, device, patient in rows
        ],
        dtype=np.int64,
    ).reshape(-1, 5)
    keyed = {"device_no": keys[:, 0]} | {  # noqa: F841 - DuckDB reads it by name
        column.name: keys[:, place] for place, column in enumerate(RECORD_KEYS, start=1)
    }
    connection.execute("CREATE TABLE record_keys AS SELECT * FROM keyed")
    return ", " + ", ".join(f"k.{column.name}" for column in RECORD_KEYS)


def _write_tables(connection: duckdb.DuckDBPyConnection, folder: Path, extra: str) -> None:
    connection.execute(f"ATTACH '{_quoted(folder / DATABASE)}' AS frozen")
    for table, columns in TABLES.items():
        keys = extra if table == "implants" else ""
        joined = " LEFT JOIN record_keys k USING (device_no)" if keys else ""
        connection.execute(
            f"CREATE TABLE frozen.{table} AS "  # noqa: S608 - names from the schema
            f"SELECT {derive.listed_columns(table)}{keys} FROM all_{table}{joined} "
            f"ORDER BY {columns[0].name}"
        )
        connection.execute(
            f"COPY (SELECT * FROM frozen.{table} ORDER BY {columns[0].name}) "  # noqa: S608 - names from the schema
            f"TO '{_quoted(folder / table)}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )


def _quoted(value: object) -> str:
    """A path or code inside SQL text; ATTACH, COPY and CREATE TYPE take no placeholders."""
    return str(value).replace("'", "''")


def _codes_found(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The codes that the derived rows hold, by column."""
    found: dict[str, set[str]] = {name: set() for name in code_columns()}
    for table, columns in TABLES.items():
        for column in columns:
            if column.kind is Kind.CODE:
                rows = connection.execute(
                    f"SELECT DISTINCT {column.name} FROM all_{table}"  # noqa: S608 - names from the schema
                ).fetchall()
                found[column.name].update(code for (code,) in rows)
    return found


def _create_code_types(
    connection: duckdb.DuckDBPyConnection, codes: Mapping[str, tuple[str, ...]]
) -> None:
    """Make each list an enumeration, whose values DuckDB numbers by their place in it."""
    for name, listed in codes.items():
        values = ", ".join(f"'{_quoted(code)}'" for code in listed)
        connection.execute(f"CREATE TYPE {derive.code_type(name)} AS ENUM ({values})")


def _describe(
    connection: duckdb.DuckDBPyConnection,
    terms: Terms,
    codes: Mapping[str, tuple[str, ...]],
    *,
    keys: str,
    keyed: bool,
) -> Manifest:
    digest = hashlib.sha256(f"schema {SCHEMA_VERSION}, keyed {keyed} {keys}\n".encode())
    digest.update(json.dumps(terms.as_json(), sort_keys=True).encode())
    digest.update(json.dumps(codes, sort_keys=True).encode())
    counts = {}
    for table, columns in TABLES.items():
        counts[table] = 0
        digest.update(f"\n{table}\n".encode())
        for size in _digest_rows(connection, table, columns, digest):
            counts[table] += size
    first, last = connection.execute(derive.YEARS).fetchall()[0]
    return Manifest(
        snapshot_id=digest.hexdigest(),
        schema_version=SCHEMA_VERSION,
        terms=terms,
        years=None if first is None else (first, last),
        codes=codes,
        keys=keys,
        **counts,
    )


def _digest_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: tuple[SnapshotColumn, ...],
    digest: "hashlib._Hash",
) -> Iterator[int]:
    """Add a table's rows to the digest, some thousand at a time, and say how many each time.

    A chunk is its size and then, column by column, the numbers as 8 bytes each, little end first,
    with the least of all numbers where nothing is recorded.
    """
    listed = ", ".join(f"coalesce({c.name}::BIGINT, {_NOTHING}) AS {c.name}" for c in columns)
    number = columns[0].name
    for start in itertools.count(0, _CHUNK):
        found = connection.execute(
            f"SELECT {listed} FROM frozen.{table} "  # noqa: S608 - names from the schema
            f"WHERE {number} >= ? AND {number} < ? ORDER BY {number}",
            [start, start + _CHUNK],
        ).fetchnumpy()
        size = len(found[number])
        if size:
            digest.update(size.to_bytes(8, "little"))
            for column in columns:
                digest.update(np.ascontiguousarray(found[column.name], dtype="<i8").tobytes())
            yield size
        if size < _CHUNK:
            return


def _publish(building: Path, folder: Path) -> None:
    """Sync every file and rename the folder into place; an equal snapshot there stays."""
    for path in building.iterdir():
        path.chmod(0o600)
        _sync(path)
    _sync(building)
    if folder.exists():
        return
    building.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = ["DATABASE", "RecordKey", "Row", "episode_of", "freeze_rows"]

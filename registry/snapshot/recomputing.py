"""Works out a snapshot's id from its rows again, and signs what was not signed under this key."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from registry.snapshot.freeze import DATABASE, NewSnapshot
from registry.snapshot.integrity import MANIFEST, Damage, digests_of, hold_to, looks
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import RECORD_KEYS, SCHEMA_VERSION, TABLES
from registry.snapshot.staging import MEMORY, quoted

UNSIGNED = frozenset({"unsigned", "other-key"})
"""The damage that a new signature mends, where the rows are those of the snapshot's id."""


def hold_to_rows(folder: Path, manifest: Manifest) -> None:
    """Raise Damage unless both the DuckDB file and the Parquet files hold the snapshot's very rows.

    The id is worked out anew from all rows, and so is what the manifest says of them.
    """
    for name in (DATABASE, "parquet"):
        try:
            with _frozen(folder, name) as connection:
                described = _described(connection, manifest)
        except (duckdb.Error, LookupError, ValueError) as error:
            raise Damage("altered", f"The rows in {name} cannot be read.") from error
        if described != manifest:
            raise Damage("altered", f"The rows in {name} are not those of the snapshot's id.")


@contextmanager
def _frozen(folder: Path, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that calls a snapshot's rows `frozen`, as freezing does."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        if name == DATABASE:
            connection.execute(f"ATTACH {quoted(folder / DATABASE)} AS frozen (READ_ONLY)")
        else:
            connection.execute("ATTACH ':memory:' AS frozen")
            for table in TABLES:
                rows = f"read_parquet({quoted(folder / f'{table}.parquet')})"
                connection.execute(f"CREATE VIEW frozen.{table} AS FROM {rows}")
        yield connection


def _described(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Manifest:
    columns = connection.execute("FROM frozen.implants LIMIT 0").description or []
    snapshot = NewSnapshot(
        terms=manifest.terms,
        codes=manifest.codes,
        keys=manifest.keys,
        hands=manifest.hands,
        closed_on=manifest.closed_on,
        delays=manifest.delays,
        signing=b"",
        keyed=RECORD_KEYS[0].name in {column[0] for column in columns},
    )
    return snapshot.described(connection)


def sign_again(folder: Path, *, key: bytes) -> None:
    """Sign a snapshot that is not signed under this key, if its rows are those of its id.

    What its old manifest lists must be there as listed. Raises Damage where it cannot be signed.
    """
    try:
        manifest = Manifest.read(folder)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Damage("altered", f"{MANIFEST} cannot be read.") from error
    if manifest.snapshot_id != folder.name:
        raise Damage("altered", f"{MANIFEST} is of another snapshot.")
    if manifest.schema_version != SCHEMA_VERSION:
        raise Damage("unsigned", "It was frozen by another version of the registry.")
    expected = {DATABASE, MANIFEST, *(f"{table}.parquet" for table in TABLES)}
    found = looks(folder)
    if unknown := found.keys() ^ expected:
        raise Damage("altered", f"{min(unknown)} is missing, or does not belong to the snapshot.")
    if manifest.files:
        hold_to(manifest.files, folder, found)
    hold_to_rows(folder, manifest)
    replace(manifest, files=digests_of(folder)).write(folder, key=key)

"""A snapshot's id: SHA-256 over its rows, number by number, its code lists and its terms.

It depends on what the rows are and on nothing else: not on the files, and not on the engine that
wrote them. Rows are digested by blocks, so that after a change only the blocks that hold changed
rows are digested again.
"""

# ruff: noqa: S608 - names come from the schema

import hashlib
import json
from collections.abc import Mapping

import duckdb
import numpy as np

from registry.snapshot.delays import Delays
from registry.snapshot.schema import SCHEMA_VERSION, TABLES, Kind, SnapshotColumn, columns_of
from registry.snapshot.terms import Terms

BLOCK = 65_536
"""How many row numbers a block spans."""

COLUMNS_AT_ONCE = 12
"""How many columns of a block are held at once."""

Digests = Mapping[str, tuple[str, ...]]
"""The digest of each block of each table, in the order of their numbers."""


def changed_blocks(connection: duckdb.DuckDBPyConnection, table: str) -> frozenset[int]:
    """The blocks that hold the rows of `anew_<table>`."""
    number = TABLES[table][0].name
    found = connection.execute(f"SELECT DISTINCT {number} // {BLOCK} FROM anew_{table}")
    return frozenset(block for (block,) in found.fetchall())


def digest_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    *,
    keyed: bool,
    before: tuple[str, ...] = (),
    changed: frozenset[int] | None = None,
) -> tuple[str, ...]:
    """The digests of a table's blocks.

    before: those of the last snapshot, which hold but for the blocks in `changed`, and for new
    ones; where `changed` is None, for none.
    """
    number = TABLES[table][0].name
    size = connection.execute(
        f"SELECT coalesce(max({number}) + 1, 0) FROM frozen.{table}"
    ).fetchall()[0][0]
    return tuple(
        before[block]
        if changed is not None and block < len(before) and block not in changed
        else _digest_block(connection, table, block, keyed=keyed)
        for block in range(-(-size // BLOCK))
    )


_WIDTHS = {Kind.CODE: 2, Kind.NUMBER: 4, Kind.BITS: 8, Kind.FLAG: 1}


def _digest_block(
    connection: duckdb.DuckDBPyConnection, table: str, block: int, *, keyed: bool
) -> str:
    """Column by column, the numbers of a block's rows in order, in bytes with the little end first.

    A code is 2 bytes long, a number 4, a set of bits 8 and a flag 1. Where nothing is recorded
    stands the least number of that length.
    """
    columns = columns_of(table, keyed=keyed)
    number = columns[0].name
    digest = hashlib.sha256()
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        some = columns[start : start + COLUMNS_AT_ONCE]
        found = connection.execute(
            f"SELECT {', '.join(map(_canonical, some))} FROM frozen.{table} r "
            f"WHERE r.{number} >= ? AND r.{number} < ? ORDER BY r.{number}",
            [block * BLOCK, (block + 1) * BLOCK],
        ).fetchnumpy()
        for column in some:
            held = np.ascontiguousarray(found[column.name], f"<i{_WIDTHS[column.kind]}")
            digest.update(f"{column.name}\n".encode())
            digest.update(held.data)
    return digest.hexdigest()


def _canonical(column: SnapshotColumn) -> str:
    kind = "TINYINT" if column.kind is Kind.FLAG else column.kind.value
    least = -(2 ** (8 * _WIDTHS[column.kind] - 1))
    return f"coalesce({column.name}::{kind}, {least})::{kind} AS {column.name}"


def snapshot_id(
    digests: Digests,
    *,
    counts: Mapping[str, int],
    terms: Terms,
    codes: Mapping[str, tuple[str, ...]],
    keys: str | None,
    hands: Mapping[str, int],
    closed_on: Mapping[str, str],
    delays: Delays = (),
) -> str:
    """The id of a snapshot of these rows; keys: the mark of the keys, None without record keys.

    hands: the number of each site's hand. closed_on: the day of each site's last closed round.
    delays: how long events took to be accepted.
    """
    held: dict[str, object] = {
        "schema": SCHEMA_VERSION,
        "keys": keys,
        "terms": terms.as_json(),
        "codes": codes,
        "hands": dict(sorted(hands.items())),
        "rows": {table: [counts[table], *digests[table]] for table in TABLES},
    }
    if closed_on:
        held["closed_on"] = dict(sorted(closed_on.items()))
    if delays:
        held["delays"] = delays
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()

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

from registry.snapshot.schema import SCHEMA_VERSION, TABLES, columns_of
from registry.snapshot.terms import Terms

BLOCK = 65_536
"""How many row numbers a block spans."""

Digests = Mapping[str, tuple[str, ...]]
"""The digest of each block of each table, in the order of their numbers."""

_NOTHING = -(2**63)


def digest_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    *,
    keyed: bool,
    before: tuple[str, ...] | None = None,
) -> tuple[str, ...]:
    """The digests of a table's blocks.

    before: the digests that hold wherever no row of `anew_<table>` lies in the block.
    """
    number = TABLES[table][0].name
    blocks = connection.execute(
        f"SELECT coalesce(max({number}) + 1, 0) FROM frozen.{table}"
    ).fetchall()[0][0]
    blocks = -(-blocks // BLOCK)
    changed = set(range(blocks))
    if before is not None and table != "exposures":
        found = connection.execute(f"SELECT DISTINCT {number} // {BLOCK} FROM anew_{table}")
        changed = {block for (block,) in found.fetchall()} | set(range(len(before), blocks))
    kept = before or ()
    return tuple(
        _digest_block(connection, table, block, keyed=keyed) if block in changed else kept[block]
        for block in range(blocks)
    )


def _digest_block(
    connection: duckdb.DuckDBPyConnection, table: str, block: int, *, keyed: bool
) -> str:
    """Column by column, the numbers of a block's rows in order, as 8 bytes each, little end first.

    Where nothing is recorded stands the least of all numbers.
    """
    columns = columns_of(table, keyed=keyed)
    listed = ", ".join(f"coalesce({c.name}::BIGINT, {_NOTHING}) AS {c.name}" for c in columns)
    number = columns[0].name
    found = connection.execute(
        f"SELECT {listed} FROM frozen.{table} "
        f"WHERE {number} >= ? AND {number} < ? ORDER BY {number}",
        [block * BLOCK, (block + 1) * BLOCK],
    ).fetchnumpy()
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{column.name}\n".encode())
        digest.update(np.ascontiguousarray(found[column.name], dtype="<i8").data)
    return digest.hexdigest()


def snapshot_id(
    digests: Digests,
    *,
    counts: Mapping[str, int],
    terms: Terms,
    codes: Mapping[str, tuple[str, ...]],
    keys: str | None,
) -> str:
    """The id of a snapshot of these rows; keys: the mark of the keys, None without record keys."""
    held = {
        "schema": SCHEMA_VERSION,
        "keys": keys,
        "terms": terms.as_json(),
        "codes": codes,
        "rows": {table: [counts[table], *digests[table]] for table in TABLES},
    }
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()

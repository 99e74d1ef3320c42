"""Stages rows as they were entered in a DuckDB file, typed and numbered; snapshots derive from it.

A row is known in here by a key, which is never in a snapshot: the primary key, or for rows from
elsewhere the public id. Rows are numbered in the order of their keys, from 0.
"""

# ruff: noqa: S608 - names come from the schema

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.snapshot.codes import code_lists
from registry.snapshot.delays import ACCEPTED_IN
from registry.snapshot.derive import CRITERIA
from registry.snapshot.schema import (
    ENTERED,
    EVENT_SOURCE,
    EXPOSURE_SOURCE,
    IMPLANT_SOURCE,
    code_type,
    fed_type,
)
from registry.snapshot.terms import Terms
from registry.vocabulary import AgeBand, CatheterModel, Drug, Indication, PooledAgeBand, PumpModel

Row = Sequence[object]
Codes = Mapping[str, tuple[str, ...]]
RecordKeys = Callable[[bytes], NDArray[np.int64]]
"""From public ids, 16 bytes each in a row, to two numbers of 30 and 31 bits for each."""

MEMORY = "128MB"
"""What DuckDB may hold while freezing; the rest goes through a folder of temporary files."""
FEW_BYTES = 4_000_000
"""A feed of no more is staged by one thread: to share it out takes more than it brings."""


def _holding(*what: Holds) -> frozenset[str]:
    """The declared columns that hold any of these, whatever row they are of."""
    return frozenset(
        name
        for columns in DECLARED.values()
        for name, column in columns.items()
        if column.holds in what
    )


_FLAGS = frozenset(CRITERIA.values())
_NUMBERS = _holding(Holds.NUMBER, Holds.YEAR, Holds.GRADE) | {"round_number", "months_at_round"}
_TRUTHS = frozenset({"followed_at_round"})
_BITS = _holding(Holds.CODES)
_INSTANTS = frozenset({"accepted_at"})
_KEYS = ("public_id", "implant", "patient", "caused_by")


@dataclass(frozen=True, slots=True)
class Staged:
    """A staged table: the rows it is fed, and what its keys and numbers are called."""

    name: str
    key: str
    number: str
    fed: tuple[str, ...]


STAGED = {
    "implants": Staged("staged_implants", "implant", "device_no", IMPLANT_SOURCE),
    "events": Staged(
        "staged_events",
        "event",
        "event_no",
        tuple(dict.fromkeys("seriousness" if n in _FLAGS else n for n in EVENT_SOURCE)),
    ),
    "exposures": Staged("staged_exposures", "exposure", "exposure_no", EXPOSURE_SOURCE),
}
"""What is staged. Events are fed with their criteria of seriousness as one bit set."""


class Feed(Protocol):
    """Where rows come from: the database, or a test's own hands.

    key_type: the type of the keys in SQL.
    """

    key_type: str

    def write(self, table: str, path: Path) -> None:
        """Write a table's rows as CSV without a header, in the columns that are fed."""

    def public_ids(
        self, column: str, staging: duckdb.DuckDBPyConnection
    ) -> Iterator[tuple[NDArray[np.int64] | NDArray[np.object_], bytes]]:
        """The keys in a column of implants, and the public ids, 16 bytes each; in chunks."""


def open_staging(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the staging file of a folder, with a folder beside it for what memory cannot hold."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return duckdb.connect(
        str(folder / "staged.duckdb"),
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spilled"),
            "preserve_insertion_order": "false",  # where it matters, ORDER BY says so
            "allow_community_extensions": "false",
            "allocator_flush_threshold": "16MB",  # what is freed goes back to the machine
        },
    )


def stage(connection: duckdb.DuckDBPyConnection, feed: Feed, terms: Terms, folder: Path) -> Codes:
    """Stage everything that a feed has; gives the code lists, with codes of no list at their end.

    folder: where the feed's files may stand in the meantime.
    """
    files = {table: folder / f"{table}.csv" for table in STAGED}
    for table, path in files.items():
        feed.write(table, path)
    if sum(path.stat().st_size for path in files.values()) <= FEW_BYTES:
        connection.execute("SET threads = 1")
    codes = code_lists(terms)
    try:
        _stage(connection, files, feed.key_type, codes, terms)
    except duckdb.Error:
        found = _codes_found(connection, files)
        if code_lists(terms, found) == codes:
            raise
        codes = code_lists(terms, found)
        _stage(connection, files, feed.key_type, codes, terms)
    for path in files.values():
        path.unlink()
    return codes


def _stage(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Path],
    key_type: str,
    codes: Codes,
    terms: Terms,
) -> None:
    with in_transaction(connection):
        types = {code_type(name): listed for name, listed in codes.items()}
        types |= {fed_type(name): ("", *listed) for name, listed in ENTERED.items()}
        for type_name, listed in types.items():
            values = ", ".join(quoted(code) for code in listed)
            connection.execute(f"CREATE TYPE {type_name} AS ENUM ({values})")
        _stage_terms(connection, terms)
        for table, path in files.items():
            staged = STAGED[table]
            number = f"row_number() OVER (ORDER BY {staged.key}) - 1 AS {staged.number}"
            connection.execute(
                f"CREATE TABLE {staged.name} AS SELECT {number}, r.* FROM ("
                f"{fed_rows(table, path, key_type)}) r"
            )


def fed_rows(table: str, path: Path, key_type: str) -> str:
    """A statement that reads a feed's file, typed: NULL is a blank number, "" a blank code."""
    staged = STAGED[table]
    types = {name: _type(name, key_type) for name in staged.fed}
    listed = ", ".join(f"{_typed(name, key_type)} AS {_name(name, staged)}" for name in staged.fed)
    return f"SELECT {listed} FROM {_read_csv(path, types)}"


def _read_csv(path: Path, types: Mapping[str, str]) -> str:
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
    return (
        f"read_csv({quoted(path)}, columns = {{{columns}}}, auto_detect = false, "
        "header = false, delim = ',', quote = '\"', escape = '\"', nullstr = '')"
    )


def _name(name: str, staged: Staged) -> str:
    if name in _INSTANTS:
        return ACCEPTED_IN
    return staged.key if name == "public_id" else name


def _type(name: str, key_type: str) -> str:
    if name in _KEYS:
        return key_type
    if name in _NUMBERS:
        return "INTEGER"
    if name in _TRUTHS:
        return "BOOLEAN"
    if name in _INSTANTS:
        return "VARCHAR"
    return "BIGINT" if name in _BITS else fed_type(name)


def _typed(name: str, key_type: str) -> str:
    if name in _KEYS:
        return name if key_type == "BIGINT" else f"replace(lower({name}), '-', '')"
    if name in _NUMBERS:
        return name
    if name in _TRUTHS:
        return f"coalesce({name}, false)"
    if name in _INSTANTS:
        year, month = f"left({name}, 4)::INTEGER", f"substr({name}, 6, 2)::INTEGER"
        return f"12 * {year} + {month} - 1"
    return f"coalesce({name}, 0)" if name in _BITS else f"coalesce({name}, ''::{fed_type(name)})"


def _codes_found(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, Path]
) -> dict[str, set[str]]:
    """The codes that the files hold, by column."""
    found: dict[str, set[str]] = {}
    for table, path in files.items():
        fed = STAGED[table].fed
        plain = {*_KEYS, *_NUMBERS, *_BITS, *_TRUTHS, *_INSTANTS, *ENTERED}
        coded = [name for name in fed if name not in plain]
        listed = ", ".join(f"list(DISTINCT {name})" for name in coded)
        source = _read_csv(path, dict.fromkeys(fed, "VARCHAR"))
        row = connection.execute(f"SELECT {listed} FROM {source}").fetchall()[0]
        for name, codes in zip(coded, row, strict=True):
            found.setdefault(name, set()).update(code for code in codes or () if code)
    return found


def _stage_terms(connection: duckdb.DuckDBPyConnection, terms: Terms) -> None:
    pairs = {
        "sites": ("site", "country", list(terms.sites.items())),
        "makers_of_pumps": (
            "pump_model",
            "manufacturer",
            [(model.value, model.manufacturer.value) for model in PumpModel],
        ),
        "families_of_pumps": (
            "pump_model",
            "pump_family",
            [(model.value, model.family.value) for model in PumpModel],
        ),
        "makers_of_catheters": (
            "catheter_model",
            "manufacturer",
            [(model.value, model.manufacturer.value) for model in CatheterModel],
        ),
        "classes_of_drugs": (
            "drug",
            "drug_class",
            [(drug.value, drug.drug_class.value) for drug in Drug],
        ),
        "groups_of_indications": (
            "indication",
            "indication_group",
            [(each.value, each.group.value) for each in Indication],
        ),
        "bands_of_ages": (
            "age_band",
            "age_band",
            [(each.value, each.pooled.value) for each in AgeBand],
        ),
        "groups_of_ages": (
            "age_band",
            "age_group",
            [(each.value, each.group.value) for each in PooledAgeBand],
        ),
    }
    for table, (code, parent, rows) in pairs.items():
        named = "country" if table == "sites" else "parent"
        keyed_by = fed_type(code) if table == "bands_of_ages" else code_type(code)
        connection.execute(f"CREATE TABLE {table} (code {keyed_by}, {named} {code_type(parent)})")
        _insert(connection, table, rows)
    site, component = code_type("site"), code_type("component")
    connection.execute(f"CREATE TABLE words (site {site}, component {component}, year INTEGER)")
    said = terms.implants_from.items()
    words = [(site, part, year) for site, years in said for part, year in years.items()]
    _insert(connection, "words", words)
    connection.execute(
        f"CREATE TABLE terms (code {code_type('complication')}, category {code_type('category')}, "
        f"clock {code_type('component')}, in_totals BOOLEAN)"
    )
    _insert(
        connection,
        "terms",
        [(t.code, t.category, t.clock, t.in_totals) for t in terms.complications],
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert rows in one statement: one for each row takes several times as long."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    statement = f"INSERT INTO {table} VALUES {', '.join([row] * len(rows))}"
    connection.execute(statement, [value for each in rows for value in each])


def stage_record_keys(
    connection: duckdb.DuckDBPyConnection, feed: Feed, record_keys: RecordKeys
) -> None:
    """Keep the two record keys of each implant and patient that a feed has, in place of older."""
    with in_transaction(connection):
        for column in ("implant", "patient"):
            table = f"{column}_keys"
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} "
                f"(id {feed.key_type}, key_30 BIGINT, key_31 BIGINT)"
            )
            for ids, public_ids in feed.public_ids(column, connection):
                keys = record_keys(public_ids)
                keyed = {"id": ids, "key_30": keys[:, 0], "key_31": keys[:, 1]}  # noqa: F841 - read by name
                connection.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM keyed)")
                connection.execute(f"INSERT INTO {table} SELECT id, key_30, key_31 FROM keyed")


class RowFeed:
    """Rows in the order of EVENT_SOURCE, IMPLANT_SOURCE and EXPOSURE_SOURCE, read once."""

    key_type = "VARCHAR"

    def __init__(
        self, *, events: Iterable[Row], implants: Iterable[Row], exposures: Iterable[Row]
    ) -> None:
        self._rows = {"events": map(_fed_event, events), "implants": implants}
        self._rows["exposures"] = exposures

    def write(self, table: str, path: Path) -> None:
        """Write a table's rows as CSV without a header, in the columns that are fed."""
        write_rows(self._rows[table], path)

    def public_ids(
        self, column: str, staging: duckdb.DuckDBPyConnection
    ) -> Iterator[tuple[NDArray[np.object_], bytes]]:
        """The keys in a column of implants are the public ids, in hexadecimal digits."""
        found = staging.execute(f"SELECT DISTINCT {column} AS id FROM staged_implants").fetchnumpy()
        yield found["id"], bytes.fromhex("".join(found["id"].tolist()))


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write rows as CSV without a header; None is blank."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


_EVENT_PLACES = {name: place for place, name in enumerate(EVENT_SOURCE)}
_BIT_PLACES = [(_EVENT_PLACES[name], 1 << criterion.bit) for criterion, name in CRITERIA.items()]


def _fed_event(row: Row) -> Row:
    """An event with its criteria as a bit set."""
    bits = sum(bit for place, bit in _BIT_PLACES if row[place])
    return [
        bits if name == "seriousness" else row[_EVENT_PLACES[name]] for name in STAGED["events"].fed
    ]


class in_transaction:
    """A transaction of DuckDB's: all or nothing, and written to the disk once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.begin()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self._connection.commit()
        else:
            self._connection.rollback()


def quoted(value: object) -> str:
    """A path or code inside SQL text; ATTACH, COPY and CREATE TYPE take no placeholders."""
    return "'" + str(value).replace("'", "''") + "'"

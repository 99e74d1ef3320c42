from pathlib import Path

import duckdb
import pytest

from registry.records import DIMENSIONS
from registry.snapshot.codes import code_lists
from registry.snapshot.schema import EVENTS, TABLES, Kind, column
from tests.snapshot.rows import event, exposure, freeze_rows, implant, public_id, shipped_terms


def frozen_folder(root: Path) -> Path:
    manifest = freeze_rows(
        root,
        events=[event("e1", on="i1")],
        implants=[implant("i1", pump_model="isomed")],
        exposures=[exposure("x1")],
        terms=shipped_terms(),
    )
    return root / manifest.snapshot_id


@pytest.mark.parametrize("table", TABLES)
def test_files_hold_the_listed_columns_and_no_other(tmp_path: Path, table: str) -> None:
    folder = frozen_folder(tmp_path)
    listed = [column.name for column in TABLES[table]]

    with duckdb.connect(str(folder / "registry.duckdb"), read_only=True) as connection:
        in_database = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
        parquet = str(folder / f"{table}.parquet")
        in_parquet = [
            row[0]
            for row in connection.execute(
                "DESCRIBE SELECT * FROM read_parquet(?)", [parquet]
            ).fetchall()
        ]

    assert in_database == listed
    assert in_parquet == listed


def test_database_holds_the_listed_tables_and_no_other(tmp_path: Path) -> None:
    folder = frozen_folder(tmp_path)

    with duckdb.connect(str(folder / "registry.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
        tables = {row[0] for row in found}

    assert tables == {"events", "implants", "exposures"}


def test_files_hold_no_public_id(tmp_path: Path) -> None:
    folder = frozen_folder(tmp_path)
    texts = [public_id(name).encode() for name in ("e1", "i1", "of-i1", "x1")]
    wanted = texts + [text.replace(b"-", b"") for text in texts]

    for path in folder.iterdir():
        held = path.read_bytes()
        assert not any(text in held for text in wanted), path.name


def test_column_refuses_what_is_not_listed() -> None:
    with pytest.raises(LookupError):
        column("events", "source_id")


def test_every_dimension_of_an_event_is_a_column() -> None:
    columns = {column.name for column in EVENTS}

    assert set(DIMENSIONS) - columns == {"window", "period"}  # both follow from other columns


def test_every_column_is_a_whole_number_or_a_flag(tmp_path: Path) -> None:
    folder = frozen_folder(tmp_path)

    with duckdb.connect(str(folder / "registry.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
        ).fetchall()

    assert {kind for _, kind in found} == {"SMALLINT", "INTEGER", "BIGINT", "BOOLEAN"}
    numbers = {c.name: c.kind.value for columns in TABLES.values() for c in columns}
    assert dict(found) == numbers


def test_every_code_column_has_one_list_that_begins_with_the_blank() -> None:
    lists = code_lists(shipped_terms())

    for columns in TABLES.values():
        for each in columns:
            assert (each.kind is Kind.CODE) == (each.name in lists), each.name
    for name, codes in lists.items():
        assert codes[0] == "", name
        assert len(set(codes)) == len(codes), name

from pathlib import Path
from shutil import copy

import duckdb
import numpy as np
import pytest

from registry.snapshot import engine as module
from registry.snapshot.engine import ROWS_FOR_TWO, DuckDB

THREADS = "SELECT value AS found FROM duckdb_settings() WHERE name = 'threads'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE rows AS SELECT * FROM (VALUES (1, 'a'), (NULL, 'b')) t(n, c)"
        )
    return path


@pytest.fixture
def engine(path: Path) -> DuckDB:
    return DuckDB(path, rows=2)


def test_engine_gives_an_array_per_column_masked_where_nothing_is_recorded(engine: DuckDB) -> None:
    found = engine.run("SELECT n, c FROM rows WHERE c IN (?, ?) ORDER BY c", ["a", "b"])

    assert found["c"].tolist() == ["a", "b"]
    assert np.ma.getmaskarray(found["n"]).tolist() == [False, True]


def test_engine_reads_few_rows_by_one_thread_and_more_by_all(path: Path) -> None:
    with duckdb.connect() as usual:
        (every,) = usual.execute(THREADS).fetchnumpy()["found"]
    other = Path(copy(path, path.with_name("other.duckdb")))

    few, many = DuckDB(path, rows=ROWS_FOR_TWO - 1), DuckDB(other, rows=ROWS_FOR_TWO)

    assert few.run(THREADS, [])["found"].tolist() == ["1"]
    assert many.run(THREADS, [])["found"].tolist() == [every]


def test_engine_takes_no_more_threads_than_it_is_given(path: Path) -> None:
    other = Path(copy(path, path.with_name("other.duckdb")))

    few = DuckDB(path, rows=ROWS_FOR_TWO - 1, threads=3)
    many = DuckDB(other, rows=ROWS_FOR_TWO, threads=3)

    assert few.run(THREADS, [])["found"].tolist() == ["1"]
    assert many.run(THREADS, [])["found"].tolist() == ["3"]


def test_engine_changes_nothing(engine: DuckDB) -> None:
    with pytest.raises(duckdb.Error, match="read-only"):
        engine.run("DELETE FROM rows", [])


def test_engine_reads_no_other_file(engine: DuckDB, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")

    with pytest.raises(duckdb.Error):
        engine.run("SELECT * FROM read_csv(?)", [str(other)])


def test_engine_opens_the_file_anew_after_an_error_inside_it(
    engine: DuckDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an error leaves the connection unusable: here it is closed, as by a fatal one."""
    answer = module._answer

    def broken(connection: duckdb.DuckDBPyConnection, *statement: object) -> None:
        connection.close()
        raise duckdb.InternalException("INTERNAL Error: something in the engine")

    monkeypatch.setattr(module, "_answer", broken)
    with pytest.raises(duckdb.InternalException):
        engine.run("SELECT n FROM rows", [])

    monkeypatch.setattr(module, "_answer", answer)
    assert engine.run("SELECT count(*) AS n FROM rows", [])["n"].tolist() == [2]

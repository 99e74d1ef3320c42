"""A freeze in parts of whole patients gives what a freeze at once gives."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from registry.snapshot import parts
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.manifest import Manifest
from registry.snapshot.staging import open_staging
from tests.snapshot.rows import event, exposure, implant, rows_of, shipped_terms, taira_rows

TABLES = ("implants", "events", "exposures")


def frozen(root: Path) -> Manifest:
    """Four hundred patients of two devices, and events that name no device or an unknown one."""
    implants, events = taira_rows()
    implants.append(implant("late", site="A", implant_year=2012))
    events.append(event("zz-of-nobody", caused_by="zz-unknown"))
    events.append(event("zz-unknown", on="nobody's"))
    return freeze_rows(
        root,
        events=events,
        implants=implants,
        exposures=[exposure("x1")],
        terms=shipped_terms(A="JP", B="DE", **{"TAIRA-1": "JP"}),
        record_key=lambda public_id: (public_id[0], public_id[1]),
        keys="mark",
    )


@pytest.mark.parametrize("devices", [814, 300, 7])
def test_rows_are_those_of_a_freeze_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: int
) -> None:
    at_once = frozen(tmp_path / "once")
    monkeypatch.setattr(parts, "ROWS_AT_ONCE", devices)

    in_parts = frozen(tmp_path / "parts")

    assert in_parts == at_once
    for table in TABLES:
        rows = rows_of(tmp_path / "parts", in_parts, table)
        assert rows == rows_of(tmp_path / "once", at_once, table)
    with duckdb.connect(str(tmp_path / "parts" / in_parts.snapshot_id / "registry.duckdb")) as it:
        for table in TABLES:
            numbers = [number for number, *_ in it.execute(f"FROM {table}").fetchall()]
            assert numbers == list(range(len(numbers)))


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """A staging file where three rows are derived at once."""
    monkeypatch.setattr(parts, "ROWS_AT_ONCE", 3)
    with open_staging(tmp_path / "staging") as connection:
        yield connection


def stage(connection: duckdb.DuckDBPyConnection, devices: int) -> None:
    """So many patients of one device, and five events: one on a device, one on an unknown one."""
    connection.execute(
        "CREATE TABLE staged_implants AS SELECT i AS patient, i AS implant FROM range(?) r(i)",
        [devices],
    )
    connection.execute(
        "CREATE TABLE staged_events AS SELECT i AS event_no, "
        "CASE i WHEN 0 THEN 0 WHEN 1 THEN 99 END AS implant FROM range(5) r(i)"
    )


@pytest.mark.parametrize(("devices", "count"), [(0, 1), (1, 1), (3, 1), (4, 4), (7, 5)])
def test_parts_hold_about_so_many_devices(
    staging: duckdb.DuckDBPyConnection, devices: int, count: int
) -> None:
    stage(staging, devices)

    with parts.in_parts(staging, keyed=False) as made:
        assert len(made) == count


def test_rows_lie_in_the_order_of_their_parts_as_long_as_they_are_derived(
    staging: duckdb.DuckDBPyConnection,
) -> None:
    """Then a part reads its own rows alone: a table tells the least and most of each stretch."""
    stage(staging, 40)
    for table in ("implant", "patient"):
        staging.execute(f"CREATE TABLE {table}_keys AS SELECT {table} AS id FROM staged_implants")  # noqa: S608
    tables = [f"{each}_by_part" for each in ("implants", "events", "implant_keys", "patient_keys")]

    with parts.in_parts(staging, keyed=True):
        held = {
            table: [part for (part,) in staging.execute(f"SELECT part FROM {table}").fetchall()]  # noqa: S608
            for table in tables
        }

    assert [len(held[table]) for table in tables] == [40, 5, 40, 40]
    for part in held.values():
        assert part == sorted(part)
    left = staging.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert not {table for (table,) in left} & set(tables)

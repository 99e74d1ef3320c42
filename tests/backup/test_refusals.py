"""What is no whole backup, or has no empty place to go, is refused in words and changes nothing."""

import fcntl
import io
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection

from registry.backup import archive
from registry.backup.archive import CUT, FOREIGN, Backup, writing
from registry.backup.restoring import look_into
from registry.backup.tables import MADE_BY_MIGRATE
from tests.backup.conftest import IS_POSTGRESQL, Kept, command
from tests.backup.places import Place, everything, on_postgresql, on_sqlite

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("unblocked")]

of_the_file_alone = pytest.mark.skipif(IS_POSTGRESQL, reason="asks no database")


@contextmanager
def an_empty_place(folder: Path) -> Iterator[Place]:
    """A registry's place without a table, on the kind of database of this run."""
    if IS_POSTGRESQL:
        with on_postgresql(folder) as place, place.used():
            yield place
    else:
        place = on_sqlite(folder)
        with place.used():
            yield place


def assert_nothing_came(place: Place) -> None:
    assert connection.introspection.table_names() == []
    snapshots = place.folder / "snapshots"
    assert [path.name for path in snapshots.glob("*")] in ([], [".freezing"])


def rewritten(
    file: Path, into: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]
) -> Path:
    """A backup with other content, whose checksums hold: as of another version, or forged."""
    with zipfile.ZipFile(file) as held:
        contents = {name: held.read(name) for name in held.namelist()}
    said = json.loads(contents.pop("manifest.json"))
    for word in ("members", "format"):
        del said[word]
    del contents[archive.NAMED]
    change(said, contents)
    with writing(into, lambda: said) as members:
        for name, content in contents.items():
            members.add_file(name, io.BufferedReader(io.BytesIO(content)))
    return into


@of_the_file_alone
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_cut_file(kept: Kept, tmp_path, share):
    whole = kept.file.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(CommandError, match=FOREIGN if share == 0 else CUT):
        command("restore", cut, check=True)


@of_the_file_alone
@pytest.mark.parametrize("share", [0.0005, 0.2, 0.5, 0.9, 0.9999])
def test_altered_byte_wherever_it_is(kept: Kept, tmp_path, share):
    content = bytearray(kept.file.read_bytes())
    content[int(len(content) * share)] ^= 1
    altered = tmp_path / "altered.zip"
    altered.write_bytes(content)

    with pytest.raises(CommandError, match=CUT):
        command("restore", altered, check=True)


@of_the_file_alone
def test_file_of_another_program(tmp_path):
    foreign = tmp_path / "other.zip"
    with zipfile.ZipFile(foreign, "w") as other:
        other.writestr("notes.txt", "notes")

    with pytest.raises(CommandError, match=FOREIGN):
        command("restore", foreign, check=True)


@of_the_file_alone
def test_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="Nothing was restored: No such file"):
        command("restore", tmp_path / "none.zip")


@of_the_file_alone
def test_format_of_a_newer_version(kept: Kept, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FORMAT", 2)
    newer = rewritten(kept.file, tmp_path / "newer.zip", lambda said, contents: None)
    monkeypatch.undo()

    with pytest.raises(CommandError, match="format 2, of a newer version"):
        command("restore", newer, check=True)


@of_the_file_alone
@pytest.mark.parametrize("name", ["../outside", "snapshots/../../outside", "snapshots/ab/.hidden"])
def test_member_that_would_be_written_elsewhere(kept: Kept, tmp_path, name):
    forged = rewritten(
        kept.file, tmp_path / "forged.zip", lambda said, contents: contents.update({name: b""})
    )

    with pytest.raises(CommandError, match=CUT):
        command("restore", forged, check=True)


@of_the_file_alone
def test_member_that_the_manifest_does_not_list(kept: Kept, tmp_path):
    def unlist(said, contents):
        said["tables"].pop("registry_site")

    forged = rewritten(kept.file, tmp_path / "forged.zip", unlist)

    with pytest.raises(CommandError, match=CUT):
        command("restore", forged, check=True)


def test_migration_of_a_newer_version(kept: Kept, tmp_path):
    newer = rewritten(
        kept.file,
        tmp_path / "newer.zip",
        lambda said, contents: said["migrations"].append(["registry", "9999_to_come"]),
    )

    with an_empty_place(tmp_path / "empty") as place:
        with pytest.raises(CommandError, match=r"newer version.*9999_to_come"):
            command("restore", newer)
        assert_nothing_came(place)


def test_table_of_a_newer_version(kept: Kept, tmp_path):
    def add(said, contents):
        said["tables"]["novel_table"] = {"columns": ["id"], "rows": 0}
        contents["tables/novel_table.jsonl"] = b""

    newer = rewritten(kept.file, tmp_path / "newer.zip", add)

    with an_empty_place(tmp_path / "empty") as place:
        with pytest.raises(CommandError, match="other tables than this version"):
            command("restore", newer)
        assert_nothing_came(place)


def test_row_that_the_database_refuses_takes_all_back(kept: Kept, tmp_path):
    """An implant of a patient that is not there: SQLite finds it last of all."""

    def forge(said, contents):
        place = said["tables"]["registry_implant"]["columns"].index("patient_id")
        name = "tables/registry_implant.jsonl"
        rows = [json.loads(line) for line in contents[name].splitlines()]
        rows[-1][place] = 999_999
        contents[name] = "".join(f"{json.dumps(row)}\n" for row in rows).encode()

    forged = rewritten(kept.file, tmp_path / "forged.zip", forge)

    with an_empty_place(tmp_path / "empty") as place:
        with pytest.raises(CommandError, match="nothing was restored: IntegrityError"):
            command("restore", forged)
        assert_nothing_came(place)


def test_database_with_rows_is_left_as_it_is(kept: Kept):
    with kept.place.used():
        with pytest.raises(CommandError, match=r"not empty \([a-z_]+ has rows\)"):
            command("restore", kept.file)
        assert everything() == kept.rows


@pytest.mark.skipif(IS_POSTGRESQL, reason="takes the tables from SQLite's file")
def test_tables_without_rows_are_made_anew(kept: Kept, tmp_path):
    """As after `migrate`, which writes roles and permissions, and after a sign-in that failed."""
    place = on_sqlite(tmp_path / "migrated")
    before = sqlite3.connect(kept.place.database["NAME"])
    own = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    with place.used(), connection.constraint_checks_disabled(), connection.cursor() as fresh:
        for (statement,) in before.execute(own):
            fresh.execute(statement)
        for table in (*MADE_BY_MIGRATE, "django_session"):
            for row in before.execute(f"SELECT * FROM {table}"):  # noqa: S608
                fresh.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)  # noqa: S608
    before.close()

    with place.used():
        command("restore", kept.file)
        assert everything() == kept.rows
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_session")
            assert cursor.fetchone() == (0,)


def test_no_backup_is_overwritten(kept: Kept):
    before = kept.file.read_bytes()

    with kept.place.used(), pytest.raises(CommandError, match="is there already, and is left"):
        command("backup", kept.file)

    assert kept.file.read_bytes() == before


def test_database_without_a_registry_is_not_backed_up(tmp_path):
    with an_empty_place(tmp_path / "empty"), pytest.raises(CommandError, match="no registry in"):
        command("backup", tmp_path / "none.zip")

    assert not (tmp_path / "none.zip").exists()


def test_folder_that_is_not_there(kept: Kept, tmp_path):
    with kept.place.used(), pytest.raises(CommandError, match="Nothing was backed up: No such"):
        command("backup", tmp_path / "nowhere" / "one.zip")


def test_folder_keeps_the_newest(kept: Kept, tmp_path):
    for day in ("20200101", "20200102", "20200103"):
        (tmp_path / f"registry-{day}T000000Z.zip").touch()
    (tmp_path / "registry-by-hand.zip").touch()

    with kept.place.used():
        said = command("backup", tmp_path, "--keep", "2")

    made, *gone = said.splitlines()
    assert [line.rpartition("/")[2] for line in gone] == [
        "registry-20200101T000000Z.zip",
        "registry-20200102T000000Z.zip",
    ]
    newest = Path(made.partition(": ")[0])
    assert {path.name for path in tmp_path.iterdir()} == {
        "registry-20200103T000000Z.zip",
        "registry-by-hand.zip",
        newest.name,
    }
    assert look_into(newest).rows == look_into(kept.file).rows


@of_the_file_alone
@pytest.mark.parametrize("number", ["0", "-1"])
def test_keeping_none_is_refused(tmp_path, number):
    with pytest.raises(CommandError, match="1 or more"):
        command("backup", tmp_path, "--keep", number)


def test_what_a_killed_backup_left_goes_and_what_is_written_now_stays(kept: Kept, tmp_path):
    (tmp_path / ".writing-backup-killed").touch()
    with (tmp_path / ".writing-backup-now").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with kept.place.used():
            command("backup", tmp_path / "one.zip")

    assert sorted(os.listdir(tmp_path)) == [".writing-backup-now", "one.zip"]


def test_backup_goes_without_a_damaged_snapshot_and_says_so(kept: Kept, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(kept.place.folder / "snapshots", folder / "snapshots")
    held = look_into(kept.file).snapshots
    parquet = next((folder / "snapshots" / held[0]).glob("*.parquet"))
    content = bytearray(parquet.read_bytes())
    content[len(content) // 2] ^= 1
    parquet.write_bytes(content)

    with (
        Place(kept.place.database, folder).used(),
        pytest.raises(CommandError, match=rf"was made\. Without 1 snapshots .*{held[0]}"),
    ):
        command("backup", tmp_path / "one.zip")

    assert look_into(tmp_path / "one.zip").snapshots == held[1:]


def test_missing_release_is_told(kept: Kept, tmp_path):
    (tmp_path / "none").mkdir()

    with (
        Place(kept.place.database, tmp_path / "none").used(),
        pytest.raises(CommandError, match=r"was made\. Without 1 snapshots"),
    ):
        command("backup", tmp_path / "one.zip")


def test_lines_are_read_a_few_at_a_time(kept: Kept):
    """A backup larger than the memory is restored: nothing reads a member whole."""
    with archive.checked(kept.file) as backup:
        assert isinstance(backup, Backup)
        lines = backup.lines("tables/registry_complication.jsonl")
        assert next(lines).startswith('["')
        lines.close()

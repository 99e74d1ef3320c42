"""A backup brings every row, history row, seal and statistic back, into either database."""

import base64
import json
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from registry.backup.tables import KEPT_OUT, MADE_BY_MIGRATE
from registry.models import Site, sealed
from registry.models.append_only import bypassed_triggers
from registry.models.verification import verify_trail
from tests.backup import every_table
from tests.backup.conftest import IS_POSTGRESQL, Kept, answered, command
from tests.backup.places import Place, everything, on_postgresql, on_sqlite

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("unblocked")]


@dataclass(frozen=True)
class Copy:
    """A registry made of a backup: its rows right after, and a backup of it in turn."""

    place: Place
    rows: dict
    file: Path


@pytest.fixture(scope="module")
def copies(
    kept: Kept, unblocked: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Copy]]:
    """Each a copy of the one before; the two kinds of runs go in all four directions."""
    folder, made, file = tmp_path_factory.mktemp("copies"), [], kept.file
    with ExitStack() as stack:
        places = [on_sqlite(folder / "second")]
        if IS_POSTGRESQL:
            places += [stack.enter_context(on_postgresql(folder / name)) for name in "ab"]
        for place in places:
            with place.used():
                if place is places[-1] and IS_POSTGRESQL:
                    make_tables_without_rows()
                command("restore", file)
                rows, file = everything(), place.folder / "again.zip"
                command("backup", file)
            made.append(Copy(place, rows, file))
        yield made


def make_tables_without_rows() -> None:
    """Tables of an earlier version, with the rows that `migrate` makes alone."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE auth_group (id integer PRIMARY KEY)")
        cursor.execute("INSERT INTO auth_group VALUES (1)")
        cursor.execute("CREATE TABLE registry_site (id integer REFERENCES auth_group)")


def tables_of(file: Path) -> dict:
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("manifest.json"))["tables"]


def test_rows_are_the_same_in_every_table_and_none_is_empty(kept, copies):
    empty = {name for name, table in tables_of(kept.file).items() if not table["rows"]}
    assert empty == {"registry_user_user_permissions"}  # which the registry never fills
    for copy in copies:
        assert copy.rows == kept.rows
        assert tables_of(copy.file) == tables_of(kept.file)


def test_seals_snapshots_and_triggers_hold_and_answers_are_the_same(kept, copies):
    head = "{number}:{hash}".format_map(max(kept.rows["registry_seal"], key=itemgetter("number")))
    for copy in copies:
        with copy.place.used():
            assert command("checkpoint", "--restored") == f"{head}\n"  # which seals no log
            said = command("verify_audit", "--head", head).splitlines()[1:]
            assert [line for line in said if "given up in 1 restores" not in line] == [
                "Under 1 of them a key was redacted, as later seals say.",
                "1 heads kept outside are those of the seals.",
                f"Head: {head}",
            ]
            assert command("verify_snapshots").splitlines()[-1] == "2 snapshots hold."
            assert bypassed_triggers(connection) == []
            assert answered(kept.token) == kept.answers


@pytest.mark.skipif(IS_POSTGRESQL, reason="reads SQLite's own files")
def test_sqlite_holds_the_same_values_to_the_last_type(kept, copies):
    place = copies[0].place
    schema = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1"
    before, after = (sqlite3.connect(each.database["NAME"]) for each in (kept.place, place))
    tables = kept.rows.keys() - {"registry_accesslog"}  # which answers write
    for asked in (schema, *(f"SELECT * FROM {table} ORDER BY 1" for table in tables)):  # noqa: S608
        assert after.execute(asked).fetchall() == before.execute(asked).fetchall()
    before.close()
    after.close()


def test_writing_goes_on_after_a_restore(kept, copies):
    """The next keys are free, triggers hold, and new seals follow from the old ones."""
    with copies[-1].place.used(), transaction.atomic():
        with sealed(by=None, action="make-for-test") as seal:
            seal.save(site := Site(code="NEW-1"))
        assert site.pk == max(row["id"] for row in kept.rows["registry_site"]) + 1
        assert verify_trail().breaks == ()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Site.history.update(name="somebody else's")
        transaction.set_rollback(True)


def test_file_is_of_one_owner_and_says_what_it_holds(kept):
    assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
    rows = sum(map(len, kept.rows.values()))
    assert kept.said == f"{kept.file}: {rows} rows, 2 snapshots\n"
    assert command("restore", kept.file, check=True).startswith(
        f"The backup is whole: {rows} rows and 2 snapshots as of 20"
    )


def test_file_holds_no_key_and_no_session(kept, tmp_path):
    """In no encoding of either, though the folder of the registry holds the keys."""
    key_file = kept.place.folder / "disclosure-keys.json"
    secrets = {
        "records": settings.REGISTRY_KEY_RECORDS,
        "noise": settings.REGISTRY_KEY_NOISE,
        "snapshots": settings.REGISTRY_KEY_SNAPSHOTS,
        "seals": settings.REGISTRY_KEY_SEALS,
    }
    key_file.write_text(json.dumps(secrets))
    (kept.place.folder / "secret-key").write_text(settings.SECRET_KEY)
    with kept.place.used():
        command("backup", tmp_path / "keys.zip")
    key_file.unlink()
    with zipfile.ZipFile(tmp_path / "keys.zip") as archive:
        content = b"\n".join(archive.read(name) for name in archive.namelist())
    assert b"ODD-1" in content

    keys = [bytes.fromhex(str(text)) for text in secrets.values()]
    keys += [settings.SECRET_KEY.encode()]
    for key in keys:
        for coded in (
            key,
            key.hex().encode(),
            key.hex().upper().encode(),
            base64.b64encode(key).rstrip(b"="),
            base64.urlsafe_b64encode(key).rstrip(b"="),
        ):
            assert coded not in content
    assert every_table.SESSION.encode() not in content
    assert every_table.SESSION_DATA.encode() not in content


def test_only_sessions_and_lock_outs_are_kept_out(kept):
    with kept.place.used():
        tables = set(connection.introspection.table_names())

    assert tables - set(kept.rows) - {"sqlite_sequence", "django_migrations"} == KEPT_OUT
    assert set(kept.rows) >= MADE_BY_MIGRATE - {"django_migrations"}


def test_snapshots_do_not_hold_under_another_key(copies):
    with (
        copies[0].place.used(),
        override_settings(REGISTRY_KEY_SNAPSHOTS="ab" * 32),
        pytest.raises(CommandError, match="4 of 4 do not hold"),
    ):
        command("verify_snapshots")


def test_seals_do_not_hold_under_another_key(copies):
    with (
        copies[0].place.used(),
        override_settings(REGISTRY_KEY_SEALS="ab" * 32),
        pytest.raises(CommandError, match="another key"),
    ):
        command("verify_audit")


def test_writer_writes_while_the_backup_reads(kept, tmp_path, monkeypatch):
    """The backup holds what was there when it began; the writer neither waits nor is seen."""
    from registry.backup import making

    lines_of, written = making.lines_of, []

    def and_somebody_writes(model):
        if not written:
            written.append(second_writer(kept.place))
        return lines_of(model)

    monkeypatch.setattr(making, "lines_of", and_somebody_writes)
    with kept.place.used():
        command("backup", tmp_path / "busy.zip")

    assert written == [1]
    with zipfile.ZipFile(tmp_path / "busy.zip") as archive:
        sites = archive.read("tables/registry_site.jsonl").decode()
    assert "LATE-1" not in sites
    assert len(sites.splitlines()) == len(kept.rows["registry_site"])


def second_writer(place: Place) -> int:
    """Rename a site from a connection of its own, and back."""
    with place.used(), connection.cursor() as cursor:
        cursor.execute("UPDATE registry_site SET country = 'XX' WHERE code = 'ODD-1'")
        changed: int = cursor.rowcount
        cursor.execute("UPDATE registry_site SET country = 'NL' WHERE code = 'ODD-1'")
    return changed

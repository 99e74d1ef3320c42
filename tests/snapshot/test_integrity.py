"""A snapshot is opened only while every file is what was frozen and signed."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.snapshot import integrity, shelf
from registry.snapshot.counting import Sums, reported
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.integrity import Damage, read_signed, signed
from registry.snapshot.manifest import Manifest
from registry.snapshot.recomputing import hold_to_rows, sign_again
from registry.snapshot.selection import Selection
from tests.snapshot.damages import DAMAGES, DATABASE, PARQUET, cut, flip_a_bit, update_rows
from tests.snapshot.rows import event, implant, shipped_terms

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a snapshot of two events, signed under KEY."""
    root = tmp_path_factory.mktemp("made")
    freeze_rows(
        root,
        events=[event("e1", implant="i1"), event("e2")],
        implants=[implant("i1")],
        exposures=(),
        terms=shipped_terms(),
        record_key=lambda public_id: (len(public_id), 7),
        signing=KEY,
    )
    return root


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    """The test's own copy of the snapshot, not yet open in this process."""
    shutil.copytree(made, tmp_path / "snapshots")
    shelf.forget_open()
    yield next((tmp_path / "snapshots").glob("*/manifest.json")).parent
    shelf.forget_open()


def opened(folder: Path, key: bytes = KEY) -> int:
    store = shelf.open_store(folder.parent, folder.name, key=key)
    return reported(store, Selection(), each="event_no")[()].n


def damage_of(folder: Path, key: bytes = KEY) -> Damage:
    with pytest.raises(Damage) as damage:
        opened(folder, key)
    return damage.value


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_snapshot_is_not_opened(folder: Path, name: str) -> None:
    damage, code = DAMAGES[name]
    damage(folder)

    assert damage_of(folder).code == code


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_to_an_open_snapshot_is_seen_at_the_next_question(folder: Path, name: str) -> None:
    damage, code = DAMAGES[name]
    assert opened(folder) == 2
    damage(folder)

    assert damage_of(folder).code == code


def test_damage_names_the_file(folder: Path) -> None:
    cut(folder)

    assert str(damage_of(folder)) == f"{DATABASE} has another length than when it was frozen."


def test_snapshot_under_the_name_of_another_is_damage(folder: Path) -> None:
    other = folder.parent / ("0" * 64)
    folder.rename(other)

    assert "another snapshot" in str(damage_of(other))


def test_other_key_is_told_from_an_alteration(folder: Path) -> None:
    assert damage_of(folder, OTHER).code == "other-key"


def test_missing_folder_is_no_damage(folder: Path) -> None:
    shutil.rmtree(folder)

    with pytest.raises(FileNotFoundError):
        opened(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_file_that_the_server_may_not_read_is_told_as_such(folder: Path) -> None:
    (folder / PARQUET).chmod(0)

    assert damage_of(folder).code == "unreadable"


def test_file_that_cannot_be_read_is_told_as_such(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(integrity.hashlib, "file_digest", refuse)

    damage = damage_of(folder)

    assert damage.code == "unreadable"
    assert "Permission denied" in str(damage)


def test_files_are_read_once_and_again_when_they_look_different(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = integrity.hashlib.file_digest

    def counted(file, name):  # type: ignore[no-untyped-def]
        read.append(Path(file.name).name)
        return digest(file, name)

    monkeypatch.setattr(integrity.hashlib, "file_digest", counted)
    opened(folder)
    first = sorted(read)
    opened(folder)
    again = len(read)
    os.utime(folder / PARQUET)
    opened(folder)

    assert first == ["events.parquet", "exposures.parquet", "implants.parquet", DATABASE]
    assert again == 4
    assert read[4:] == [PARQUET]


@pytest.mark.parametrize("in_place", [True, False])
def test_restored_file_answers_again_without_a_restart(
    folder: Path, tmp_path: Path, in_place: bool
) -> None:
    assert opened(folder) == 2
    backup = tmp_path / "backup"
    shutil.copyfile(folder / DATABASE, backup)
    cut(folder)
    damage_of(folder)

    if in_place:
        shutil.copyfile(backup, folder / DATABASE)
    else:
        backup.rename(folder / DATABASE)

    assert opened(folder) == 2


def test_reader_keeps_its_store_while_a_file_is_linked_elsewhere(
    folder: Path, tmp_path: Path
) -> None:
    store = shelf.open_store(folder.parent, folder.name, key=KEY)
    os.link(folder / PARQUET, tmp_path / "linked")  # as the next freeze does

    assert shelf.open_store(folder.parent, folder.name, key=KEY) is store
    assert reported(store, Selection(), each="event_no") == {(): Sums(2)}


def test_rows_of_a_sound_snapshot_give_its_id(folder: Path) -> None:
    hold_to_rows(folder, Manifest.sound(folder, key=KEY))


def test_alteration_by_a_thief_of_the_key_is_found_in_the_rows(folder: Path) -> None:
    update_rows(folder)
    manifest = Manifest.read(folder)
    forged = Manifest(
        **{
            name: getattr(manifest, name)
            for name in Manifest.__dataclass_fields__
            if name != "files"
        }
        | {"files": integrity.digests_of(folder)}
    )
    forged.write(folder, key=KEY)

    manifest = Manifest.sound(folder, key=KEY)  # the signature is right
    with pytest.raises(Damage, match=r"registry\.duckdb are not those of the snapshot's id"):
        hold_to_rows(folder, manifest)


def test_parquet_of_other_rows_is_found_too(folder: Path) -> None:
    manifest = Manifest.sound(folder, key=KEY)
    flip_a_bit(folder)

    with pytest.raises(Damage, match="parquet"):
        hold_to_rows(folder, manifest)


def unsign(folder: Path) -> None:
    """The manifest as it was before manifests were signed."""
    content = json.loads((folder / "manifest.json").read_text())
    for name in ("signature", "signed_by", "files"):
        del content[name]
    (folder / "manifest.json").write_text(json.dumps(content))


def test_snapshot_from_before_signatures_is_signed_and_opened(folder: Path) -> None:
    unsign(folder)
    assert damage_of(folder).code == "unsigned"

    sign_again(folder, key=OTHER)

    assert opened(folder, OTHER) == 2


def test_altered_snapshot_is_not_signed(folder: Path) -> None:
    update_rows(folder)
    unsign(folder)

    with pytest.raises(Damage, match="not those of the snapshot's id"):
        sign_again(folder, key=KEY)

    assert damage_of(folder).code == "unsigned"


def test_snapshot_with_a_file_more_is_not_signed(folder: Path) -> None:
    unsign(folder)
    (folder / f"{DATABASE}.wal").touch()

    with pytest.raises(Damage, match="does not belong"):
        sign_again(folder, key=KEY)


def test_signed_content_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    path.write_text(signed({"a": [1, 2.5, "ü"], "b": None}, KEY))

    assert read_signed(path, KEY) == {"a": [1, 2.5, "ü"], "b": None}
    assert KEY.hex() not in path.read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a": 1}', '{"signature": 5}', "\xff"])
def test_anything_else_is_damage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "said.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(Damage) as damage:
        read_signed(path, KEY)

    assert damage.value.code in {"altered", "unsigned"}


def test_equal_snapshot_that_is_damaged_makes_way_for_a_new_one(tmp_path: Path) -> None:
    def frozen() -> Path:
        manifest = freeze_rows(
            tmp_path, events=[event("e1")], implants=(), exposures=(), terms=shipped_terms()
        )
        return tmp_path / manifest.snapshot_id

    folder = frozen()
    cut(folder)

    assert frozen() == folder
    assert opened(folder, b"") == 1
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]

"""What can happen to the files of a snapshot, each by a name; used by tests of several rooms."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

DATABASE, MANIFEST, PARQUET = "registry.duckdb", "manifest.json", "events.parquet"


def update_rows(folder: Path) -> None:
    """Write another grade into every event, as the owner of the server can.

    On the side: DuckDB itself keeps a writer out of a file that is open.
    """
    aside = folder.parent / "aside.duckdb"
    shutil.copyfile(folder / DATABASE, aside)
    with duckdb.connect(str(aside)) as connection:
        connection.execute("UPDATE events SET severity = 1")
    shutil.copyfile(aside, folder / DATABASE)
    aside.unlink()


def flip_a_bit(folder: Path) -> None:
    """Change one bit in the middle of a file, and set its times back."""
    path = folder / PARQUET
    was = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def cut(folder: Path) -> None:
    """Leave half of the database."""
    os.truncate(folder / DATABASE, (folder / DATABASE).stat().st_size // 2)


def cut_manifest(folder: Path) -> None:
    """Leave half of the manifest."""
    os.truncate(folder / MANIFEST, (folder / MANIFEST).stat().st_size // 2)


def change_manifest(folder: Path) -> None:
    """Let the manifest say other years, under its old signature."""
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(content | {"years": [1999, 2000]}))


def strip_signature(folder: Path) -> None:
    """Take the signature away."""
    content = json.loads((folder / MANIFEST).read_text())
    del content["signature"]
    (folder / MANIFEST).write_text(json.dumps(content))


def remove_a_file(folder: Path) -> None:
    """Lose one file."""
    (folder / PARQUET).unlink()


def remove_manifest(folder: Path) -> None:
    """Lose the manifest."""
    (folder / MANIFEST).unlink()


def add_a_log(folder: Path) -> None:
    """Put a log beside the database, which DuckDB would replay."""
    (folder / f"{DATABASE}.wal").write_bytes(b"rows")


def put_a_link(folder: Path) -> None:
    """Put a link in the place of a file, to the same bytes elsewhere."""
    elsewhere = folder.parent.parent / "elsewhere.parquet"
    (folder / PARQUET).rename(elsewhere)
    (folder / PARQUET).symlink_to(elsewhere)


DAMAGES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "rows updated": (update_rows, "altered"),
    "a bit flipped": (flip_a_bit, "altered"),
    "cut": (cut, "altered"),
    "manifest cut": (cut_manifest, "altered"),
    "manifest changed": (change_manifest, "altered"),
    "signature gone": (strip_signature, "unsigned"),
    "file gone": (remove_a_file, "missing"),
    "manifest gone": (remove_manifest, "missing"),
    "log beside": (add_a_log, "altered"),
    "link": (put_a_link, "altered"),
}
"""Each with the code of the damage that it is told as."""

"""The file of a backup: a ZIP archive under checksums, written whole or not at all.

Its first member names the format. `manifest.json` is the last one and lists size and SHA-256 of
each other. The archive's comment, which ends the file, has the SHA-256 of all before its 64 digits,
so that any byte that was cut or altered is found before anything is read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from registry.backup.refusals import UnusableBackup
from registry.snapshot.manifest import make_lasting

FORMAT = 1
NAMED = "pump-registry-backup"
"""The first member, whose content is the number of the format."""
MANIFEST = "manifest.json"
_COMMENT = b"Backup of a pump registry. SHA-256 of all before this sum: "
_DIGITS = 64
_BLOCK = 1 << 20
_MEMBER = re.compile(
    r"tables/[a-z0-9_]{1,63}\.jsonl|snapshots/(working|before)\.json|"
    r"snapshots/[0-9a-z]{1,64}/[a-z0-9_]{1,60}(\.[a-z0-9]{1,10})?"
)
_WRITING = ".writing-backup-"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MODE = 0o600 << 16

FOREIGN = "This is no backup of a registry."
CUT = "This backup is cut or altered: its checksum does not hold. Take another one."


@dataclass(slots=True)
class Members:
    """What is being written: members are added one by one, and their checksums kept."""

    archive: ZipFile
    sums: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add_lines(self, name: str, lines: Iterable[str]) -> int:
        """Add a member of lines; returns how many."""
        count = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for line in lines:
                count += 1
                yield line.encode() + b"\n"

        self._add(name, counted())
        return count

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """Add a member that is a file's bytes, from where it stands to its end."""
        self._add(name, iter(lambda: file.read(_BLOCK), b""))

    def _add(self, name: str, blocks: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self.archive.open(_info(name, ZIP_DEFLATED), "w", force_zip64=True) as member:
            for block in blocks:
                member.write(block)
                digest.update(block)
                size += len(block)
        self.sums[name] = (size, digest.hexdigest())


@contextmanager
def writing(path: Path, manifest: Callable[[], Mapping[str, Any]]) -> Iterator[Members]:
    """Write a backup that is there whole, of mode 600, or not at all.

    manifest: what else the manifest says, asked at the end. What a backup that was killed left in
    the folder is removed. Raises UnusableBackup where the file is there already, and OSError.
    """
    _remove_leftovers(path.parent)
    handle, name = tempfile.mkstemp(prefix=_WRITING, dir=path.parent)  # of mode 600
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # no leftover as long as this process lives
        with os.fdopen(handle, "w+b") as file:
            with ZipFile(file, "w") as archive:
                archive.writestr(_info(NAMED, ZIP_STORED), f"{FORMAT}\n")
                members = Members(archive)
                yield members
                said = {"format": FORMAT, **manifest(), "members": members.sums}
                archive.writestr(_info(MANIFEST, ZIP_DEFLATED), json.dumps(said, indent=1))
                archive.comment = _COMMENT + b"0" * _DIGITS
            _put_sum(file)
            os.fsync(file.fileno())
            refuse_existing(path)
            os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    make_lasting(path.parent)


def refuse_existing(path: Path) -> None:
    """Raise UnusableBackup where something of this name is there: no backup is overwritten."""
    if path.exists():
        raise UnusableBackup(f"{path} is there already, and is left as it is: name another file.")


class Backup:
    """A backup whose checksums hold, open for reading."""

    def __init__(self, archive: ZipFile, manifest: Mapping[str, Any]) -> None:
        self._archive = archive
        self.manifest = manifest
        self.members: Mapping[str, tuple[int, str]] = manifest["members"]

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a member; memory stays flat."""
        with self._archive.open(name) as member:
            yield from TextIOWrapper(member, encoding="utf-8", newline="\n")

    def copy(self, name: str, into: Path) -> None:
        """Write a member's bytes into a new file of mode 600, lastingly."""
        handle = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with self._archive.open(name) as member, os.fdopen(handle, "wb") as file:
            while block := member.read(_BLOCK):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def checked(path: Path) -> Iterator[Backup]:
    """Open a backup after all its checksums were found to hold.

    Raises UnusableBackup where it is foreign, cut, altered or of a newer version, and OSError.
    """
    with path.open("rb") as file:
        _hold_to_sum(file)
        try:
            with ZipFile(file) as archive:
                yield Backup(archive, _sound_manifest(archive))
        except BadZipFile as error:
            raise UnusableBackup(CUT) from error


def _hold_to_sum(file: IO[bytes]) -> None:
    """Raise UnusableBackup unless the file is a backup and every byte is as it was written."""
    head = file.read(30 + len(NAMED))  # a ZIP archive names its first member at byte 30
    if not head.startswith(b"PK\x03\x04") or not head.endswith(NAMED.encode()):
        raise UnusableBackup(FOREIGN)
    size = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(max(size - len(_COMMENT), 0))
    ending = file.read()
    if ending[:-_DIGITS] != _COMMENT or _sum_of(file, size) != ending[-_DIGITS:]:
        raise UnusableBackup(CUT)


def _sound_manifest(archive: ZipFile) -> Mapping[str, Any]:
    try:
        number = int(archive.read(NAMED))
        if number > FORMAT:
            raise UnusableBackup(
                f"This backup has format {number}, of a newer version of the registry: install "
                "that version first."
            )
        manifest = json.loads(archive.read(MANIFEST))
        listed = manifest["members"]
        if sorted([NAMED, MANIFEST, *listed]) != sorted(archive.namelist()):
            raise UnusableBackup(CUT)
        for name, (size, digest) in listed.items():
            if not _MEMBER.fullmatch(name) or _member_sum(archive, name) != (size, digest):
                raise UnusableBackup(CUT)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableBackup(CUT) from error
    found: Mapping[str, Any] = manifest
    return found


def _member_sum(archive: ZipFile, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as member:
        while block := member.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _info(name: str, compression: int) -> ZipInfo:
    info = ZipInfo(name, _LONG_AGO)
    info.compress_type = compression
    info.external_attr = _MODE
    return info


def _put_sum(file: IO[bytes]) -> None:
    file.flush()
    size = file.seek(0, os.SEEK_END) - _DIGITS
    digits = _sum_of(file, size)
    file.seek(size)
    file.write(digits)
    file.flush()


def _sum_of(file: IO[bytes], size: int) -> bytes:
    """The SHA-256 of the first bytes of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest().encode()


def _remove_leftovers(folder: Path) -> None:
    """Remove what backups that were killed left; one that is being written is locked."""
    for leftover in folder.glob(f"{_WRITING}*"):
        with suppress(BlockingIOError, FileNotFoundError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()

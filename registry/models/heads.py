"""The heads of the audit trail, kept outside the database in a file that is only appended to.

A line for each seal: its number, its hash and its instant. Who owns the database can take its
newest seals away, or put an older copy in its place, and the chain that is left holds: only what
was written down elsewhere tells. After a restore that somebody answers for, a line with the word
`restored` says from which seal the registry went on.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction

FILE = "audit-heads.txt"
_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) (\S{1,40})( restored)?")
_CHUNK = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """What a seal was when it was the newest: its number, hash and instant (ISO 8601)."""

    number: int
    hash: str
    at: str = ""
    is_restored: bool = False

    def __str__(self) -> str:
        """The head as it is printed, and given to `verify_audit --head`."""
        return f"{self.number}:{self.hash}"

    @property
    def line(self) -> str:
        """The head as the file keeps it."""
        said = " restored" if self.is_restored else ""
        return f"{self.number} {self.hash} {self.at}{said}\n"

    @classmethod
    def read(cls, text: str) -> Head:
        """A head from what was printed; raises ValueError."""
        number, _, digits = text.strip().partition(":")
        if not re.fullmatch(r"\d{1,18}", number) or not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise ValueError("Give a head as NUMBER:HASH, with 64 hexadecimal digits.")
        return cls(int(number), digits)


def head_of(number: int, digits: str, at: datetime, *, is_restored: bool = False) -> Head:
    """The head of a seal."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    return Head(number, digits, instant, is_restored)


def heads_file() -> Path:
    """The file of heads."""
    return Path(settings.REGISTRY_HEADS_FILE or Path(settings.REGISTRY_VAR) / FILE)


def keep_after_commit(head: Head) -> None:
    """Append a head once its seal is stored; what keeps it from being kept is logged, not raised.

    A write that is stored is not refused afterwards; the next head, or `checkpoint`, stands for it.
    """

    def keep() -> None:
        try:
            keep_head(head)
        except OSError:
            logger.exception("The head of a seal could not be kept in REGISTRY_HEADS_FILE.")

    transaction.on_commit(keep)


def keep_head(head: Head) -> None:
    """Append a head to the file, and wait until it is on the disk; raises OSError."""
    append_line(heads_file(), head.line, is_synced=True)


def append_line(path: Path, line: str, *, is_synced: bool = False) -> None:
    """Append a line to a file, which is made with mode 600; raises OSError.

    is_synced: return only once it is on the disk. A line before it that was cut is ended first.
    """
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, f"{chr(10) if is_cut else ''}{line}".encode())
        if is_synced:
            os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class KeptHeads:
    """What the file of heads holds: how many lines count, and what else is to be said of it.

    given_up: heads that a later line of a restore makes void. unreadable: lines that are no head.
    """

    count: int
    given_up: int
    unreadable: int
    restored: tuple[Head, ...]


def kept_heads() -> KeptHeads:
    """Read the file once; raises OSError where it is missing or cannot be read."""
    restored = tuple(head for _, head in _read() if head is not None and head.is_restored)
    lines = list(_still_said())
    unreadable = sum(1 for _, head in _read() if head is None)
    return KeptHeads(
        count=sum(1 for _, void in lines if not void),
        given_up=sum(1 for _, void in lines if void),
        unreadable=unreadable,
        restored=restored,
    )


def heads_that_count() -> Iterator[list[Head]]:
    """The heads that no later restore makes void, by the thousand; raises OSError."""
    counting = (head for head, void in _still_said() if not void)
    while chunk := list(islice(counting, _CHUNK)):
        yield chunk


def _still_said() -> Iterator[tuple[Head, bool]]:
    """Every head, and whether a later line says that the registry went on from before it."""
    restores = [(at, head.number) for at, head in _read() if head is not None and head.is_restored]
    for at, head in _read():
        if head is not None:
            yield head, any(later > at and number < head.number for later, number in restores)


def _read() -> Iterable[tuple[int, Head | None]]:
    with heads_file().open(encoding="ascii", errors="replace") as lines:
        for at, line in enumerate(lines):
            found = _LINE.fullmatch(line.rstrip("\n"))
            yield at, Head(int(found[1]), found[2], found[3], bool(found[4])) if found else None

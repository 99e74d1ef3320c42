"""The newest entries of the access log, kept outside the database in files, one for each day.

A line for each entry: its key, and a digest of its signature. Until a range has it under a seal,
this alone tells that an entry was taken away. Files lie beside the file of heads and are only
appended to; `checkpoint` removes one once all its entries are sealed.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from django.db import transaction

from registry.models.heads import append_line, heads_file

_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{32})")
_CHUNK = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it was when it was written: its key, and a digest of its signature."""

    key: int
    digest: str

    @classmethod
    def of(cls, key: int, signature: str) -> KeptEntry:
        """What is kept of an entry: 32 hexadecimal digits of SHA-256 tell nothing of it."""
        return cls(key, hashlib.sha256(signature.encode()).hexdigest()[:32])

    @property
    def line(self) -> str:
        """The entry as a file keeps it."""
        return f"{self.key} {self.digest}\n"


def keep_entry_after_commit(key: int, signature: str, *, using: str) -> None:
    """Append an entry once it is stored; what keeps it from being kept is logged, not raised."""
    transaction.on_commit(partial(_keep, KeptEntry.of(key, signature)), using=using)


def _keep(entry: KeptEntry) -> None:
    try:
        append_line(_file_of(datetime.now(UTC).date()), entry.line)
    except OSError as error:
        logger.warning(
            "An entry of the access log could not be kept beside REGISTRY_HEADS_FILE (%s): until "
            "the next checkpoint it can be removed unseen.",
            error.strerror,
        )


def _file_of(day: date) -> Path:
    return heads_file().with_name(f"audit-entries-{day.isoformat()}.txt")


def files_of_entries() -> list[Path]:
    """The files there are, oldest first."""
    return sorted(heads_file().parent.glob("audit-entries-????-??-??.txt"))


def files_before(days: int = 1) -> list[Path]:
    """The files to which nobody appends any more: of days before so many days ago (UTC)."""
    newest = _file_of(datetime.now(UTC).date() - timedelta(days=days))
    return [path for path in files_of_entries() if path.name < newest.name]


def entries_in(file: Path) -> Iterator[list[KeptEntry]]:
    """What a file holds, some hundred at a time; a line that was cut is passed over."""
    with file.open(encoding="ascii", errors="replace") as lines:
        found = (_LINE.fullmatch(line.rstrip("\n")) for line in lines)
        entries = (KeptEntry(int(one[1]), one[2]) for one in found if one)
        while chunk := list(islice(entries, _CHUNK)):
            yield chunk

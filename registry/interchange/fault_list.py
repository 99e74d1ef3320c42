"""The list of a file's faults as CSV: file, line, column, code and message, never a value."""

import csv
from collections.abc import Iterable
from typing import Protocol

from registry.records import Fault


class Writable(Protocol):
    """What takes text: a file, or a reply."""

    def write(self, text: str, /) -> object:
        """Takes a line."""


def write_faults(faults: Iterable[Fault], to: Writable) -> None:
    """Writes a header, and a line for each fault."""
    writer = csv.writer(to)
    writer.writerow(("file", "line", "column", "code", "message"))
    writer.writerows((f.file, f.line, f.column, f.code, f.detail) for f in faults)

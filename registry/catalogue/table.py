"""Reads a CSV file of the catalogue; faults name file, line and column."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from registry.vocabulary import Code

CODE_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]*")

CodeT = TypeVar("CodeT", bound=Code)


class CatalogueFault(ValueError):
    """A catalogue file is faulty; names the file, line, column and fix."""

    def __init__(self, file: str, line: int, column: str, mend: str) -> None:
        super().__init__(f"{file}:{line}: {column}: {mend}" if column else f"{file}:{line}: {mend}")
        self.file = file
        self.line = line
        self.column = column
        self.mend = mend


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One line of a file; each method reads a cell as a type, or raises a fault at its place."""

    file: str
    line: int
    cells: dict[str, str]

    def fault(self, column: str, mend: str) -> CatalogueFault:
        """A fault at this line; the caller raises it."""
        return CatalogueFault(self.file, self.line, column, mend)

    def text(self, column: str) -> str:
        """The cell as text; empty for an absent optional column."""
        return self.cells.get(column, "")

    def required(self, column: str) -> str:
        """The cell, which may not be empty."""
        if not (value := self.text(column)):
            raise self.fault(column, "is empty; fill it in.")
        return value

    def code(self, column: str) -> str:
        """A code of the catalogue: small letters, digits and hyphens."""
        value = self.required(column)
        if not CODE_PATTERN.fullmatch(value):
            raise self.fault(
                column, "is no code; use small letters, digits and hyphens, a hyphen never first."
            )
        return value

    def optional_code(self, column: str) -> str | None:
        """A code, or None where the cell is empty."""
        return self.code(column) if self.text(column) else None

    def member(self, column: str, codelist: type[CodeT]) -> CodeT:
        """An entry of a code list."""
        value = self.required(column)
        for member in codelist:
            if member.value == value:
                return member
        raise self.fault(column, f"is not in the list; use one of {', '.join(codelist.codes())}.")

    def yes(self, column: str) -> bool:
        """True for yes, False for no; anything else is refused."""
        value = self.required(column)
        if value not in ("yes", "no"):
            raise self.fault(column, "is neither yes nor no.")
        return value == "yes"

    def whole_number(self, column: str) -> int:
        """A whole number from 0."""
        value = self.required(column)
        if not (value.isascii() and value.isdigit()):
            raise self.fault(column, "is not a whole number from 0.")
        return int(value)

    def number(self, column: str) -> int | float | None:
        """A number from 0, whole where it is printed whole; None where the cell is empty."""
        value = self.text(column)
        if not value:
            return None
        if value.isascii() and value.isdigit():
            return int(value)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= 0):
            raise self.fault(column, "is not a number from 0; leave it empty where none is given.")
        return number

    def several(self, column: str, separator: str) -> tuple[str, ...]:
        """The parts of a list, trimmed; an empty cell holds none."""
        value = self.text(column)
        parts = tuple(part.strip() for part in value.split(separator)) if value else ()
        if not all(parts):
            raise self.fault(column, "holds an empty entry; remove the separator too many.")
        return parts


def read_rows(
    file: str, content: bytes, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[CatalogueRow]:
    """Rows of one comma-separated UTF-8 file whose header names exactly the columns it may have.

    Raises CatalogueFault for what is not UTF-8 or not CSV, a missing, unknown or repeated column,
    and a line with too few or too many cells.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogueFault(file, line, "", "is not UTF-8; save the file as UTF-8.") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    start = 1
    while True:
        try:
            cells = next(lines, None)
        except csv.Error:
            raise CatalogueFault(file, start, "", "is not CSV; look at its quotes.") from None
        if cells is None:
            break
        if header is None:
            header = cells
            check_header(file, header, required=required, optional=optional)
        elif len(cells) != len(header):
            mend = f"has {len(cells)} cells; the header has {len(header)}."
            raise CatalogueFault(file, start, "", mend)
        else:
            yield CatalogueRow(file, start, dict(zip(header, cells, strict=True)))
        start = lines.line_num + 1
    if header is None:
        raise CatalogueFault(file, 1, "", "is empty; its header is missing.")


def check_header(
    file: str, header: list[str], *, required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    """Refuse a header that lacks a column, repeats one, or has one that is not of the catalogue."""
    for column in required:
        if column not in header:
            raise CatalogueFault(file, 1, column, "is missing; add the column.")
    for place, column in enumerate(header, start=1):
        if column not in required and column not in optional:
            mend = "is not of the catalogue; remove the column."
            raise CatalogueFault(file, 1, f"column {place}", mend)
        if header.index(column) != place - 1:
            raise CatalogueFault(file, 1, column, "stands twice; remove one.")

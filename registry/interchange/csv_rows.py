"""Rows of a site's CSV file, one at a time: the file is never held whole."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from registry.records import Fault, IdentifierFound, RawReport, Refusal, RowKind, RowRuleBroken
from registry.records.columns import COLUMNS, REQUIRED_COLUMNS, column_faults

DELIMITERS = (",", ";", "\t")
LONGEST_LINE = 100_000
"""Characters; a longer line is a file that is no CSV or a quotation mark that nobody closed."""

_CHUNK = 1 << 16
_ENCODINGS = ("utf-8-sig", "cp1252")


def read_rows(
    source: str | Path | BinaryIO,
    kind: RowKind,
    *,
    name: str | None = None,
    on_fault: Callable[[Fault], None] | None = None,
) -> Iterator[RawReport]:
    """Read a site's file row by row, with the line each row stands on.

    source: a path, or a binary stream that can be read twice. name: what faults call the file.
    UTF-8, with or without a byte order mark, or else Windows-1252; comma, semicolon or tab, found
    from the header. Rows without any cell filled are skipped; the line of a row is the one it
    begins on.

    Raises Refusal for a file or a header that cannot be read, IdentifierFound where a column
    names a person or a device. A row with a wrong number of cells goes to on_fault, or raises
    RowRuleBroken without it. Memory: one row. The file is read twice, once for its encoding.
    """
    if isinstance(source, str | Path):
        label = str(source) if name is None else name
        try:
            with Path(source).open("rb") as stream:
                yield from _rows(stream, kind, label, on_fault)
        except OSError as error:
            fault = Fault("", "unreadable-file", "this file cannot be opened", file=label)
            raise Refusal(fault) from error
    else:
        yield from _rows(source, kind, name, on_fault)


def _rows(
    stream: BinaryIO, kind: RowKind, name: str | None, on_fault: Callable[[Fault], None] | None
) -> Iterator[RawReport]:
    text = io.TextIOWrapper(stream, encoding=_encoding(stream, name), newline="")
    try:
        delimiter, columns, start = _header(text, kind, name)
        width = len(columns)
        for line, cells in _records(text, delimiter, start, name):
            if len(cells) == width:
                values = {c: cell.strip() for c, cell in zip(columns, cells, strict=True)}
                yield RawReport(kind, values, line, name)
                continue
            detail = f"this row has {len(cells)} cells and the header {width}"
            fault = Fault("row", "wrong-number-of-cells", detail, line, name)
            if on_fault is None:
                raise RowRuleBroken(fault)
            on_fault(fault)
    finally:
        text.detach()


def _encoding(stream: BinaryIO, name: str | None) -> str:
    """Tell in which of the accepted encodings the whole file reads, leaving it at its start."""
    for encoding in _ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        stream.seek(0)
        try:
            while chunk := stream.read(_CHUNK):
                if b"\0" in chunk:
                    break
                decoder.decode(chunk)
            else:
                decoder.decode(b"", final=True)
                stream.seek(0)
                return encoding
        except UnicodeDecodeError:
            continue
    detail = "this file is neither UTF-8 nor Windows-1252 text; save it as CSV in UTF-8"
    raise Refusal(Fault("header", "unknown-encoding", detail, 1, name))


def _header(text: TextIO, kind: RowKind, name: str | None) -> tuple[str, list[str], int]:
    """Read the header: the delimiter, the columns, and the number of the line they stand on."""
    line, number = "", 0
    while not line.strip():
        line, number = text.readline(LONGEST_LINE), number + 1
        if not line:
            detail = "this file is empty; its first line names the columns"
            raise Refusal(Fault("header", "empty-file", detail, 1, name))
    known = COLUMNS[kind]
    splits = {mark: _cells(line, mark) for mark in DELIMITERS}
    delimiter = max(splits, key=lambda mark: _fit(splits[mark], known))
    columns = splits[delimiter]
    faults = list(column_faults(columns, kind))
    in_any_case = {column.lower() for column in columns}
    if in_any_case.isdisjoint(REQUIRED_COLUMNS[kind]) and not any(
        f.code == "identifier-found" for f in faults
    ):
        detail = f"the first line must name the columns of {kind.value}"
        raise Refusal(Fault("header", "no-header", detail, number, name))
    for column in dict.fromkeys(c for c in columns if columns.count(c) > 1 and c in known):
        faults.append(Fault(column, "repeated-column", "this column stands twice"))
    for column in REQUIRED_COLUMNS[kind]:
        if column not in columns:
            detail = "this column is missing; its cells may be empty"
            faults.append(Fault(column, "missing-column", detail))
    if faults:
        placed = [Fault(f.column, f.code, f.detail, number, name) for f in faults]
        identifying = any(fault.code == "identifier-found" for fault in placed)
        raise (IdentifierFound if identifying else Refusal)(placed)
    return delimiter, columns, number


def _fit(columns: list[str], known: frozenset[str]) -> tuple[int, int]:
    """How well a split of the header fits: columns that are known in any case, then columns."""
    return len(known.intersection(column.lower() for column in columns)), len(columns)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return []


def _records(
    text: TextIO, delimiter: str, start: int, name: str | None
) -> Iterator[tuple[int, list[str]]]:
    """Split what follows the header into rows, each with the line it begins on."""
    lines = _Lines(text, start)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            detail = "a quotation mark in this row is not closed, or the row is too long"
            raise Refusal(Fault("row", "broken-quotes", detail, begins, name)) from error
        if any(map(str.strip, cells)):
            yield begins, cells


class _Lines(Iterator[str]):
    """Lines of a text, counted, none longer than a table's line can be."""

    def __init__(self, text: TextIO, number: int) -> None:
        self.text = text
        self.number = number

    def __next__(self) -> str:
        line = self.text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE:
            raise csv.Error("line too long")
        self.number += 1
        return line

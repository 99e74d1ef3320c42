"""Rows of a site's file, CSV or workbook, one at a time."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from registry.interchange.csv_rows import (
    FEW_CELLS,
    CsvTable,
    NumberedRow,
    wrong_number_of_cells,
)
from registry.interchange.decoding import open_file, starts_as_workbook
from registry.interchange.headers import Header, find_header
from registry.interchange.workbook_template import is_example
from registry.interchange.workbooks import WorkbookTable
from registry.records import Fault, RawReport, RowKind, RowRuleBroken
from registry.records.readings import FileReading

OnFault = Callable[[Fault], None]


def read_rows(
    source: str | Path | BinaryIO,
    kind: RowKind,
    *,
    name: str | None = None,
    on_fault: OnFault | None = None,
    headings: Mapping[str, str] | None = None,
    reading: FileReading | None = None,
) -> Iterator[RawReport]:
    """Reads a site's file row by row, with the line on which each row begins.

    source: a path, or a binary stream that can be read twice. name: what faults call the file.
    headings: a site's own headings -> our columns. reading: is told the line of the header.
    A file that begins as a workbook is read as one, whatever its name. Encoding, delimiter and
    header line are found; rows without any filled cell are skipped.

    Raises Refusal for a file or a header that cannot be read, IdentifierFound where a column
    names a person or a device. A row that does not fit goes to on_fault, or raises RowRuleBroken
    without it. Memory: one row of CSV; the texts of a workbook.
    """
    if isinstance(source, str | Path):
        label = str(source) if name is None else name
        with open_file(source, label) as stream:
            yield from _reports(stream, kind, label, on_fault or _refuse, headings, reading)
    else:
        yield from _reports(source, kind, name, on_fault or _refuse, headings, reading)


def _refuse(fault: Fault) -> None:
    raise RowRuleBroken(fault)


def _reports(
    stream: BinaryIO,
    kind: RowKind,
    name: str | None,
    on_fault: OnFault,
    headings: Mapping[str, str] | None,
    reading: FileReading | None,
) -> Iterator[RawReport]:
    if starts_as_workbook(stream):
        workbook = WorkbookTable(stream, kind, name)
        header = find_header(workbook.candidates(), kind, name, headings or {})
        rows: Iterator[NumberedRow] = (
            (line, cells + [""] * (header.width - len(cells)))
            for line, cells in workbook.rows(header.line, on_fault)
        )
        yield from _fitting(rows, header, kind, name, on_fault, reading)
        if reading is not None:
            reading.hidden_rows = workbook.hidden_rows
        return
    table = CsvTable(stream, name)
    try:
        header = find_header(table.candidates(), kind, name, headings or {})
        rows = table.rows(header.delimiter, header.line, on_fault)
        yield from _fitting(rows, header, kind, name, on_fault, reading)
    finally:
        table.detach()


def _fitting(
    rows: Iterator[NumberedRow],
    header: Header,
    kind: RowKind,
    name: str | None,
    on_fault: OnFault,
    reading: FileReading | None,
) -> Iterator[RawReport]:
    """The rows that have a cell for each column."""
    if reading is not None:
        reading.header_line = header.line
    least, width = header.least, header.width
    for line, as_written in rows:
        cells = [cell.strip() for cell in as_written]
        filled = len(cells) - cells.count("")
        if not filled:
            continue
        if header.is_repeated_by(cells):
            detail = "this line names the columns again; leave it out"
            on_fault(Fault("row", "no-row-of-data", detail, line, name))
            continue
        if filled <= FEW_CELLS < len(header.columns) // 2:
            detail = (
                "this line has too few filled cells for a row; "
                "leave out titles, totals and notes below the column names"
            )
            on_fault(Fault("row", "no-row-of-data", detail, line, name))
            continue
        if len(cells) < least or any(cells[width:]):
            on_fault(wrong_number_of_cells(len(cells), width, line, name))
            continue
        for position in header.nameless:
            if position < len(cells) and cells[position]:
                detail = "this column has no name, but its cell is filled; name it, or leave it out"
                on_fault(Fault(f"column {position + 1}", "nameless-column", detail, line, name))
        values = {column: cells[position] for position, column in header.columns}
        if is_example(kind, values):
            continue
        yield RawReport(kind, values, line, name)

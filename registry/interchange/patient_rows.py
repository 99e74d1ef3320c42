"""Rows of a CSV file of patients, who have few columns and no workbook."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from registry.interchange.cell_reading import CatalogueNames, CellReading
from registry.interchange.csv_rows import CsvTable, wrong_number_of_cells
from registry.interchange.headers import LAST_HEADER_LINE, Candidate, refused_names
from registry.interchange.site_words import SiteWords
from registry.records import Fault, IdentifierFound, Refusal
from registry.records.columns import OF_PATIENTS, unknown_names
from registry.records.readings import FileReading
from registry.records.spelling import folded_heading

_NAMES = {
    **{folded_heading(column.title): name for name, column in OF_PATIENTS.items()},
    **{folded_heading(name): name for name in OF_PATIENTS},
}


def read_patients(
    stream: BinaryIO, *, on_fault: Callable[[Fault], None]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The line and the texts of each patient of a CSV file of any usual encoding and delimiter.

    The line of column names is found, and cells are read as in any file. What does not fit goes to
    on_fault. Raises Refusal for a file or names that cannot be read.
    """
    table = CsvTable(stream, None)
    try:
        lines = [each for each in table.candidates() if any(map(str.strip, each.cells))]
        if not lines:
            detail = "this file is empty; its first line names the columns"
            raise Refusal(Fault("header", "empty-file", detail, 1))
        best = max(lines, key=lambda line: (_fit(line), -line.line))
        columns = _columns(best)
        reading = CellReading(
            None, terms=CatalogueNames(), words=SiteWords(), blank=(), reading=FileReading()
        )
        for line, cells in table.rows(best.delimiter, best.line, on_fault):
            if not any(map(str.strip, cells)):
                continue
            stray = [text for name, text in zip(columns, cells, strict=False) if not name]
            stray += cells[len(columns) :]
            if len(cells) < _least(columns) or any(map(str.strip, stray)):
                on_fault(wrong_number_of_cells(len(cells), len(columns), line, None))
                continue
            named = zip(columns, map(str.strip, cells), strict=False)
            texts = {name: text for name, text in named if name}
            changed, faults = reading.changed(texts)
            for fault in faults:
                on_fault(replace(fault, line=line))
            if not any(OF_PATIENTS[fault.column].required for fault in faults):
                yield line, texts | changed
    finally:
        table.detach()


def _least(columns: list[str]) -> int:
    """How many cells a row has at least: up to the last column that has a name."""
    return max(position for position, name in enumerate(columns, 1) if name)


def _fit(line: Candidate) -> tuple[int, int]:
    """How many columns a line names, and into how many cells it was split."""
    known = {_NAMES.get(folded_heading(cell)) for cell in line.cells} - {None}
    return len(known), len(line.cells)


def _columns(line: Candidate) -> list[str]:
    """The column of each cell, an empty text without a name.

    Raises Refusal or IdentifierFound for other names. A line that names no column that is needed
    holds values, which are not repeated.
    """
    named = [_NAMES.get(folded_heading(cell), cell.strip()) for cell in line.cells]
    faults = list(unknown_names(named, known=frozenset(OF_PATIENTS) | {""}, what="patients"))
    needed = [name for name, column in OF_PATIENTS.items() if column.required]
    if not set(needed) & set(named):
        said = (
            f"none of the first {LAST_HEADER_LINE} lines names the columns of patients; "
            f"begin with a line that does: {', '.join(needed)}"
        )
        identifying = [fault for fault in faults if fault.code == IdentifierFound.code]
        faults = identifying or [Fault("header", "no-header", said)]
        raise refused_names(faults, line.line, None)
    for name in OF_PATIENTS:
        if named.count(name) > 1:
            faults.append(Fault(name, "repeated-column", "this column stands twice"))
    for name in needed:
        if name not in named:
            faults.append(Fault(name, "missing-column", "this column is missing"))
    if faults:
        raise refused_names(faults, line.line, None)
    return named

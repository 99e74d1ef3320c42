"""Finds the line of column names of a table, and the column that each of its cells names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.records import Fault, IdentifierFound, Refusal, RowKind, refusal_of
from registry.records.columns import (
    COLUMNS,
    DECLARED,
    REQUIRED_COLUMNS,
    column_faults,
    names_a_person_or_device,
)
from registry.records.declared import Holds
from registry.records.spelling import folded, folded_heading

LAST_HEADER_LINE = 10
"""The column names stand on one of the first ten lines: titles and groups may stand above."""


_WITH_REMARK = re.compile(r"(.+?)\s*[(\[]([^()\[\]]*)[)\]][\s*]*", re.DOTALL)
"""A heading with a remark in brackets behind it: `Year (YYYY)`."""

_REMARKS = frozenset({"code", "codes", "optional", "required", "mandatory", "pflichtfeld"})
_REMARKS_OF: Mapping[Holds, frozenset[str]] = {
    Holds.YEAR: frozenset({"yyyy", "jjjj", "aaaa", "4-digits", "four-digits"}),
    Holds.GRADE: frozenset({"1-5", "ctcae", "grade", "ctcae-grade", "grade-1-5"}),
}
_IN_MONTHS = frozenset({"months", "month", "mo", "m", "monate", "mois", "meses", "mesi", "maanden"})
"""Remarks that change nothing of what a column holds; with another unit it is another column."""

NAMED_AGAIN = 3
"""So many cells that name their own columns are a second line of column names, and no row."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that may hold the column names: its number, its cells, and how it was split."""

    line: int
    cells: Sequence[str]
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table.

    cells: what stands in the line, without blanks around. columns: the column of each cell by
    position; None for one to be left out. nameless: positions without a name, which no row may
    fill. names: the column of each folded heading.
    """

    line: int
    delimiter: str
    columns: tuple[tuple[int, str], ...]
    nameless: tuple[int, ...]
    cells: tuple[str, ...]
    names: Mapping[str, str] = field(repr=False)
    year: int

    @property
    def width(self) -> int:
        """The number of cells."""
        return len(self.cells)

    def is_repeated_by(self, cells: Sequence[str]) -> bool:
        """Whether a row names the columns again, by any spelling: most of its cells their own.

        As where files were put behind each other, or codes and labels stand on two lines.
        """
        if self.year < len(cells) and any(map(str.isdigit, cells[self.year])):
            return False
        own = sum(
            self.names.get(folded_heading(cells[position])) == column
            for position, column in self.columns
            if position < len(cells) and cells[position]
        )
        return own >= NAMED_AGAIN and own * 2 > len(cells) - cells.count("")

    @property
    def least(self) -> int:
        """How many cells a row has at least: up to the last column that has a name."""
        named = set(range(self.width)) - set(self.nameless)
        return max(named, default=-1) + 1


def find_header(
    candidates: Iterable[Candidate],
    kind: RowKind,
    name: str | None,
    headings: Mapping[str, str],
) -> Header:
    """The line that names the most columns of its kind, and what its cells name.

    Names are read without regard to case, blanks, underscores and hyphens; labels of forms and the
    site's own headings count as names. headings: a site's heading -> our column, or an empty text
    for a column to be left out.

    Raises Refusal where no line names columns, or it names unknown ones, one twice or too few;
    IdentifierFound where a column identifies a person or a device.
    """
    lines = [candidate for candidate in candidates if any(map(str.strip, candidate.cells))]
    if not lines:
        detail = "this file is empty; its first line names the columns"
        raise Refusal(Fault("header", "empty-file", detail, 1, name))
    known = _names(kind, headings)
    best = max(lines, key=lambda line: (_fit(line.cells, known), len(line.cells), -line.line))
    named = {known.get(folded_heading(cell), "") for cell in best.cells}
    if named.isdisjoint(REQUIRED_COLUMNS[kind]):
        raise _no_header(lines, kind, name)
    return _header(best, kind, name, known)


def _names(kind: RowKind, headings: Mapping[str, str]) -> dict[str, str]:
    """Every folded name of a column of this kind; the column's own name comes first."""
    names = {folded_heading(heading): column for heading, column in headings.items()}
    for column, declared in DECLARED[kind].items():
        names.setdefault(folded_heading(declared.title), column)
    return names | {folded_heading(column): column for column in COLUMNS[kind]}


def _column(heading: str, known: Mapping[str, str], kind: RowKind) -> str | None:
    """The column that a heading names, with a harmless remark in brackets behind it or without."""
    column = known.get(folded_heading(heading))
    remarked = _WITH_REMARK.fullmatch(heading)
    if column is not None or remarked is None or names_a_person_or_device(heading):
        return column
    column = known.get(folded_heading(remarked[1]))
    declared = DECLARED[kind].get(column or "")
    if declared is None:
        return None
    harmless = _REMARKS | _REMARKS_OF.get(declared.holds, frozenset())
    if declared.name.startswith("months") or declared.name.endswith("months"):
        harmless |= _IN_MONTHS
    return column if folded(remarked[2]) in harmless else None


def _fit(cells: Sequence[str], known: Mapping[str, str]) -> int:
    """How many different columns of the kind these cells name."""
    return len({known[name] for cell in cells if (name := folded_heading(cell)) in known})


NAMES_IN_A_LINE = 3
"""So many column names in one cell are a line that was not split."""


def _is_unsplit(line: Candidate, kind: RowKind) -> bool:
    """Whether the one cell of a line holds several column names."""
    filled = [cell for cell in line.cells if cell.strip()]
    if len(filled) != 1:
        return False
    text = folded_heading(filled[0])
    named = sum(folded_heading(column) in text for column in REQUIRED_COLUMNS[kind])
    return named >= NAMES_IN_A_LINE


def _no_header(lines: Sequence[Candidate], kind: RowKind, name: str | None) -> Refusal:
    for line in lines:
        of_line = [other for other in lines if other.line == line.line]
        if all(_is_unsplit(other, kind) for other in of_line):
            return Refusal(Fault("header", "no-header", UNSPLIT, line.line, name))
    first = max(
        (line for line in lines if line.line == lines[0].line), key=lambda line: len(line.cells)
    )
    identifying = [
        fault for fault in column_faults(first.cells, kind) if fault.code == IdentifierFound.code
    ]
    if identifying:
        return refused_names(identifying, first.line, name)
    detail = (
        f"none of the first {LAST_HEADER_LINE} lines names the columns of {kind.value}; "
        f"begin with a line that does: {', '.join(REQUIRED_COLUMNS[kind])}"
    )
    return Refusal(Fault("header", "no-header", detail, lines[0].line, name))


def _header(best: Candidate, kind: RowKind, name: str | None, known: Mapping[str, str]) -> Header:
    columns: list[tuple[int, str]] = []
    nameless: list[int] = []
    unknown: list[str] = []
    for position, cell in enumerate(best.cells):
        heading = cell.strip()
        column = _column(heading, known, kind) if heading else None
        if not heading:
            nameless.append(position)
            unknown.append(REQUIRED_COLUMNS[kind][0])
        elif column:
            columns.append((position, column))
            unknown.append(column)
        elif column is None or names_a_person_or_device(heading):
            unknown.append(heading)
        else:
            unknown.append(REQUIRED_COLUMNS[kind][0])
    faults = list(column_faults(unknown, kind))
    named = [column for _, column in columns]
    missing = [column for column in REQUIRED_COLUMNS[kind] if column not in named]
    if missing:
        faults = [replace(fault, detail=_or_renamed(fault.detail)) for fault in faults]
    for column in dict.fromkeys(c for c in named if named.count(c) > 1):
        faults.append(Fault(column, "repeated-column", "this column stands twice"))
    for column in missing:
        detail = "this column is missing; its cells may be empty"
        faults.append(Fault(column, "missing-column", detail))
    if faults:
        raise refused_names(faults, best.line, name)
    cells = tuple(map(str.strip, best.cells))
    year = next(at for at, column in columns if DECLARED[kind][column].holds is Holds.YEAR)
    return Header(best.line, best.delimiter, tuple(columns), tuple(nameless), cells, known, year)


def _or_renamed(detail: str) -> str:
    """The mend of an unknown heading, which may be that of a column that is missing."""
    if not detail.endswith("no such column; leave it out"):
        return detail
    return f"{detail}, or give it the name of the missing column that it holds"


UNSPLIT = (
    "this line names columns, but nothing that is known separates them, or the whole line stands "
    "in quotation marks; save the table as CSV with commas, semicolons, tabs or bars"
)


def refused_names(faults: Iterable[Fault], line: int, name: str | None) -> Refusal:
    """The refusal of a line's names, at this line of the file of this name."""
    placed = [replace(fault, line=line, file=name) for fault in faults]
    return refusal_of(placed, otherwise=Refusal)

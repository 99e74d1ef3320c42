"""Lines of a site's CSV file, one row at a time: the file is never held whole."""

import csv
import io
import re
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO

from registry.interchange.decoding import text_encoding
from registry.interchange.headers import LAST_HEADER_LINE, Candidate
from registry.records import Fault, Refusal

DELIMITERS = (",", ";", "\t", "|")
LONGEST_LINE = 100_000
"""Characters; a longer line is a file that is no CSV."""

MOST_LINES_OF_A_ROW = 20
"""A cell may hold line breaks; a longer row has a quotation mark that nobody closed."""

_SAYS_ITS_DELIMITER = re.compile(r"""["']?sep=(.)["']?[,;\t|]*\s*""", re.IGNORECASE | re.DOTALL)

_GUARDED = re.compile(r'="[^"]*"')
_MARKS_READ_AS_LETTERS = tuple(BOM_UTF8.decode(each) for each in ("cp1252", "mac_roman"))
"""The mark of UTF-8 before text that is none, as where a program marks whatever it writes."""

END_OF_FILE = "\x1a"
"""What DOS ends a text file with, and some systems of hospitals still do."""

NumberedRow = tuple[int, list[str]]
"""The line on which a row begins, and its cells."""

FEW_CELLS = 2
"""A line with no more filled cells is no row: each kind of row needs at least four."""


def wrong_number_of_cells(cells: int, header: int, line: int, name: str | None) -> Fault:
    """The fault of a row that does not fit its header."""
    counted = "1 cell" if cells == 1 else f"{cells} cells"
    detail = (
        f"this row has {counted} and the header {header}; give it a cell for each column, empty "
        "ones too, or leave it out if it is a note"
    )
    return Fault("row", "wrong-number-of-cells", detail, line, name)


class CsvTable:
    """A CSV file of any usual encoding and delimiter, as numbered rows of cells.

    Call `candidates`, and then `rows` with the delimiter and line of the header. Close it with
    `detach`: the stream stays open for its owner.
    """

    def __init__(self, stream: BinaryIO, name: str | None) -> None:
        self.name = name
        self.text = io.TextIOWrapper(stream, encoding=text_encoding(stream, name), newline="")
        self._head = list(islice(self._read(), LAST_HEADER_LINE + MOST_LINES_OF_A_ROW))
        for mark in _MARKS_READ_AS_LETTERS:
            self._head[:1] = [line.removeprefix(mark) for line in self._head[:1]]

    def candidates(self) -> Iterator[Candidate]:
        """The first ten lines, split by each delimiter; by the one first that the file names."""
        delimiters: tuple[str, ...] = DELIMITERS
        for number, line in enumerate(self._head[:LAST_HEADER_LINE], 1):
            said = _SAYS_ITS_DELIMITER.fullmatch(line) if number == 1 else None
            if said is not None:
                delimiters = tuple(dict.fromkeys((said[1], *DELIMITERS)))
                continue
            if len(line) >= LONGEST_LINE:
                continue
            for delimiter in delimiters:
                cells = _first_row(self._head[number - 1 :], delimiter)
                yield Candidate(number, cells, delimiter)

    def rows(
        self, delimiter: str, header_line: int, on_fault: Callable[[Fault], None]
    ) -> Iterator[NumberedRow]:
        """The rows below the header. A row whose quotation mark is not closed goes to on_fault."""
        head = self._head[header_line - 1 :]
        lines = _Lines(chain(head, self._read()), header_line - 1)
        next(_reader(lines, delimiter))
        reader = _reader(lines, delimiter, strict=True)
        while True:
            lines.begin_row()
            begins = lines.number + 1
            try:
                cells = next(reader)
                closed = lines.number == begins or not any(
                    "\n" in cell and delimiter in cell for cell in cells
                )
            except StopIteration:
                return
            except csv.Error:
                self._refuse_long_lines(lines.taken(), begins)
                closed = False
            if closed:
                yield begins, [_unguarded(cell) if cell.startswith("=") else cell for cell in cells]
                continue
            opens = _opening_line(lines.taken(), delimiter)
            detail = "a quotation mark opens on this line and is not closed; close or remove it"
            on_fault(Fault("row", "broken-quotes", detail, begins + opens, self.name))
            lines.resume_after(opens)
            reader = _reader(lines, delimiter, strict=True)

    def _refuse_long_lines(self, lines: list[str], begins: int) -> None:
        if any(len(line) >= LONGEST_LINE for line in lines):
            detail = "this line is too long for a row; save the file as CSV again"
            raise Refusal(Fault("row", "row-too-long", detail, begins, self.name))

    def detach(self) -> None:
        """Lets go of the stream without closing it."""
        self.text.detach()

    def _read(self) -> Iterator[str]:
        while line := self.text.readline(LONGEST_LINE):
            ended = line.rstrip("\r\n")
            yield ended[:-1] if ended.endswith(END_OF_FILE) else line


class _Lines(Iterator[str]):
    """Counted lines, of which those of the current row can be read again."""

    def __init__(self, lines: Iterator[str], number: int) -> None:
        self.number = number
        self._lines = lines
        self._again: deque[str] = deque()
        self._row: list[str] = []

    def __next__(self) -> str:
        if len(self._row) >= MOST_LINES_OF_A_ROW:
            raise csv.Error("the row is too long")
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        if len(line) >= LONGEST_LINE:
            raise csv.Error("the line is too long")
        self.number += 1
        return line

    def begin_row(self) -> None:
        """Forgets the lines of the row before."""
        self._row.clear()

    def taken(self) -> list[str]:
        """The lines of the current row."""
        return list(self._row)

    def resume_after(self, opens: int) -> None:
        """Goes back to the line after the one at this position of the current row."""
        back = self._row[opens + 1 :]
        self._again.extendleft(reversed(back))
        self.number -= len(back)


def _opening_line(lines: list[str], delimiter: str) -> int:
    """The position of the line on which the quotation opens that is not closed as it should be.

    Where all are closed, the line of the first that closes on a later line.
    """
    inside, begins, opens = False, True, 0
    spanning: int | None = None
    for position, line in enumerate(lines):
        at = 0
        while at < len(line):
            mark, following = line[at], line[at + 1 : at + 2]
            if inside and mark == '"':
                if following == '"':
                    at += 1
                elif following in ("", delimiter, "\r", "\n"):
                    inside = False
                else:
                    return opens
            elif not inside and begins and mark == '"':
                inside, opens = True, position
            begins = not inside and (mark in (delimiter, "\r", "\n") or (begins and mark == " "))
            at += 1
        if inside and spanning is None:
            spanning = opens
    return opens if inside or spanning is None else spanning


def _reader(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    """Splits lines into cells; a blank may stand before a cell's quotation mark."""
    return csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=True)


def _unguarded(cell: str) -> str:
    """A cell without the formula `="034"`, by which systems keep spreadsheets from reading it."""
    return cell[2:-1] if cell.startswith('="') and _GUARDED.fullmatch(cell) else cell


def _first_row(lines: list[str], delimiter: str) -> list[str]:
    try:
        cells = next(_reader(lines, delimiter))
        return [" ".join(_unguarded(cell).split()) for cell in cells]
    except (csv.Error, StopIteration):
        return []

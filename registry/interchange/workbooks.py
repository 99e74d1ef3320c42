"""Rows of a workbook (.xlsx), a sheet for each kind: read a row at a time, without its formats.

Office Open XML (ECMA-376): a zip of XML parts. Only values are read: formulas by their last
result, dates as `2023-08-30 00:00:00`, numbers as their shortest text.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice, zip_longest
from typing import IO, Any, BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser  # nosec B405

from registry.interchange.csv_rows import FEW_CELLS, NumberedRow
from registry.interchange.headers import LAST_HEADER_LINE, Candidate
from registry.records import Fault, Refusal, RowKind

MOST_BYTES = 1 << 30
"""The most bytes of one part once it is unpacked: more is no table of rows."""

MOST_UNREAD = 1 << 22
"""The most bytes of a row or a text, which is held whole: no spreadsheet writes as many."""

_UNPACKED_FREELY, _MOST_PACKED = 1 << 26, 100
"""Larger parts may unpack to a hundred times their packed size; those of real ones do to 30."""

_READ_WHOLE = frozenset({"row", "si", "cellXfs"})
"""What is read with all that stands in it; other elements are dropped as soon as they end."""

_CHUNK = 1 << 16

_REFUSED_IN_XML = (b"<!DOCTYPE", b"<!ENTITY", b"\x00")
"""Marks of a document type, whose entities can grow without end; a zero is of UTF-16, in which
these marks look otherwise."""

_LONGEST_MARK = max(map(len, _REFUSED_IN_XML)) - 1
_MOST_COLUMNS = 1_000
"""What stands further right is read as the cell behind these, so that it is not lost unseen."""

_ESCAPED = re.compile("_x(00[01][0-9A-Fa-f]|005[Ff](?=_?x[0-9A-Fa-f]{4}_))_")
"""A mark that XML does not take, as workbooks write it (ECMA-376, 22.4.2.4): `_x000D_`.

The underline too, before what would read as such. Others are as likely part of a key.
"""

_MERGED = re.compile(rb'<(?:[a-z]+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):')
"""An area of merged cells: the column and the line of its first cell."""

_LONGEST_MERGED = 200

_NO_RESULT = "#VALUE!"
"""What a formula is read as whose result was never stored: an error to be mended."""

_MOST_LINES = 1 << 20
"""The lines of a sheet (of Excel); the file says the number of each."""

_DATES_BUILT_IN = frozenset({*range(14, 23), *range(45, 48)})
"""Number formats of dates and times that every workbook has (ECMA-376, 18.8.30)."""

_NO_FORMAT = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!(?:h+|m+|s+)\])[^]]*\]', re.IGNORECASE | re.DOTALL)
"""Text, marks that stand for themselves, and brackets: of colours, currencies and conditions."""

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError),
    *(ParseError, LookupError, ValueError, OverflowError),
)
"""What a damaged, encrypted or contradictory workbook raises: from its zip, and from its parts."""


class WorkbookTable:
    """The sheet of one kind in a workbook, as numbered rows of cells.

    hidden_rows: how many of the rows read so far the workbook does not show.
    """

    def __init__(self, stream: BinaryIO, kind: RowKind, name: str | None) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(stream)
            names = set(self._zip.namelist())
            if "xl/workbook.xml" not in names:
                raise self._refused("this is a zipped file and no workbook (.xlsx)")
            self._shared = self._shared_texts() if "xl/sharedStrings.xml" in names else []
            self._dates = self._date_styles() if "xl/styles.xml" in names else frozenset()
            self._sheet = self._sheet_of(kind)
            self._merged = self._merged_cells()
            self._torn: set[int] = set()
            self.hidden_rows = 0
            self._rows = self._read()
            self._head = list(islice(self._rows, LAST_HEADER_LINE))
        except _BROKEN as error:
            raise self._refused("this is a workbook that cannot be read") from error

    def candidates(self) -> Iterator[Candidate]:
        """The rows on the first ten lines."""
        for line, cells in self._head:
            if line <= LAST_HEADER_LINE:
                yield Candidate(line, [" ".join(cell.split()) for cell in cells])

    def rows(self, header_line: int, on_fault: Callable[[Fault], None]) -> Iterator[NumberedRow]:
        """The rows below the header; a filled cell that is merged with others goes to on_fault."""
        try:
            for line, cells in chain(self._head, self._rows):
                if line > header_line:
                    if line in self._torn and len(cells) - cells.count("") > FEW_CELLS:
                        detail = (
                            "a cell of this line is merged with others, which are empty in the "
                            "file; unmerge them, and fill in each"
                        )
                        on_fault(Fault("row", "merged-cells", detail, line, self.name))
                    yield line, cells
        except _BROKEN as error:
            raise self._refused("this is a workbook that cannot be read to its end") from error

    def _refused(self, what: str) -> Refusal:
        detail = f"{what}; save it again as .xlsx, or as CSV in UTF-8"
        return Refusal(Fault("file", "unreadable-workbook", detail, 1, self.name))

    def _part(self, path: str) -> Iterator[Element]:
        """The elements of a part, each when it ends; refuses documents with entities.

        Memory: one row or text, whatever the part unpacks to.
        """
        size, packed = (info := self._zip.getinfo(path)).file_size, info.compress_size
        if size > MOST_BYTES or size > max(_UNPACKED_FREELY, _MOST_PACKED * packed):
            raise self._refused("this workbook unpacks to more than a table of rows")
        parser: XMLPullParser[Any] = XMLPullParser(events=("start", "end"))
        before, unread = b"", 0
        within: list[Element] = []
        whole = False  # whether the innermost of these is read whole
        with self._zip.open(path) as part:
            for chunk in _chunks(part):
                if any(mark in before + chunk for mark in _REFUSED_IN_XML):
                    raise ParseError("a document type, or letters of more than one byte")
                before = chunk[-_LONGEST_MARK:]
                unread += len(chunk)
                parser.feed(chunk)
                for event in parser.read_events():
                    begins, element = cast(tuple[str, Element], event)
                    if whole and element is not within[-1]:
                        if begins == "end":
                            yield element
                    elif begins == "start":
                        within.append(element)
                        whole = _tag(element) in _READ_WHOLE
                    else:
                        within.pop()
                        yield element
                        whole, unread = False, 0
                for each, inner in zip_longest(within, within[1:]):
                    if inner is not None or not whole:  # what has ended in it is read
                        each[:] = [] if inner is None else [inner]
                if unread > MOST_UNREAD:
                    raise self._refused("a row or a text of this workbook is too long")
            parser.close()

    def _shared_texts(self) -> list[str]:
        texts = []
        for element in self._part("xl/sharedStrings.xml"):
            if _tag(element) == "si":
                texts.append(_text(element))
        return texts

    def _date_styles(self) -> frozenset[int]:
        """The cell styles whose numbers are dates."""
        formats: dict[int, str] = {}
        found = []
        for element in self._part("xl/styles.xml"):
            if _tag(element) == "numFmt":
                formats[int(element.get("numFmtId", "0"))] = element.get("formatCode", "")
            elif _tag(element) == "cellXfs":
                numbers = [int(each.get("numFmtId", "0")) for each in element]
                found = [
                    style
                    for style, number in enumerate(numbers)
                    if number in _DATES_BUILT_IN or _is_of_dates(formats.get(number, ""))
                ]
        return frozenset(found)

    def _sheet_of(self, kind: RowKind) -> str:
        """The part of the sheet that is named after a kind, or of the only other one."""
        sheets: dict[str, str] = {}
        self._from_1904 = False
        for element in self._part("xl/workbook.xml"):
            if _tag(element) == "sheet" and element.get("state", "visible") == "visible":
                related = (value for key, value in element.attrib.items() if key.endswith("}id"))
                sheets[element.get("name", "").strip().lower()] = next(related, "")
            elif _tag(element) == "workbookPr":
                self._from_1904 = element.get("date1904", "0") in ("1", "true")
        targets: Mapping[str, str] = {
            element.get("Id", ""): element.get("Target", "")
            for element in self._part("xl/_rels/workbook.xml.rels")
            if _tag(element) == "Relationship"
        }
        others = {each.value for each in RowKind} - {kind.value}
        named = [name for name in sheets if name not in others]
        if kind.value in sheets:
            named = [kind.value]
        elif len(named) > 1:
            named = [name for name in named if self._is_filled(_path(targets[sheets[name]]))]
        if len(named) != 1:
            detail = (
                f"no sheet of this workbook is named {kind.value}, and not one alone is filled; "
                f"give the sheet of the {kind.value} this name"
            )
            raise Refusal(Fault("file", "unreadable-workbook", detail, 1, self.name))
        return _path(targets[sheets[named[0]]])

    def _is_filled(self, sheet: str) -> bool:
        """Whether a sheet has a cell with a value or a text."""
        return any(_tag(element) in ("v", "t") for element in self._part(sheet))

    def _merged_cells(self) -> Mapping[int, Sequence[int]]:
        """The columns of the first cells of merged areas, by their line.

        They stand behind the rows, where they would come too late.
        """
        found: dict[int, list[int]] = {}
        before = b""
        with self._zip.open(self._sheet) as part:
            for chunk in _chunks(part):
                text = before + chunk
                end = 0
                for area in _MERGED.finditer(text):
                    end = area.end()
                    found.setdefault(int(area[2]), []).append(_position(area[1].decode(), 0))
                before = text[max(end, len(text) - _LONGEST_MERGED) :]
        return found

    def _read(self) -> Iterator[NumberedRow]:
        line = 0
        for element in self._part(self._sheet):
            if _tag(element) != "row":
                continue
            line = int(element.get("r", line + 1))
            if not 0 < line <= _MOST_LINES:
                raise ValueError("no line of a sheet")
            cells: list[str] = []
            for position, cell in enumerate(element):
                at = min(_position(cell.get("r", ""), position), _MOST_COLUMNS)
                value = self._value(cell)
                if at == _MOST_COLUMNS and not value:
                    break
                cells.extend([""] * (at + 1 - len(cells)))
                cells[at] = value
            if any(cells):
                self.hidden_rows += element.get("hidden", "0") in ("1", "true")
                if any(at < len(cells) and cells[at] for at in self._merged.get(line, ())):
                    self._torn.add(line)
                yield line, cells

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell).strip()
        value = next((each.text or "" for each in cell if _tag(each) == "v"), "")
        if not value:
            has_formula = kind != "str" and any(_tag(each) == "f" for each in cell)
            return _NO_RESULT if has_formula else ""
        if kind == "s":
            return self._shared[int(value)].strip()
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind == "n":
            number = float(f"{float(value):.15g}")  # as exact as a spreadsheet shows and compares
            if int(cell.get("s", "0")) in self._dates:
                return self._date(number)
            return str(int(number)) if number.is_integer() else repr(number)
        return _unescaped(value).strip()

    def _date(self, number: float) -> str:
        start = datetime(1904, 1, 1) if self._from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
        return (start + timedelta(days=number)).isoformat(sep=" ", timespec="seconds")


def _chunks(part: IO[bytes]) -> Iterator[bytes]:
    while chunk := part.read(_CHUNK):
        yield chunk


def _path(target: str) -> str:
    """The part of a sheet, which a workbook names from its own folder or from the root."""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element) -> str:
    """The text of a cell without its reading aids (phonetic runs)."""
    parts: list[Any] = []
    for each in element:
        if _tag(each) == "t":
            parts.append(_unescaped(each.text or ""))
        elif _tag(each) in ("r", "is"):
            parts.append(_text(each))
    return "".join(parts)


def _unescaped(text: str) -> str:
    """A text with the marks that stand escaped in it."""
    return _ESCAPED.sub(lambda mark: chr(int(mark[1], 16)), text) if "_x" in text else text


def _position(reference: str, otherwise: int) -> int:
    """The column of a cell such as AB12, from 0."""
    number = 0
    for mark in reference:
        if not mark.isalpha():
            break
        number = number * 26 + ord(mark.upper()) - 64
    return number - 1 if number else otherwise


def _is_of_dates(written: str) -> bool:
    """Whether a number format shows a date: day, month or year outside of text and of brackets."""
    return any(mark in _NO_FORMAT.sub("", written).lower() for mark in "dmy")

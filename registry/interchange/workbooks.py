"""Rows of a workbook (.xlsx), a sheet for each kind: read a row at a time, without its formats.

Office Open XML (ECMA-376): a zip of XML parts. Only values are read: formulas by their last
result, dates as `2023-08-30 00:00:00`, numbers as their shortest text.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import IO, Any, BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser  # nosec B405

from registry.interchange.csv_rows import NumberedRow
from registry.interchange.headers import LAST_HEADER_LINE, Candidate
from registry.records import Fault, Refusal, RowKind

MOST_BYTES = 1 << 30
"""The most bytes of one part once it is unpacked: more is no table of rows."""

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

_NO_RESULT = "#VALUE!"
"""What a formula is read as whose result was never stored: an error to be mended."""

_MOST_LINES = 1 << 20
"""The lines of a sheet (of Excel); the file says the number of each."""

_DATES_BUILT_IN = frozenset({*range(14, 23), *range(45, 48)})
"""Number formats of dates and times that every workbook has (ECMA-376, 18.8.30)."""

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError),
    *(ParseError, LookupError, ValueError, OverflowError),
)
"""What a damaged, encrypted or contradictory workbook raises: from its zip, and from its parts."""


class WorkbookTable:
    """The sheet of one kind in a workbook, as numbered rows of cells."""

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
            self._rows = self._read()
            self._head = list(islice(self._rows, LAST_HEADER_LINE))
        except _BROKEN as error:
            raise self._refused("this is a workbook that cannot be read") from error

    def candidates(self) -> Iterator[Candidate]:
        """The rows on the first ten lines."""
        for line, cells in self._head:
            if line <= LAST_HEADER_LINE:
                yield Candidate(line, [" ".join(cell.split()) for cell in cells])

    def rows(self, header_line: int) -> Iterator[NumberedRow]:
        """The rows below the header."""
        try:
            for line, cells in self._head:
                if line > header_line:
                    yield line, cells
            yield from self._rows
        except _BROKEN as error:
            raise self._refused("this is a workbook that cannot be read to its end") from error

    def _refused(self, what: str) -> Refusal:
        detail = f"{what}; save it again as .xlsx, or as CSV in UTF-8"
        return Refusal(Fault("file", "unreadable-workbook", detail, 1, self.name))

    def _part(self, path: str) -> Iterator[Element]:
        """The elements of a part, each when it ends; refuses documents with entities."""
        if self._zip.getinfo(path).file_size > MOST_BYTES:
            raise self._refused("this workbook is too large")
        parser: XMLPullParser[Any] = XMLPullParser(events=("end",))
        before = b""
        with self._zip.open(path) as part:
            for chunk in _chunks(part):
                if any(mark in before + chunk for mark in _REFUSED_IN_XML):
                    raise ParseError("a document type, or letters of more than one byte")
                before = chunk[-_LONGEST_MARK:]
                parser.feed(chunk)
                for event in parser.read_events():
                    yield cast(tuple[str, Element], event)[1]
            parser.close()

    def _shared_texts(self) -> list[str]:
        texts = []
        for element in self._part("xl/sharedStrings.xml"):
            if _tag(element) == "si":
                texts.append(_text(element))
                element.clear()
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
        free = [name for name in sheets if name not in others]
        named = [kind.value] if kind.value in sheets else free
        if len(named) != 1:
            raise self._refused(f"no sheet of this workbook is named {kind.value}; name it so")
        target = targets[sheets[named[0]]]
        return target.lstrip("/") if target.startswith("/") else f"xl/{target}"

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
            element.clear()
            if any(cells):
                yield line, cells

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell).strip()
        value = next((each.text or "" for each in cell if _tag(each) == "v"), None)
        if value is None:
            return _NO_RESULT if any(_tag(each) == "f" for each in cell) else ""
        if kind == "s":
            return self._shared[int(value)].strip()
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind == "n" and value:
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
    """Whether a number format shows a date: day, month or year outside of quoted text."""
    outside = "".join(part for at, part in enumerate(written.split('"')) if at % 2 == 0)
    return any(mark in outside.lower().replace("[red]", "") for mark in "dmy")

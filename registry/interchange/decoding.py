"""Tells the encoding of a text file from its bytes, and other kinds of file by their beginning."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from registry.records import Fault, Refusal

_CHUNK = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins like that of UTF-16, and is looked for first."""

WORKBOOK = b"PK\x03\x04"
"""How a zipped file begins, a workbook (.xlsx) too."""

_SAVE_AS = "save it as .xlsx, or as CSV in UTF-8"
_OTHER_FORMATS = (
    (b"\xd0\xcf\x11\xe0", f"this is an old (.xls) or protected workbook; {_SAVE_AS}"),
    (WORKBOOK, "this is a workbook (.xlsx) or a zipped file; save it as CSV in UTF-8"),
    (b"%PDF", f"this is a PDF, not a table; {_SAVE_AS}"),
    (b"\x1f\x8b", "this file is compressed; unpack it first"),
    (b"7z\xbc\xaf", "this file is compressed; unpack it first"),
    (b"Rar!", "this file is compressed; unpack it first"),
    (b"<!doctype html", f"this is a web page, whatever its name says; {_SAVE_AS}"),
    (b"<html", f"this is a web page, whatever its name says; {_SAVE_AS}"),
    (b"<table", f"this is a web page, whatever its name says; {_SAVE_AS}"),
    (b"<?xml", f"this is XML, not a table; {_SAVE_AS}"),
    (b"[{", f"this is JSON, not a table; send it to the API, or {_SAVE_AS}"),
    (b'{"', f"this is JSON, not a table; send it to the API, or {_SAVE_AS}"),
    (b"$FL2", f"this is a file of SPSS; {_SAVE_AS}"),
    (b"<stata_dta>", f"this is a file of Stata; {_SAVE_AS}"),
    (b"HEADER RECORD*******", f"this is a file of SAS; {_SAVE_AS}"),
    (b"PAR1\x15", f"this is a Parquet file; {_SAVE_AS}"),
    (b"SQLite format 3", f"this is a database; {_SAVE_AS}"),
    (b"BZh", "this file is compressed; unpack it first"),
    (b"\xfd7zXZ", "this file is compressed; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "this file is compressed; unpack it first"),
    (b"\x89PNG", f"this is a picture, not a table; {_SAVE_AS}"),
    (b"\xff\xd8\xff", f"this is a picture, not a table; {_SAVE_AS}"),
    (b"{\\rtf", f"this is a text document, not a table; {_SAVE_AS}"),
)

# A byte beside an ASCII letter is a letter of a word. In Windows-1252 letters stand at C0 to FF; in
# Mac OS Roman at 80 to 9F, where Windows-1252 has signs: quotation marks, dashes and an ellipsis
# (85, 91 to 97) may touch a letter too and prove nothing. A dash between digits is 96 or D0.
_MAC_LETTER = re.compile(
    rb"[A-Za-z][\x80-\x84\x86-\x90\x98-\x9f]|[\x80-\x84\x86-\x90\x98-\x9f][A-Za-z]"
)
_WINDOWS_LETTER = re.compile(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff][A-Za-z]")
_MAC_DASH = re.compile(rb"[0-9]\s?[\xd0\xd1]\s?[0-9]")
_WINDOWS_DASH = re.compile(rb"[0-9]\s?[\x96\x97]\s?[0-9]")


def open_file(path: str | Path, name: str | None = None) -> BinaryIO:
    """Opens a file to read its bytes. name: what faults call it, if not by its path.

    Raises Refusal where it cannot be opened.
    """
    try:
        return Path(path).open("rb")
    except OSError as error:
        fault = Fault("", "unreadable-file", "this file cannot be opened", file=name or str(path))
        raise Refusal(fault) from error


def starts_as_workbook(stream: BinaryIO) -> bool:
    """Whether a file begins as a workbook (.xlsx) does; leaves the stream at its start."""
    stream.seek(0)
    start = stream.read(len(WORKBOOK))
    stream.seek(0)
    return start == WORKBOOK


def text_encoding(stream: BinaryIO, name: str | None) -> str:
    """The encoding in which a whole file reads as text; leaves the stream at its start.

    UTF-8, UTF-16 or UTF-32 by mark or by their bytes, else Mac OS Roman where its letters outnumber
    those of Windows-1252, else Windows-1252. Reads UTF-8 once and the last two three times, a chunk
    at a time.

    Raises Refusal for a file of another format, or of no known encoding.
    """
    stream.seek(0)
    start = stream.read(4096)
    stream.seek(0)
    plain = _squeezed(start.removeprefix(codecs.BOM_UTF8))
    for beginning, detail in _OTHER_FORMATS:
        is_markup = beginning[:1] in (b"<", b"[", b"{")
        if plain.startswith(_squeezed(beginning)) if is_markup else start.startswith(beginning):
            raise Refusal(Fault("file", "other-format", detail, 1, name))
    for mark, marked in _MARKS:
        if start.startswith(mark):
            if _decodes(stream, marked):
                return marked
            break
    for encoding in _likely(stream, start):
        if _decodes(stream, encoding):
            return encoding
    if line := _line_of_a_zero(stream):
        detail = (
            "this line holds a byte that is zero, as in a damaged file or one that is no text; "
            "save it as CSV in UTF-8 again"
        )
        raise Refusal(Fault("file", "unknown-encoding", detail, line, name))
    detail = (
        "this file is in none of the encodings UTF-8, UTF-16, Windows-1252 and Mac OS Roman; "
        "save it as CSV in UTF-8"
    )
    raise Refusal(Fault("header", "unknown-encoding", detail, 1, name))


def _squeezed(start: bytes) -> bytes:
    """A beginning in lower case and without blanks, which may stand within it: `[ {`."""
    return b"".join(start.lower().split())


def _line_of_a_zero(stream: BinaryIO) -> int:
    """The line of the first zero byte; 0 where there is none. Leaves the stream at its start."""
    lines = 1
    stream.seek(0)
    try:
        while chunk := stream.read(_CHUNK):
            before, zero, _behind = chunk.partition(b"\0")
            lines += before.count(b"\n")
            if zero:
                return lines
        return 0
    finally:
        stream.seek(0)


def _likely(stream: BinaryIO, start: bytes) -> Iterator[str]:
    """The encodings to try in turn; which of single bytes it is takes the whole file, so last."""
    if unmarked := _without_mark(start):
        yield unmarked
    yield "utf-8"
    yield _of_one_byte(stream)


def _without_mark(start: bytes) -> str:
    """UTF-16 without a mark: every second byte of plain text is zero."""
    even, odd = start[0::2], start[1::2]
    if not odd or 0 not in start:
        return ""
    if odd.count(0) > len(odd) * 0.7 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if even.count(0) > len(even) * 0.7 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return ""


def _of_one_byte(stream: BinaryIO) -> str:
    mac = windows = 0
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        mac += len(_MAC_LETTER.findall(chunk)) + len(_MAC_DASH.findall(chunk))
        windows += len(_WINDOWS_LETTER.findall(chunk)) + len(_WINDOWS_DASH.findall(chunk))
    stream.seek(0)
    return "mac_roman" if mac > windows else "cp1252"


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while chunk := stream.read(_CHUNK):
            if "\0" in decoder.decode(chunk):
                return False
        return "\0" not in decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        stream.seek(0)

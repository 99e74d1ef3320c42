"""Made-up bad files from a seed: workbooks and CSV for the upload page, and REDCap's exports.

Files are begun as good ones. Cells are spoilt as bodies are (bad_input), and now and then the file
itself: cut, with other bytes, or packed in what it is not.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from registry.interchange.redcap import RECORD_ID, dictionary_rows, field_name
from registry.interchange.workbook_template import workbook
from registry.records import RowKind
from registry.records.columns import DECLARED, REQUIRED_COLUMNS
from registry.records.declared import Holds
from tests.api.bad_input import ROWS_A_BODY, Sent, cell, good_row, piece_of, spoilt

UPLOAD = "/admin/upload/"
KINDS = (RowKind.EVENT, RowKind.IMPLANT, RowKind.EXPOSURE)
_COLUMNS = {name for kind in KINDS for name in DECLARED[kind]}
_CHECK = b'name="check"\r\n\r\n1'
_END = f"--{BOUNDARY}--".encode()


def uploads(dice: Random) -> Iterator[Sent]:
    """Files of one to three kinds as the form of the upload page, to be checked."""
    while True:
        fields: dict[str, Any] = {"check": "1"}
        pieces = 0
        for kind in dice.sample(KINDS, k=dice.choice((1, 1, 1, 2, 3))):
            rows = _rows(kind, dice)
            pieces += len(rows)
            content = _as_workbook(kind, rows, dice) if dice.random() < 0.7 else _as_csv(rows, dice)
            fields[kind.value] = SimpleUploadedFile("file", _damaged(content, dice))
        if dice.random() < 0.3:
            fields["blank"] = dice.choice(("NA", "n/a, -", ",", "?", "\u0000", "x" * 600))
        if dice.random() < 0.1:
            mapping: Any = {"headings": {"site": piece_of(dice)}, "words": piece_of(dice)}
            body = json.dumps(mapping if dice.random() < 0.8 else piece_of(dice))
            fields["mapping"] = SimpleUploadedFile("file", body.encode())
        if dice.random() < 0.3:
            fields["accept"] = "on"
        body = encode_multipart(BOUNDARY, fields)
        yield Sent("POST", UPLOAD, body, MULTIPART_CONTENT, pieces)


def store_checked(client: Client, sent: Sent, reply: HttpResponse) -> HttpResponse:
    """Send what a check found good again, to be stored; else the reply to the check."""
    checked = (getattr(reply, "context", None) or {}).get("checked")
    if sent.address != UPLOAD or not checked or not checked.token:
        return reply
    token = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="checked"\r\n\r\n{checked.token}'
    body = sent.body.replace(_CHECK, _CHECK.replace(b"check", b"store"))
    body = body.replace(_END, token.encode() + b"\r\n" + _END)
    return client.generic("POST", UPLOAD, body, content_type=MULTIPART_CONTENT)


def _rows(kind: RowKind, dice: Random) -> list[dict[str, Any]]:
    """Rows of one kind, which mostly have every column that a file of it must have."""
    most = dice.choice((1, 3, ROWS_A_BODY))
    columns = dict.fromkeys(REQUIRED_COLUMNS[kind] if dice.random() < 0.8 else ())
    if dice.random() < 0.4:
        return [columns | good_row(kind, dice, full=0) for _ in range(most)]
    return [columns | spoilt(good_row(kind, dice), dice) for _ in range(most)]


def _table(rows: list[dict[str, Any]], dice: Random) -> list[list[str]]:
    """The rows as cells below their header, which is now and then spoilt or not on the first line.

    What no file in UTF-8 can hold is left out.
    """
    names = sorted({name for row in rows for name in row})
    cells = [[cell(row.get(name)) for name in names] for row in rows]
    if dice.random() < 0.1:  # no line of names: where one names a column, the others are told
        names = [
            each if each not in _COLUMNS else "?" for each in (str(piece_of(dice)) for _ in names)
        ]
    above = [[cell(piece_of(dice))]] * dice.choice((0, 0, 0, 1, 12))
    return [[_plain(each) for each in row] for row in (*above, names, *cells)]


def _plain(text: str) -> str:
    return text.encode(errors="replace").decode()


def _as_workbook(kind: RowKind, rows: list[dict[str, Any]], dice: Random) -> bytes:
    name = kind.value if dice.random() < 0.9 else "Sheet1"
    sheets = {name: (_table(rows, dice), "")}
    if dice.random() < 0.2:
        sheets["other"] = ([[_plain(cell(piece_of(dice)))]], "")
    return workbook(sheets)


def _as_csv(rows: list[dict[str, Any]], dice: Random) -> bytes:
    return _written(_table(rows, dice), dice)


def _written(table: list[list[str]], dice: Random) -> bytes:
    told = io.StringIO()
    csv.writer(told, delimiter=dice.choice(",;\t")).writerows(table)
    encoding = dice.choice(("utf-8", "utf-8-sig", "utf-16", "cp1252"))
    return told.getvalue().encode(encoding, errors="replace")


def _damaged(content: bytes, dice: Random) -> bytes:
    """One in five is cut, has other bytes, or is empty."""
    drawn = dice.random()
    if drawn < 0.08:
        return content[: dice.randrange(len(content) + 1)]
    if drawn < 0.18:
        spoiled = bytearray(content)
        for _ in range(dice.randint(1, 20)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        return bytes(spoiled)
    return b"" if drawn > 0.99 else content


def redcap_exports(dice: Random) -> Iterator[tuple[bytes, int]]:
    """REDCap's raw exports of several instruments: the file, and how many lines it has."""
    known = [each["Variable / Field Name"] for each in dictionary_rows(KINDS, [])]
    while True:
        lines: list[dict[str, Any]] = []
        for number in range(dice.choice((1, 3, ROWS_A_BODY))):
            kind = dice.choice(KINDS)
            row = _exported(kind, good_row(kind, dice, full=dice.choice((0, 0.5))))
            row = row if dice.random() < 0.5 else spoilt(row, dice)
            again = {"redcap_repeat_instrument": kind.value} if dice.random() < 0.8 else {}
            lines.append({RECORD_ID: str(number), **again, **row})
        if dice.random() < 0.2:
            lines = [{**line, dice.choice(known): piece_of(dice)} for line in lines]
        yield _damaged(_written(_table(lines, dice), dice), dice), len(lines)


def _exported(kind: RowKind, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row under REDCap's names; a box of its own for every code of several."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        field = field_name(kind, name)
        if DECLARED[kind][name].holds is Holds.CODES and isinstance(value, list):
            found |= {f"{field}___{code}": "1" for code in value}
        else:
            found[field] = value
    return found

"""Encodings told from bytes, and files of other formats by their beginning."""

import io

import pytest

from registry.interchange.decoding import text_encoding
from registry.records import Refusal

TEXT = "site;geschlecht;tage\nA1;männlich;8\N{EN DASH}30\nA1;Größe;31\N{EN DASH}60\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_text_reads_as_it_was_written(encoding, found):
    stream = io.BytesIO(TEXT.encode(encoding))

    assert text_encoding(stream, "f.csv") == found
    assert stream.read().decode(found) == TEXT


def test_signs_of_windows_beside_letters_are_no_letters_of_mac_os():
    stream = io.BytesIO("it\u2019s \u201cso\u201d \u2013 l\u2019été\u2026\n".encode("cp1252"))

    assert text_encoding(stream, None) == "cp1252"


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "(.xls)"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04\x14", "workbook"),  # where a workbook is not read
        (b"\x1f\x8b\x08", "compressed"),
        (b"<!DOCTYPE html><table>", "web page"),
        (b"\n <HTML><table>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"{\\rtf1", "text document"),
        (b'[{"site": "BERN"}]', "JSON"),
        (b'{"site": "BERN"}', "JSON"),
        (b'[\n  {\n    "site": "BERN"}]', "JSON"),
        (b'\xef\xbb\xbf{\r\n "site": "BERN"}', "JSON"),
        (b"\xef\xbb\xbf<!doctype  html>", "web page"),
        (b"$FL2@(#) SPSS DATA FILE", "SPSS"),
        (b"<stata_dta><header>", "Stata"),
        (b"HEADER RECORD*******LIBRARY", "SAS"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"SQLite format 3\0", "database"),
        (b"BZh91AY", "compressed"),
        (b"\xfd7zXZ\0", "compressed"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed"),
        (b"\x89PNG\r\n", "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
    ],
)
def test_another_format_is_said_with_the_mend(start, word):
    with pytest.raises(Refusal) as refusal:
        text_encoding(io.BytesIO(start), "f.csv")

    [fault] = refusal.value.faults
    assert fault.code == "other-format"
    assert word in fault.detail


@pytest.mark.parametrize(
    ("text", "line"),
    [(b"site,year\nA1,20\x0020\n", 2), (b"site,year\r\nA1,2020\r\n" + b"\0" * 4096, 3)],
    ids=["within", "behind"],
)
def test_a_zero_byte_is_told_by_its_line(text, line):
    with pytest.raises(Refusal) as refusal:
        text_encoding(io.BytesIO(text), "f.csv")

    [fault] = refusal.value.faults
    assert (fault.line, fault.code) == (line, "unknown-encoding")
    assert "zero" in fault.detail


def test_a_title_that_is_spelled_like_another_format_is_text():
    assert text_encoding(io.BytesIO(b"BZ Hamburg\nsite,year\n"), "f.csv") == "utf-8"


def test_bytes_without_text_are_refused():
    with pytest.raises(Refusal) as refusal:
        text_encoding(io.BytesIO(b"si\0te,\0\0\0year"), None)

    assert [fault.code for fault in refusal.value.faults] == ["unknown-encoding"]

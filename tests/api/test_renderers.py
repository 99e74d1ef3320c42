"""Cells of a CSV reply."""

import csv
import io

import pytest

from registry.answers.files import written
from registry.api.renderers import CsvRenderer


def rendered(*rows, columns=("name", "value")):
    data = {"columns": [{"name": column} for column in columns], "rows": rows}
    return CsvRenderer().render(data).decode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    assert written(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (-1, "-1"),
        (-0.25, "-0.25"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "1e-07"),
        (True, "TRUE"),
        (False, "FALSE"),
        (None, ""),
        ("0-3", "0-3"),
        ("", ""),
    ],
)
def test_numbers_and_plain_text_stay_as_they_are(cell, text):
    assert written(cell) == text


def test_number_that_json_does_not_have_is_no_number():
    with pytest.raises(ValueError, match="not JSON compliant"):
        written(float("nan"))


def test_header_comes_first_and_columns_keep_their_order():
    text = rendered({"value": 1, "name": "a", "more": "x"}, {"name": "b, c"})

    assert text == 'name,value\r\na,1\r\n"b, c",\r\n'
    assert list(csv.DictReader(io.StringIO(text)))[1] == {"name": "b, c", "value": ""}


def test_reply_without_a_body_stays_without_one():
    assert CsvRenderer().render(None) == b""

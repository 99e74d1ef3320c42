"""Whole numbers with a needless fraction."""

import pytest

from registry.records.numerals import without_point_zero


@pytest.mark.parametrize(
    ("text", "plain"),
    [("12.0", "12"), ("2009.00", "2009"), ("12,0", "12"), ("0.0", "0"), ("12", "12")],
)
def test_a_whole_number_loses_its_point_and_zeros(text, plain):
    assert without_point_zero(text) == plain


@pytest.mark.parametrize("text", ["12.5", "12.05", "-3.0", "1e3", ".0", "12.", "12.0 ", "", "a.0"])
def test_any_other_text_stays_as_it_is(text):
    assert without_point_zero(text) == text

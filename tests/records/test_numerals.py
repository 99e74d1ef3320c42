"""Whole numbers as people and programs write them."""

import pytest

from registry.records.numerals import may_be_thousands, whole_number, without_point_zero


@pytest.mark.parametrize(
    ("text", "plain"),
    [("12.0", "12"), ("2009.00", "2009"), ("12,0", "12"), ("0.0", "0"), ("12", "12")],
)
def test_a_whole_number_loses_its_point_and_zeros(text, plain):
    assert without_point_zero(text) == plain


@pytest.mark.parametrize("text", ["12.5", "12.05", "-3.0", "1e3", ".0", "12.", "12.0 ", "", "a.0"])
def test_any_other_text_stays_as_it_is(text):
    assert without_point_zero(text) == text


@pytest.mark.parametrize("text", ["1,000", "1.000", "34.000", "999,000"])
def test_what_may_be_thousands_loses_nothing(text):
    assert without_point_zero(text) == text
    assert may_be_thousands(text)


@pytest.mark.parametrize("text", ["2009.000", "0.000", "12.0000", "1000.000"])
def test_three_zeros_are_no_thousands_where_none_could_be(text):
    assert without_point_zero(text) == text.partition(".")[0]
    assert not may_be_thousands(text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("1'000", "1000"),
        ("1\N{RIGHT SINGLE QUOTATION MARK}000", "1000"),
        ("1 000", "1000"),
        ("12\N{NO-BREAK SPACE}345", "12345"),
        ("12\N{NARROW NO-BREAK SPACE}345,0", "12345"),
        ("1,000,000", "1000000"),
        ("1.000.000", "1000000"),
        ("1,000.0", "1000"),
        ("1.000,00", "1000"),
        ("\N{FULLWIDTH DIGIT THREE}\N{FULLWIDTH DIGIT FOUR}", "34"),
        ("\N{ARABIC-INDIC DIGIT THREE}", "3"),
        ("+34", "34"),
        ("34.", "34"),
        ("34,", "34"),
        ("1e+05", "100000"),
        ("034", "034"),
        ("34.0", "34"),
    ],
)
def test_a_number_of_one_meaning_is_read(text, digits):
    assert whole_number(text, 0, 12_000_000) == digits


@pytest.mark.parametrize(
    "text",
    [
        *("1,000", "1.200", "12,345", "1,000,", "1,00,000", "1'00", "1E+05", "1.2e+06", "34.5"),
        *("-34", "3 4", "1 000'000", "\N{SUPERSCRIPT TWO}", "1\N{VULGAR FRACTION ONE HALF}"),
    ],
)
def test_a_number_of_several_meanings_or_none_stays(text):
    assert whole_number(text, 0, 12_000_000) == text


def test_one_mark_before_three_digits_is_read_where_the_range_leaves_one_meaning():
    assert whole_number("2,009", 1_000, 9_999) == "2009"
    assert whole_number("34.000", 0, 1_200) == "34"
    assert whole_number("34.500", 0, 1_200) == "34.500"

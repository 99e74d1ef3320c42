"""No page says a parameter's name where its form has a title."""

import pytest

from registry.answers.asking import Refused
from registry.answers.reader_words import in_reader_words, title_of
from registry.records import BadQuery, Fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ask for unit=pump-months.", "Ask for “Divide by: pump-months”."),
        ("The trend: leave group_by out.", "The trend: leave “One row for each” out."),
        ("With pump_model or age_band.", "With “Pump model” or “Age band at implant”."),
        ("Nothing of a_stranger=1 or some_word.", "Nothing of a_stranger=1 or some_word."),
        ("Under 5, or none.", "Under 5, or none."),
    ],
)
def test_names_of_parameters_are_what_the_form_calls_them(text, said):
    assert in_reader_words(text) == said


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("group_by", "One row for each"),
        ("catheter_model", "Catheter model"),
        ("year_min", "From year"),
        ("stranger", "stranger"),
    ],
)
def test_place_of_a_fault_is_what_the_form_calls_it(name, title):
    assert title_of(name) == title


def test_refusal_of_a_page_has_no_name_of_a_parameter():
    faults = [Fault("group_by", "bad-group-by", "Leave group_by out."), Fault("", "x", "No.")]

    (first, second) = Refused.because(BadQuery(faults)).faults

    assert (first.column, first.detail) == ("One row for each", "Leave “One row for each” out.")
    assert second.column == ""

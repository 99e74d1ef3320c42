"""Numbers as readers want them."""

import pytest

from registry.answers.numbers import (
    in_brackets,
    in_percent,
    limits_of,
    range_in_percent,
    range_of,
    written,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (26935.0, "26,935"), (26935.24, "26,935.2"), (2.413, "2.41"), (0.00987, "0.00987")],
)
def test_numbers_are_written_for_readers(value, text):
    assert written(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (34 / 400, "8.5 %"),
        (0, "0 %"),
        (1, "100 %"),
        (0.3, "30 %"),
        (25 / 400, "6.25 %"),
        (1 / 3000, "0.0333 %"),
        (0.00996, "0.996 %"),
    ],
)
def test_proportions_are_percentages(share, text):
    assert in_percent(share) == text


def test_limits_stand_together():
    # Wilson's interval of 34 in 400 (Taira et al. 2013)
    assert range_in_percent(0.061463020023938206, 0.1164321842735279) == "6.15 to 11.64 %"
    assert range_of(0.388, 11.58) == "0.388 to 11.6"


@pytest.mark.parametrize("limits", [(None, None), (None, 0.5), (0.25, None)])
def test_one_limit_alone_is_not_told(limits):
    """A limit that is not reached, or hidden, leaves no range."""
    assert limits_of(*limits) == limits_of(*limits, shares=True) == in_brackets("") == ""
    assert in_brackets(limits_of(0.25, 0.5)) == " (0.25 to 0.5)"
    assert limits_of(0.25, 0.5, shares=True) == "25 to 50 %"


def test_a_hidden_number_is_no_percentage():
    with pytest.raises(TypeError):
        in_percent(None)

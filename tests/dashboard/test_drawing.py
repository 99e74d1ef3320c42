"""The geometry of the pictures: where things stand, what is cut, where lines break."""

import pytest

from registry.dashboard.drawing import (
    Estimate,
    forest_picture,
    highest,
    joined,
    ticks_to,
    trend_picture,
)


def year(number, value=2.0, lower=1.0, upper=3.0):
    return number, Estimate(str(number), value, lower, upper)


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (10, [0, 2, 4, 6, 8, 10]),
        (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (3, [0, 1, 2, 3]),
        (12.4, [0, 2.5, 5, 7.5, 10, 12.5]),
        (73, [0, 20, 40, 60, 80]),
    ],
)
def test_ticks_are_round_numbers_up_to_the_top(top, ticks):
    assert ticks_to(top) == ticks


def test_a_trend_runs_from_left_to_right_and_upwards():
    picture = trend_picture([year(2019, 1.5), year(2020, 2.5)])

    first, last = picture.marks
    assert first.at < last.at
    assert first.value > last.value  # an SVG counts downwards
    assert last.upper < last.value < last.lower
    assert [label for _x, label in picture.places] == ["2019", "2020"]


def test_a_line_breaks_where_a_year_is_hidden():
    hidden = (2021, Estimate("2021", None, None, None))
    picture = trend_picture([year(2019), year(2020), hidden, year(2022), year(2023)])

    assert len(picture.marks) == 4
    assert len(picture.lines) == 2
    assert all(len(line.split()) == 2 for line in picture.lines)


def test_a_lone_year_between_gaps_is_a_point_without_a_line():
    picture = trend_picture([year(2019), year(2021)])

    assert joined([2019, 2021], picture.marks) == []


@pytest.mark.parametrize(
    "years", [[], [year(2020)], [year(2020), (2021, Estimate("", *[None] * 3))]]
)
def test_fewer_than_two_years_are_no_trend(years):
    assert trend_picture(years) is None


def test_limits_beyond_belief_do_not_press_the_others_flat():
    usual, odd = Estimate("a", 2.0, 1.0, 3.0), Estimate("b", 2.0, 0.1, 300.0)

    assert highest([usual, odd]) == 3.2
    picture = trend_picture([(2019, usual), (2020, odd)])
    assert [mark.cut for mark in picture.marks] == [False, True]
    assert picture.is_cut


def test_an_axis_of_zeros_goes_to_their_upper_limits():
    none = Estimate("a", 0.0, 0.0, 3.7)

    assert highest([none, none]) == 3.7
    assert highest([Estimate("a", 0.0, 0.0, 0.0)]) == 1.0


def test_a_forest_stands_row_by_row_on_one_axis():
    ours = Estimate("This registry", 5.0, 4.0, 6.0)
    theirs = Estimate("Taira et al 2013", 8.5, 6.15, 11.64, own=False)

    picture = forest_picture([ours, theirs], unit=" %")

    assert [(mark.label, mark.own) for mark in picture.marks] == [
        ("This registry", True),
        ("Taira et al 2013", False),
    ]
    assert picture.marks[0].at < picture.marks[1].at
    assert picture.marks[0].lower < picture.marks[0].value < picture.marks[0].upper
    assert picture.values[-1][1].endswith(" %")


def test_our_hidden_number_is_not_drawn():
    ours = Estimate("This registry", None, None, None)
    others = [Estimate(name, 8.5, 6.15, 11.64, own=False) for name in ("a", "b")]

    assert [mark.label for mark in forest_picture([ours, *others]).marks] == ["a", "b"]
    assert forest_picture([ours, others[0]]) is None

"""The geometry of the pictures: where things stand, what is cut, where lines break."""

import pytest

from registry.dashboard.drawing import (
    Estimate,
    forest_picture,
    highest,
    joined,
    small_picture,
    strip_axis,
    ticks_to,
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
    picture = small_picture([year(2019, 1.5), year(2020, 2.5)], between=(2019, 2020))

    first, last = picture.marks
    assert first.at < last.at
    assert first.value > last.value  # an SVG counts downwards
    assert last.upper < last.value < last.lower
    assert [label for _x, label in picture.places] == ["2019", "2020"]


def test_numbers_of_an_axis_have_room_before_it():
    narrow = small_picture([year(2019, 1.5), year(2020, 2.5)], between=(2019, 2020))
    wide = small_picture([year(2019, 0.0105), year(2020, 0.0115)], between=(2019, 2020))

    assert narrow.values[1][1] == "3"
    assert wide.values[1][1] == "0.02"
    assert narrow.left == 34 < wide.left < wide.marks[0].at


def test_a_line_breaks_where_a_year_is_hidden():
    hidden = (2021, Estimate("2021", None, None, None))
    years = [year(2019), year(2020), hidden, year(2022), year(2023)]
    picture = small_picture(years, between=(2019, 2023))

    assert len(picture.marks) == 4
    assert len(picture.lines) == 2
    assert all(len(line.split()) == 2 for line in picture.lines)
    assert len(picture.hidden) == 1


def test_a_lone_year_between_gaps_is_a_point_without_a_line():
    picture = small_picture([year(2019), year(2021)], between=(2019, 2021))

    assert joined([2019, 2021], picture.marks) == []


@pytest.mark.parametrize(
    "years", [[], [year(2020)], [year(2020), (2021, Estimate("", *[None] * 3))]]
)
def test_fewer_than_two_years_are_no_trend(years):
    assert small_picture(years, between=(2019, 2021)) is None


def test_limits_beyond_belief_do_not_press_the_others_flat():
    usual, odd = Estimate("a", 2.0, 1.0, 3.0), Estimate("b", 2.0, 0.1, 300.0)

    assert highest([usual, odd]) == 3.2
    picture = forest_picture([usual, odd])
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


def test_an_unstable_year_beyond_the_axis_of_the_stable_ones_is_marked_as_such():
    odd = (2018, Estimate("2018", 57.0, 20.0, 99.0, stable=False))

    picture = small_picture([odd, year(2019), year(2020)], between=(2018, 2020))

    assert [mark.beyond for mark in picture.marks] == [True, False, False]
    assert picture.values[-1][1] == "3"


def test_spans_of_five_years_are_joined_where_they_follow_one_another():
    spans = [year(2007), year(2012), year(2022)]

    picture = small_picture(spans, between=(2005, 2025), step=5)

    assert [len(line.split()) for line in picture.lines] == [2]


def test_a_year_in_which_sites_changed_is_marked():
    picture = small_picture([year(2019), year(2021)], between=(2019, 2021), changed=[2019, 2020])

    assert len(picture.changes) == 1


def test_strips_share_the_axis_of_their_table():
    axis = strip_axis([Estimate("a", 2.0, 1.0, 3.0), Estimate("b", 8.0, 7.0, 9.0)])

    low = axis.strip(Estimate("a", 2.0, 1.0, 3.0), [("last", 4.0), ("published", None)])
    high = axis.strip(Estimate("b", 8.0, 7.0, 9.0))
    assert low.mark.lower < low.mark.value < low.mark.upper < high.mark.lower
    assert low.others == [("last", axis.place(4.0))]
    assert strip_axis([Estimate("a", None, None, None)]) is None


def test_one_far_year_does_not_press_the_others_flat_where_none_is_stable():
    years = [
        (number, Estimate(str(number), value, 0.5 * value, 2 * value, stable=False))
        for number, value in ((2018, 57.0), (2019, 1.0), (2020, 1.0), (2021, 2.0))
    ]

    picture = small_picture(years, between=(2018, 2021))

    assert [mark.beyond for mark in picture.marks] == [True, False, False, False]
    assert picture.values[-1][1] == "10"  # five times the median, 2

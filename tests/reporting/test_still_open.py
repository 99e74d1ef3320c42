"""Which years are provisional: by the measured delay where it is known, else by the calendar."""

from datetime import UTC, datetime

import pytest

from registry.reporting.asking.still_open import Rule, still_open
from registry.snapshot.delays import SiteDelay
from registry.vocabulary import Profile


def whole_years(first: int, last: int, *, late: int) -> tuple[SiteDelay, ...]:
    """100 events a year, of which `late` take 20 months from January, and the others 6."""
    return tuple(
        each
        for year in range(first, last + 1)
        for each in (("A", year, 6, 100 - late), ("B", year, 20, late))
        if each[3]
    )


def seen(delays: tuple[SiteDelay, ...], as_of: datetime):
    """Those that were accepted by then."""
    now = 12 * as_of.year + as_of.month - 1
    return tuple(each for each in delays if 12 * each[1] + each[2] <= now)


def judged(as_of: datetime, *, late: int, first: int = 2018, profile: Profile = Profile.EXACT):
    delays = seen(whole_years(first, as_of.year, late=late), as_of)
    return still_open(delays, as_of, profile=profile)


IN_JUNE = datetime(2024, 6, 12, tzinfo=UTC)


def test_the_last_year_is_provisional_where_much_is_still_to_come() -> None:
    """By May 2024 events of 2023 were watched for 16 months: a fifth takes 20."""
    found = judged(IN_JUNE, late=20)

    assert (found.rule, found.running, found.first) == (Rule.MEASURED, 2024, 2023)
    (year,) = found.shares
    assert (year.year, year.share) == (2023, pytest.approx(0.8))
    assert year.lower is not None
    assert year.upper is not None
    assert year.lower < 0.8 < year.upper
    assert found.told()["within_months"] == 12 * 6 + 4
    assert found.told()["events"] == 5 * 100 + 80


@pytest.mark.parametrize(("late", "first"), [(5, 2024), (6, 2023)])
def test_less_than_ninety_five_percent_is_provisional(late: int, first: int) -> None:
    found = judged(IN_JUNE, late=late)

    assert found.first == first
    assert [each.year for each in found.shares] == [2023]


def test_an_older_year_is_provisional_too_where_reports_take_long() -> None:
    """A tenth takes 40 months: 2021 is watched for 40 in May 2024, 2022 for 28."""
    late = [("A", year, 40, 10) for year in range(2014, 2022)]
    soon = [("A", year, 6, 90) for year in range(2014, 2024)]
    in_may = datetime(2024, 5, 31, tzinfo=UTC)

    found = still_open((*soon, *late), in_may, profile=Profile.EXACT)

    assert [(each.year, round(each.share, 9)) for each in found.provisional] == [
        (2023, 0.9),
        (2022, 0.9),
    ]
    assert found.first == 2022


def test_months_that_are_not_over_are_not_watched() -> None:
    """The late fifth of 2023 is accepted in September 2024, which is over on its last day."""
    before = judged(datetime(2024, 9, 29, tzinfo=UTC), late=20)
    at_the_end = judged(datetime(2024, 9, 30, tzinfo=UTC), late=20)

    assert (before.first, at_the_end.first) == (2023, 2024)


def test_a_year_that_is_over_to_the_day_is_judged_like_others() -> None:
    found = judged(datetime(2024, 12, 31, tzinfo=UTC), late=20)

    assert (found.running, found.first) == (None, 2024)
    assert [each.year for each in found.shares] == [2024]


@pytest.mark.parametrize("first", [2022, 2023])
def test_a_short_time_of_watching_leaves_the_calendar(first: int) -> None:
    """From 2022 on the longest delay could have been 28 months, 12 more than those of 2023."""
    found = judged(IN_JUNE, late=20, first=first)

    assert found.rule is (Rule.MEASURED if first == 2022 else Rule.CALENDAR)
    assert found.last_over == (None if first == 2022 else 2023)


@pytest.mark.parametrize("n", [29, 30])
def test_under_thirty_delays_leave_the_calendar(n: int) -> None:
    found = still_open([("A", 2020, 6, n)], IN_JUNE, profile=Profile.EXACT)

    assert found.rule is (Rule.MEASURED if n == 30 else Rule.CALENDAR)
    assert (found.running, found.last_over) == (2024, None if n == 30 else 2023)


def test_protected_answers_go_by_the_calendar() -> None:
    found = judged(IN_JUNE, late=20, profile=Profile.PROTECTED)

    assert found.told() == {
        "rule": "calendar",
        "first_year": 2024,
        "years": [],
        "events": 0,
        "within_months": None,
    }
    assert found.last_over is None
    assert found == still_open((), IN_JUNE, profile=Profile.PROTECTED)


def test_nothing_is_open_in_data_of_no_date() -> None:
    assert still_open([("A", 2020, 6, 90)], None, profile=Profile.EXACT).first is None

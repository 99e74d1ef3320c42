"""Small pictures by category: which years they draw, and whether the sites changed."""

from django.http import QueryDict

from registry.dashboard.multiples import HIDDEN_SITES, SAME_SITES, multiples_of, participation
from tests.dashboard.panels import rate, rates


def yearly(values):
    return rates([rate(value, category="pump", year=year) for year, value in values.items()])


def sites(**years):
    return rates(
        [rate(1.0, site=site, year=year) for site, those in years.items() for year in those]
    )


def made(by_year, by_site=None, **how):
    return multiples_of(by_year, by_site or rates([]), QueryDict("sex=male"), **how)


def test_the_year_that_is_not_over_is_left_out():
    [one] = made(yearly({2024: 1.0, 2025: 2.0, 2026: 9.0})).each  # the data end in November 2026

    assert one.last == "2025: 2"
    assert len(one.picture.marks) == 2
    assert one.unit == "per 100 pump-years"
    assert one.address == "/dashboard/explore/?sex=male&category=pump&group_by=year"


def test_years_that_are_hidden_are_told_by_five_years():
    hidden = yearly({2019: None, 2020: None, 2024: 1.0})
    spans = rates(
        [
            rate(1.0, category="pump", period="2015-2019"),
            rate(2.0, category="pump", period="2020-2024"),
            rate(3.0, category="pump", period="2025-2029"),  # not over
        ]
    )

    [one] = made(hidden, by_period=spans).each

    assert one.last == "2020-2024: 2"
    assert one.unit == "per 100 pump-years"
    assert len(one.picture.marks) == 2
    assert one.address.endswith("group_by=period")


def test_an_answer_without_a_number_has_no_pictures():
    assert made(yearly({2020: None, 2021: None})) is None
    assert made(rates([])) is None


def test_sites_that_joined_and_left_are_counted_by_year():
    panel = sites(a=(2018, 2020), b=(2018, 2019), c=(2019, 2020))

    changes, known = participation(panel, [2018, 2019, 2020])

    assert known
    assert changes == {2019: (1, 0), 2020: (0, 1)}  # a's hidden year is no break


def test_the_warning_says_whether_the_sites_changed():
    years = yearly({2018: 1.0, 2019: 1.0, 2020: 1.0})

    changed = made(years, sites(a=(2018, 2020), b=(2018, 2019), c=(2019, 2020)))
    same = made(years, sites(a=(2018, 2020)))
    hidden = made(years, rates([rate(None, site="a", year=2019, status="suppressed")]))

    assert changed.has_changes
    assert "1 joined (2019) and 1 left (2020)" in changed.warning
    assert (same.warning, same.has_changes) == (SAME_SITES, False)
    assert hidden.warning == HIDDEN_SITES

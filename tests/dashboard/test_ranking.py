"""Complications in one common unit: their order, their units, and what stands beside them."""

from types import SimpleNamespace

import pytest
from django.http import QueryDict

from registry.answers.asking import Panel
from registry.dashboard.common_units import DEVICE_YEARS, PATIENTS, PUMP_YEARS, unit_of
from registry.dashboard.headline import headline_of
from registry.dashboard.own_site import place_of
from registry.dashboard.panels import YearSpans, spans_of
from registry.dashboard.ranking import TWO_DENOMINATORS, ranking_of
from registry.records import EventQuery
from registry.vocabulary import Measure
from tests.dashboard.panels import panel, rate, rates
from tests.factories import CategoryFactory, ComplicationFactory

NOTHING = Panel(EventQuery(), Measure.RATES)
CODES = ("one", "two", "three", "end")


@pytest.fixture
def terms(db):
    category = CategoryFactory(code="pump")
    for code in CODES:
        ComplicationFactory(code=code, name=code, category=category, in_totals=code != "end")


def panels(ranked, *, unit=DEVICE_YEARS, **others):
    blank = dict.fromkeys(("last", "before", "own", "own_funnel", "spans"))
    made = {**blank, "by_category": NOTHING, "trend": NOTHING, **others}
    return SimpleNamespace(unit=unit, ranked=ranked, **made)


def ranking(ranked, **others):
    return ranking_of(panels(ranked, **others), QueryDict("sex=male"))


def row(code, value, **how):
    return rate(value, complication=code, complication_label=code.title(), **how)


def test_the_most_frequent_come_first_each_unit_by_itself(terms):
    found = ranking(
        rates(
            [
                row("one", 1.0),
                row("two", 24.0, unit="procedures"),
                row("three", 2.0, unit="catheter-months"),
            ]
        )
    )

    time, procedures = found.groups
    assert [each.name for each in time.rows] == ["Three", "One"]
    assert [(each.name, each.figure.value) for each in procedures.rows] == [("Two", "2")]
    assert procedures.title == "Per 100 procedures"  # 24 per 1,200
    assert procedures.about == TWO_DENOMINATORS


def test_unstable_hidden_and_uncounted_complications_are_not_ranked(terms):
    found = ranking(
        rates(
            [
                row("one", 9.0, status="unstable", events=3),
                row("two", None, status="suppressed"),
                row("three", 0.0, status="zero", events=0),
                row("end", 8.0),
            ]
        )
    )

    assert found.groups == []
    assert [each.name for each in found.unstable] == ["One"]
    assert [each.name for each in found.apart] == ["End"]
    [(why, [(name, address)])] = found.hidden
    assert (name, address) == ("two", "/complications/two/")
    assert why == "Too few to be told, or none"


def test_last_year_own_site_and_published_figures_stand_beside(terms):
    literature = {
        "complication": "one",
        "value": 1.5,
        "ci_lower": 1.0,
        "ci_upper": 2.0,
        "source": "Taira et al, Neuromodulation 2013;16:266",
        "year": 2013,
        "therapy": "baclofen",
        "age_group": "adult",
    }
    found = ranking(
        rates([row("one", 1.0)], literature=[literature]),
        spans=YearSpans(last=2025, before=(2020, 2024)),
        last=rates([row("one", None, status="suppressed")]),
        before=rates([row("one", 1.2, status="unstable")]),
        own=rates([]),
    )

    [shown] = found.groups[0].rows
    assert (shown.last.value, shown.last.hidden) == ("hidden", True)
    assert (shown.before.value, shown.before.remark) == ("1.2", "unstable")
    assert shown.own.value == "none reported"
    [beside] = shown.published
    assert (beside.value, beside.source) == ("1.5", "Taira et al 2013")
    assert "aclofen" in beside.of
    assert [kind for kind, _x in shown.strip.others] == ["published"]
    assert found.has_years
    assert found.has_own
    assert found.has_unstable


def test_the_way_to_explore_keeps_the_rest_of_the_question(terms):
    [shown] = ranking(rates([row("one", 1.0)])).groups[0].rows

    assert shown.explore == "/dashboard/explore/?sex=male&complication=one"


def test_both_denominators_of_infections_stand_where_all_are_told_per_year(terms):
    infections = rates([rate(40.0, category="infection", unit="procedures")], per=1000)

    found = ranking(rates([row("one", 1.0)]), unit=PUMP_YEARS, by_category=infections)

    assert "All infections here: 4 (3.6 to 4.4) per 100 procedures." in found.groups[0].about


def test_shares_are_one_group(terms):
    shares = panel(
        Measure.PROPORTIONS,
        [
            {
                "complication": "one",
                "numerator": 25,
                "denominator": 400,
                "proportion": 0.0625,
                "ci_lower": 0.0427,
                "ci_upper": 0.0907,
                "status": "ok",
            }
        ],
    )

    [group] = ranking(shares, unit=PATIENTS).groups

    assert (group.rows[0].figure.value, group.rows[0].figure.limits) == ("6.25 %", "4.27 to 9.07 %")


def test_a_refused_ranking_is_none(terms):
    assert ranking(NOTHING) is None


def test_the_headline_says_what_is_frequent_whether_it_changes_and_where_the_own_site_lies(terms):
    trend = {"rate_ratio": 1.05, "ci_lower": 1.02, "ci_upper": 1.08}
    made = panels(
        rates([row("one", 2.0)]),
        trend=panel(Measure.TREND, [], trend=trend, denominator="pump-months"),
        own_funnel=panel(Measure.FUNNEL, [{"site": "OWN-1", "ratio": 1.2, "signal": "above-95"}]),
    )

    said = headline_of(made, ranking_of(made, QueryDict("")), {"OWN-1"})

    assert said == (
        "One is most frequent, 2 (1.8 to 2.2) per 100 years of its device; all together, per 100 "
        "pump-years, the rate rises by 5 % a year, ratio 1.05 (1.02 to 1.08); OWN-1 lies outside "
        "the limits of all sites."
    )


def test_the_headline_claims_no_change_within_the_limits_and_no_place_that_is_hidden(terms):
    trend = {"rate_ratio": 0.99, "ci_lower": 0.97, "ci_upper": 1.01}
    made = panels(
        rates([row("one", None, status="suppressed")]),
        trend=panel(Measure.TREND, [], trend=trend, denominator="pump-months"),
        own_funnel=panel(Measure.FUNNEL, [{"site": "OWN-1", "ratio": None, "signal": None}]),
    )

    said = headline_of(made, ranking_of(made, QueryDict("")), {"OWN-1"})

    assert said.startswith("No complication is told here")
    assert "no clear change from year to year, ratio 0.99 (0.97 to 1.01)." in said
    assert "OWN-1" not in said


def test_an_own_site_that_is_not_judged_is_neither_within_nor_outside(terms):
    row_ = {"site": "OWN-1", "ratio": 1.2, "events": 12, "expected": 10.0, "signal": "not-judged"}
    made = panels(rates([row("one", 2.0)]), own_funnel=panel(Measure.FUNNEL, [row_]))

    said = headline_of(made, ranking_of(made, QueryDict("")), {"OWN-1"})

    assert "OWN-1" not in said
    assert place_of("OWN-1", row_) == (
        "OWN-1: not judged. 12 events where its device time lets expect 10: a ratio of 1.2; too "
        "few sites are shown to say whether that is unusual."
    )


def test_pump_years_are_for_exact_readers():
    assert unit_of("", exact=True) is PUMP_YEARS
    assert unit_of("pump-years", exact=False) is DEVICE_YEARS
    assert unit_of("patients", exact=False) is PATIENTS


def test_the_years_before_are_a_whole_period_where_numbers_are_protected():
    answer = rates([])

    exact = spans_of(EventQuery(), answer, exact=True)
    protected = spans_of(EventQuery(), answer, exact=False)
    older = spans_of(EventQuery(), rates([], data_as_of="2024-06-30T00:00:00+00:00"), exact=False)

    assert (exact.last, exact.before) == (2025, (2020, 2024))
    assert (protected.last, protected.before) == (2025, (2020, 2024))
    assert (older.last, older.before) == (2023, (2015, 2019))
    assert spans_of(EventQuery(years=(2020, 2021)), answer, exact=True) is None

"""The trend by year: hand-made registries, what is left out, and what protected answers show."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from registry.disclosure import ShownNode, rate_row
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.still_open import NOTHING_OPEN, AcceptedSoFar, Rule, StillOpen
from registry.reporting.asking.years import running_year
from registry.reporting.estimating.observed import Observed, observed_of_shown
from registry.reporting.estimating.trend import Point, trend_of
from registry.statistics.cusum import in_control_limit
from registry.statistics.trend import poisson_cusum, rate_trend
from registry.vocabulary import CellStatus, CountingRule, Denominator, Measure, SnapshotKind
from tests.reporting.protecting import ask, frozen_rows, slow_rows, tangled_rows
from tests.snapshot.rows import event, implant

FIRST_IN_ROW = CountingRule.FIRST_IN_ROW
MID_2024 = datetime(2024, 6, 30, tzinfo=UTC)


def exact(frozen: Frozen, measure: Measure = Measure.TREND, **query: object) -> Release:
    return _exact(EventQuery(**query), measure, frozen)  # type: ignore[arg-type]


def year(number: int, events: int, exposure: float = 100.0, **noise: float) -> Observed:
    """A year with so many events in so much exposure."""
    numbers = {"events": events, "exposure": exposure, "rate": events / exposure}
    return Observed(
        key=(number,),
        numbers=numbers,
        status=CellStatus.OK,
        events=events,
        exposure=exposure,
        **noise,
    )


def trend(years: list[Observed], **options: object):
    asks = {"per": 100.0, "level": 0.95, "open_years": NOTHING_OPEN, "with_cusum": True}
    return trend_of(years, **{**asks, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Twelve pumps in place from mid-2010 to mid-2024, and 2, 4, 6 ... pump flips a year."""
    implants = [
        implant(f"p{n}", implant_year=2010, months_followed=168, exit_status="active")
        for n in range(12)
    ]
    events = [
        event(f"e{y}-{n}", on=f"p{n}", year=2011 + y, months_since_implant=12 * y + 8)
        for y in range(13)
        for n in range(min(12, 2 * (y % 6 + 1)))
    ]
    return frozen_rows(tmp_path_factory.mktemp("growing"), events=events, implants=implants)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    implants, events = tangled_rows(5, patients=1500)
    return frozen_rows(tmp_path_factory.mktemp("large"), events=events, implants=implants)


# The arithmetic ---------------------------------------------------------------------------------


def test_doubling_every_year_is_found_as_a_ratio_of_two_with_its_line():
    found = trend([year(2015 + n, 8 * 2**n) for n in range(5)])

    told = found.meta["trend"]
    assert told["rate_ratio"] == pytest.approx(2)
    assert [row.numbers["fitted"] for row in found.rows] == pytest.approx([8, 16, 32, 64, 128])
    assert (told["periods"], told["reason"], told["dropped_period"]) == (5, None, None)


def test_year_that_the_data_end_in_is_dropped_and_named():
    years = [year(2015 + n, 10 + n) for n in range(6)]

    found = trend(years, open_years=StillOpen(Rule.CALENDAR, 2020))

    assert [row.key for row in found.rows] == [(2015 + n,) for n in range(5)]
    assert found.meta["trend"]["dropped_period"] == 2020
    assert found.meta["trend"] == trend(years[:5]).meta["trend"] | {
        "dropped_period": 2020,
        "dropped_periods": [2020],
    }


def test_provisional_years_that_are_over_are_dropped_and_named_too():
    years = [year(2014 + n, 10 + n) for n in range(7)]
    shares = (AcceptedSoFar(2019, 0.7, 0.6, 0.8), AcceptedSoFar(2018, 0.9, 0.8, 0.93))

    found = trend(years, open_years=StillOpen(Rule.MEASURED, 2020, shares))

    assert [row.key for row in found.rows] == [(2014 + n,) for n in range(4)]
    told = found.meta["trend"]
    assert (told["dropped_period"], told["dropped_periods"]) == (2020, [2018, 2019, 2020])
    assert told["periods"] == 4


def test_year_that_ended_with_the_data_is_kept():
    assert running_year(datetime(2020, 12, 31, tzinfo=UTC)) is None
    assert running_year(datetime(2020, 12, 30, tzinfo=UTC)) == 2020
    assert running_year(None) is None


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([9, 9, 9, 9], "five years"),
        ([1, 2, 1, 2, 3], "ten events"),
        ([0, 0, 0, 0, 30], "last year"),
    ],
)
def test_too_little_is_no_trend_and_says_why(events, words):
    found = trend([year(2015 + n, count) for n, count in enumerate(events)])

    assert found.meta["trend"]["rate_ratio"] is None
    assert words in found.meta["trend"]["reason"]
    assert all("fitted" not in row.numbers for row in found.rows)


@pytest.mark.parametrize("events", [[9, 9, 9, 9], [1, 2, 1, 2, 3]])
def test_of_shown_numbers_the_reason_speaks_of_what_is_shown(events):
    years = [year(2015 + n, count) for n, count in enumerate(events)]

    found = trend(years, with_cusum=False)

    assert "shown" in found.meta["trend"]["reason"]
    assert "shown" not in trend(years).meta["trend"]["reason"]


def test_ten_events_in_five_years_are_enough():
    assert trend([year(2015 + n, 2) for n in range(5)]).meta["trend"]["rate_ratio"] == 1


def test_year_without_exposure_is_shown_and_not_reckoned_with():
    empty = Observed(
        key=(2014,),
        numbers={"events": 3, "exposure": 0.0},
        status=CellStatus.NO_DENOMINATOR,
        events=None,
        exposure=None,
    )
    years = [year(2015 + n, 8 * 2**n) for n in range(5)]

    found = trend([empty, *years])

    assert found.rows[0].numbers == {"events": 3, "exposure": 0.0}
    assert found.meta["trend"] == trend(years).meta["trend"]


def test_cusum_compares_the_later_years_with_the_earlier_and_says_so():
    counts = [3, 4, 2, 3, 3, 9, 9, 3]
    found = trend([year(2015 + n, count) for n, count in enumerate(counts)])

    told = found.meta["trend"]["cusum"]
    cusum = poisson_cusum(counts[4:], [3] * 4, ratio=2, h=told["h"])
    assert [row.numbers.get("cusum") for row in found.rows[:4]] == [None] * 4
    assert [row.numbers["cusum"] for row in found.rows[4:]] == pytest.approx(cusum.statistic)
    assert [row.numbers["alarm"] for row in found.rows[4:]] == cusum.alarms.tolist()
    assert cusum.alarms.tolist() == [False, False, True, True]
    assert told["h"] == in_control_limit([3] * 4, baseline_events=12, ratio=2)
    assert (told["ratio"], told["baseline"], told["baseline_rate"]) == (2, [2015, 2018], 3)
    assert "2015 to 2018" in told["in_words"]


def test_a_rise_does_not_raise_what_it_is_compared_with():
    steady = trend([year(2010 + n, 10) for n in range(12)]).meta["trend"]["cusum"]
    risen = trend([year(2010 + n, 10 if n < 6 else 40) for n in range(12)]).meta["trend"]["cusum"]

    assert (risen["h"], risen["baseline_rate"]) == (steady["h"], steady["baseline_rate"])


@pytest.mark.parametrize(
    ("counts", "words"), [([9, 9, 9], "over 3 years"), ([1, 1, 1, 1, 9, 9, 9], "under 5 events")]
)
def test_too_little_before_is_no_cusum_and_says_why(counts, words):
    found = trend([year(2015 + n, count) for n, count in enumerate(counts)])

    assert words in found.meta["trend"]["cusum"]["reason"]
    assert not any("cusum" in row.numbers for row in found.rows)


def test_perturbation_widens_the_limits_of_a_trend():
    plain = trend([year(2015 + n, 8 + n) for n in range(8)]).meta["trend"]
    noisy = trend([year(2015 + n, 8 + n, count_variance=6.0) for n in range(8)]).meta["trend"]
    timed = trend([year(2015 + n, 8 + n, exposure_sd=20.0) for n in range(8)]).meta["trend"]

    assert noisy["rate_ratio"] == pytest.approx(plain["rate_ratio"])
    for wider in (noisy, timed):
        assert wider["ci_lower"] < plain["ci_lower"] < plain["ci_upper"] < wider["ci_upper"]


def test_limits_of_a_perturbed_trend_hold_the_truth_95_times_in_100():
    draw = np.random.default_rng(3)
    periods = np.arange(10)
    truth, held, tried = 1.05, 0, 1500
    for _ in range(tried):
        counts = draw.poisson(25 * truth**periods) + np.rint(draw.normal(0, 6**0.5, 10))
        found = rate_trend(np.maximum(counts, 5), np.ones(10), periods, added_variance=6.0)
        held += found.lower <= truth <= found.upper

    # the dispersion never counts as less than chance, so that the limits are on the wide side
    assert 0.94 <= held / tried <= 0.995


# Through reporting ------------------------------------------------------------------------------


def test_rows_are_those_of_the_rate_by_year(growing: Frozen):
    rates = exact(growing, Measure.RATES, group_by=("year",)).rows

    rows = exact(growing).rows

    names = ("year", "events", "exposure", "rate", "ci_lower", "ci_upper", "status")
    assert [{name: row[name] for name in names} for row in rows] == [
        {name: row[name] for name in names} for row in rates if row["year"] != 2024
    ]
    assert list(rows[0]) == [
        *("year", "events", "exposure", "rate", "ci_lower", "ci_upper"),
        *("fitted", "cusum", "alarm", "status"),
    ]


def test_devices_leave_a_trend_of_first_events_once_they_had_theirs(growing: Frozen):
    # two more of the twelve have their first flip at month 8 of each year to 2016
    told = {row["year"]: (row["events"], row["exposure"]) for row in exact(growing).rows}

    assert {year: told[year] for year in range(2010, 2017)} == {
        2010: (0, 12 * 6.0),
        2011: (2, 10 * 12 + 2 * 2.0),
        2012: (2, 8 * 12 + 2 * 2.0),
        2013: (2, 6 * 12 + 2 * 2.0),
        2014: (2, 4 * 12 + 2 * 2.0),
        2015: (2, 2 * 12 + 2 * 2.0),
        2016: (2, 2 * 2.0),
    }
    assert {told[year][1] for year in range(2017, 2024)} == {0.0}


def test_trend_is_fitted_to_the_rows_that_are_shown(growing: Frozen):
    release = exact(growing, counting=FIRST_IN_ROW)

    told = release.meta["trend"]
    used = [row for row in release.rows if row["exposure"]]
    found = rate_trend(*([row[name] for row in used] for name in ("events", "exposure", "year")))
    assert told["crude"]["rate_ratio"] == pytest.approx(found.rate_ratio)
    assert told["rate_ratio"] is None  # all pumps are of one year: their age is the calendar's
    assert "cannot be told apart" in told["reason"]
    assert told["dropped_period"] == 2024
    assert told["periods"] == len(used) == 14
    assert any("left out until it is over" in said for said in release.meta["warnings"])
    assert any("approximate" in said for said in release.meta["warnings"])
    assert release.meta["per"] == 1000
    assert release.meta["denominator"] == "pump-months"


def test_grouping_by_year_may_be_said_and_no_other(growing: Frozen):
    assert exact(growing, group_by=("year",)).rows == exact(growing).rows
    with pytest.raises(BadQuery) as refused:
        exact(growing, group_by=("drug",))
    assert refused.value.faults[0].code == "bad-group-by"


def test_patients_are_no_events_of_a_trend(growing: Frozen):
    with pytest.raises(BadQuery) as refused:
        exact(growing, counting=CountingRule.PATIENTS)
    assert refused.value.faults[0].code == "bad-counting"


def test_trend_of_infections_is_divided_by_dated_procedures(tmp_path: Path):
    # ten pumps of each year, with one procedure; the first 1, 2, 3 ... of a year are infected
    implants, events = [], []
    for place, made in enumerate(range(2010, 2018)):
        implants += [
            implant(f"p{made}-{n}", implant_year=made, months_followed=6, procedures=1)
            for n in range(10)
        ]
        events += [
            event(
                f"e{made}-{n}",
                on=f"p{made}-{n}",
                complication="infection-pocket",
                year=made,
                months_since_implant=1,
                days_since_procedure="8-30",
            )
            for n in range(place + 1)
        ]
    frozen = frozen_rows(tmp_path, events=events, implants=implants)

    release = exact(frozen, where=(("complication", ("infection-pocket",)),))

    told = [(row["year"], row["events"], row["exposure"]) for row in release.rows]
    assert told == [(2010 + place, place + 1, 10.0) for place in range(8)]
    expected = rate_trend([n + 1 for n in range(8)], [10.0] * 8, list(range(8)))
    assert release.meta["trend"]["rate_ratio"] == pytest.approx(expected.rate_ratio)
    assert release.meta["denominator"] == "procedures"


# Protected --------------------------------------------------------------------------------------


def test_protected_rows_are_those_of_the_protected_rate_by_year(large: Frozen):
    rates = ask(large, Measure.RATES, group_by=("year",)).rows

    rows = ask(large, Measure.TREND).rows

    names = ("year", "events", "exposure", "rate", "ci_lower", "ci_upper", "hidden_cells", "status")
    assert [{name: row[name] for name in names} for row in rows] == [
        {name: row[name] for name in names} for row in rates if row["year"] != 2024
    ]


def test_protected_trend_rests_on_shown_years_and_on_periods_with_a_hidden_one(large: Frozen):
    release = ask(large, Measure.TREND)
    by_period = ask(large, Measure.RATES, group_by=("period",)).rows

    years = {row["year"]: row for row in release.rows}
    points = []
    for row in by_period:
        first = int(str(row["period"])[:4])
        within = [year for year in range(first, first + 5) if year in years]
        if all(years[year]["events"] is not None for year in within):
            points += [(year, years[year]) for year in within]
        elif len(within) == 5 and row["events"] is not None:
            points.append((first + 2, row))
    events, exposure = ([float(row[name]) for _, row in points] for name in ("events", "exposure"))
    noise = [6.0 + (n * 84 * 6**0.5 / time) ** 2 for n, time in zip(events, exposure, strict=True)]
    found = rate_trend(events, exposure, [at for at, _ in points], added_variance=noise, fewest=3)
    told = release.meta["trend"]
    assert told["pooled"], "no period has a hidden year: the test says nothing"
    assert told["rate_ratio"] == pytest.approx(found.rate_ratio)
    assert (told["ci_lower"], told["ci_upper"]) == pytest.approx((found.lower, found.upper))
    pooled = {year for years in told["pooled"] for year in years}
    used = pooled | {at for at, row in points if row["events"] is not None and at in years}
    assert {row["year"] for row in release.rows if row.get("fitted") is not None} == used


def pooled(first: int, events: int | None, *, exposure: float = 500.0) -> Point:
    observed = year(first, events or 0, exposure)
    if events is None:
        observed = replace(observed, events=None, exposure=None, status=CellStatus.SUPPRESSED)
    return Point(tuple(range(first, first + 5)), observed)


def hidden(number: int) -> Observed:
    return replace(year(number, 0), events=None, exposure=None, status=CellStatus.SUPPRESSED)


def test_years_of_a_period_with_a_hidden_one_are_one_observation():
    years = [*map(hidden, range(2010, 2014)), year(2014, 15), *map(hidden, range(2015, 2020))]
    years += [year(2020 + n, 40) for n in range(5)]

    found = trend(years, pooled=[pooled(2010, 50), pooled(2015, 100), pooled(2020, 190)])

    told = found.meta["trend"]
    line = rate_trend(
        [50, 100, *[40] * 5], [500, 500, *[100] * 5], [2012, 2017, *range(2020, 2025)]
    )
    assert told["rate_ratio"] == pytest.approx(line.rate_ratio)
    assert told["pooled"] == [[*range(2010, 2015)], [*range(2015, 2020)]]
    assert told["periods"] == 7


@pytest.mark.parametrize("last", [hidden(2020), year(2020, 30)])
def test_period_that_is_not_over_counts_where_all_its_years_are_shown(last):
    years = [*map(hidden, range(2005, 2020)), last]
    pools = [pooled(2005, 20), pooled(2010, 30), pooled(2015, 40), pooled(2020, 99)]

    told = trend(years, pooled=pools).meta["trend"]

    assert told["periods"] == (4 if last.counts else 3)
    assert told["pooled"] == [[*range(first, first + 5)] for first in (2005, 2010, 2015)]


def test_hidden_period_is_left_out():
    years = [hidden(number) for number in range(2000, 2020)]

    told = trend(
        years, pooled=[pooled(2000, None), pooled(2005, 20), pooled(2010, 30), pooled(2015, 40)]
    ).meta["trend"]

    assert told["pooled"][0][0] == 2005
    assert told["periods"] == 3


def test_two_periods_are_no_trend():
    years = [hidden(number) for number in range(2010, 2020)]

    told = trend(years, pooled=[pooled(2010, 30), pooled(2015, 40)], with_cusum=False).meta["trend"]

    assert told["rate_ratio"] is None
    assert "three shown years" in told["reason"]


def test_of_three_periods_the_limits_are_those_of_chance_and_noise_alone():
    found = rate_trend([100, 110, 121], [1, 1, 1], [0, 1, 2], fewest=3)

    assert found.dispersion is None
    # the slope of a Poisson line through three equidistant points: 1 / its information at the fit
    fitted = np.array([100, 110, 121])
    at = np.arange(3) - np.average(np.arange(3), weights=fitted)
    half = 1.959964 / np.sqrt(at**2 @ fitted)
    assert np.log(found.upper / found.rate_ratio) == pytest.approx(half, rel=1e-5)
    with_five = rate_trend([100] * 5, [1] * 5, range(5), fewest=3)
    assert with_five.dispersion == 1


def test_cusum_is_not_published(large: Frozen):
    release = ask(large, Measure.TREND)

    assert "cusum" not in release.meta["trend"]
    assert not {"cusum", "alarm"} & set(release.rows[0])
    assert "CUSUM is not published" in " ".join(release.meta["disclosure"]["in_words"])


def test_every_event_of_a_trend_is_not_published(large: Frozen):
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(large, Measure.TREND, counting=CountingRule.EVENTS)
    assert refused.value.faults[0].column == "counting"


def test_one_question_said_in_two_ways_has_one_protected_answer(large: Frozen):
    said = {"group_by": ("year",), "counting": CountingRule.FIRST_EVENT, "per": 1000}

    assert ask(large, Measure.TREND, **said) == ask(large, Measure.TREND)


def test_shown_row_holds_no_hidden_node():
    shown = ShownNode(10, 50, 2000, True, 6.0, 6.0, 200.0)
    hidden = ShownNode(None, 50, 2000, True, 0.0, 6.0, 200.0)

    row = observed_of_shown((2015,), [shown, hidden], per=1, level=0.95)

    assert (row.events, row.exposure, row.count_variance) == (10, 2000, 6.0)
    assert row.numbers["rate"] == rate_row([shown, hidden]).rate
    assert not observed_of_shown((2015,), [hidden], per=1, level=0.95).counts


def test_nothing_frozen_has_no_trend(tmp_path: Path):
    empty = frozen_rows(tmp_path, events=(), implants=())

    assert exact(empty).rows == ()
    assert ask(empty, Measure.TREND).meta["trend"]["rate_ratio"] is None


def test_frozen_registry_is_a_release(growing: Frozen):
    assert (growing.kind, growing.data_as_of) == (SnapshotKind.RELEASE, MID_2024)


# Months since implant held alike -----------------------------------------------------------------


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Twenty pumps a year from 2008 on; one more of them flips in each year of their age."""
    implants, events = [], []
    for year in range(2008, 2020):
        for n in range(20):
            name = f"{year}{n:02}"
            followed = 6 + 12 * (2023 - year)
            implants.append(implant(name, implant_year=year, months_followed=followed))
            for age in range(n, 12):
                month = 12 * age + (3, 9)[n % 2]
                calendar = year + (6 + month) // 12
                if month <= followed:
                    own = {"year": calendar, "months_since_implant": month}
                    events.append(event(f"e{name}-{age}", on=name, **own))
    return frozen_rows(tmp_path_factory.mktemp("older"), events=events, implants=implants)


def test_devices_that_left_make_a_crude_trend_of_first_events_flatter(older):
    found = exact(older).meta["trend"]
    in_row = exact(older, counting=FIRST_IN_ROW).meta["trend"]

    assert found["adjusted_for"] == ["window", "pump_model"]
    assert found["rate_ratio"] == pytest.approx(1, abs=0.03)
    assert found["ci_lower"] < 1 < found["ci_upper"]
    assert found["crude"]["rate_ratio"] < in_row["crude"]["rate_ratio"] - 0.01


@pytest.mark.parametrize("counting", [CountingRule.EVENTS, FIRST_IN_ROW])
def test_a_registry_that_grows_older_has_a_crude_trend_and_none_that_is_adjusted(older, counting):
    told = exact(older, counting=counting)

    found = told.meta["trend"]
    assert found["adjusted_for"] == ["window", "pump_model"]
    assert found["rate_ratio"] == pytest.approx(1, abs=0.03)
    assert found["ci_lower"] < 1 < found["ci_upper"]
    assert found["crude"]["ci_lower"] > 1.03
    assert (found["reason"], found["crude"]["reason"]) == (None, None)
    by_year = {row["year"]: row for row in told.rows}
    assert by_year[2010]["fitted"] < by_year[2017]["fitted"]


def test_a_year_that_is_not_over_is_in_no_adjusted_trend(older):
    running = replace(older, data_as_of=datetime(2021, 6, 30, tzinfo=UTC))

    found = exact(running, counting=CountingRule.EVENTS, years=(2008, 2021)).meta["trend"]

    over = exact(running, counting=CountingRule.EVENTS, years=(2008, 2020)).meta["trend"]
    assert found["dropped_period"] == 2021
    assert found["rate_ratio"] == pytest.approx(over["rate_ratio"], rel=1e-9)
    assert found["ci_upper"] == pytest.approx(over["ci_upper"], rel=1e-9)


def test_a_year_whose_reports_are_still_coming_in_is_in_no_exact_trend(tmp_path: Path):
    """By June 2024 a quarter of the reports of 2023 is still to come; the calendar keeps it."""
    implants, events = slow_rows()
    slow = frozen_rows(tmp_path, events=events, implants=implants)

    told = exact(slow, counting=CountingRule.EVENTS)

    found = told.meta["trend"]
    before = exact(slow, counting=CountingRule.EVENTS, years=(2000, 2022))
    assert told.meta["provisional"]["rule"] == "measured"
    assert told.meta["provisional"]["first_year"] == 2023
    assert (found["dropped_period"], found["dropped_periods"]) == (2024, [2023, 2024])
    assert [row["year"] for row in told.rows if row["events"]] == [2018, 2019, 2020, 2021, 2022]
    assert found["rate_ratio"] == pytest.approx(before.meta["trend"]["rate_ratio"], rel=1e-9)
    own = exact(slow, where=(("site", ("A",)),)).meta["provisional"]
    assert own == told.meta["provisional"]
    others = exact(slow, where=(("site", ("B",)),)).meta["provisional"]
    assert (others["rule"], others["events"], others["years"]) == ("calendar", 0, [])
    shown = ask(slow, Measure.TREND)
    assert shown.meta["provisional"]["rule"] == "calendar"
    assert shown.meta["trend"]["dropped_periods"] == [2024]


def test_fitted_events_of_all_ages_are_those_observed(older):
    told = exact(older, counting=CountingRule.EVENTS)

    total = sum(row["fitted"] * row["exposure"] / 1000 for row in told.rows)
    assert total == pytest.approx(sum(row["events"] for row in told.rows), rel=0.02)


def test_protected_trend_is_crude_and_says_so(large):
    release = ask(large, Measure.TREND, where=(("category", ("pump",)),))

    assert release.meta["trend"]["adjusted_for"] == []
    assert release.meta["trend"]["crude"] is None
    assert any(said.startswith("Crude: devices of a growing") for said in release.meta["warnings"])


def test_exact_trend_says_what_is_held_alike(older):
    first, every = (
        exact(older, counting=counting).meta["warnings"]
        for counting in (CountingRule.FIRST_EVENT, CountingRule.EVENTS)
    )

    assert any("the ratio holds both alike" in said for said in first)
    assert not any("Exposure that sites declare has no months" in said for said in first)
    assert any("Exposure that sites declare has no months" in said for said in every)


# What devices differ in held alike ---------------------------------------------------------------


@pytest.fixture(scope="module")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Thirty pumps and catheters a year; a catheter of half the rate takes over in the tenth year.

    Pumps are replaced after five years, catheters stay; a mass grows at the tip of each second
    catheter in its ninth year.
    """
    implants, events = [], []
    for place, year in enumerate(range(2004, 2020)):
        model = "ascenda" if place >= 9 and place % 3 else "indura-1p"
        for n in range(30):
            name, followed = f"{year}{n:02}", 12 * (2023 - year) + 6
            for pump in range(0, followed, 60):
                ends = min(60, followed - pump)
                own = {"implant_year": year + pump // 12, "months_followed": ends}
                status = "active" if pump + 60 >= followed else "replaced-end-of-service"
                implants.append(implant(f"p{name}-{pump}", patient=name, exit_status=status, **own))
            about = {"component": "catheter", "pump_model": "", "catheter_model": model}
            implants.append(
                implant(
                    f"c{name}", patient=name, implant_year=year, months_followed=followed, **about
                )
            )
            every = 48 if model == "ascenda" else 24
            for month in range(1 + n % every, followed, every):
                kink = {"complication": "catheter-kink", "year": year + (6 + month) // 12}
                events.append(
                    event(f"k{name}-{month}", on=f"c{name}", months_since_implant=month, **kink)
                )
            month = 96 + n % 12
            if n % 2 == 0 and month <= followed:
                mass = {"complication": "granuloma", "year": year + (6 + month) // 12}
                events.append(event(f"g{name}", on=f"c{name}", months_since_implant=month, **mass))
            for month in range(5 + n, followed, 36):
                pump = month // 60 * 60
                if month - pump > 0 and n % 4 == 1:
                    other = {"complication": "arachnoiditis", "year": year + (6 + month) // 12}
                    on = f"p{name}-{pump}"
                    since = month - pump
                    events.append(
                        event(f"a{name}-{month}", on=on, months_since_implant=since, **other)
                    )
    return frozen_rows(tmp_path_factory.mktemp("renewed"), events=events, implants=implants)


CATHETERS = (("category", ("catheter",)),)
EVERY = CountingRule.EVENTS


def test_a_better_model_is_no_trend_where_models_are_held_alike(renewed):
    found = exact(renewed, where=CATHETERS, counting=EVERY).meta["trend"]
    by_age = exact(renewed, where=CATHETERS, counting=EVERY, adjust=("window",)).meta["trend"]

    assert found["adjusted_for"] == ["window", "catheter_model"]
    assert found["rate_ratio"] == pytest.approx(1, abs=0.01)
    assert by_age["adjusted_for"] == ["window"]
    assert by_age["ci_upper"] < 1
    assert by_age["crude"] == found["crude"]


def test_complications_of_both_clocks_age_with_their_own_component(renewed):
    neurological = (("category", ("neurological",)),)

    found = exact(renewed, where=neurological, counting=EVERY).meta["trend"]
    of_pumps = exact(
        renewed,
        where=neurological,
        counting=EVERY,
        adjust=("window",),
        unit=Denominator.PUMP_MONTHS,
    )

    assert found["adjusted_for"] == ["window", "catheter_model", "pump_model"]
    assert found["ci_lower"] < 1 < found["ci_upper"]
    assert found["rate_ratio"] == pytest.approx(1, abs=0.02)
    assert of_pumps.meta["trend"]["rate_ratio"] > found["rate_ratio"] + 0.005


def test_what_to_hold_alike_may_be_chosen_and_is_said(renewed):
    told = exact(renewed, where=CATHETERS, adjust=("sex", "window"))

    assert told.meta["trend"]["adjusted_for"] == ["sex", "window"]
    assert any("holds sex, months since implant alike" in said for said in told.meta["warnings"])


def test_years_are_not_held_alike_in_a_trend(renewed):
    with pytest.raises(BadQuery) as refused:
        exact(renewed, adjust=("year",))
    assert (refused.value.faults[0].column, refused.value.faults[0].code) == (
        "adjust",
        "bad-adjustment",
    )


def test_where_models_are_those_of_their_years_months_alone_are_held_alike(tmp_path):
    models = ["synchromed-el", "synchromed-ii-20", "synchromed-ii-40", "prometra-ii-20"]
    implants, events = [], []
    for place, year in enumerate(range(2012, 2020)):
        for n in range(12):
            own = {"pump_model": models[place // 2], "implant_year": year, "months_followed": 18}
            implants.append(implant(f"{year}{n}", **own))
            if n < 4:
                when = {"year": year, "months_since_implant": 3}
                events.append(event(f"e{year}{n}", on=f"{year}{n}", **when))
    frozen = frozen_rows(tmp_path, events=events, implants=implants)

    found = exact(frozen, counting=EVERY).meta["trend"]

    assert found["adjusted_for"] == ["window"]
    assert found["reason"] is None


def test_protected_trend_refuses_an_adjustment(large):
    with pytest.raises(NotAvailableAtThisDetail) as refused:
        ask(large, Measure.TREND, adjust=("window",))
    assert refused.value.faults[0].column == "adjust"

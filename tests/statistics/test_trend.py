"""The log-linear trend against statsmodels, and the Poisson CUSUM by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import t as student

from registry.statistics.results import RateTrend, Reason
from registry.statistics.trend import adjusted_rate_trend, poisson_cusum, rate_trend, trend_line

YEARS = list(range(2015, 2023))


def reference(events, exposure, periods):
    """Quasi-Poisson by statsmodels, as R's glm(family = quasipoisson) reports it."""
    return sm.GLM(
        events,
        sm.add_constant(np.asarray(periods, float) - np.mean(periods)),
        family=sm.families.Poisson(),
        offset=np.log(exposure),
    ).fit(scale="X2", tol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_rate_trend_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(50, 500, 8)
    events = rng.negative_binomial(3, 3 / (3 + 0.2 * exposure)) + 1
    fit = reference(events, exposure, YEARS)

    found = rate_trend(events, exposure, YEARS)

    half = student(6).ppf(0.975) * fit.bse[1]
    assert found.dispersion == pytest.approx(fit.scale, rel=1e-8)
    assert found.dispersion > 1
    assert found.rate_ratio == pytest.approx(np.exp(fit.params[1]), rel=1e-8)
    assert found.lower == pytest.approx(np.exp(fit.params[1] - half), rel=1e-8)
    assert found.upper == pytest.approx(np.exp(fit.params[1] + half), rel=1e-8)
    assert found.p == pytest.approx(2 * student(6).sf(abs(fit.params[1] / fit.bse[1])), rel=1e-6)


@pytest.mark.parametrize("first", [1, 1e3, 1e4, 1e6])
def test_rate_trend_finds_the_maximum_where_one_period_holds_nearly_all_exposure(first):
    events, exposure = np.array([9, 4, 5, 8, 9]), np.array([first, 1, 1, 1, 1])
    periods = np.arange(5)

    def score(slope):
        share = exposure * np.exp(slope * periods)
        return (periods * (events - events.sum() * share / share.sum())).sum()

    found = rate_trend(events, exposure, periods)

    assert found.rate_ratio == pytest.approx(np.exp(brentq(score, -5, 20, xtol=1e-12)), rel=1e-6)


@pytest.mark.parametrize(
    ("events", "exposure"),
    [([0, 9, 0, 9, 0], [1, 1, 1e4, 1, 1]), ([9, 4, 5, 8, 9], [1e20, 1, 1, 1, 1])],
)
def test_rate_trend_whose_limits_are_beyond_any_number_is_undefined(events, exposure):
    found = rate_trend(events, exposure, range(5))

    assert found == RateTrend(None, None, None, None, None, Reason.NO_INFORMATION)


def test_rate_trend_finds_an_exact_growth():
    found = rate_trend([8, 16, 32, 64, 128], [1, 1, 1, 1, 1], [1, 2, 3, 4, 5])

    assert found.rate_ratio == pytest.approx(2)
    assert found.lower < 2 < found.upper


def test_rate_trend_takes_less_scatter_than_chance_as_chance():
    found = rate_trend([20] * 6, [100] * 6, [1, 2, 3, 4, 5, 6])

    # information about the slope is 20 times the sum of squares of -2.5 ... 2.5, 17.5
    half = student(4).ppf(0.975) / 350**0.5
    assert found.dispersion == 1
    assert found.rate_ratio == pytest.approx(1)
    assert found.p == pytest.approx(1)
    assert found.upper == pytest.approx(np.exp(half))


def test_rate_trend_is_per_unit_of_the_periods():
    events, exposure = [9, 4, 14, 8, 22, 17], [100] * 6

    by_year = rate_trend(events, exposure, [0, 1, 2, 3, 4, 5])
    by_month = rate_trend(events, exposure, [0, 12, 24, 36, 48, 60])

    assert by_month.rate_ratio**12 == pytest.approx(by_year.rate_ratio)
    assert by_month.upper**12 == pytest.approx(by_year.upper)
    assert by_month.p == pytest.approx(by_year.p)


def test_rate_trend_leaves_out_periods_without_exposure():
    with_gap = rate_trend([9, 4, 0, 8, 22, 17], [100, 90, 0, 80, 95, 99], range(6))
    without = rate_trend([9, 4, 8, 22, 17], [100, 90, 80, 95, 99], [0, 1, 3, 4, 5])

    assert with_gap == without


def test_rate_trend_survives_fitted_counts_too_small_for_a_float():
    events = [0] * 298 + [1, 10**6]

    found = rate_trend(events, [1] * 300, range(300))

    assert found.rate_ratio == pytest.approx(1_000_002, rel=1e-6)
    assert np.isfinite([found.lower, found.upper, found.p, found.dispersion]).all()


@pytest.mark.parametrize(
    ("events", "exposure", "periods", "reason"),
    [
        ([9, 9, 9, 9], [1] * 4, range(4), Reason.TOO_FEW_PERIODS),
        ([9, 9, 9, 9, 0], [1, 1, 1, 1, 0], range(5), Reason.TOO_FEW_PERIODS),
        ([9, 9, 9, 9, 9], [1] * 5, [1, 2, 3, 4, 4], Reason.TOO_FEW_PERIODS),
        ([2, 2, 2, 2, 1], [1] * 5, range(5), Reason.TOO_FEW_EVENTS),
        ([0, 0, 0, 0, 0], [1] * 5, range(5), Reason.TOO_FEW_EVENTS),
        ([0, 0, 0, 0, 30], [1] * 5, range(5), Reason.EVENTS_AT_ONE_END),
        ([30, 0, 0, 0, 0], [1] * 5, range(5), Reason.EVENTS_AT_ONE_END),
        ([9, 9, 9, 9, 9], [1, 1, 0, 1, 1], range(5), Reason.EVENTS_WITHOUT_EXPOSURE),
    ],
)
def test_rate_trend_that_cannot_be_drawn_says_why(events, exposure, periods, reason):
    found = rate_trend(events, exposure, periods)

    assert found == RateTrend(None, None, None, None, None, reason)


def test_rate_trend_is_drawn_from_five_periods_and_ten_events_on():
    assert rate_trend([2, 2, 2, 2, 2], [1] * 5, range(5)).reason is None


def test_rate_trend_of_events_in_one_middle_period_is_level():
    assert rate_trend([0, 0, 30, 0, 0], [1] * 5, range(5)).rate_ratio == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [-1] * 5}, "events: a value is negative"),
        ({"exposure": [float("nan")] * 5}, "exposure: a value is missing"),
        ({"periods": 2015}, "periods: a one-dimensional array"),
        ({"periods": [1, 2]}, "events, exposure, periods: these need the same length"),
        ({"level": 1}, "level: "),
    ],
)
def test_rate_trend_refuses_and_names_the_argument(arguments, message):
    rows = {"events": [4] * 5, "exposure": [9] * 5, "periods": [1, 2, 3, 4, 5]}

    with pytest.raises(ValueError, match=f"^{message}"):
        rate_trend(**{**rows, **arguments})


@given(
    st.lists(st.tuples(st.integers(1, 90), st.floats(1, 500)), min_size=5, max_size=20),
    st.floats(0.01, 100),
    st.randoms(use_true_random=False),
)
def test_rate_trend_depends_on_neither_order_nor_unit_of_exposure(rows, factor, random):
    dated = [(events + 1, exposure, year) for year, (events, exposure) in enumerate(rows)]
    changed = [
        (events, exposure * factor, year)
        for events, exposure, year in random.sample(dated, len(dated))
    ]

    one, other = (rate_trend(*zip(*order, strict=True)) for order in (dated, changed))

    assert other.rate_ratio == pytest.approx(one.rate_ratio, rel=1e-6)
    assert other.upper == pytest.approx(one.upper, rel=1e-6)
    assert one.lower <= one.rate_ratio <= one.upper


def test_poisson_cusum_is_worked_by_hand():
    # reference 2 (2 - 1) / ln 2 = 2.885390 (Lucas 1985); 5 - 2.885390, then + 3.114610, ...
    found = poisson_cusum([1, 2, 5, 6, 0, 0], [2] * 6, ratio=2, h=5)

    np.testing.assert_allclose(found.reference, 2.885390, atol=1e-6)
    np.testing.assert_allclose(found.statistic, [0, 0, 2.114610, 5.229220, 2.343830, 0], atol=1e-6)
    assert found.alarms.tolist() == [False, False, False, True, False, False]


def test_poisson_cusum_alarms_at_h_itself():
    statistic = poisson_cusum([5], [2], ratio=2, h=1).statistic[0]

    assert poisson_cusum([5], [2], ratio=2, h=statistic).alarms.tolist() == [True]
    assert poisson_cusum([5], [2], ratio=2, h=statistic + 1e-9).alarms.tolist() == [False]


def test_poisson_cusum_lets_the_reference_follow_the_expected_count():
    found = poisson_cusum([0, 0], [1, 10], ratio=1.5, h=3)

    assert found.reference[1] == pytest.approx(10 * found.reference[0])
    assert found.reference[0] == pytest.approx(0.5 / np.log(1.5))


def test_poisson_cusum_starts_again_at_zero_after_quiet_periods():
    busy = poisson_cusum([4, 7], [3, 3], ratio=2, h=4)
    after_quiet = poisson_cusum([0, 0, 0, 4, 7], [3] * 5, ratio=2, h=4)

    np.testing.assert_array_equal(after_quiet.statistic[3:], busy.statistic)


def test_poisson_cusum_of_no_periods_is_empty():
    found = poisson_cusum([], [], ratio=2, h=4)

    assert found.statistic.size == found.alarms.size == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [-1]}, "events: a value is negative"),
        ({"expected": [float("nan")]}, "expected: a value is missing"),
        ({"expected": [0]}, "expected: a period has events although none are expected"),
        ({"expected": [1, 2]}, "events, expected: these need the same length"),
        ({"ratio": 1}, "ratio: must be above 1"),
        ({"ratio": 0.5}, "ratio: must be above 1"),
        ({"h": 0}, "h: must be above 0"),
    ],
)
def test_poisson_cusum_refuses_and_names_the_argument(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        poisson_cusum(**{"events": [1], "expected": [1], "ratio": 2, "h": 4, **arguments})


@given(st.lists(st.integers(0, 30), max_size=30), st.floats(1.01, 5))
def test_poisson_cusum_is_never_negative_and_stays_below_the_excess(events, ratio):
    found = poisson_cusum(events, [4] * len(events), ratio=ratio, h=5)

    assert (found.statistic >= 0).all()
    assert (found.statistic <= np.cumsum(events)).all()


def test_known_variance_of_counts_adds_to_that_of_the_ratio():
    events, exposure = [8, 11, 9, 14, 12, 16], [100] * 6

    plain = rate_trend(events, exposure, range(6))
    noisy = rate_trend(events, exposure, range(6), added_variance=[6.0] * 6)

    # scatter below chance in both: the variance of the slope grows from sum(c^2 mu) to
    # sum(c^2 (mu + 6)) over sum(c^2 mu)^2
    mu = trend_line(plain.rate_ratio, events, exposure, range(6)) * 100
    centred = np.arange(6) - np.average(np.arange(6), weights=mu)
    grown = (centred**2 @ (mu + 6)) / (centred**2 @ mu)
    assert plain.dispersion == noisy.dispersion == 1
    assert noisy.rate_ratio == plain.rate_ratio
    assert np.log(noisy.upper / noisy.rate_ratio) == pytest.approx(
        grown**0.5 * np.log(plain.upper / plain.rate_ratio)
    )


def test_trend_line_gives_back_all_events_and_grows_by_the_ratio():
    events, exposure = [3, 5, 2, 9, 8], [10, 0, 30, 40, 50]

    line = trend_line(1.5, events, exposure, range(5))

    assert line @ np.array(exposure) == pytest.approx(27)
    assert line[1:] / line[:-1] == pytest.approx([1.5] * 4)


def test_trend_line_refuses_periods_without_exposure():
    with pytest.raises(ValueError, match="exposure"):
        trend_line(1.5, [0, 0], [0, 0], [1, 2])


# With strata held alike --------------------------------------------------------------------------


def ageing(*, periods: int = 12, ratio: float = 1.0) -> tuple[list, list, list, list]:
    """Each year a cohort of 1,000 units of exposure joins and ages; rates rise with age by half."""
    cells = [
        (0.01 * 1.5**age * ratio**year * 1000, 1000.0, 2010 + year, age)
        for year in range(periods)
        for age in range(year + 1)
    ]
    return tuple(map(list, zip(*cells, strict=True)))  # type: ignore[return-value]


@pytest.mark.parametrize("ratio", [1.0, 0.9, 1.2])
def test_ratio_is_the_true_one_where_rates_rise_with_age_and_cohorts_grow_older(ratio):
    events, exposure, years, ages = ageing(ratio=ratio)

    found = adjusted_rate_trend(events, exposure, years, ages).trend

    crude = rate_trend(
        *(np.bincount(np.array(years) - 2010, each) for each in (events, exposure)),
        sorted(set(years)),
    )
    assert found.rate_ratio == pytest.approx(ratio, rel=1e-9)
    assert crude.rate_ratio > 1.2 * ratio


def test_of_one_stratum_it_is_the_crude_trend():
    events, exposure, years = [9, 14, 30, 21, 40, 33], [90.0, 100, 110, 95, 120, 99], range(6)

    found = adjusted_rate_trend(events, exposure, list(years), [0] * 6)

    crude = rate_trend(events, exposure, list(years))
    for name in ("rate_ratio", "lower", "upper", "p", "dispersion"):
        assert getattr(found.trend, name) == pytest.approx(getattr(crude, name), rel=1e-9)
    line = trend_line(crude.rate_ratio, events, exposure, list(years))
    assert found.fitted == pytest.approx(line, rel=1e-9)


def test_stratum_without_events_says_nothing_and_its_exposure_counts_in_the_years_rate():
    events, exposure, years = [9, 14, 30, 21, 40], [90.0, 100, 110, 95, 120], [0, 1, 2, 3, 4]
    plain = adjusted_rate_trend(events, exposure, years, [0] * 5)

    found = adjusted_rate_trend(
        [*events, 0, 0], [*exposure, 50.0, 60.0], [*years, 0, 4], [0] * 5 + [1, 1]
    )

    assert found.trend == plain.trend
    assert found.fitted[0] == pytest.approx(plain.fitted[0] * 90 / 140)


def test_years_and_ages_of_one_cohort_cannot_be_told_apart():
    found = adjusted_rate_trend([9, 14, 30, 21, 40], [100.0] * 5, range(5), range(5))

    assert (found.trend.rate_ratio, found.trend.reason) == (None, Reason.ONE_AGE)
    assert found.fitted is None


def test_cohort_whose_years_of_age_lie_across_calendar_years_is_not_adjusted_either():
    # each year of age lies half in one calendar year and half in the next
    cells = [(10 + year, 100.0, year, age) for year in range(12) for age in (year, year + 1)]
    events, exposure, years, ages = zip(*cells, strict=True)

    assert adjusted_rate_trend(events, exposure, years, ages).trend.reason is Reason.ONE_AGE


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([9, 9, 9, 9], Reason.TOO_FEW_PERIODS),
        ([1, 1, 1, 1, 1], Reason.TOO_FEW_EVENTS),
        ([0, 0, 0, 0, 30], Reason.EVENTS_AT_ONE_END),
    ],
)
def test_too_little_is_no_adjusted_trend_either(events, reason):
    n = len(events)

    found = adjusted_rate_trend(events, [100.0] * n, range(n), [0] * n)

    assert (found.trend.rate_ratio, found.trend.reason) == (None, reason)


def test_events_of_a_period_without_exposure_leave_no_adjusted_trend():
    found = adjusted_rate_trend([5, 4, 3, 2, 6, 1], [9.0, 9, 9, 9, 9, 0], range(6), [0] * 6)

    assert found.trend.rate_ratio is not None  # the year's split leaves some events without time


def test_limits_of_an_adjusted_trend_hold_the_truth():
    dice, held = np.random.default_rng(4), 0
    means, exposure, years, ages = ageing(periods=10)
    for _ in range(600):
        found = adjusted_rate_trend(dice.poisson(means), exposure, years, ages).trend
        held += found.lower <= 1.0 <= found.upper

    assert 0.93 <= held / 600 <= 0.985  # the dispersion's floor makes them a little wide


def test_ratio_is_the_true_one_where_a_better_model_takes_over():
    """Two thirds of the exposure of each year from the fourth on are of a model with half the rate.

    Ages and models have effects of their own.
    """
    cells = [
        (0.01 * 1.2**age * 0.5**model * share * 1000, 1000 * share, 2010 + year, age, model)
        for year in range(12)
        for age in range(year + 1)
        for model, share in ((0, 1 / 3), (1, 2 / 3))
        if year - age >= 4 or not model
    ]
    events, exposure, years, ages, models = map(list, zip(*cells, strict=True))

    found = adjusted_rate_trend(events, exposure, years, [ages, models]).trend

    assert found.rate_ratio == pytest.approx(1, rel=1e-9)
    by_age = adjusted_rate_trend(events, exposure, years, ages).trend
    assert by_age.rate_ratio < 0.97


def test_models_that_came_one_each_year_cannot_be_told_apart_from_years():
    years = [2010, 2011, 2012, 2013, 2014]

    found = adjusted_rate_trend([9, 8, 9, 7, 9], [100.0] * 5, years, [[0] * 5, range(5)])

    assert (found.trend.rate_ratio, found.trend.reason) == (None, Reason.ONE_AGE)

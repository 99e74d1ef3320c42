"""Intervals of counts and proportions against published values and statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from registry.statistics.intervals import (
    clopper_pearson_interval,
    poisson_interval,
    wilson_interval,
)

LEVELS = (0.8, 0.95, 0.998)


def test_poisson_interval_agrees_with_r_desctools():
    lower, upper = poisson_interval(15, 400)

    assert lower == pytest.approx(0.0209884653, abs=5e-11)
    assert upper == pytest.approx(0.0618505472, abs=5e-11)


@pytest.mark.parametrize(
    ("events", "exposure", "lower", "upper", "places"),
    [
        (14, 400, 0.019135, 0.058724, 6),  # StatsDirect help, Poisson rate
        (0, 1, 0, 3.689, 3),  # epitools help, pois.exact
        (58, 552, 0.0798, 0.1358, 4),  # derived from Flueckiger 2008: 10.5 % a year
        (49, 1764, 0.0206, 0.0367, 4),  # Follett 2000: catheter-months
    ],
)
def test_poisson_interval_agrees_with_published_values(events, exposure, lower, upper, places):
    found = poisson_interval(events, exposure)

    assert [round(limit, places) for limit in found] == [lower, upper]


@pytest.mark.parametrize("level", LEVELS)
def test_poisson_interval_agrees_with_statsmodels(level):
    events = np.arange(1, 200)
    exposure = np.random.default_rng(1).uniform(0.5, 900, size=events.size)

    found = poisson_interval(events, exposure, level=level)

    expected = confint_poisson(events, exposure, method="exact-c", alpha=1 - level)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_poisson_interval_of_no_events_starts_at_exactly_zero():
    lower, upper = poisson_interval(0, 10)

    assert lower == 0
    assert upper == pytest.approx(-math.log(0.025) / 10)


def test_poisson_interval_without_exposure_is_undefined():
    assert poisson_interval(3, 0) == (None, None)


def test_poisson_interval_marks_rows_without_exposure_by_nan():
    lower, upper = poisson_interval([0, 3, 15], [0, 0, 400])

    assert np.isnan(lower).tolist() == [True, True, False]
    assert np.isnan(upper).tolist() == [True, True, False]
    assert lower[2] == pytest.approx(0.0209884653, abs=5e-11)


def test_poisson_interval_broadcasts_events_over_exposures():
    lower, upper = poisson_interval(15, [[400], [800]])

    assert lower.shape == upper.shape == (2, 1)
    assert upper[0, 0] == pytest.approx(2 * upper[1, 0])


def test_poisson_interval_of_no_rows_is_empty():
    lower, upper = poisson_interval([], [])

    assert lower.size == upper.size == 0


@pytest.mark.parametrize("scalar", [15, 15.0, np.int64(15), np.array(15)])
def test_poisson_interval_of_scalars_is_two_python_floats(scalar):
    assert [type(limit) for limit in poisson_interval(scalar, 400)] == [float, float]


@given(st.integers(0, 10**6), st.floats(0.01, 1e6), st.sampled_from(LEVELS))
def test_poisson_interval_contains_the_rate(events, exposure, level):
    lower, upper = poisson_interval(events, exposure, level=level)

    assert lower <= events / exposure <= upper


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [
        (18, 20, 0.6989663547, 0.9721335188),
        (4, 20, 0.0806576626, 0.4160174323),
    ],
)
def test_wilson_interval_agrees_with_r_binom(successes, trials, lower, upper):
    found = wilson_interval(successes, trials)

    assert found == pytest.approx((lower, upper), abs=1e-10)


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper", "tolerance"),
    [
        (18, 20, 0.6830172860, 0.9876514728, 1e-10),
        (4, 200, 0.0054755656, 0.0504136091, 5e-10),
        (2, 217, 0.0011, 0.0329, 5e-5),
    ],
)
def test_clopper_pearson_interval_agrees_with_r_binom(successes, trials, lower, upper, tolerance):
    found = clopper_pearson_interval(successes, trials)

    assert found == pytest.approx((lower, upper), abs=tolerance)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("interval", "method"), [(wilson_interval, "wilson"), (clopper_pearson_interval, "beta")]
)
def test_interval_of_a_proportion_agrees_with_statsmodels(interval, method, level):
    trials = np.random.default_rng(2).integers(1, 500, size=300)
    successes = np.random.default_rng(3).integers(0, trials + 1)

    found = interval(successes, trials, level=level)

    expected = proportion_confint(successes, trials, alpha=1 - level, method=method)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("interval", [wilson_interval, clopper_pearson_interval])
class TestProportion:
    def test_without_trials_is_undefined(self, interval):
        assert interval(0, 0) == (None, None)

    def test_marks_rows_without_trials_by_nan(self, interval):
        lower, upper = interval([0, 1], [0, 2])

        assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == [True, False]

    def test_of_none_or_all_reaches_exactly_the_end(self, interval):
        lower, upper = interval([0, 7], 7)

        assert lower[0] == 0
        assert upper[1] == 1
        assert 0 < upper[0] < 1
        assert 0 < lower[1] < 1

    def test_refuses_more_successes_than_trials(self, interval):
        with pytest.raises(ValueError, match=r"successes: there are more successes than trials"):
            interval(4, 3)

    def test_of_failures_mirrors_that_of_successes(self, interval):
        lower, upper = interval(3, 11)

        assert interval(8, 11) == pytest.approx((1 - upper, 1 - lower))

    def test_of_scalars_is_two_python_floats(self, interval):
        assert [type(limit) for limit in interval(np.int64(3), 11)] == [float, float]

    @given(st.data())
    def test_contains_the_proportion(self, interval, data):
        trials = data.draw(st.integers(1, 10**6))
        successes = data.draw(st.integers(0, trials))

        lower, upper = interval(successes, trials)

        assert 0 <= lower <= successes / trials * (1 + 1e-12)
        assert successes / trials * (1 - 1e-12) <= upper <= 1


@pytest.mark.parametrize(
    ("interval", "names"),
    [
        (poisson_interval, ("events", "exposure")),
        (wilson_interval, ("successes", "trials")),
        (clopper_pearson_interval, ("successes", "trials")),
    ],
)
class TestArguments:
    @pytest.mark.parametrize("level", [0, 1, -0.5, 95, float("nan"), [0.9, 0.95], "high"])
    def test_refuses_a_level_outside_0_to_1(self, interval, names, level):
        with pytest.raises(ValueError, match=r"^level: "):
            interval(1, 2, level=level)

    @pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), None, "many", [1, -1]])
    @pytest.mark.parametrize("place", [0, 1])
    def test_refuses_what_is_no_count(self, interval, names, place, bad):
        arguments = [1, 2]
        arguments[place] = bad

        with pytest.raises(ValueError, match=f"^{names[place]}: "):
            interval(*arguments)

    def test_refuses_shapes_that_do_not_broadcast(self, interval, names):
        with pytest.raises(ValueError, match=f"^{names[0]}, {names[1]}: these shapes"):
            interval([1, 2], [3, 4, 5])

    def test_refuses_without_repeating_the_value(self, interval, names):
        with pytest.raises(ValueError, match="negative") as refusal:
            interval(-98765, 2)

        assert "98765" not in str(refusal.value)

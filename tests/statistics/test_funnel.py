"""Funnel limits against FunnelPlotR, and the over-dispersion of sites."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from registry.statistics.funnel import (
    chance_of_none,
    limits_beyond_noise,
    overdispersion,
    poisson_limits,
    tau_at_most,
)
from registry.statistics.results import Overdispersion, Reason

sites = st.lists(st.tuples(st.integers(0, 60), st.floats(0.5, 50)), min_size=10, max_size=40)


@pytest.mark.parametrize(
    ("level", "lower", "upper"),
    [
        (0.95, [0.5596924, 0.610826, 0.6746958], [1.649348, 1.544419, 1.427562]),
        (0.998, [0.386265, 0.4479107, 0.5289724], [2.082907, 1.902094, 1.702771]),
    ],
)
def test_poisson_limits_agree_with_funnelplotr(level, lower, upper):
    found = poisson_limits([15, 20, 30], level=level)

    np.testing.assert_allclose(found, [lower, upper], atol=5e-7)


def test_poisson_limits_of_a_scalar_are_two_python_floats():
    limits = poisson_limits(15, level=0.95)

    assert limits == pytest.approx((0.5596924, 1.649348), abs=5e-7)
    assert [type(limit) for limit in limits] == [float, float]


def test_poisson_limits_without_expected_events_are_undefined():
    lower, upper = poisson_limits([0, 15], level=0.95)

    assert poisson_limits(0, level=0.95) == (None, None)
    assert np.isnan(lower).tolist() == np.isnan(upper).tolist() == [True, False]


def test_poisson_limits_without_overdispersion_are_the_exact_ones():
    exact = poisson_limits(15, level=0.95)

    assert poisson_limits(15, level=0.95, tau=None) == exact
    assert poisson_limits(15, level=0.95, tau=0) == exact


def test_poisson_limits_tend_to_the_additive_model_for_many_expected_events():
    lower, upper = poisson_limits(1e6, level=0.95, tau=0.3)

    half = -ndtri(0.025) * (1e-6 + 0.3**2) ** 0.5  # Spiegelhalter 2005
    assert lower == pytest.approx(np.exp(-half), rel=1e-5)
    assert upper == pytest.approx(np.exp(half), rel=1e-5)


def test_poisson_limits_take_one_tau_per_site():
    lower, _ = poisson_limits([15, 15], level=0.95, tau=[0, 0.4])

    assert lower[0] == pytest.approx(0.5596924, abs=5e-7)
    assert lower[1] < lower[0]


@given(st.floats(0.01, 1e5), st.floats(0, 2), st.sampled_from((0.95, 0.998)))
def test_poisson_limits_enclose_1_and_only_widen(expected, tau, level):
    exact = poisson_limits(expected, level=level)
    lower, upper = poisson_limits(expected, level=level, tau=tau)

    assert lower <= exact[0] < 1 < exact[1] <= upper


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"expected": -1}, "expected"),
        ({"expected": [1, float("nan")]}, "expected"),
        ({"tau": -0.1}, "tau"),
        ({"level": 0}, "level"),
        ({"expected": [1, 2], "tau": [1, 2, 3]}, "expected, tau"),
    ],
)
def test_poisson_limits_refuse_and_name_the_argument(arguments, name):
    with pytest.raises(ValueError, match=f"^{name}: "):
        poisson_limits(**{"expected": 5, "level": 0.95, **arguments})


def test_overdispersion_is_worked_by_hand():
    # Twelve sites expect 16; z = 4 log(o / 16). Six see 16 (z 0), three see 32 and three see 8
    # (z = +-2.772589). Quantiles 0.1 and 0.9 are the extremes, so that nothing is drawn in.
    # phi = 6 * 7.687248 / 12; tau^2 = (12 phi - 11) / (192 - 16) = 35.123489 / 176
    found = overdispersion([16] * 6 + [32] * 3 + [8] * 3, [16] * 12)

    assert found.phi == pytest.approx(3.843624, abs=1e-6)
    assert found.tau == pytest.approx(0.446727, abs=1e-6)
    assert found.reason is None


def test_overdispersion_draws_in_the_outer_tenths():
    # One wild site of eleven: the quantile 0.9 of its z is that of the ten others, 0.
    found = overdispersion([16] * 10 + [400], [16] * 11)

    assert (found.phi, found.tau) == (0, 0)


def test_overdispersion_of_chance_alone_is_none():
    observed = np.random.default_rng(9).poisson(40, 200)

    found = overdispersion(observed, np.full(200, 40.0))

    assert found.phi < 1
    assert found.tau == 0


def test_overdispersion_finds_the_spread_that_was_put_in():
    rng = np.random.default_rng(10)
    expected = rng.uniform(200, 400, 4000)
    observed = rng.poisson(expected * np.exp(rng.normal(0, 0.3, 4000)))

    found = overdispersion(observed, expected)

    assert 0.24 < found.tau < 0.3  # Winsorising takes some of it away


def test_overdispersion_takes_half_an_event_for_none():
    counts = [16] * 8 + [32, 32, 8]

    assert overdispersion([*counts, 0, 0], [16] * 13) == overdispersion(
        [*counts, 0.5, 0.5], [16] * 13
    )


@pytest.mark.parametrize("expected", [[5] * 9, [5] * 9 + [0, 0]])
def test_overdispersion_needs_ten_sites_that_expect_events(expected):
    found = overdispersion([4] * len(expected), expected)

    assert found == Overdispersion(phi=None, tau=None, reason=Reason.TOO_FEW_SITES)


def test_overdispersion_is_defined_from_ten_sites_on():
    assert overdispersion([4] * 10, [5] * 10).reason is None


@given(sites, st.randoms(use_true_random=False))
def test_overdispersion_does_not_depend_on_the_order(rows, random):
    shuffled = random.sample(rows, len(rows))

    one, other = (overdispersion(*zip(*order, strict=True)) for order in (rows, shuffled))

    assert one.phi == pytest.approx(other.phi)
    assert one.tau == pytest.approx(other.tau)


@pytest.mark.parametrize(
    ("observed", "expected", "message"),
    [
        ([-1], [1], "observed: a value is negative"),
        ([1], [float("nan")], "expected: a value is missing"),
        ([1], [1, 2], "observed, expected: these need the same length"),
    ],
)
def test_overdispersion_refuses_and_names_the_argument(observed, expected, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        overdispersion(observed, expected)


def test_known_variance_is_taken_off_what_sites_differ_by():
    observed, expected = [5, 40, 20, 8, 35, 22, 12, 30, 18, 10], [20.0] * 10

    plain = overdispersion(observed, expected)
    known = overdispersion(observed, expected, added_variance=0.05)

    # at equal expected counts tau^2 is (n phi - (n - 1)) / (w (n - 1)) with w = 1 / (1/20 + known)
    assert known.phi == pytest.approx(plain.phi / 2)
    assert known.tau**2 == pytest.approx((10 * known.phi - 9) / (9 * 10))
    assert known.tau < plain.tau


# Limits of perturbed numbers --------------------------------------------------------------------


def test_tau_at_most_is_worked_by_hand():
    # ten sites expect 16, noise 0.0375: v = 1/16 + 0.0375 = 0.1; tau2 = 0.04
    # z sqrt(2 / 10) (0.04 + 0.1) = 1.959964 * 0.447214 * 0.14 = 0.122713
    found = Overdispersion(phi=1.4, tau=0.2, reason=None)

    most = tau_at_most(found, [16] * 10, level=0.95, added_variance=0.0375)

    assert most == pytest.approx((0.04 + 0.122713) ** 0.5, rel=1e-5)


def test_tau_at_most_is_undefined_where_tau_is():
    few = Overdispersion(phi=None, tau=None, reason=Reason.TOO_FEW_SITES)

    assert tau_at_most(few, [16] * 9, level=0.95) is None


@given(st.floats(0, 1), st.lists(st.floats(5, 500), min_size=10, max_size=30))
def test_tau_at_most_is_above_tau_and_grows_with_the_level(tau, expected):
    found = Overdispersion(phi=1.0, tau=tau, reason=None)
    most = [tau_at_most(found, expected, level=level) for level in (0.95, 0.998)]

    assert tau < most[0] < most[1]


def test_limits_beyond_noise_are_those_of_poisson_moved_out():
    lower, upper = limits_beyond_noise(
        [20.0], level=0.95, tau=0.1, count_variance=[6.0], ratio_sd=[0.05], noise_sds=2.0
    )

    low, high = poisson_limits(20.0, level=0.95, tau=0.1)
    assert upper[0] == pytest.approx(high * np.exp(2 * (6 / (20 * high) ** 2 + 0.0025) ** 0.5))
    assert lower[0] == pytest.approx(low * np.exp(-2 * (6 / (20 * low) ** 2 + 0.0025) ** 0.5))


def test_limits_beyond_no_noise_are_those_of_poisson():
    found = limits_beyond_noise(
        [15, 20], level=0.998, tau=0.2, count_variance=[0, 0], ratio_sd=[0, 0], noise_sds=2.0
    )

    np.testing.assert_allclose(found, poisson_limits([15, 20], level=0.998, tau=0.2))


def test_limits_beyond_noise_refuse_and_name_what_is_not_one_a_site():
    with pytest.raises(ValueError, match=r"^expected, count_variance, ratio_sd: "):
        limits_beyond_noise(
            [15, 20], level=0.95, tau=0.2, count_variance=[0], ratio_sd=[0, 0], noise_sds=2.0
        )


def test_chance_of_none_is_poissons_and_more_where_sites_differ():
    np.testing.assert_allclose(chance_of_none([0.5, 4]), np.exp([-0.5, -4]))
    np.testing.assert_allclose(chance_of_none([0.5, 4], tau=0.5), [1.125**-4, 2.0**-4])
    np.testing.assert_allclose(chance_of_none([0.5, 4], tau=1e-4), np.exp([-0.5, -4]), rtol=1e-6)

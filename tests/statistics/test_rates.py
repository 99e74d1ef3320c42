"""Rates of independent and of clustered events."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from registry.statistics.intervals import poisson_interval
from registry.statistics.rates import (
    ClusterSums,
    clustered_rate,
    first_event_rate,
    incidence_rate,
)
from registry.statistics.results import Reason

clusters = st.lists(st.tuples(st.integers(0, 9), st.floats(1, 200)), min_size=2, max_size=30)


def test_incidence_rate_carries_its_exact_interval():
    rate = incidence_rate(15, 400)

    assert (rate.events, rate.exposure, rate.reason) == (15, 400, None)
    assert rate.rate == pytest.approx(0.0375)
    assert rate.lower == pytest.approx(0.0209884653, abs=5e-11)  # R DescTools
    assert rate.upper == pytest.approx(0.0618505472, abs=5e-11)


def test_incidence_rate_is_per_the_units_asked_for():
    rate = incidence_rate(58, 552, per=100)  # Flueckiger 2008: 10.5 per 100 therapy-years

    assert rate.rate == pytest.approx(10.5, abs=0.01)
    assert rate.lower == pytest.approx(7.98, abs=0.005)
    assert rate.upper == pytest.approx(13.58, abs=0.005)


def test_incidence_rate_of_no_events_is_zero_and_defined():
    rate = incidence_rate(0, 10)

    assert (rate.rate, rate.lower, rate.reason) == (0, 0, None)
    assert rate.upper == pytest.approx(0.3689, abs=5e-5)


@pytest.mark.parametrize(
    ("events", "reason"), [(0, Reason.NO_EXPOSURE), (3, Reason.EVENTS_WITHOUT_EXPOSURE)]
)
def test_incidence_rate_without_exposure_is_undefined_and_says_why(events, reason):
    rate = incidence_rate(events, 0)

    assert (rate.rate, rate.lower, rate.upper) == (None, None, None)
    assert rate.reason is reason


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"events": -1}, "events"),
        ({"events": [1, 2]}, "events"),
        ({"exposure": float("nan")}, "exposure"),
        ({"exposure": -4}, "exposure"),
        ({"per": 0}, "per"),
        ({"per": -100}, "per"),
        ({"level": 1}, "level"),
    ],
)
def test_incidence_rate_refuses_and_names_the_argument(arguments, name):
    with pytest.raises(ValueError, match=f"^{name}: "):
        incidence_rate(**{"events": 1, "exposure": 2, **arguments})


@given(st.integers(0, 10**5), st.floats(0.1, 1e5), st.floats(0.01, 100))
def test_incidence_rate_scales_with_exposure(events, exposure, factor):
    rate, scaled = incidence_rate(events, exposure), incidence_rate(events, exposure * factor)

    assert scaled.rate * factor == pytest.approx(rate.rate)
    assert scaled.lower * factor == pytest.approx(rate.lower)
    assert scaled.upper * factor == pytest.approx(rate.upper)


def test_clustered_rate_widens_by_the_dispersion_worked_by_hand():
    found = clustered_rate([3, 0, 1, 1], [10, 10, 12, 8])

    assert (found.events, found.exposure, found.reason) == (5, 40, None)
    # o - r t with r = 5 / 40: 1.75, -1.25, -0.5, 0 -> 4.875 / 5 * 4 / 3
    assert found.dispersion == pytest.approx(1.3)
    lower, upper = poisson_interval(5 / 1.3, 40)
    assert found.rate == pytest.approx(0.125)
    assert found.lower == pytest.approx(1.3 * lower)
    assert found.upper == pytest.approx(1.3 * upper)


def test_clustered_rate_of_even_clusters_is_the_plain_rate():
    found = clustered_rate([2, 2, 2], [10, 10, 10], per=12)

    plain = incidence_rate(6, 30, per=12)
    assert found.dispersion == 1
    assert (found.rate, found.lower, found.upper) == (plain.rate, plain.lower, plain.upper)


def test_clustered_rate_has_the_robust_variance_of_statsmodels():
    rng = np.random.default_rng(4)
    exposure = rng.uniform(1, 60, size=80)
    events = rng.negative_binomial(0.5, 0.1, size=80)
    fit = sm.GLM(events, np.ones(80), family=sm.families.Poisson(), offset=np.log(exposure)).fit(
        cov_type="HC0"
    )

    found = clustered_rate(events, exposure)

    robust = fit.bse[0] ** 2 * events.sum() * 80 / 79  # over the Poisson variance, 1 / events
    assert found.dispersion == pytest.approx(robust, rel=1e-6)
    assert found.dispersion > 3


def test_clustered_rate_of_one_patient_has_no_dispersion():
    found = clustered_rate([3], [10])

    assert (found.dispersion, found.reason) == (None, Reason.ONE_CLUSTER)
    assert (found.lower, found.upper) == poisson_interval(3, 10)


def test_clustered_rate_does_not_count_empty_clusters():
    assert clustered_rate([3, 0], [10, 0]).reason is Reason.ONE_CLUSTER


def test_clustered_rate_counts_events_of_a_cluster_without_exposure():
    found = clustered_rate([3, 1, 0], [10, 0, 10])

    assert found.rate == pytest.approx(0.2)
    assert found.reason is None


def test_clustered_rate_without_events_has_dispersion_1():
    found = clustered_rate([0, 0], [10, 20])

    assert (found.rate, found.lower, found.dispersion, found.reason) == (0, 0, 1, None)
    assert found.upper == pytest.approx(3.688879454 / 30)


@pytest.mark.parametrize(
    ("events", "exposure", "reason"),
    [
        ([], [], Reason.NO_EXPOSURE),
        ([0, 0], [0, 0], Reason.NO_EXPOSURE),
        ([1, 2], [0, 0], Reason.EVENTS_WITHOUT_EXPOSURE),
    ],
)
def test_clustered_rate_without_exposure_is_undefined_and_says_why(events, exposure, reason):
    found = clustered_rate(events, exposure)

    assert (found.rate, found.lower, found.upper, found.dispersion) == (None,) * 4
    assert found.reason is reason


@pytest.mark.parametrize(
    ("events", "exposure", "message"),
    [
        ([1, -1], [1, 1], "events: a value is negative"),
        ([1, 1], [1, float("nan")], "exposure: a value is missing"),
        ([1, 1], [1], "events, exposure: these need the same length"),
        (3, [1], "events: a one-dimensional array"),
    ],
)
def test_clustered_rate_refuses_and_names_the_argument(events, exposure, message):
    with pytest.raises(ValueError, match=message):
        clustered_rate(events, exposure)


@given(clusters, st.randoms(use_true_random=False))
def test_clustered_rate_does_not_depend_on_the_order(rows, random):
    shuffled = random.sample(rows, len(rows))

    one, other = (clustered_rate(*zip(*order, strict=True)) for order in (rows, shuffled))

    assert one.upper == pytest.approx(other.upper)
    assert one.dispersion == pytest.approx(other.dispersion)


@given(clusters)
def test_clustered_rate_is_never_surer_than_the_plain_rate(rows):
    events, exposure = zip(*rows, strict=True)

    found, plain = clustered_rate(events, exposure), incidence_rate(sum(events), sum(exposure))

    assert found.lower <= plain.lower * (1 + 1e-9)
    assert found.upper >= plain.upper * (1 - 1e-9)
    assert found.lower <= found.rate <= found.upper


NOTHING = ClusterSums.of([], [])


def test_first_events_alone_have_garwoods_limits():
    rate = first_event_rate(15, 400, declared=NOTHING)
    plain = incidence_rate(15, 400)

    assert (rate.rate, rate.lower, rate.upper) == (plain.rate, plain.lower, plain.upper)
    assert rate.dispersion is None


def test_declared_years_that_differ_widen_the_limits_of_first_events_by_their_share():
    # two years of 120 months with 8 and 2 events: ((8 - 5)^2 + (2 - 5)^2) / 10 * 2 = 3.6
    declared = ClusterSums.of([8, 2], [120, 120])

    rate = first_event_rate(10, 200, declared=declared, per=100)

    assert (rate.events, rate.exposure, rate.reason) == (20, 440, None)
    assert rate.rate == pytest.approx(100 * 20 / 440)
    assert rate.dispersion == pytest.approx((10 + 3.6 * 10) / 20)
    lower, upper = poisson_interval(20 / 2.3, 440)
    assert (rate.lower, rate.upper) == pytest.approx((230 * lower, 230 * upper))


def test_declared_years_never_narrow_the_limits_of_first_events():
    rate = first_event_rate(10, 200, declared=ClusterSums.of([5, 5], [120, 120]))

    plain = incidence_rate(20, 440)
    assert (rate.lower, rate.upper, rate.dispersion) == (plain.lower, plain.upper, 1.0)


def test_one_declared_year_says_nothing_of_how_years_differ():
    rate = first_event_rate(10, 200, declared=ClusterSums.of([8], [120]))

    plain = incidence_rate(18, 320)
    assert (rate.lower, rate.upper, rate.dispersion) == (plain.lower, plain.upper, None)


def test_first_events_without_exposure_have_no_rate():
    rate = first_event_rate(3, 0, declared=NOTHING)

    assert (rate.rate, rate.lower, rate.upper) == (None, None, None)
    assert rate.reason is not None

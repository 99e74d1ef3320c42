"""Clustered rates from sums alone: by hand, and against the residuals of each cluster."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.statistics.intervals import poisson_interval
from registry.statistics.rates import ClusterSums, clustered_rate, clustered_rate_of_sums
from registry.statistics.results import Reason

quarters = st.integers(0, 900).map(lambda number: number / 4)
clusters = st.lists(st.tuples(st.integers(0, 40), quarters), min_size=2, max_size=60)


def dispersion_by_residuals(events, exposure):
    """Cochran's ratio of variances (1977, chapter 6), one residual for each cluster."""
    x, t = np.array(events, dtype=np.longdouble), np.array(exposure, dtype=np.longdouble)
    x, t = x[(x > 0) | (t > 0)], t[(x > 0) | (t > 0)]
    residuals = x - x.sum() / t.sum() * t
    return max(1.0, float(np.square(residuals).sum() / x.sum() * x.size / (x.size - 1)))


def test_sums_of_clusters_worked_by_hand():
    assert ClusterSums.of([3, 0, 1, 1, 0], [10, 10, 12, 8, 0]) == ClusterSums(
        events=5, time=40, x2=9 + 1 + 1, xt=30 + 12 + 8, t2=100 + 100 + 144 + 64, clusters=4
    )


def test_rate_of_sums_widens_by_the_dispersion_worked_by_hand():
    found = clustered_rate_of_sums(
        ClusterSums(events=5, time=40, x2=11, xt=50, t2=408, clusters=4), per=12, level=0.9
    )

    # 11 - 2 * 5/40 * 50 + (5/40)^2 * 408 = 4.875; 4.875 / 5 * 4 / 3
    assert found.dispersion == pytest.approx(1.3, rel=1e-15)
    lower, upper = poisson_interval(5 / 1.3, 40, level=0.9)
    assert (found.events, found.exposure, found.reason) == (5, 40, None)
    assert found.rate == pytest.approx(12 * 0.125)
    assert found.lower == pytest.approx(12 * 1.3 * lower)
    assert found.upper == pytest.approx(12 * 1.3 * upper)


@given(clusters)
def test_dispersion_of_sums_is_that_of_the_residuals(rows):
    events, exposure = zip(*rows, strict=True)

    found = clustered_rate_of_sums(ClusterSums.of(events, exposure))

    if found.reason is None and found.events:
        expected = dispersion_by_residuals(events, exposure)
        assert found.dispersion == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_dispersion_of_sums_is_that_of_the_residuals_for_any_times(seed):
    rng = np.random.default_rng(seed)
    exposure = rng.exponential(40, 5000)
    events = rng.poisson(rng.gamma(0.5, 2, 5000) * exposure / 50)

    found = clustered_rate(events, exposure)

    assert found.dispersion > 1.2
    assert found.dispersion == pytest.approx(dispersion_by_residuals(events, exposure), rel=1e-12)


def test_dispersion_stays_exact_where_large_sites_are_nearly_alike():
    rng = np.random.default_rng(3)
    quarters_of_a_month = rng.integers(2 * 10**12, 6 * 10**12, 12).tolist()
    excess = rng.integers(-90_000, 90_000, 12).tolist()
    events = [t // 4000 + more for t, more in zip(quarters_of_a_month, excess, strict=True)]
    sums = ClusterSums(
        events=sum(events),
        time=sum(quarters_of_a_month),
        x2=sum(x * x for x in events),
        xt=sum(x * t for x, t in zip(events, quarters_of_a_month, strict=True)),
        t2=sum(t * t for t in quarters_of_a_month),
        clusters=12,
    )

    found = clustered_rate_of_sums(sums)

    # sums of 1e19 to 1e26, beyond what a float counts, leave squares of some 1e10
    expected = dispersion_by_residuals(events, quarters_of_a_month)
    assert found.dispersion == pytest.approx(expected, rel=1e-10)
    assert 1 < found.dispersion < 10


def test_sums_do_not_change_with_the_unit_of_time_but_for_the_rate():
    months = ClusterSums(events=5, time=10, x2=11, xt=12.5, t2=408 / 16, clusters=4)
    in_quarters = ClusterSums(events=5, time=40, x2=11, xt=50, t2=408, clusters=4)

    of_months = clustered_rate_of_sums(months)
    of_quarters = clustered_rate_of_sums(in_quarters, per=4)

    assert of_months.dispersion == of_quarters.dispersion
    assert of_months.upper == pytest.approx(of_quarters.upper, rel=1e-14)


def test_sums_take_the_integers_of_arrays():
    sums = ClusterSums(*map(np.int64, (2**40, 2**41, 2**62, 2**62, 2**62, 4)))

    plain = ClusterSums(2**40, 2**41, 2**62, 2**62, 2**62, 4)
    assert clustered_rate_of_sums(sums) == clustered_rate_of_sums(plain)


@pytest.mark.parametrize(
    ("sums", "reason"),
    [
        (ClusterSums(0, 0, 0, 0, 0, 0), Reason.NO_EXPOSURE),
        (ClusterSums(3, 0, 5, 0, 0, 2), Reason.EVENTS_WITHOUT_EXPOSURE),
        (ClusterSums(3, 10, 9, 30, 100, 1), Reason.ONE_CLUSTER),
        (ClusterSums(0, 30, 0, 0, 500, 2), None),
    ],
)
def test_rate_of_sums_says_why_it_is_undefined(sums, reason):
    found = clustered_rate_of_sums(sums)

    assert found.reason is reason
    assert found.dispersion == (None if reason else 1)
    assert (found.rate is None) == (sums.time == 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"events": -1}, "events: a value is negative"),
        ({"time": float("nan")}, "time: a value is missing"),
        ({"x2": None}, "x2: "),
        ({"xt": [1, 2]}, "xt: one number is needed"),
        ({"t2": float("inf")}, "t2: a value is missing or infinite"),
        ({"clusters": 1.5}, "clusters: a whole number"),
        ({"clusters": 0}, "clusters: events or time need at least one"),
    ],
)
def test_sums_refuse_and_name_the_field(changed, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ClusterSums(
            **{"events": 5, "time": 40, "x2": 11, "xt": 50, "t2": 408, "clusters": 4, **changed}
        )

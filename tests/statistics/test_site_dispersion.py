"""Limits that hold over sites which differ: against plain loops, and how often they hold."""

import numpy as np
import pytest
from scipy import stats

from registry.statistics.rates import (
    ClusterSums,
    incidence_rate,
    quasi_poisson_interval,
    site_dispersion,
)


def by_loops(events: list[int], time: list[float], level: float) -> float:
    """The dispersion in plain loops, with scipy.stats for both quantiles."""
    n, total = len(events), sum(events)
    rate = total / sum(time)
    squares = sum((x - rate * t) ** 2 for x, t in zip(events, time, strict=True))
    quantile = stats.t.ppf(0.5 + level / 2, n - 1) / stats.norm.ppf(0.5 + level / 2)
    return max(1.0, float(squares / total * n / (n - 1) * quantile**2))


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_dispersion_of_sites_is_that_of_plain_loops(level: float) -> None:
    rng = np.random.default_rng(11)
    for n in (10, 17, 60):
        time = rng.uniform(50, 2000, n).round(2)
        events = rng.poisson(time * rng.gamma(3, 0.01, n))
        sums = ClusterSums.of(events, time)

        expected = by_loops(events.tolist(), time.tolist(), level)

        assert site_dispersion(sums, level=level) == pytest.approx(expected, rel=1e-10)


def test_nine_sites_say_nothing_of_their_dispersion() -> None:
    assert site_dispersion(ClusterSums.of([1] * 9, [10.0] * 9)) is None
    assert site_dispersion(ClusterSums.of([1] * 10, [10.0] * 10)) == 1.0  # alike: never below 1


def test_sites_without_events_or_time_have_no_dispersion() -> None:
    assert site_dispersion(ClusterSums.of([0] * 12, [10.0] * 12)) is None
    assert site_dispersion(ClusterSums.of([1] * 12, [0.0] * 12)) is None


def test_quasi_poisson_limits_of_dispersion_1_are_garwoods() -> None:
    assert quasi_poisson_interval(15, 400, 1.0) == pytest.approx((0.0209884653, 0.0618505472))
    with pytest.raises(ValueError, match="dispersion"):
        quasi_poisson_interval(15, 400, 0.0)


def coverage(sites: int, spread: float, *, registries: int, seed: int) -> tuple[float, float]:
    """How often limits robust to sites, and exact Poisson limits, hold the true mean rate.

    Sites differ in size threefold and in rate by a gamma distribution of mean 0.02 and this
    coefficient of variation; some 20 events a site.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(2)
    for _ in range(registries):
        time = rng.uniform(500, 1500, sites)
        shape = 1 / spread**2
        events = rng.poisson(time * rng.gamma(shape, 0.02 / shape, sites))
        sums = ClusterSums.of(events, time)
        wide = site_dispersion(sums) or 1.0
        for place, (lower, upper) in enumerate(
            [
                quasi_poisson_interval(sums.events, sums.time, wide),
                _garwood(sums),
            ]
        ):
            held[place] += (lower or 0) <= 0.02 <= (upper or 0)
    robust, plain = (held / registries).tolist()
    return robust, plain


def _garwood(sums: ClusterSums) -> tuple[float | None, float | None]:
    rate = incidence_rate(sums.events, sums.time)
    return rate.lower, rate.upper


@pytest.mark.parametrize("sites", [10, 30])
def test_limits_robust_to_sites_hold_the_truth_where_exact_ones_do_not(sites: int) -> None:
    robust, plain = coverage(sites, 0.5, registries=2000, seed=sites)

    assert robust == pytest.approx(0.95, abs=0.02)
    assert plain < 0.75

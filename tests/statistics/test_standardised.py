"""Directly standardised rates: identities, refusals, and how often their limits hold."""

import numpy as np
import pytest

from registry.statistics.intervals import poisson_interval
from registry.statistics.rates import quasi_poisson_interval
from registry.statistics.standardised import directly_standardised


def test_rate_of_one_stratum_has_garwoods_limits() -> None:
    found = directly_standardised([15], [400.0], [7.0], per=100)

    assert (found.rate, found.crude) == pytest.approx((3.75, 3.75))
    assert (found.lower, found.upper) == pytest.approx((2.09884653, 6.18505472), rel=1e-8)


def test_rows_own_mix_as_the_standard_gives_the_crude_rate_with_garwoods_limits() -> None:
    time = [100.0, 250.0, 50.0]

    found = directly_standardised([3, 9, 3], time, time)

    assert found.rate == pytest.approx(found.crude)
    assert (found.lower, found.upper) == pytest.approx(poisson_interval(15, 400))


def test_dispersion_widens_limits_as_in_quasi_poisson() -> None:
    time = [100.0, 300.0]

    found = directly_standardised([5, 10], time, time, dispersion=[2.5, 2.5])

    assert (found.lower, found.upper) == pytest.approx(quasi_poisson_interval(15, 400, 2.5))


def test_rate_is_the_weighted_mean_of_strata() -> None:
    found = directly_standardised([4, 2], [100.0, 200.0], [300.0, 100.0])

    assert found.rate == pytest.approx(0.75 * 0.04 + 0.25 * 0.01)
    assert found.crude == pytest.approx(6 / 300)
    assert found.lower < found.rate < found.upper


def test_row_without_events_has_the_lower_limit_0() -> None:
    found = directly_standardised([0, 0], [100.0, 200.0], [1.0, 1.0])

    assert (found.rate, found.lower) == (0.0, 0.0)
    assert found.upper > 3.68 / 200


def test_stratum_without_standard_counts_for_nothing() -> None:
    assert directly_standardised([4, 9], [100.0, 0.0], [1.0, 0.0]).rate == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (([4, 2], [100.0, 0.0], [1.0, 1.0]), "exposure"),
        (([4], [100.0], [0.0]), "standard"),
        (([-1], [100.0], [1.0]), "events"),
        (([1, 2], [100.0], [1.0]), "same length"),
    ],
)
def test_what_cannot_be_standardised_is_refused(arguments: tuple, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        directly_standardised(*arguments)


def test_limits_hold_the_truth_in_simulated_rows() -> None:
    rng = np.random.default_rng(3)
    time, standard = np.array([400.0, 300.0, 200.0]), np.array([1.0, 2.0, 3.0])
    rates = np.array([0.01, 0.03, 0.04])
    truth = float(rates @ standard / standard.sum())
    held = 0
    for _ in range(2000):
        found = directly_standardised(rng.poisson(rates * time), time, standard)
        held += found.lower <= truth <= found.upper

    assert 0.945 <= held / 2000 <= 0.975

"""Landmarks, limits of medians and restricted means by hand; R holds them in test_against_r."""

import numpy as np
import pytest

from registry.statistics.landmarks import landmarks, median_limits, restricted_mean
from registry.statistics.survival import kaplan_meier

TIMES = np.array([5.0, 10.0, 20.0])


def test_a_landmark_is_the_last_step_up_to_it() -> None:
    values = np.array([0.9, 0.7, 0.4])
    found = landmarks(TIMES, values, values - 0.1, values + 0.1, at=(1, 10, 12, 99), start=1.0)

    assert [(each.time, each.estimate, each.lower) for each in found] == [
        (1.0, 1.0, None),
        (10.0, 0.7, pytest.approx(0.6)),
        (12.0, 0.7, pytest.approx(0.6)),
        (99.0, 0.4, pytest.approx(0.3)),
    ]


def test_undefined_limits_are_none() -> None:
    nothing = np.full(3, np.nan)

    (found,) = landmarks(TIMES, np.zeros(3), nothing, nothing, at=(30,), start=1.0)

    assert (found.lower, found.upper) == (None, None)


def test_medians_limits_are_where_the_curves_limits_come_to_one_half() -> None:
    lower, upper = np.array([0.8, 0.5, 0.2]), np.array([0.95, 0.9, 0.6])

    assert median_limits(TIMES, lower, upper) == (10.0, None)
    assert median_limits(TIMES, 1 - upper, 1 - lower, falls=False) == (10.0, None)
    assert median_limits(TIMES, lower + 0.2, upper) == (20.0, None)
    assert median_limits(TIMES, lower, upper - 0.4) == (10.0, 10.0)


def test_restricted_mean_is_the_area_under_the_curve() -> None:
    curve = kaplan_meier([2, 4, 6, 8], [True, True, False, False])

    found = restricted_mean(curve, until=6)

    assert found.mean == pytest.approx(2 + 2 * 0.75 + 2 * 0.5)
    # Greenwood: areas beyond 2 and 4 are 2.5 and 1; d / (n (n - d)) are 1 / 12 and 1 / 6.
    assert found.se == pytest.approx((2.5**2 / 12 + 1 / 6) ** 0.5)
    assert found.upper - found.mean == pytest.approx(1.959964 * found.se, rel=1e-6)


def test_restricted_mean_from_a_later_start_is_of_those_free_until_then() -> None:
    curve = kaplan_meier([4, 8], [True, False], entries=[2, 2])

    assert restricted_mean(curve, start=2, until=6).mean == pytest.approx(2 + 2 * 0.5)


def test_restricted_mean_wants_an_end_after_its_start() -> None:
    with pytest.raises(ValueError, match="until"):
        restricted_mean(kaplan_meier([4], [True]), start=6, until=6)

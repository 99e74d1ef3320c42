"""The limit of a CUSUM: what chance alone reaches, and what a rise does."""

import numpy as np
import pytest

from registry.statistics.cusum import in_control_limit
from registry.statistics.trend import poisson_cusum


def alarmed(dice: np.random.Generator, mean: float, rise: float, years: int = 6) -> tuple[int, int]:
    """Of 200 series of twelve years, half of them before: how many alarm, and had a baseline."""
    alarms = tried = 0
    for _ in range(200):
        before = int(dice.poisson(mean * years))
        if before < 5:
            continue
        expected = [before / years] * years
        h = in_control_limit(expected, baseline_events=before, ratio=2)
        tried += 1
        counts = dice.poisson(rise * mean, years)
        alarms += poisson_cusum(counts, expected, ratio=2, h=h).alarms.any()
    return alarms, tried


def test_one_series_in_twenty_alarms_at_most_where_nothing_rose():
    dice = np.random.default_rng(5)
    for mean in (3, 100):
        alarms, tried = alarmed(dice, mean, 1.0)
        assert alarms / tried <= 0.08, mean


def test_a_rise_to_two_and_a_half_times_is_found_from_three_events_a_year_on():
    dice = np.random.default_rng(6)
    alarms, tried = alarmed(dice, 3, 2.5)
    assert alarms / tried > 0.85


def test_a_baseline_of_few_events_asks_for_more_excess():
    few, many = (in_control_limit([5.0] * 6, baseline_events=n, ratio=2) for n in (5, 500))

    assert few > many
    assert many == in_control_limit([5.0] * 6, baseline_events=500, ratio=2)
    assert (2 * many).is_integer()


@pytest.mark.parametrize(
    "asked", [{"ratio": 1.0}, {"baseline_events": 0}, {"expected": [-1.0, 2.0]}]
)
def test_what_has_no_limit_is_refused(asked: dict):
    good = {"expected": [3.0, 3.0], "baseline_events": 9, "ratio": 2}
    expected = {**good, **asked}.pop("expected")
    options = {key: value for key, value in {**good, **asked}.items() if key != "expected"}
    with pytest.raises(ValueError, match=next(iter(asked))):
        in_control_limit(expected, **options)

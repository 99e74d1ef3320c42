"""The limit of a CUSUM: how much excess chance alone brings."""

import numpy as np

from registry.statistics.arguments import Numbers, equally_long, positive, row
from registry.statistics.results import FloatArray

SERIES = 4000
SEED = 1985
STEP = 0.5
"""Limits are told in steps of half an event."""


def in_control_limit(
    expected: Numbers, *, baseline_events: float, ratio: float, false_alarms: float = 0.05
) -> float:
    """The least limit h, in halves, that at most a share of series in control ever reaches.

    expected: what the baseline's rate lets expect in each period under test, in time order.
    baseline_events: how many events that rate rests on. ratio: as of `trend.poisson_cusum`.
    false_alarms: the share of series in which any period alarms although the rate is the
    baseline's. Found from 4,000 simulated series, always the same: each draws what the true rate
    may be over the baseline's, gamma with a shape of its events and one half (Jeffreys' prior), and
    Poisson counts from that; the statistic is Lucas' (1985).
    Raises ValueError on negative or missing values and on a baseline without events.
    """
    target, events = row("expected", expected), positive("baseline_events", baseline_events)
    rise = positive("ratio", ratio)
    equally_long(expected=target)
    if rise <= 1:
        raise ValueError("ratio: must be above 1, the rise to detect.")
    dice = np.random.default_rng(SEED)
    shape = events + 0.5
    factor = dice.gamma(shape, 1 / events, SERIES)
    counts = dice.poisson(factor[:, np.newaxis] * target)
    excess = counts - target * (rise - 1) / np.log(rise)
    reached = _largest(excess)
    ordered = np.sort(reached)
    allowed = int(false_alarms * SERIES)
    return float(STEP * (np.floor(ordered[SERIES - 1 - allowed] / STEP) + 1))


def _largest(excess: FloatArray) -> FloatArray:
    """The largest value of max(0, previous + excess) over the columns of each row."""
    running = np.zeros(len(excess))
    largest = np.zeros(len(excess))
    for step in excess.T:
        running = np.maximum(0.0, running + step)
        largest = np.maximum(largest, running)
    return largest

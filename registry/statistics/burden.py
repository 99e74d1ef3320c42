"""The mean cumulative number of events a device, for events that recur."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from registry.statistics.arguments import equally_long, tail, whole_row
from registry.statistics.results import FloatArray, IntArray

Whole = NDArray[np.int64]

NO_SPREAD = 1e-7
"""A standard error of this share of the mean is 0 but for rounding."""


@dataclass(frozen=True, eq=False)
class Recurrences:
    """Devices and their events as sums, in whole months on each device's clock.

    entry, end, devices: how many devices entered and left at these months, a line each; a device is
    at risk in month m if entry < m <= end, or entry is 0 and m <= end. month, entry_of, end_of,
    events: how many events in a month are on devices that entered and left so. first, second,
    pairs: how many pairs of events a device has in two months, both orders, each event with itself
    too.
    """

    entry: Whole
    end: Whole
    devices: Whole
    month: Whole
    entry_of: Whole
    end_of: Whole
    events: Whole
    first: Whole
    second: Whole
    pairs: Whole


@dataclass(frozen=True, eq=False)
class MeanCumulative:
    """A mean cumulative function: one entry for each month with an event.

    mean: events a device up to and with that month; se: its standard error, robust to events that
    cluster within devices; lower, upper: limits on the scale of the logarithm, NaN where undefined.
    """

    times: IntArray
    at_risk: IntArray
    events: IntArray
    mean: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray


def at_risk_by_month(sums: Recurrences) -> IntArray:
    """How many devices are at risk in each month from 0 to the last end."""
    last = int(sums.end.max(initial=-1))
    change = np.zeros(last + 2, dtype=np.int64)
    starts = np.where(sums.entry == 0, 0, sums.entry + 1)
    held = starts <= sums.end
    np.add.at(change, starts[held], sums.devices[held])
    np.add.at(change, sums.end[held] + 1, -sums.devices[held])
    return np.cumsum(change)[: last + 1]


def mean_cumulative(
    sums: Recurrences, *, first: int = 0, last: int | None = None, level: float = 0.95
) -> MeanCumulative:
    """The mean cumulative function from month `first` to month `last` (Nelson, 2003).

    M(t) is the sum over the months up to t of d / n, with d events of n devices at risk. Its
    variance is the sum over devices of the square of

        sum over months up to t of (events of the device - d / n, where it is at risk) / n

    (Lawless and Nadeau, Technometrics 1995), which allows for any dependence of a device's events;
    R's `survfit` with `id` has the same. Limits are M exp(+- z se / M), and undefined where all
    devices had the same: that tells nothing of how others may differ.
    Raises ValueError on arrays of different length, on numbers that are not whole, and on a level
    outside 0 to 1.
    """
    _check(sums)
    z = -float(ndtri(tail(level)))
    n = at_risk_by_month(sums)
    end = n.size - 1 if last is None else last
    counts = np.bincount(sums.month, sums.events, n.size)[: n.size]
    months = np.arange(n.size)
    inside = (months >= first) & (months <= end)
    d = np.where(inside & (n > 0), counts, 0.0)
    share = np.divide(d, n, out=np.zeros(n.size), where=n > 0)
    worth = np.divide(inside, n, out=np.zeros(n.size), where=n > 0)
    mean, spent = np.cumsum(share), np.concatenate([[0.0], np.cumsum(share * worth)])
    times = np.flatnonzero(d)
    variance = np.array([_variance(sums, int(t), worth, spent) for t in times])
    se = np.sqrt(np.maximum(variance, 0.0))
    at = mean[times]
    alike = se <= NO_SPREAD * at
    wide = np.exp(np.divide(z * se, at, out=np.full(at.size, np.nan), where=~alike))
    return MeanCumulative(
        times=times.astype(np.int64),
        at_risk=n[times],
        events=d[times].astype(np.int64),
        mean=at,
        se=se,
        lower=at / wide,
        upper=at * wide,
    )


def _variance(sums: Recurrences, t: int, worth: FloatArray, spent: FloatArray) -> float:
    """The sum over devices of the square of what each adds to the error up to month t.

    spent: up to each month, from its start on, what a device at risk is expected to have.
    """

    def expected(entry: Whole, end: Whole) -> FloatArray:
        until = spent[np.minimum(end, t) + 1]
        since = np.where(entry == 0, 0.0, spent[np.minimum(entry, t) + 1])
        found: FloatArray = np.maximum(until - since, 0.0)
        return found

    square = float(sums.devices @ expected(sums.entry, sums.end) ** 2)
    upto = sums.month <= t
    own = worth[sums.month[upto]] * expected(sums.entry_of[upto], sums.end_of[upto])
    both = (sums.first <= t) & (sums.second <= t)
    pairs = worth[sums.first[both]] * worth[sums.second[both]]
    return square - 2 * float(sums.events[upto] @ own) + float(sums.pairs[both] @ pairs)


def _check(sums: Recurrences) -> None:
    for names in (
        ("entry", "end", "devices"),
        ("month", "entry_of", "end_of", "events"),
        ("first", "second", "pairs"),
    ):
        equally_long(**{name: whole_row(name, getattr(sums, name)) for name in names})

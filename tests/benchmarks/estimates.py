"""From sums to the rows of an answer, the same for the ORM and for arrays.

What is compared is how sums are found; the estimators are the registry's own.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from registry.statistics.rates import ClusterSums, clustered_rate_of_sums, first_event_rate
from registry.statistics.survival import LifeCounts, product_limit
from tests.benchmarks.eight_questions import Numbers

PER = 1000
QUARTERS = 4
QUARTERS_A_YEAR = 48
FEWEST_STABLE = 20
FEWEST_AT_RISK = 10

Ints = NDArray[np.int64]


def count_row(n: int) -> Numbers:
    """A number of events."""
    return n, "ok" if n else "zero"


def rate_row(events: int, months: float, *, declared: ClusterSums | None, reported: int) -> Numbers:
    """First events and their time, and what sites declare; without time what was reported."""
    found = first_event_rate(events, months, declared=declared or ClusterSums.of([], []), per=PER)
    if not found.exposure:
        return reported, 0.0, None, None, None, "no_denominator"
    n = int(found.events)
    return n, found.exposure, found.rate, found.lower, found.upper, _status(n)


def clustered_row(sums: ClusterSums | None, *, reported: int) -> Numbers:
    """Events that cluster within patients; without time what was reported."""
    if sums is None or not sums.time:
        return reported, 0.0, None, None, None, "no_denominator"
    found = clustered_rate_of_sums(sums, per=PER)
    status = _status(int(sums.events))
    return int(sums.events), float(sums.time), found.rate, found.lower, found.upper, status


def added(one: ClusterSums | None, other: ClusterSums | None) -> ClusterSums | None:
    """The sums of clusters of both; no cluster is in the two of them."""
    if one is None or other is None:
        return one or other
    names = ("events", "time", "x2", "xt", "t2", "clusters")
    return ClusterSums(**{name: getattr(one, name) + getattr(other, name) for name in names})


def curve_rows(entered: Ints, left: Ints, events: Ints) -> Iterator[Numbers]:
    """The rows of one curve: its first month, the months with an event, and its last.

    entered, left, events: devices by month since implantation; `left` are those without an event.
    """
    counts = LifeCounts(np.arange(entered.size, dtype=float), entered, {0: left, 1: events})
    at_risk = counts.at_risk_by_month()
    enough = at_risk >= FEWEST_AT_RISK
    if not enough.any():
        most = int(at_risk.max(initial=0))
        yield 0, most, 0, None, None, None, "unstable" if most else "no_denominator"
        return
    first = int(np.argmax(enough))
    fewer = np.flatnonzero(~enough[first:])
    last = first + int(fewer[0]) - 1 if fewer.size else int(enough.size) - 1
    curve = product_limit(counts.between(first, last))
    status = _status(int(curve.events.sum()))
    if not (curve.times.size and curve.times[0] == first):
        yield first, int(at_risk[first]), 0, 1.0, 1.0, 1.0, status
    columns = (curve.times, curve.at_risk, curve.events, curve.survival, curve.lower, curve.upper)
    month, estimate, limits = first, 1.0, (None, None)
    for time, n, d, estimate, lower, upper in zip(*(c.tolist() for c in columns), strict=True):
        month, limits = int(time), (_defined(lower), _defined(upper))
        yield month, n, d, estimate, *limits, status
    if month != last:
        yield last, int(at_risk[last]), 0, estimate, *limits, status


def time_within(starts: Ints, ends: Ints, origins: Ints, year: int) -> Ints:
    """Quarters of a month that each device was followed in a calendar year.

    starts, ends: in quarters since implantation; origins: quarters from year 0 to that.
    """
    first = QUARTERS_A_YEAR * year - origins
    return np.maximum(np.minimum(ends, first + QUARTERS_A_YEAR) - np.maximum(starts, first), 0)


def _status(events: int) -> str:
    if not events:
        return "zero"
    return "ok" if events >= FEWEST_STABLE else "unstable"


def _defined(limit: float) -> float | None:
    return None if np.isnan(limit) else limit

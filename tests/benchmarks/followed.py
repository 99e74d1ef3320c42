"""From devices in memory to the curves of an answer, the same for the ORM and for arrays.

What is compared is how sums are found; the estimators are the registry's own, and so is which of
their limits are the widest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from registry.reporting.estimating.curve_groups import Group
from registry.reporting.estimating.curve_limits import Spread, curve_limits
from registry.reporting.estimating.site_months import LivesBySite
from registry.statistics.life_counts import CENSORED, LifeCounts
from registry.statistics.patient_curves import ENTRY, LinesOfPatients
from registry.statistics.survival import THE_EVENT, product_limit
from tests.benchmarks.eight_questions import Numbers
from tests.benchmarks.estimates import Ints, status_of

CAME, LEFT, EVENT = 0, 1, 2
"""What a line of a device tells: that it entered, or that it was last at risk, by what."""

_CAUSES = np.array([ENTRY, CENSORED, THE_EVENT])


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Devices of one curve or of several, an entry each.

    came: the month of entry. ended: the month in which it was last at risk. by_event: whether by
    the event. patient, site: small numbers.
    """

    came: Ints
    ended: Ints
    by_event: Ints
    patient: Ints
    site: Ints

    def by(self, group: Ints) -> Mapping[int, "Followed"]:
        """The devices of each group, in one pass; group: a small number for each device."""
        order = np.argsort(group, kind="stable")
        sizes = np.bincount(group)
        columns = (self.came, self.ended, self.by_event, self.patient, self.site)
        parts = [np.split(column[order], np.cumsum(sizes)[:-1]) for column in columns]
        return {
            at: Followed(*(part[at] for part in parts)) for at in np.flatnonzero(sizes).tolist()
        }

    def lines(self) -> tuple[Ints, Ints]:
        """The two lines of each device: what they tell, times the months there are, plus the month.

        The first entry is always less than the second.
        """
        end = np.where(self.by_event, EVENT, LEFT)
        return self.came, end * self.months + self.ended

    @property
    def months(self) -> int:
        """How many months there are, of month 0 on."""
        return int(max(self.came.max(), self.ended.max())) + 1


def curve_rows(devices: Followed) -> Iterator[Numbers]:
    """The rows of one curve: its first month, the months with an event, and its last."""
    group = _group(devices)
    at_risk = group.counts.at_risk_by_month()
    span = group.span()
    if span is None:
        most = int(at_risk.max(initial=0))
        yield 0, most, 0, None, None, None, "unstable" if most else "no_denominator"
        return
    first, last = span
    curve = product_limit(group.counts.between(first, last))
    limits = curve_limits(
        group,
        span,
        curve.times,
        Spread(curve.se, curve.lower, curve.upper, None),
        None,
        incidence=False,
        cluster=None,
        level=0.95,
    )
    status = status_of(int(curve.events.sum()))
    if not (curve.times.size and curve.times[0] == first):
        yield first, int(at_risk[first]), 0, 1.0, 1.0, 1.0, status
    columns = (curve.times, curve.at_risk, curve.events, curve.survival, limits.lower, limits.upper)
    month, estimate, told = first, 1.0, (None, None)
    for time, n, d, estimate, lower, upper in zip(*(c.tolist() for c in columns), strict=True):
        month, told = int(time), (_defined(lower), _defined(upper))
        yield month, n, d, estimate, *told, status
    if month != last:
        yield last, int(at_risk[last]), 0, estimate, *told, status


def _group(devices: Followed) -> Group:
    months = devices.months
    came, end = devices.lines()
    entered = np.bincount(came, minlength=months)
    left, events = np.bincount(end, minlength=3 * months).reshape(3, months)[LEFT:]
    counts = LifeCounts(
        np.arange(months, dtype=float), entered, {CENSORED: left, THE_EVENT: events}
    )
    return Group((), counts, 0, _by_site(devices, came, end), _of_patients(devices, came, end))


def _by_site(devices: Followed, came: Ints, end: Ints) -> LivesBySite:
    """How many lines of each kind there are at each site."""
    months, sites = devices.months, int(devices.site.max()) + 1
    at = devices.site.astype(np.int64) * 3 * months
    found = np.bincount(np.concatenate((at + came, at + end)), minlength=sites * 3 * months)
    there = np.flatnonzero(found)
    site, line = np.divmod(there, 3 * months)
    what, month = np.divmod(line, months)
    return LivesBySite(sites, site, what == CAME, _CAUSES[what], month, found[there])


def _of_patients(devices: Followed, came: Ints, end: Ints) -> LinesOfPatients | None:
    """The lines of each patient with each other; None where nobody has two devices."""
    order = np.argsort(devices.patient, kind="stable")
    patient = devices.patient[order]
    patients = int(np.count_nonzero(patient[1:] != patient[:-1])) + 1
    if patients == patient.size:
        return None
    every = 3 * devices.months
    lines = np.flatnonzero(np.bincount(came, minlength=every) + np.bincount(end, minlength=every))
    place = np.zeros(every, dtype=np.int64)
    place[lines] = np.arange(lines.size)
    own = place[came[order]], place[end[order]]
    upper = _met(own[0], own[1], lines.size)
    apart = 1
    while (same := np.flatnonzero(patient[apart:] == patient[:-apart])).size:
        for one, other in product(own, own):
            upper += _met(one[same], other[same + apart], lines.size)
        apart += 1
    products = (upper + upper.T).astype(np.float64)
    once = np.bincount(own[0], minlength=lines.size) + np.bincount(own[1], minlength=lines.size)
    products[np.diag_indices_from(products)] += once
    what, month = np.divmod(lines, devices.months)
    return LinesOfPatients(_CAUSES[what], month, products, patients)


def _met(one: Ints, other: Ints, size: int) -> Ints:
    """How often each line met each other one."""
    return np.bincount(one * size + other, minlength=size * size).reshape(size, size)


def _defined(limit: float) -> float | None:
    return None if np.isnan(limit) else limit

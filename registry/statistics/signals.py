"""Signals: events reported out of proportion, and components whose rate stands out.

Many comparisons are made at once and none of the limits is adjusted for that: a signal is a reason
to look, not a finding, and whoever shows signals says how many pairs were tried.
"""

from math import exp, log, log2, sqrt
from typing import TypeAlias

import numpy as np
from scipy.special import gammainc, gammainccinv, gammaincinv, ndtri

from registry.statistics.arguments import Numbers, equally_long, row, tail, whole, whole_row
from registry.statistics.results import Criterion, Disproportionality, OutlierSignal, Reason

RATE_RATIO = 2.0
SIGNIFICANT = 0.05
ENOUGH_DEVICES = 10
REVISED_SHARE = 0.75
ENOUGH_REVISED = 2
LARGE_SHARE = 0.25

_Measure: TypeAlias = tuple[float | None, float | None, float | None]


def disproportionality(
    a: int, b: int, c: int, d: int, *, level: float = 0.95
) -> Disproportionality:
    """How much more often an event is reported with a product than without it, by three measures.

    a: reports of the product with the event; b: of the product without it; c: of all others with
    it; d: of all others without it. PRR (Evans, 2001), ROR (van Puijenbroek, 2002), both undefined
    (`empty_cell`) where any cell is 0; IC = log2((a + 1/2) / (E + 1/2)) with limits by gamma
    quantiles (Noren, 2013), which needs only one report in all. chi2_yates, with the correction
    for continuity, is None where a row or a column of the table is empty.
    Raises ValueError on counts that are negative, missing or not whole.
    """
    a, b, c, d = (whole(name, value) for name, value in zip("abcd", (a, b, c, d), strict=True))
    each_tail = tail(level)
    z = -float(ndtri(each_tail))
    total = a + b + c + d
    if total == 0:
        return Disproportionality(
            *(None, None, None),
            *(None, None, None),
            ic=None,
            ic_lower=None,
            ic_upper=None,
            chi2_yates=None,
            expected=None,
            reason=Reason.NO_REPORTS,
        )
    expected = (a + b) * (a + c) / total
    prr: _Measure = (None, None, None)
    ror: _Measure = (None, None, None)
    if all((a, b, c, d)):
        spread = sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
        prr = _ratio((a / (a + b)) / (c / (c + d)), z * spread)
        ror = _ratio(a * d / (b * c), z * sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    excess = max(0.0, abs(a * d - b * c) - total / 2)
    return Disproportionality(
        *prr,
        *ror,
        ic=log2((a + 0.5) / (expected + 0.5)),
        ic_lower=log2(float(gammaincinv(a + 0.5, each_tail)) / (expected + 0.5)),
        ic_upper=log2(float(gammainccinv(a + 0.5, each_tail)) / (expected + 0.5)),
        chi2_yates=total * excess**2 / margins if margins else None,
        expected=expected,
        reason=None if all((a, b, c, d)) else Reason.EMPTY_CELL,
    )


def outlier_rule(
    *, events: Numbers, exposure: Numbers, devices: Numbers, revised: Numbers
) -> tuple[OutlierSignal, ...]:
    """Which components of a group stand out, by the first stage of the AOANJRR's rule.

    One entry per component of the group, in each array and in the answer: events and exposure of
    its rate, how many devices were implanted and how many of them revised. A component is flagged
    if its rate exceeds twice the group's, the Poisson probability of at least that many events at
    the group's rate is below 0.05, and it has at least 10 devices, or at least 75 % of them (and
    two or more) revised. A component with over 25 % of the group's devices is left out of the rate
    that it is compared with. `flagged` is None where either rate has no exposure.
    Source: Australian Orthopaedic Association National Joint Replacement Registry, "Assessing
    prosthesis performance". Raises ValueError on negative or missing values, on arrays of
    different length and on more revised than implanted devices.
    """
    counts, time = row("events", events), row("exposure", exposure)
    implanted, explanted = whole_row("devices", devices), whole_row("revised", revised)
    equally_long(events=counts, exposure=time, devices=implanted, revised=explanted)
    if (explanted > implanted).any():
        raise ValueError("revised: there are more revised than implanted devices.")
    large = implanted > LARGE_SHARE * implanted.sum()
    group_counts = counts.sum() - np.where(large, counts, 0)
    group_time = time.sum() - np.where(large, time, 0)
    rows = (counts, time, implanted, explanted, group_counts, group_time)
    return tuple(
        _verdict(*values) for values in zip(*(values.tolist() for values in rows), strict=True)
    )


def _ratio(ratio: float, half: float) -> tuple[float, float, float]:
    return ratio, exp(log(ratio) - half), exp(log(ratio) + half)


def _verdict(
    events: float,
    exposure: float,
    devices: int,
    revised: int,
    group_events: float,
    group_exposure: float,
) -> OutlierSignal:
    if exposure == 0:
        reason = Reason.EVENTS_WITHOUT_EXPOSURE if events else Reason.NO_EXPOSURE
        return OutlierSignal(None, (), None, None, None, reason)
    if group_exposure == 0:
        return OutlierSignal(None, (), None, None, None, Reason.NO_GROUP_EXPOSURE)
    group_rate = group_events / group_exposure
    p = float(gammainc(events, group_rate * exposure)) if events else 1.0
    conditions = {
        Criterion.RATE_OVER_TWICE_THE_GROUP: events / exposure > RATE_RATIO * group_rate,
        Criterion.UNLIKELY_BY_CHANCE: p < SIGNIFICANT,
        Criterion.TEN_DEVICES: devices >= ENOUGH_DEVICES,
        Criterion.THREE_QUARTERS_REVISED: (
            revised >= ENOUGH_REVISED and revised >= REVISED_SHARE * devices
        ),
    }
    stands_out, unlikely, enough, mostly_revised = conditions.values()
    return OutlierSignal(
        flagged=stands_out and unlikely and (enough or mostly_revised),
        reasons=tuple(criterion for criterion, met in conditions.items() if met),
        rate_ratio=events / exposure / group_rate if group_rate else None,
        p=p,
        group_rate=group_rate,
        reason=None if group_rate else Reason.NO_GROUP_EVENTS,
    )

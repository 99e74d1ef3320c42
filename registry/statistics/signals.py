"""Signals: events reported out of proportion, and components whose rate stands out.

Limits are not adjusted for multiple comparisons, for which q-values are: a signal is a reason to
look, not a finding, and every display of signals states how many pairs were compared.
"""

from math import exp, log, log2, sqrt
from typing import TypeAlias

import numpy as np
from scipy.special import gammainc, gammainccinv, gammaincinv, ndtri
from scipy.stats import false_discovery_control

from registry.statistics.arguments import Numbers, equally_long, row, tail, whole, whole_row
from registry.statistics.results import (
    Criterion,
    Disproportionality,
    FloatArray,
    OutlierSignal,
    Reason,
)

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


def perturbed_disproportionality(
    a: int,
    product: int,
    event: int,
    total: int,
    *,
    variances: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
    level: float = 0.95,
) -> Disproportionality:
    """The measures of `disproportionality` from perturbed counts whose noise variances are known.

    a: reports of the product with the event; product, event: all of either; total: all reports;
    all four above 0. variances: of their independent errors, in this order. The variance that the
    errors add to the log of each measure (delta method) is added to that of chance, and chi2_yates
    is divided by the factor by which the variance of the observed count grows. Errors can leave a
    cell of the table at 0 or below: PRR and ROR are then undefined, the IC is not. Without errors
    the numbers are those of `disproportionality`. Raises ValueError on a count of 0.
    """
    if min(a, product, event, total) <= 0:
        raise ValueError("a, product, event, total: only counts above 0 can be compared.")
    b, c, d = product - a, event - a, total - product - event + a
    plain = disproportionality(a, max(b, 0), max(c, 0), max(d, 0), level=level)
    of_a, of_product, of_event, of_total = variances
    z = -float(ndtri(tail(level)))
    expected = product * event / total
    of_log = of_a / a**2 + of_product / product**2 + of_event / event**2 + of_total / total**2
    ic = log2((a + 0.5) / (expected + 0.5))
    low = (log2(float(gammaincinv(a + 0.5, tail(level))) / (expected + 0.5)) - ic) * log(2)
    high = (log2(float(gammainccinv(a + 0.5, tail(level))) / (expected + 0.5)) - ic) * log(2)
    prr: _Measure = (None, None, None)
    ror: _Measure = (None, None, None)
    prr_noise = 0.0
    if min(b, c, d) > 0:
        others = c + d
        chance = 1 / a - 1 / product + 1 / c - 1 / others
        noise = (
            of_a * (1 / a + 1 / c) ** 2
            + of_product * (1 / product + 1 / others) ** 2
            + of_event / c**2
            + of_total / others**2
        )
        prr = _ratio((a / product) / (c / others), z * sqrt(chance + noise))
        prr_noise = sqrt(noise)
        chance = 1 / a + 1 / b + 1 / c + 1 / d
        noise = (
            of_a * chance**2
            + of_product * (1 / b + 1 / d) ** 2
            + of_event * (1 / c + 1 / d) ** 2
            + of_total / d**2
        )
        ror = _ratio(a * d / (b * c), z * sqrt(chance + noise))
    return Disproportionality(
        *prr,
        *ror,
        ic=ic,
        ic_lower=ic - sqrt(low**2 + z**2 * of_log) / log(2),
        ic_upper=ic + sqrt(high**2 + z**2 * of_log) / log(2),
        chi2_yates=None if plain.chi2_yates is None else plain.chi2_yates / (1 + a * of_log),
        expected=expected,
        reason=None if min(b, c, d) > 0 else Reason.EMPTY_CELL,
        prr_noise=prr_noise,
    )


def false_discovery_rates(p: Numbers) -> FloatArray:
    """The q-value of each p-value: the least false discovery rate at which it is a discovery.

    Shape (n,), in the order given; of all that were looked at (Benjamini and Hochberg, 1995).
    Raises ValueError on a value outside 0 to 1.
    """
    values = row("p", p)
    if (values > 1).any():
        raise ValueError("p: must lie between 0 and 1.")
    q: FloatArray = false_discovery_control(values) if values.size else values
    return q


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

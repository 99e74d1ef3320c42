"""The literature's figures worked out as the registry's own, so that both can stand together."""

from dataclasses import dataclass

from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import incidence_rate
from registry.vocabulary import Measure


@dataclass(frozen=True, slots=True)
class Figure:
    """A published number with the limits that its own counts give; None is undefined."""

    value: float | None
    lower: float | None
    upper: float | None


def published_figure(
    measure: Measure, *, events: float, of: float, per: float = 1.0, level: float = 0.95
) -> Figure:
    """A published proportion with Wilson's limits, or rate with Garwood's, from its counts.

    events: the numerator. of: people at risk, or units of exposure; 0 leaves all undefined.
    per: units of exposure that a rate is given for. Raises ValueError for any other measure, for
    negative counts, and for a proportion of more than all.
    """
    if measure is Measure.PROPORTIONS:
        lower, upper = wilson_interval(events, of, level=level)
        return Figure(events / of if of else None, lower, upper)
    if measure is Measure.RATES:
        rate = incidence_rate(events, of, per=per, level=level)
        return Figure(rate.rate, rate.lower, rate.upper)
    raise ValueError(f"The literature is not compared by {measure.label.lower()}.")

"""Incidence rates: of independent events, and of events that cluster in patients or sites."""

from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

from scipy import special

from registry.statistics.arguments import Numbers, equally_long, positive, row, scalar, tail, whole
from registry.statistics.intervals import poisson_interval
from registry.statistics.results import ClusteredRate, Limits, Rate, Reason

FEWEST_SITES = 10
"""With fewer sites their dispersion is too uncertain to say anything."""


@dataclass(frozen=True)
class ClusterSums:
    """Sufficient statistics of a rate's clusters (patients or sites): totals, sums of products.

    events, time: totals; x2, xt, t2: sums over clusters of events squared, events times time and
    time squared; clusters: how many have events or time. Time may be in any one unit, t2 is in its
    square. Sums of clusters add up where no cluster is in both.
    Integers of any size are kept as integers, so that their sums stay exact; to turn quarters of a
    month into months divide time and xt by 4 and t2 by 16, which a float does exactly below 2 to
    the 53.
    Raises ValueError on negative or missing values, on a number of clusters that is not whole, and
    on events or time without a cluster.
    """

    events: float
    time: float
    x2: float
    xt: float
    t2: float
    clusters: int

    def __post_init__(self) -> None:
        for name in ("events", "time", "x2", "xt", "t2"):
            scalar(name, getattr(self, name))
        if not whole("clusters", self.clusters) and (self.events or self.time):
            raise ValueError("clusters: events or time need at least one.")

    @classmethod
    def of(cls, events: Numbers, exposure: Numbers) -> "ClusterSums":
        """The sums of individual clusters; those without events and exposure are left out.

        events, exposure: one entry per cluster. Raises ValueError on negative or missing values and
        on arrays of different length.
        """
        x, t = row("events", events), row("exposure", exposure)
        equally_long(events=x, exposure=t)
        return cls(
            events=float(x.sum()),
            time=float(t.sum()),
            x2=float(x @ x),
            xt=float(x @ t),
            t2=float(t @ t),
            clusters=int(((x > 0) | (t > 0)).sum()),
        )


def incidence_rate(
    events: float, exposure: float, *, per: float = 1.0, level: float = 0.95
) -> Rate:
    """Rate of events per `per` units of exposure, with its exact interval (Garwood, 1936).

    Without exposure the rate is undefined, whatever the count: `no_exposure`, or
    `events_without_exposure` where the count shows that device time is missing from the data.
    Raises ValueError on negative or missing values and on a level outside 0 to 1.
    """
    x, time = scalar("events", events), scalar("exposure", exposure)
    units = positive("per", per)
    lower, upper = poisson_interval(x, time, level=level)
    return Rate(
        events=x,
        exposure=time,
        rate=_per(x / time if time else None, units),
        lower=_per(lower, units),
        upper=_per(upper, units),
        reason=_missing_exposure(x, time),
    )


def clustered_rate_of_sums(
    sums: ClusterSums, *, per: float = 1.0, level: float = 0.95
) -> ClusteredRate:
    """Rate of events that cluster within patients, its interval widened by their dispersion.

    The dispersion is the variance of the rate by the ratio of cluster totals (Cochran, 1977,
    chapter 6) over its Poisson variance: sum((x - r t)^2) / sum(x) * n / (n - 1), never below 1,
    where sum((x - r t)^2) = x2 - 2 r xt + r^2 t2. The limits are Garwood's for events / dispersion,
    scaled back: quasi-Poisson. No events: dispersion 1. One cluster: dispersion None with
    `one_cluster`, and Garwood's plain limits. Clusters with neither events nor exposure are left
    out; events in a cluster without exposure count, as a split of its time by calendar year is
    approximate and can leave some.
    The sums are combined as fractions, without rounding. Rounding in the sums themselves changes
    the dispersion by about 1e-15 times the most events of a cluster, whole numbers not at all.
    Raises ValueError on a level outside 0 to 1 and on units that are not above 0.
    """
    units = positive("per", per)
    total, time = float(sums.events), float(sums.time)
    reason = _missing_exposure(total, time)
    dispersion = None if reason else _dispersion(sums)
    if reason is None and dispersion is None:
        reason = Reason.ONE_CLUSTER
    return _widened(total, time, dispersion, reason, units=units, level=level)


def _widened(
    events: float,
    exposure: float,
    dispersion: float | None,
    reason: Reason | None,
    *,
    units: float,
    level: float,
) -> ClusteredRate:
    """A rate per units with limits as wide as the dispersion asks for; None is Poisson's."""
    lower, upper = quasi_poisson_interval(events, exposure, dispersion or 1.0, level=level)
    return ClusteredRate(
        events=events,
        exposure=exposure,
        rate=_per(events / exposure if exposure else None, units),
        lower=_per(lower, units),
        upper=_per(upper, units),
        reason=reason,
        dispersion=dispersion,
    )


def clustered_rate(
    events: Numbers, exposure: Numbers, *, per: float = 1.0, level: float = 0.95
) -> ClusteredRate:
    """The rate of `clustered_rate_of_sums` from individual clusters.

    events, exposure: one entry per cluster (patient). Raises ValueError on negative or missing
    values, on arrays of different length, and as clustered_rate_of_sums does.
    """
    return clustered_rate_of_sums(ClusterSums.of(events, exposure), per=per, level=level)


def first_event_rate(
    events: float,
    exposure: float,
    *,
    declared: ClusterSums,
    per: float = 1.0,
    level: float = 0.95,
) -> ClusteredRate:
    """Rate of first events and, with them, of all events in exposure that sites declared.

    events, exposure: of devices, each with its first event at most, so that these are Poisson.
    declared: of sites' years, in which a device may have had several; their dispersion (see
    `clustered_rate_of_sums`) widens the limits by the share of the events that are theirs, and is
    not below 1. One declared year, or none, has none: Garwood's limits. `dispersion` is that of
    all events together: (events + d * declared events) / all.
    Raises ValueError as `clustered_rate_of_sums` does.
    """
    units = positive("per", per)
    total, time = events + float(declared.events), exposure + float(declared.time)
    reason = _missing_exposure(total, time)
    alone = _dispersion(declared) if declared.time and declared.events else None
    together = None if alone is None else (events + alone * float(declared.events)) / total
    return _widened(total, time, together, reason, units=units, level=level)


def quasi_poisson_interval(
    events: float, exposure: float, dispersion: float, *, level: float = 0.95
) -> Limits:
    """Garwood's limits of events / dispersion, scaled back, per unit of exposure.

    Undefined without exposure. Raises ValueError on a dispersion that is not above 0.
    """
    factor = positive("dispersion", dispersion)
    return _scaled(poisson_interval(events / factor, exposure, level=level), factor)


def site_dispersion(sums: ClusterSums, *, level: float = 0.95) -> float | None:
    """The dispersion of a rate by sites, allowed for their number; never below 1.

    Cochran's ratio estimator with the factor n / (n - 1), times (t / z)^2 with Student's t of n - 1
    degrees of freedom for the normal quantile, as few clusters ask for (Cameron and Miller, J Hum
    Resources 2015, section VI).
    None with fewer than FEWEST_SITES sites, without exposure and without events.
    """
    if sums.clusters < FEWEST_SITES or sums.time <= 0 or sums.events <= 0:
        return None
    upto = 1 - tail(level)
    widened = float(special.stdtrit(sums.clusters - 1, upto) / special.ndtri(upto)) ** 2
    return max(1.0, _ratio_variance(sums) * widened)


def _dispersion(sums: ClusterSums) -> float | None:
    """The dispersion by clusters, never below 1; None of one cluster."""
    if sums.clusters == 1:
        return None
    return max(1.0, _ratio_variance(sums)) if sums.events else 1.0


def _ratio_variance(sums: ClusterSums) -> float:
    """The variance of a ratio of totals over its Poisson variance, of two clusters or more.

    The squares of x - r t nearly cancel where clusters are alike, hence the exact fractions.
    """
    total, x2, xt, t2 = map(_exactly, (sums.events, sums.x2, sums.xt, sums.t2))
    rate = total / _exactly(sums.time)
    squares = x2 - 2 * rate * xt + rate**2 * t2
    clusters = int(sums.clusters)
    return float(squares / total * clusters / (clusters - 1))


def _exactly(number: float) -> Fraction:
    return Fraction(int(number) if isinstance(number, Integral) else float(number))


def _missing_exposure(events: float, exposure: float) -> Reason | None:
    if exposure > 0:
        return None
    return Reason.EVENTS_WITHOUT_EXPOSURE if events > 0 else Reason.NO_EXPOSURE


def _scaled(limits: Limits, factor: float) -> Limits:
    lower, upper = limits
    return _per(lower, factor), _per(upper, factor)


def _per(value: float | None, units: float) -> float | None:
    return None if value is None else value * units

"""Rows of a rate, exact or shown, in one form for trends and funnels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from registry.disclosure import ShownNode, rate_parts, rate_row
from registry.records import Cell
from registry.reporting.estimating.found import Found
from registry.snapshot.statement import Key
from registry.vocabulary import CellStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One row of a rate: the numbers to show, and those to compute with.

    numbers: the columns of a rate. events, exposure: None where hidden or without exposure. lower,
    upper: the interval of the events, from that of the rate. count_variance, exposure_sd: of a
    perturbation; 0 for exact numbers.
    """

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus
    events: int | None
    exposure: float | None
    lower: float | None = None
    upper: float | None = None
    count_variance: float = 0.0
    exposure_sd: float = 0.0

    @property
    def counts(self) -> bool:
        """Whether the row has events and exposure."""
        return self.events is not None and self.exposure is not None

    @property
    def exposure_noise(self) -> float:
        """The standard deviation of the logarithm of the exposure, by perturbation."""
        return self.exposure_sd / (self.exposure or 1.0)


def observed_of(found: Found, *, per: float) -> Observed:
    """A row of exact numbers, whose rate is per `per` units."""
    counts = found.status is not CellStatus.NO_DENOMINATOR
    exposure = _number(found.numbers["exposure"])
    return Observed(
        key=found.key,
        numbers=found.numbers,
        status=found.status,
        events=_whole(found.numbers["events"]) if counts else None,
        exposure=exposure if counts else None,
        lower=_in_events(found.numbers["ci_lower"], exposure / per),
        upper=_in_events(found.numbers["ci_upper"], exposure / per),
    )


def observed_of_shown(
    key: Key, nodes: Sequence[ShownNode], *, per: float, level: float
) -> Observed:
    """A row of shown numbers, without hidden ones."""
    numbers = asdict(rate_row(nodes, per=per, level=level))
    status = numbers.pop("status")
    parts = rate_parts(nodes)
    if parts is None:
        return Observed(key=key, numbers=numbers, status=status, events=None, exposure=None)
    return Observed(
        key=key,
        numbers=numbers,
        status=status,
        events=parts.events,
        exposure=parts.exposure,
        lower=_in_events(numbers["ci_lower"], parts.exposure / per),
        upper=_in_events(numbers["ci_upper"], parts.exposure / per),
        count_variance=parts.count_variance,
        exposure_sd=parts.exposure_sd,
    )


def _in_events(limit: Cell, units: float) -> float | None:
    return None if limit is None else float(limit) * units


def _whole(value: Cell) -> int:
    return int(value or 0)


def _number(value: Cell) -> float:
    return float(value or 0)

"""Rows of an answer from shown nodes: counts, rates and proportions that hold no hidden number."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from registry.disclosure.intervals import perturbed_proportion_interval, perturbed_rate_interval
from registry.disclosure.shown import ShownNode
from registry.vocabulary import CellStatus, HiddenReason

UNSTABLE_BELOW = 20


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count: the sum of its shown nodes. n is None where none is shown, 0 where impossible.

    hidden_cells: how many nodes were left out. It is no bound: hidden counts are perturbed. reason:
    why n is hidden, where not for its count.
    """

    n: int | None
    status: CellStatus
    hidden_cells: int = 0
    reason: HiddenReason | None = None


@dataclass(frozen=True, slots=True)
class RateRow:
    """A rate per `per` units of exposure, over the nodes that show both; all None where none."""

    events: int | None
    exposure: int | None
    rate: float | None
    ci_lower: float | None
    ci_upper: float | None
    status: CellStatus
    hidden_cells: int = 0
    reason: HiddenReason | None = None


@dataclass(frozen=True, slots=True)
class RateParts:
    """Sums over the shown nodes of a rate, and the variance of the perturbation in them."""

    events: int
    exposure: int
    count_variance: float
    exposure_sd: float
    hidden_cells: int = 0


@dataclass(frozen=True, slots=True)
class ProportionRow:
    """A proportion, at most 1, over the nodes that show both numbers; all None where none."""

    numerator: int | None
    denominator: int | None
    proportion: float | None
    ci_lower: float | None
    ci_upper: float | None
    status: CellStatus
    hidden_cells: int = 0
    reason: HiddenReason | None = None


def count_row(nodes: Sequence[ShownNode]) -> CountRow:
    """The count of one row of a plan; a row without nodes is impossible and counts 0."""
    if not nodes:
        return CountRow(0, CellStatus.ZERO)
    shown = [node.count for node in nodes if node.count is not None]
    hidden = len(nodes) - len(shown)
    if not shown:
        status, reason = hidden_as(nodes)
        return CountRow(None, status, hidden, reason)
    return CountRow(sum(shown), _status(hidden), hidden)


def rate_parts(nodes: Sequence[ShownNode]) -> RateParts | None:
    """The sums over the nodes that show both a count and an exposure; None where no node does.

    A node whose count or whose exposure is hidden adds to neither, so that numerator and
    denominator match. The perturbations of different nodes are independent.
    """
    both = [
        (node.count, node.exposure, node)
        for node in nodes
        if node.count is not None and node.exposure is not None
    ]
    if not both:
        return None
    return RateParts(
        events=sum(count for count, _exposure, _node in both),
        exposure=sum(amount for _count, amount, _node in both),
        count_variance=sum(node.count_variance for _count, _exposure, node in both),
        exposure_sd=sqrt(sum(node.exposure_sd**2 for _count, _exposure, node in both)),
        hidden_cells=len(nodes) - len(both),
    )


def rate_row(nodes: Sequence[ShownNode], *, per: float = 1.0, level: float = 0.95) -> RateRow:
    """The rate of one row of a plan, with its interval after perturbation.

    Computed from `rate_parts`. An impossible row has 0 events, no exposure and so no rate.
    """
    if not nodes:
        return RateRow(0, None, None, None, None, CellStatus.ZERO)
    if not any(node.has_exposure for node in nodes):
        return RateRow(None, None, None, None, None, CellStatus.NO_DENOMINATOR)
    parts = rate_parts(nodes)
    if parts is None:
        because, reason = hidden_as(nodes)
        return RateRow(None, None, None, None, None, because, len(nodes), reason)
    events, exposure, hidden = parts.events, parts.exposure, parts.hidden_cells
    lower, upper = perturbed_rate_interval(
        events,
        exposure,
        count_variance=parts.count_variance,
        exposure_sd=parts.exposure_sd,
        level=level,
    )
    status = _status(hidden)
    if status is CellStatus.OK and events < UNSTABLE_BELOW:
        status = CellStatus.UNSTABLE
    return RateRow(
        events, exposure, per * events / exposure, per * lower, per * upper, status, hidden
    )


def proportion_row(nodes: Sequence[ShownNode], *, level: float = 0.95) -> ProportionRow:
    """The proportion of one row of a plan, with its interval after perturbation.

    Numerator and denominator are perturbed apart, so that the first may come out above the second:
    the proportion is then 1, and both numbers are shown as they are everywhere else.
    """
    if not nodes:
        return ProportionRow(0, None, None, None, None, CellStatus.ZERO)
    both = [
        (node.count, node.population, node)
        for node in nodes
        if node.count is not None and node.population is not None
    ]
    hidden = len(nodes) - len(both)
    if not both:
        because, reason = hidden_as(nodes)
        return ProportionRow(None, None, None, None, None, because, hidden, reason)
    numerator = sum(count for count, _population, _node in both)
    denominator = sum(population for _count, population, _node in both)
    lower, upper = perturbed_proportion_interval(
        numerator,
        denominator,
        numerator_variance=sum(node.count_variance for _count, _population, node in both),
        denominator_variance=sum(node.population_variance for _count, _population, node in both),
        level=level,
    )
    proportion = min(1.0, numerator / denominator)
    return ProportionRow(numerator, denominator, proportion, lower, upper, _status(hidden), hidden)


def hidden_as(nodes: Sequence[ShownNode]) -> tuple[CellStatus, HiddenReason | None]:
    """Status of a row whose number is hidden, and the reason where it is not its own count.

    Of a sum only that all parts are hidden, as together they may be many. Too small a population
    hides any count in it, so its status reveals nothing about the count.
    """
    if len(nodes) != 1:
        return CellStatus.HIDDEN, HiddenReason.PARTS
    (node,) = nodes
    if node.population is None:
        return CellStatus.HIDDEN, HiddenReason.POPULATION
    if node.count is None:
        return CellStatus.SUPPRESSED, None
    return CellStatus.HIDDEN, HiddenReason.EXPOSURE


def _status(hidden: int) -> CellStatus:
    return CellStatus.PARTIAL if hidden else CellStatus.OK

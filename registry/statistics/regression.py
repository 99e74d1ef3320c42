"""Log-linear Poisson regression on sums of cells, with variances robust to clusters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.statistics.arguments import Numbers, equally_long, finite, row
from registry.statistics.results import BoolArray, FloatArray, IntArray, Reason

MOST_STEPS = 60
CONVERGED = 1e-9
"""The fit has converged where a step changes no cell's logarithm by more than this."""

FURTHEST = 18.0
"""A cell whose fitted rate is e to this below all others' has none: the fit runs to infinity."""

NOTHING = 1e-11
"""Of the largest: a direction of less than this is one that the cells do not determine."""

AT_ONCE = 20_000
"""So many pairs of cells are added up at once."""

SAME = 1e-7
"""Contrasts that differ by less than this are the same."""


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """A fitted regression of p columns on c cells.

    coefficients: p logarithms; where columns repeat one another, those of least length, of which
    only estimable contrasts have a meaning. fitted: c counts. covariance: p by p, of Poisson counts
    (the inverse of the information). projection: p by p, onto what the cells determine. reason: why
    there is no fit, and then the arrays are empty.
    """

    coefficients: FloatArray
    fitted: FloatArray
    covariance: FloatArray
    projection: FloatArray
    reason: Reason | None = None

    def is_estimable(self, contrast: FloatArray) -> bool:
        """Whether the cells determine a contrast of the coefficients."""
        away = contrast - self.projection @ contrast
        return bool(np.abs(away).max(initial=0.0) < SAME * max(1.0, np.abs(contrast).max()))


@dataclass(frozen=True, eq=False)
class PairSums:
    """What clusters have in two cells at once: sums over clusters, a line for each pair of cells.

    first, second: places of the cells; each pair stands in both orders, each cell with itself
    once. xx, xt, tt: events in the first times events in the second, events in the first times
    exposure in the second, and exposure times exposure. clusters: how many there are.
    """

    first: IntArray
    second: IntArray
    xx: FloatArray
    xt: FloatArray
    tt: FloatArray
    clusters: int

    def within(self, kept: BoolArray) -> "PairSums":
        """The same clusters, of some of the cells."""
        held = kept[self.first] & kept[self.second]
        place = np.cumsum(kept) - 1
        lines = (self.xx[held], self.xt[held], self.tt[held])
        return PairSums(place[self.first[held]], place[self.second[held]], *lines, self.clusters)

    def meat(self, rates: FloatArray, design: FloatArray) -> FloatArray:
        """The sum over clusters of the outer square of sum(design * (events - rate * exposure))."""
        by_cell = np.zeros_like(design)
        for start in range(0, self.first.size, AT_ONCE):
            lines = slice(start, start + AT_ONCE)
            one, other = self.first[lines], self.second[lines]
            by_events = (rates[other] * self.xt[lines])[:, np.newaxis]
            own = self.xx[lines] + rates[one] * rates[other] * self.tt[lines]
            np.add.at(by_cell, one, own[:, np.newaxis] * design[other] - by_events * design[other])
            np.add.at(by_cell, other, -by_events * design[one])
        found: FloatArray = design.T @ by_cell
        return found


@dataclass(frozen=True, eq=False)
class ClusterTable:
    """Clusters one by one, where they are few: events and exposure, n clusters by c cells.

    of: how many there are, where some have something in other cells alone.
    """

    events: FloatArray
    exposure: FloatArray
    of: int | None = None

    @property
    def clusters(self) -> int:
        """How many have events or exposure."""
        if self.of is not None:
            return self.of
        return int(((self.events != 0) | (self.exposure != 0)).any(axis=1).sum())

    def within(self, kept: BoolArray) -> "ClusterTable":
        """The same clusters, of some of the cells."""
        return ClusterTable(self.events[:, kept], self.exposure[:, kept], self.clusters)

    def meat(self, rates: FloatArray, design: FloatArray) -> FloatArray:
        """As of PairSums."""
        scores = (self.events - self.exposure * rates) @ design
        found: FloatArray = scores.T @ scores
        return found


def poisson_regression(
    events: Numbers, exposure: Numbers, design: NDArray[np.float64]
) -> PoissonFit:
    """Fits log(events) = log(exposure) + design @ coefficients by maximum likelihood.

    events: c counts; exposure: c amounts above 0; design: c rows of p columns, one of them, or a
    sum of them, constant. Iteratively reweighted least squares (McCullagh and Nelder, 1989; R's
    `glm`), each step halved while it raises the deviance. Columns may repeat one another.
    Without a fit, with a reason: no events; or no convergence, as where some cells' rates run to 0
    because the events separate the columns (Albert and Anderson, 1984).
    Raises ValueError on exposure of 0 and on arrays that do not fit each other.
    """
    y, time, x = row("events", events), row("exposure", exposure), finite("design", design)
    equally_long(events=y, exposure=time)
    if x.ndim != 2 or len(x) != y.size:
        raise ValueError("design: a row for each cell is needed.")
    if (time <= 0).any():
        raise ValueError("exposure: a cell has none; leave it out.")
    if not y.sum():
        return _none(Reason.TOO_FEW_EVENTS)
    offset = np.log(time)
    flat = np.log(y.sum() / time.sum())
    eta = np.full(y.shape, flat)
    beta: FloatArray = np.linalg.lstsq(x, eta, rcond=NOTHING)[0]
    eta = x @ beta
    for _ in range(MOST_STEPS):
        fitted = np.exp(eta + offset)
        root = np.sqrt(fitted)
        target = root * eta + (y - fitted) / root
        step = np.linalg.lstsq(root[:, np.newaxis] * x, target, rcond=NOTHING)[0] - beta
        before = _deviance(y, eta + offset)
        size = 1.0
        while _deviance(y, x @ (beta + size * step) + offset) > before + 1e-9 * (1 + abs(before)):
            size /= 2
            if size < 1e-6:
                return _none(Reason.NOT_CONVERGED)
        moved = float(np.abs(size * (x @ step)).max())
        beta = beta + size * step
        eta = x @ beta
        if eta.max() - eta.min() > FURTHEST:
            return _none(Reason.NOT_CONVERGED)
        if moved < CONVERGED:
            return _fit(x, beta, np.exp(eta + offset))
    return _none(Reason.NOT_CONVERGED)


def robust_covariance(
    fit: PoissonFit,
    exposure: Numbers,
    design: NDArray[np.float64],
    sums: PairSums | ClusterTable,
) -> FloatArray:
    """The sandwich variance of a fit's coefficients, robust to clusters; p by p.

    bread @ meat @ bread * n / (n - 1) (Liang and Zeger, Biometrika 1986): the bread is the fit's
    covariance, the meat the sum over the n clusters of the outer square of each one's score.
    Raises ValueError with fewer than two clusters.
    """
    if sums.clusters < 2:
        raise ValueError("clusters: a variance between clusters needs two.")
    rates = fit.fitted / row("exposure", exposure)
    meat = sums.meat(rates, design)
    correction = sums.clusters / (sums.clusters - 1)
    found: FloatArray = fit.covariance @ meat @ fit.covariance * correction
    return found


def _deviance(y: FloatArray, log_fitted: FloatArray) -> float:
    """Twice the fall in log-likelihood, but for what does not depend on the fit."""
    with np.errstate(over="ignore"):
        return float(2 * (np.exp(log_fitted).sum() - y @ log_fitted))


def _fit(x: FloatArray, beta: FloatArray, fitted: FloatArray) -> PoissonFit:
    _, sizes, across = np.linalg.svd(np.sqrt(fitted)[:, np.newaxis] * x, full_matrices=False)
    held: BoolArray = sizes > NOTHING * sizes.max()
    kept = across[held]
    return PoissonFit(
        coefficients=beta,
        fitted=fitted,
        covariance=(kept.T / sizes[held] ** 2) @ kept,
        projection=kept.T @ kept,
    )


def _none(reason: Reason) -> PoissonFit:
    nothing = np.zeros(0)
    return PoissonFit(nothing, nothing, np.zeros((0, 0)), np.zeros((0, 0)), reason)

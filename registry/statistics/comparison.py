"""Rates of groups against a reference: ratios, differences and their test, crude or adjusted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtri, stdtrit

from registry.statistics.arguments import Numbers, equally_long, positive, row, tail, whole_row
from registry.statistics.regression import (
    ClusterTable,
    PairSums,
    PoissonFit,
    poisson_regression,
    robust_covariance,
)
from registry.statistics.results import BoolArray, FloatArray, IntArray, Reason

FEWEST_CLUSTERS = 10
"""Groups in fewer sites are not compared by how sites differ: the sandwich would be too narrow."""

POISSON = "nothing"
"""What limits are robust to where Poisson variance is the largest."""

Stratum = tuple[object, ...]
"""The levels of a stratum, one for each adjuster."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Sums by group and stratum: c counts of events and amounts of exposure above 0.

    groups: c whole numbers. strata: c rows of a whole number for each adjuster.
    """

    events: FloatArray
    exposure: FloatArray
    groups: IntArray
    strata: IntArray

    @classmethod
    def of(
        cls, events: Numbers, exposure: Numbers, groups: Numbers, strata: Sequence[Stratum]
    ) -> "Cells":
        """Cells whose strata have labels of any kind. Raises ValueError on unequal lengths."""
        y, time, group = (
            row("events", events),
            row("exposure", exposure),
            whole_row("groups", groups),
        )
        equally_long(events=y, exposure=time, groups=group)
        columns = [_numbered(each) for each in zip(*strata, strict=True)]
        table = np.array(columns, dtype=np.int64).reshape(len(columns), y.size).T
        return cls(y, time, group, table)


@dataclass(frozen=True)
class Clusters:
    """Clusters of one kind: what they have in the cells, and how few there are.

    name: what the limits are then robust to. sums: of the cells, in their order. by_group: clusters
    with exposure, by group, where their number bounds the degrees of freedom (n - 1, Student's t);
    None where they are many.
    """

    name: str
    sums: PairSums | ClusterTable
    by_group: tuple[int, ...] | None = None

    def degrees(self, *groups: int) -> float:
        """Degrees of freedom of a comparison of these groups; 0 where it is not given."""
        if self.by_group is None:
            return float("inf")
        least = min(self.by_group[group] for group in groups)
        return float(least - 1) if least >= FEWEST_CLUSTERS else 0.0


@dataclass(frozen=True)
class Contrast:
    """One group against the reference; undefined numbers are None, with a reason.

    difference: of rates, per `per` units, over the strata of all exposure. robust_to: which
    clusters made the limits of the ratio.
    """

    ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    difference: float | None = None
    difference_lower: float | None = None
    difference_upper: float | None = None
    robust_to: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class JointTest:
    """The test that no group differs from the reference (Wald). statistic: chi-squared, or F."""

    statistic: float | None
    df: int
    df_within: float | None
    p: float | None
    robust_to: str | None
    reason: Reason | None = None


@dataclass(frozen=True)
class GroupComparison:
    """Each group's contrast, in the order of the groups' numbers, and the joint test.

    parameters, events: of the regression; reason: why there is none. without_events: exposure in
    levels of the adjusters that had no event, where every rate is 0.
    """

    contrasts: tuple[Contrast, ...]
    test: JointTest
    parameters: int
    events: float
    without_events: float
    reason: Reason | None = None


@dataclass(frozen=True, eq=False)
class _Model:
    """A fit with its design; `kept`: which cells it is of."""

    fit: PoissonFit
    design: FloatArray
    kept: BoolArray


def compare(
    cells: Cells,
    reference: int,
    *,
    clusters: Sequence[Clusters] = (),
    adjusted: bool = True,
    robust_to: str | None = None,
    per: float = 1.0,
    level: float = 0.95,
) -> GroupComparison:
    """Rate ratios and differences of groups by log-linear Poisson regression on cells.

    Main effects of group and of each adjuster; `adjusted` False leaves the adjusters out. Limits of
    a ratio are exp(b +- q se), q of the normal, or Student's t where clusters are few; of several
    variances (Poisson, and the sandwich by each kind of clusters) the one with the widest limits.
    robust_to: the only kind of clusters to allow for, where it is given for the groups compared.
    The difference is that of the rates that either group would have in the strata of all exposure
    (regression standardisation; Greenland, Am J Epidemiol 2004), by the delta method.

    A level of an adjuster without events has a rate of 0 and no say in the ratios; its exposure
    counts in the differences. A group without events, a reference without, and a group that no
    stratum connects with the reference have a reason in place of numbers.
    The test is Wald's of all ratios at once: chi-squared, or F where clusters are few; of several
    variances the one with the largest p.
    Raises ValueError on a level outside 0 to 1 and on a cell without exposure.
    """
    each_tail, units = tail(level), positive("per", per)
    n_groups = int(cells.groups.max(initial=reference)) + 1
    own = _summed(cells.events, cells.groups, n_groups)
    time = _summed(cells.exposure, cells.groups, n_groups)
    strata = cells.strata if adjusted else cells.strata[:, :0]
    if not own[reference]:
        return _nothing(own, time, reference, Reason.NO_EVENTS_IN_REFERENCE)
    model = _model(cells, strata, reference, own)
    without = float(cells.exposure[~model.kept & (own[cells.groups] > 0)].sum())
    if model.fit.reason:
        return _nothing(own, time, reference, model.fit.reason)
    spreads = _Spreads(_spreads(model, cells, clusters), robust_to)
    compared = [
        group
        for group in range(n_groups)
        if own[group] and group != reference and model.fit.is_estimable(_unit(model, group))
    ]
    standard = _standard(model, cells, reference, compared)
    contrasts = [
        _contrast(group, reference, model, spreads, standard, each_tail, units)
        if group in compared
        else _without(own[group], time[group], is_reference=group == reference)
        for group in range(n_groups)
    ]
    return GroupComparison(
        contrasts=tuple(contrasts),
        test=_test(model, spreads, compared, reference, others=int((time > 0).sum()) - 1),
        parameters=round(float(np.trace(model.fit.projection))),
        events=float(cells.events[model.kept].sum()),
        without_events=without,
    )


def mantel_haenszel(cells: Cells, group: int, reference: int) -> float | None:
    """The rate ratio of two groups over strata (Rothman and Boice 1979; Greenland and Robins 1985).

    sum(a T0 / T) / sum(b T1 / T) over the strata that both have exposure in. None where either sum
    is 0.
    """
    stratum = _numbered_rows(cells.strata)
    size = int(stratum.max(initial=-1)) + 1
    sums = {
        (which, name): np.bincount(stratum[is_own], values[is_own], size)
        for which, is_own in (("g", cells.groups == group), ("r", cells.groups == reference))
        for name, values in (("x", cells.events), ("t", cells.exposure))
    }
    both = sums["g", "t"] + sums["r", "t"]
    used = (sums["g", "t"] > 0) & (sums["r", "t"] > 0)
    above = float((sums["g", "x"] * sums["r", "t"])[used] @ (1 / both[used]))
    below = float((sums["r", "x"] * sums["g", "t"])[used] @ (1 / both[used]))
    return above / below if above and below else None


@dataclass(frozen=True, eq=False)
class _Spread:
    """A covariance of the coefficients, and the clusters that it is robust to, if any."""

    covariance: FloatArray
    clusters: Clusters | None

    @property
    def name(self) -> str:
        return self.clusters.name if self.clusters else POISSON

    def degrees(self, groups: Sequence[int]) -> float:
        return self.clusters.degrees(*groups) if self.clusters else float("inf")


@dataclass(frozen=True, eq=False)
class _Spreads:
    every: Sequence[_Spread]
    only: str | None

    def of(self, groups: Sequence[int], *, over: float = 0.0) -> list[tuple[_Spread, float]]:
        """Those that compare these groups with more degrees of freedom, and how many they have."""
        found = [(each, each.degrees(groups)) for each in self.every]
        found = [(each, degrees) for each, degrees in found if degrees > over]
        chosen = [pair for pair in found if pair[0].name in (self.only, POISSON)]
        return chosen if len(chosen) > 1 else found


def _model(cells: Cells, strata: IntArray, reference: int, own: FloatArray) -> _Model:
    """Fits the cells of groups and of levels that had events."""
    kept: BoolArray = own[cells.groups] > 0
    while True:
        before = kept.sum()
        for column in strata.T:
            events = np.bincount(column, np.where(kept, cells.events, 0.0))
            kept = kept & (events[column] > 0)
        if kept.sum() == before:
            break
    design = _design(cells.groups, strata, reference, own.size)
    fit = poisson_regression(cells.events[kept], cells.exposure[kept], design[kept])
    return _Model(fit, design, kept)


def _design(groups: IntArray, strata: IntArray, reference: int, n_groups: int) -> FloatArray:
    """A column for the level of all, one for each group, and one for each level but the first.

    The column of the reference is empty, so that a group's coefficient is its contrast.
    """
    columns = [np.ones((groups.size, 1)), np.eye(n_groups)[groups]]
    columns[1][:, reference] = 0.0
    for column in strata.T:
        columns.append(np.eye(int(column.max(initial=0)) + 1)[column][:, 1:])
    return np.hstack(columns)


def _unit(model: _Model, group: int) -> FloatArray:
    contrast = np.zeros(model.design.shape[1])
    contrast[1 + group] = 1.0
    return contrast


def _spreads(model: _Model, cells: Cells, clusters: Sequence[Clusters]) -> list[_Spread]:
    found = [_Spread(model.fit.covariance, None)]
    time, design = cells.exposure[model.kept], model.design[model.kept]
    for each in clusters:
        if each.sums.clusters > 1:
            sums = each.sums.within(model.kept)
            found.append(_Spread(robust_covariance(model.fit, time, design, sums), each))
    return found


def _standard(
    model: _Model, cells: Cells, reference: int, compared: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Rows of the design that the reference would have in each cell, and the cells' weights.

    Of the groups that are compared; a level without events weighs with a rate of 0.
    """
    inside = np.isin(cells.groups, [reference, *compared])
    weight = cells.exposure / cells.exposure[inside].sum()
    used = inside & model.kept
    rows = model.design[used].copy()
    rows[:, 1 : 2 + int(cells.groups.max())] = 0.0
    return rows, weight[used]


def _contrast(
    group: int,
    reference: int,
    model: _Model,
    spreads: _Spreads,
    standard: tuple[FloatArray, FloatArray],
    each_tail: float,
    units: float,
) -> Contrast:
    beta = model.fit.coefficients
    contrast = _unit(model, group)
    log_ratio = float(contrast @ beta)
    rows, weight = standard
    rates = weight * np.exp(rows @ beta)
    ratio, at_reference = float(np.exp(log_ratio)), float(rates.sum())
    difference = at_reference * (ratio - 1)
    gradient = (ratio - 1) * (rates @ rows) + ratio * at_reference * contrast
    widths = []
    for each, degrees in spreads.of((group, reference)):
        far = -float(ndtri(each_tail) if degrees == np.inf else stdtrit(degrees, each_tail))
        half, wide = (
            far * float(np.sqrt(max(0.0, float(along @ each.covariance @ along))))
            for along in (contrast, gradient)
        )
        widths.append((half, wide, each.name))
    half, _, name = max(widths, key=lambda each: each[0])
    wide = max(each[1] for each in widths)
    return Contrast(
        ratio=ratio,
        lower=float(np.exp(log_ratio - half)),
        upper=float(np.exp(log_ratio + half)),
        difference=units * difference,
        difference_lower=units * (difference - wide),
        difference_upper=units * (difference + wide),
        robust_to=name,
    )


def _test(
    model: _Model, spreads: _Spreads, compared: Sequence[int], reference: int, *, others: int
) -> JointTest:
    """Wald's test of the groups that could be compared, of so many others with exposure."""
    if not compared:
        reason = Reason.NONE_COMPARED if others else Reason.ONE_GROUP
        return JointTest(None, 0, None, None, None, reason)
    places = [1 + group for group in compared]
    logs, df = model.fit.coefficients[places], len(compared)
    found = []
    # the sandwich of n clusters has at most n - 1 directions
    for each, degrees in spreads.of((*compared, reference), over=df):
        covariance = each.covariance[np.ix_(places, places)]
        wald = float(logs @ np.linalg.pinv(covariance, hermitian=True) @ logs)
        if degrees == np.inf:
            found.append(JointTest(wald, df, None, float(chdtrc(df, wald)), each.name))
        else:
            p = float(fdtrc(df, degrees, wald / df))
            found.append(JointTest(wald / df, df, degrees, p, each.name))
    return max(found, key=lambda each: each.p or 0.0)


def _without(events: float, time: float, *, is_reference: bool) -> Contrast:
    if is_reference:
        return Contrast(ratio=1.0, difference=0.0)
    if not time:
        return Contrast(reason=Reason.NO_TIME_HERE)
    return Contrast(reason=Reason.NO_COMMON_STRATUM if events else Reason.NO_EVENTS_HERE)


def _nothing(own: FloatArray, time: FloatArray, reference: int, reason: Reason) -> GroupComparison:
    each = [
        Contrast(reason=reason)
        if group == reference or own[group]
        else _without(0.0, time[group], is_reference=False)
        for group in range(own.size)
    ]
    test = JointTest(None, 0, None, None, None, reason)
    return GroupComparison(tuple(each), test, 0, 0.0, 0.0, reason)


def _summed(values: FloatArray, places: IntArray, size: int) -> FloatArray:
    return np.bincount(places, values, size).astype(np.float64)


def _numbered(column: Sequence[object]) -> list[int]:
    places: dict[object, int] = {}
    return [places.setdefault(value, len(places)) for value in column]


def _numbered_rows(table: NDArray[np.int64]) -> IntArray:
    if not table.shape[1]:
        return np.zeros(len(table), dtype=np.int64)
    found = np.unique(table, axis=0, return_inverse=True)[1]
    return found.reshape(-1).astype(np.int64)

"""Non-negative least squares over a table and all its margins."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from registry.disclosure import Policy
from registry.vocabulary import NOT_RECORDED
from tests.disclosure.attack.asking import (
    Asker,
    Values,
)
from tests.disclosure.attack.truth import Labels

NOISE = 6.0
HIDDEN_BELOW = Policy().threshold
STEPS = 300
_OVERLAP = 0.08
"""Share by which a sum over the event's side may exceed the number of patients."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way to look along an axis: each value, each group, or all values together.

    members: rows are what is shown, columns the values. asked: the name to group by and the
    filters of each row; one of them, or neither for all.
    """

    asked_name: str | None
    asked_filters: tuple[tuple[str, tuple[str, ...]], ...]
    members: NDArray[np.float64]


def sides(asker: Asker, name: str) -> list[Side]:
    """Every level of a dimension that is published."""
    labels = asker.axis(name)
    found = [Side(name, (), np.eye(len(labels)))]
    if any(asker.group_of(name, label) for label in labels):
        found += _group_side(asker, name, labels)
    everything = np.array([[float(asker.in_all(name, label)) for label in labels]])
    return [*found, Side(None, (), everything)]


def _group_side(asker: Asker, name: str, labels: Labels) -> list[Side]:
    groups = [asker.group_of(name, label) or NOT_RECORDED for label in labels]
    coarse = asker.coarser(name)
    if coarse is not None:
        order = asker.axis(coarse)
        members = np.array(
            [
                [
                    float(g == group and (asker.in_all(name, lb) or not asker.in_all(coarse, g)))
                    for g, lb in zip(groups, labels, strict=True)
                ]
                for group in order
            ]
        )
        return [Side(coarse, (), members)]
    wide = [group for group in dict.fromkeys(groups) if groups.count(group) > 1]
    if not wide:
        return []
    filters = tuple(
        (name, tuple(lb for g, lb in zip(groups, labels, strict=True) if g == group))
        for group in wide
    )
    return [Side(None, filters, np.array([[float(g == group) for g in groups] for group in wide]))]


@dataclass(frozen=True, slots=True)
class Margin:
    """One table of sums over the cells: which cells, what is shown, and how noisy it is."""

    members: sparse.csr_array
    shown: Values
    variance: Values


def margins(asker: Asker, names: Sequence[str], **options: str) -> list[Margin]:
    """The table itself and every table that sums it, as far as they are published."""
    found = []
    for levels in product(*(sides(asker, name) for name in names)):
        shown = _shown(asker, levels, options)
        if shown is None:
            continue
        summed = [
            name
            for name, side in zip(names, levels, strict=True)
            if side.members.shape[0] != side.members.shape[1] and not asker.is_summable(name)
        ]
        variance = np.full(shown.shape, NOISE)
        if summed and asker.server.unit != "events":
            variance += (_OVERLAP * len(summed) * np.nan_to_num(shown)) ** 2
        members = reduce(sparse.kron, [sparse.csr_array(side.members) for side in levels])
        found.append(Margin(sparse.csr_array(members), shown.ravel(), variance.ravel()))
    return found


def _shown(asker: Asker, levels: Sequence[Side], options: dict[str, str]) -> Values | None:
    """What is shown at one combination of levels, axes in order; None where it is refused."""
    names = [side.asked_name for side in levels if side.asked_name]
    if len(set(names)) < len(names):
        return None
    choices = [side.asked_filters or ((None, ()),) for side in levels]
    parts = []
    for chosen in product(*choices):
        where = {name: values for name, values in chosen if name is not None}
        table = asker.table(names, where, **options)
        if table is None:
            return None
        parts.append(np.where(table.clean, table.values, np.nan))
    stacked = np.array(parts).reshape(
        *(len(choice) for choice in choices), *(parts[0].shape if names else ())
    )
    # The filtered axes stand first; put each back to where its dimension stands.
    order, taken = [], len(levels)
    for place, side in enumerate(levels):
        if side.asked_name:
            order.append(taken)
            taken += 1
        else:
            order.append(place)
    spare = [place for place, side in enumerate(levels) if side.asked_name]
    return np.asarray(
        stacked.transpose([*order, *spare]).reshape([side.members.shape[0] for side in levels])
    )


def expected(asker: Asker, names: Sequence[str], **options: str) -> Values:
    """What the totals of each dimension alone lead to expect of every cell.

    A hidden total counts as 1; without any answer everything is 1.
    """
    whole = asker.table((), **options)
    total = float(np.nan_to_num(whole.values, nan=1.0)) if whole else 1.0
    shares = []
    for name in names:
        alone = asker.table((name,), **options)
        shown = np.ones(len(asker.axis(name))) if alone is None else alone.values
        shares.append(np.nan_to_num(shown, nan=1.0) / max(total, 1.0))
    return np.asarray(total * reduce(np.multiply.outer, shares))


def solve(found: Sequence[Margin], start: Values) -> Values:
    """The table of numbers of 0 or more that fits best all that is shown.

    What is hidden counts too: its sum was, but for noise, under the threshold. Projected
    gradient steps with Nesterov's momentum, restarted where it overshoots (O'Donoghue and
    Candes, 2015). No sum has a negative member, so that the row sums of the normal matrix bound
    it and scale the steps.
    """
    shown = [np.flatnonzero(~np.isnan(margin.shown)) for margin in found]
    hidden = [np.flatnonzero(np.isnan(margin.shown)) for margin in found]
    equal = sparse.vstack([m.members[rows] for m, rows in zip(found, shown, strict=True)]).tocsr()
    under = sparse.vstack([m.members[rows] for m, rows in zip(found, hidden, strict=True)]).tocsr()
    target = np.concatenate([m.shown[rows] for m, rows in zip(found, shown, strict=True)])
    weight = 1 / np.concatenate([m.variance[rows] for m, rows in zip(found, shown, strict=True)])
    equal_t, under_t = equal.T.tocsr(), under.T.tocsr()

    ones = np.ones(start.size)
    bound = equal_t @ (weight * (equal @ ones)) + under_t @ (under @ ones) / NOISE
    bound = np.where(bound > 0, bound, 1.0)
    cells = np.maximum(start.ravel(), 0.0)
    ahead, momentum = cells, 1.0
    for _step in range(STEPS):
        over = np.maximum(under @ ahead - (HIDDEN_BELOW - 1), 0.0)
        slope = equal_t @ (weight * (equal @ ahead - target)) + under_t @ over / NOISE
        moved = np.maximum(ahead - slope / bound, 0.0)
        if slope @ (moved - cells) > 0:
            momentum = 1.0
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + (momentum - 1) / following * (moved - cells)
        cells, momentum = moved, following
    return np.asarray(cells.reshape(start.shape))

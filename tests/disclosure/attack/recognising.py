"""How well persons are told apart: learnt on registries whose truth is known, judged on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.disclosure.attack.designs import Values
from tests.disclosure.attack.persons import PARTS, Seen
from tests.disclosure.attack.worlds import Ints

SIZES = np.array([8, 11, 16, 26, 61, 151, 501])
"""Runs of the number shown before, by which a change is read."""

MOST_MOVED = 12
_RUN = 2 * MOST_MOVED + 1
_BINS = SIZES.size + 1
CODES = _BINS * _RUN + 2 * _BINS + 1
LEANING = 15.0
"""So many cells of what is usual are put to each kind of change seen, lest few make him sure."""

RIDGE = 3.0
FALSE_ALARMS = 0.02


def codes(cells: Values) -> Ints:
    """What is seen of each cell: how much it moved by its size, or that it came, went, or hid."""
    before, after = cells[..., 0], cells[..., 1]
    hidden, gone = np.isnan(before), np.isnan(after)
    moved = np.nan_to_num(after - before).clip(-MOST_MOVED, MOST_MOVED).astype(np.int64)
    run = np.searchsorted(SIZES, np.nan_to_num(np.where(hidden, after, before)), side="right")
    found = run * _RUN + moved + MOST_MOVED
    found = np.where(gone, _BINS * _RUN + run, found)
    found = np.where(hidden, _BINS * _RUN + _BINS + run, found)
    return np.where(hidden & gone, CODES - 1, found)


@dataclass(frozen=True, slots=True)
class Weights:
    """Logarithms of how much oftener each change comes with the person: (parts, codes)."""

    ratio: Values

    @classmethod
    def learnt(cls, known: Sequence[Seen]) -> "Weights":
        """From persons of whom it is known."""
        parts = 2 * len(PARTS)
        counts = np.zeros((2, parts * CODES))
        for seen in known:
            for number, cells in enumerate((seen.same, seen.changed)):
                at = seen.part[None, :] * CODES + codes(cells)
                counts[number] += np.bincount(at.ravel(), minlength=parts * CODES)
        counts = counts.reshape(2, parts, CODES)
        total = np.maximum(counts.sum(axis=2, keepdims=True), 1.0)
        usual = counts.sum(axis=0) / total.sum(axis=0)
        chance = (counts + LEANING * usual) / (total + LEANING)
        return cls(np.log(np.maximum(chance[1], 1e-12) / np.maximum(chance[0], 1e-12)))

    def features(self, part: Ints, cells: Values) -> Values:
        """Sums, least and greatest by part; cells that are the same set count once in the last."""
        weight = self.ratio[part[None, :], codes(cells)]
        found = []
        for number in np.unique(part):
            mine = weight[:, part == number]
            found += [mine.sum(axis=1), mine.min(axis=1), mine.max(axis=1)]
        number = np.nan_to_num(cells[..., 0]) * 1e6 + np.nan_to_num(cells[..., 1])
        order = np.argsort(number, axis=1, kind="stable")
        ordered = np.take_along_axis(number, order, axis=1)
        once = np.ones(ordered.shape, bool)
        once[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        found.append((np.take_along_axis(weight, order, axis=1) * once).sum(axis=1))
        return np.stack(found, axis=1)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Gives each person a score: the higher, the likelier he was changed."""

    weights: Weights
    centre: Values
    spread: Values
    slope: Values

    @classmethod
    def trained(cls, known: Sequence[Seen]) -> "Recogniser":
        """On other registries; what a change means is learnt apart from how to add it up."""
        given, wanted = [], []
        for number, seen in enumerate(known):
            others = [*known[:number], *known[number + 1 :]] or list(known)
            weights = Weights.learnt(others)
            for answer, cells in ((1.0, seen.changed), (0.0, seen.same)):
                given.append(weights.features(seen.part, cells))
                wanted.append(np.full(len(cells), answer))
        x, y = np.concatenate(given), np.concatenate(wanted)
        centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
        slope = _logistic((x - centre) / spread, y)
        return cls(Weights.learnt(known), centre, spread, slope)

    def scores(self, seen: Seen) -> tuple[Values, Values]:
        """Of those who were changed, and of the same who were not."""
        return tuple(  # type: ignore[return-value]
            ((self.weights.features(seen.part, cells) - self.centre) / self.spread) @ self.slope
            for cells in (seen.changed, seen.same)
        )


def _logistic(x: Values, y: Values) -> Values:
    """Ridge logistic regression by Newton's method; the constant is left out of what it gives."""
    design = np.column_stack([x, np.ones(len(x))])
    slope, ridge = np.zeros(design.shape[1]), np.full(design.shape[1], RIDGE)
    ridge[-1] = 0.0
    for _ in range(25):
        chance = 1 / (1 + np.exp(-(design @ slope).clip(-30, 30)))
        gradient = design.T @ (y - chance) - ridge * slope
        curvature = (design.T * (chance * (1 - chance) + 1e-6)) @ design + np.diag(ridge)
        slope = slope + np.linalg.solve(curvature, gradient)
    return slope[:-1]


def auc(changed: Values, same: Values) -> float:
    """How often one who was changed has the higher score (Mann and Whitney); ties count half."""
    if not changed.size or not same.size:
        return float("nan")
    ordered = np.sort(same)
    below = np.searchsorted(ordered, changed, side="left")
    upto = np.searchsorted(ordered, changed, side="right")
    return float((below + upto).mean() / (2 * same.size))


def found_at(changed: Values, same: Values, false_alarms: float = FALSE_ALARMS) -> float:
    """The share recognised where so few of the others are taken for changed."""
    line = np.quantile(same, 1 - false_alarms, method="higher")
    return float((changed > line).mean())

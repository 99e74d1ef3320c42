"""How good an attacker's guesses are: learnt on registries he made himself, judged by the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.disclosure import Policy

MOST = 10
"""Sizes of this and more are one class."""

SMALL = slice(1, 5)
SURE = 0.9
ESTIMATES = np.array(
    [-2, -1, -0.5, 0.02, 0.15, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 3.5, 4.5, 6, 9], float
)
HINTS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1, 1.5, 2.2, 3.2, 5, 8], float)
SHOWN = Policy().threshold + np.array([0, 1, 2, 3, 4, 6], float)
_LEANING = 1.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What an attack found out about each cell of its tables, and what was true.

    truth: how many there are. shown: the cell's own shown number. estimate: what the attack makes
    of it. hint: what else he knows, such as what the margins would lead to expect. NaN is nothing.
    """

    truth: NDArray[np.int64]
    shown: NDArray[np.float64]
    estimate: NDArray[np.float64]
    hint: NDArray[np.float64]

    @classmethod
    def of(cls, truth: object, shown: object, estimate: object, hint: object) -> "Findings":
        """Arrays of any one shape, laid flat."""
        return cls(*(np.asarray(each).ravel() for each in (truth, shown, estimate, hint)))  # type: ignore[arg-type]

    @classmethod
    def joined(cls, many: Sequence["Findings"]) -> "Findings":
        """The findings of several tables as one; of none, nothing."""
        if not many:
            return cls.of(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(3)))
        return cls(
            *(
                np.concatenate([getattr(one, name) for one in many])
                for name in ("truth", "shown", "estimate", "hint")
            )
        )

    @property
    def without_estimate(self) -> "Findings":
        """The same cells for one who makes no attack, and has the hint alone."""
        return Findings(self.truth, self.shown, np.full(self.truth.shape, np.nan), self.hint)

    @property
    def small(self) -> NDArray[np.bool_]:
        """The cells that the protection is for."""
        return (self.truth >= SMALL.start) & (self.truth < SMALL.stop)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an attack did on one registry; shares of its small cells.

    exact: named right by an attacker who is told that they are small. commonest: right by always
    naming the commonest size. sure: more than 90 % sure of the size, told nothing, and right;
    sure_and_wrong: as sure, and wrong.
    """

    cells: int
    exact: float
    commonest: float
    sure: float
    sure_and_wrong: float

    @property
    def gain(self) -> float:
        """Points above always naming the commonest size."""
        return 100 * (self.exact - self.commonest)

    @property
    def spread(self) -> float:
        """Standard error of the gain, in points, as if cells were independent."""
        return 100 * float(np.sqrt(0.5 / max(self.cells, 1)))


def judge(found: Findings, practice: Sequence[Findings]) -> Verdict:
    """Let the attacker learn from the registries whose truth he knows, and guess this one.

    He counts how often each true size came with what he sees, in bins; where a bin is thin he
    leans on estimate and hint as if they were independent. So no law of the noise is assumed that
    could flatter the protection.
    """
    small = found.small
    chances = _Learnt(Findings.joined(practice)).chances(found)
    truth = found.truth[small]
    if not truth.size:
        return Verdict(0, 0.0, 0.0, 0.0, 0.0)
    told = chances[small][:, SMALL].argmax(axis=1) + SMALL.start
    guess = chances[small].argmax(axis=1)
    sure = (chances[small].max(axis=1) > SURE) & (guess >= SMALL.start)
    return Verdict(
        cells=int(truth.size),
        exact=float((told == truth).mean()),
        commonest=float(np.bincount(truth).max() / truth.size),
        sure=float((sure & (guess == truth)).mean()),
        sure_and_wrong=float((sure & (guess != truth)).mean()),
    )


class _Learnt:
    """How often each size came with each bin of what is seen."""

    def __init__(self, practice: Findings) -> None:
        size = np.minimum(practice.truth, MOST)
        self._all = np.bincount(size, minlength=MOST + 1) + 0.01
        self._counts = [_counted(bins, size) for bins in _bins(practice)]

    def chances(self, found: Findings) -> NDArray[np.float64]:
        """The probability of each size, for every cell."""
        base = self._all / self._all.sum()
        by_estimate, by_hint, whole = (
            counts[bins] for counts, bins in zip(self._counts, _bins(found), strict=True)
        )
        one, other = (_shares(counts + _LEANING * base) for counts in (by_estimate, by_hint))
        return _shares(whole + _LEANING * _shares(one * other / base))


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _bins(found: Findings) -> list[NDArray[np.int64]]:
    """Bins by the cell's own number and the estimate, or the hint, or both."""
    shown = _place(found.shown, SHOWN)
    hint = _place(found.hint, HINTS)
    estimate = _place(found.estimate, ESTIMATES)
    by_estimate = shown * (ESTIMATES.size + 2) + estimate
    return [
        by_estimate,
        shown * (HINTS.size + 2) + hint,
        by_estimate * (HINTS.size + 2) + hint,
    ]


def _place(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """0 where there is nothing, else which run between the edges."""
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, side="right"))


def _counted(bins: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    top = (SHOWN.size + 2) * (HINTS.size + 2) * (ESTIMATES.size + 2)
    flat = np.bincount(bins * (MOST + 1) + size, minlength=top * (MOST + 1))
    return flat[: top * (MOST + 1)].reshape(top, MOST + 1).astype(float)

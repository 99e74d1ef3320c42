"""The law of the perturbation: two frozen tables of probabilities, and how they were made.

One is of the part that lasts and one of the part that each release draws anew. Row n holds the
perturbation of a true count of n: a whole number of maximum entropy among those with mean 0, the
policy's variance and its support (Marley and Leaver, 2011; Giessing, 2016, for the cell key
method). Maximum entropy under a given mean and variance is p(d) proportional to
exp(a d + b d^2) on the support. The last row serves all larger counts: lower offsets have a
probability under 2^-61.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from registry.disclosure.policy import NoiseLaw, Policy

LAST_ROW = 24

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PerturbationTable:
    """Probabilities of each whole-number perturbation.

    offsets: the perturbations, ascending. probabilities: one row per true count from 1, one
    column per offset, 0 outside the row's support; the last row serves all larger counts.
    """

    offsets: IntArray
    probabilities: FloatArray
    cumulative: FloatArray

    @classmethod
    def of(cls, offsets: IntArray, probabilities: FloatArray) -> "PerturbationTable":
        """Make a table in which offsets outside a row's support are never drawn."""
        cumulative = np.cumsum(probabilities, axis=1)
        highest = probabilities.shape[1] - 1 - np.argmax(probabilities[:, ::-1] > 0, axis=1)
        cumulative[np.arange(probabilities.shape[1]) >= highest[:, np.newaxis]] = 1.0
        return cls(offsets, probabilities, cumulative)

    def row(self, n: int) -> FloatArray:
        """Probability of each offset for a true count of n, from 1."""
        if n < 1:
            raise ValueError("n: the table starts at 1; a true zero is not perturbed.")
        row: FloatArray = self.probabilities[min(n, len(self.probabilities)) - 1]
        return row

    def draw(self, n: ArrayLike, uniform: ArrayLike) -> IntArray:
        """Perturbation of each count at its uniform number; that of a true zero is 0.

        n, uniform: arrays of one length, uniform from 0 to below 1.
        """
        counts, at = np.atleast_1d(np.asarray(n, np.int64)), np.atleast_1d(np.asarray(uniform))
        rows = np.clip(counts, 1, len(self.cumulative)) - 1
        place = (self.cumulative[rows] <= at[:, np.newaxis]).sum(axis=1)
        return np.where(counts > 0, self.offsets[place], 0)


class Noise(NamedTuple):
    """The tables of the two parts of a count's noise."""

    lasting: PerturbationTable
    fresh: PerturbationTable


@cache
def frozen_tables() -> Noise:
    """The published tables; never regenerated, so that answers never change."""
    return Noise(_read("lasting.csv"), _read("fresh.csv"))


def _read(name: str) -> PerturbationTable:
    lines = files(__package__).joinpath(name).read_text(encoding="ascii").splitlines()
    offsets = np.array(lines[0].split(",")[1:], np.int64)
    rows = [[float(cell or 0) for cell in line.split(",")[1:]] for line in lines[1:]]
    return PerturbationTable.of(offsets, np.array(rows, np.float64))


def maximum_entropy_row(n: int, law: NoiseLaw) -> tuple[IntArray, FloatArray]:
    """Support and probabilities of the perturbation of a count of n, by Newton's method.

    Raises ArithmeticError where no such law exists.
    """
    highest = min(law.most_added, n + law.added_beyond)
    offsets = np.arange(-n, highest + 1, dtype=np.int64)
    powers = np.vander(offsets.astype(np.float64), 5, increasing=True).T
    target = np.array([0.0, law.variance(n)])
    slope = np.array([0.0, -0.5 / target[1]])
    for _ in range(50):
        exponent = slope @ powers[1:3]
        weight = np.exp(exponent - exponent.max())
        probability: FloatArray = weight / weight.sum()
        _one, first, second, third, fourth = powers @ probability
        missed = np.array([first, second]) - target
        if np.abs(missed).max() < 1e-13:
            return offsets, probability
        mixed = third - first * second
        jacobian = np.array([[second - first**2, mixed], [mixed, fourth - second**2]])
        slope = slope - np.linalg.solve(jacobian, missed)
    raise ArithmeticError(f"no law of maximum entropy was found for row {n}.")


def derived_tables(policy: Policy, *, rows: int = LAST_ROW) -> Noise:
    """The tables as the policy's numbers define them; the frozen ones must agree to 1e-12."""
    return Noise(_derived(policy.lasting, rows), _derived(policy.fresh, rows))


def _derived(law: NoiseLaw, rows: int) -> PerturbationTable:
    offsets = np.arange(-rows, law.most_added + 1, dtype=np.int64)
    probabilities = np.zeros((rows, offsets.size))
    for n in range(1, rows + 1):
        support, probability = maximum_entropy_row(n, law)
        probabilities[n - 1, support + rows] = probability
    return PerturbationTable.of(offsets, probabilities)


def table_lines(table: PerturbationTable) -> Iterable[str]:
    """The table as lines of text, one row per true count, empty outside the support."""
    yield ",".join(["n", *map(str, table.offsets.tolist())])
    for n, row in enumerate(table.probabilities.tolist(), 1):
        yield ",".join([str(n), *(repr(cell) if cell else "" for cell in row)])

"""Attributes of newcomers: a complication has one new patient, and a cell beside it moved.

The attacker is told which complications have one new patient. Of each attribute he names the value
whose cell looks most like one that a patient came to, weighed by how common it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.disclosure.attack.designs import Tables, Values
from tests.disclosure.attack.persons import AFTER, BEFORE
from tests.disclosure.attack.recognising import CODES, codes
from tests.disclosure.attack.worlds import Ints, World

NAMED = (
    "year",
    "window",
    "severity",
    "drug",
    "pump_model",
    "pump_site",
    "pump_plane",
    "procedure",
    "age_band",
    "indication",
    "sex",
)
TRUST = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""How much he may make of what moved; he takes what served him best elsewhere."""

LEANING = 15.0
SPREAD = 3.0
"""So many patients of a complication are taken to have the values that all have."""


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Single newcomers, by attribute: what each of its values' cells said, and which was true.

    moved: codes of change (newcomers, values); usual: how common each value is (the same shape);
    true: the position of the true value.
    """

    moved: dict[str, Ints]
    usual: dict[str, Values]
    true: dict[str, Ints]

    @classmethod
    def of(cls, server: Tables, worlds: dict[str, World]) -> "Newcomers":
        """What the server says of them, release AFTER against BEFORE."""
        before, after = worlds[BEFORE], worlds[AFTER]
        rows = single_newcomers(before, after)
        complication = after.columns["complication"][rows]
        found = cls({}, {}, {})
        for name in NAMED:
            told = [server.table(("complication", name), release) for release in (BEFORE, AFTER)]
            whole = server.table((name,), AFTER)
            if whole is None or any(each is None for each in told):
                continue
            cells = np.stack([each[complication] for each in told], axis=-1)  # type: ignore[index]
            share = np.nan_to_num(whole, nan=5.0) + 1.0
            own = np.nan_to_num(cells[..., 0], nan=0.0)
            found.moved[name] = codes(cells)
            found.usual[name] = own + SPREAD * share / share.sum()
            found.true[name] = after.columns[name][rows]
        return found


def single_newcomers(before: World, after: World) -> Ints:
    """A record of each patient who alone is new to a complication."""
    most = int(max(before.patient.max(), after.patient.max())) + 1
    old = np.unique(before.columns["complication"] * most + before.patient)
    pairs, first = np.unique(
        after.columns["complication"] * most + after.patient, return_index=True
    )
    new = ~np.isin(pairs, old)
    many = np.bincount(pairs[new] // most, minlength=len(after.labels["complication"]))
    return first[new][many[pairs[new] // most] == 1]


@dataclass(frozen=True, slots=True)
class Named:
    """How often the value was named rightly; commonest: always naming the commonest of them."""

    many: int
    right: float
    commonest: float

    @property
    def gain(self) -> float:
        """Points above the commonest value."""
        return 100 * (self.right - self.commonest)


def named(found: Sequence[Newcomers], practice: Sequence[Newcomers], *, told: float = 1.0) -> Named:
    """Name the newcomers' values, having learnt what a change means on other registries.

    told: he names only this share of the attributes: where one value's cell stands out most.
    """
    ratio = _learnt(practice)
    best = max(TRUST, key=lambda trust: float(np.mean(_guesses(practice, ratio, trust)[0])))
    standing = _guesses(practice, ratio, best)[2]
    line = float(np.quantile(standing, 1 - told)) if told < 1 else -np.inf
    right, true, standing = _guesses(found, ratio, best)
    kept = standing >= line
    many = int(kept.sum())
    commonest = 0
    for number in range(len(NAMED)):
        values = true[1, kept & (true[0] == number)]
        commonest += int(np.bincount(values).max()) if values.size else 0
    return Named(many, float(right[kept].sum()) / max(many, 1), commonest / max(many, 1))


def _guesses(
    found: Sequence[Newcomers], ratio: Values, trust: float
) -> tuple[Values, Ints, Values]:
    """Of each attribute: whether it was named rightly; its number and true value; and how far
    the change of one value's cell stands out from those of the others."""
    right, true_values, standing = [], [], []
    for one in found:
        for name, true in one.true.items():
            moved = ratio[one.moved[name]]
            score = np.log(one.usual[name]) + trust * moved
            right.append(score.argmax(axis=1) == true)
            true_values.append(np.stack([np.full(true.size, NAMED.index(name)), true]))
            ordered = np.sort(moved, axis=1)
            standing.append(ordered[:, -1] - ordered[:, -2])
    return (
        np.concatenate(right).astype(float),
        np.concatenate(true_values, axis=1),
        np.concatenate(standing),
    )


def _learnt(practice: Sequence[Newcomers]) -> Values:
    """How much oftener each change is seen of the cell that the newcomer came to."""
    counts = np.zeros((2, CODES))
    for one in practice:
        for name, true in one.true.items():
            moved = one.moved[name]
            hit = np.zeros(moved.shape, bool)
            hit[np.arange(true.size), true] = True
            for number, cells in enumerate((moved[~hit], moved[hit])):
                counts[number] += np.bincount(cells, minlength=CODES)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    usual = counts.sum(axis=0) / total.sum()
    chance = (counts + LEANING * usual) / (total + LEANING)
    return np.log(np.maximum(chance[1], 1e-12) / np.maximum(chance[0], 1e-12))

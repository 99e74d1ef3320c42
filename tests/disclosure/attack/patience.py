"""What an insider learns who plants one record in the same cell before each of many releases.

Every release shows him the cell's true number plus his own records, perturbed anew, since the set
of records is another each time; he may do the same beside the cell, and then the total less the
rest is one more draw. He weighs everything by Bayes' rule under the published table and the sizes
that hidden cells have, which is the most that can be learnt from it.

`python -m tests.disclosure.attack.patience` prints the curve, and what noise that keeps a share of
its variance from release to release would change.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from registry.disclosure import Policy
from registry.disclosure.table import LAST_ROW
from tests.disclosure.attack.judging import SMALL, SURE, Findings, Verdict
from tests.disclosure.whole_noise import whole_noise

TABLE = ("category", "drug", "sex")
LARGEST = 20
"""A hidden cell of more patients than this happens less than once in a thousand."""

RELEASES = (1, 2, 4, 8, 12, 20)
FIRST_IN_MEAN = 11
"""With so many of his own records in it a cell is nearly always shown."""

PRACTISED = 20_000
KEPT = 81
"""Points at which what is kept of the noise is integrated over."""

Chances = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Insider:
    """How he goes about it. beside: he plants in the rest as well, and subtracts it from the total.

    kept: the share of the noise's variance that a cell keeps from release to release; the
    registry's own noise keeps none, whatever changes.
    """

    beside: bool = False
    kept: float = 0.0


def hidden_sizes(sizes: NDArray[np.int64], *, many: int, seed: int) -> NDArray[np.int64]:
    """True sizes of cells that a first release hides, drawn from a table's."""
    chance = np.random.default_rng(seed)
    drawn = chance.choice(sizes.ravel(), 40 * many)
    noisy = drawn + whole_noise().draw(drawn, chance.random(drawn.size))
    hidden = np.minimum(drawn[noisy < Policy().threshold], LARGEST)
    return np.asarray(hidden[:many])


def learnt(
    sizes: NDArray[np.int64],
    insider: Insider,
    *,
    releases: Sequence[int] = RELEASES,
    seed: int = 1,
) -> Mapping[int, Verdict]:
    """What he makes of hidden cells of these sizes after so many releases."""
    chance = np.random.default_rng(seed)
    usual = np.bincount(sizes, minlength=LARGEST + 1) / sizes.size
    points = ndtri((np.arange(KEPT) + 0.5) / KEPT) if insider.kept else np.zeros(1)
    kept = chance.standard_normal(sizes.size) if insider.kept else np.zeros(sizes.size)
    weight = np.zeros((sizes.size, LARGEST + 1, points.size)) + _log(usual)[None, :, None]
    difference = _difference_law()
    found = {}
    for release in range(1, max(releases) + 1):
        own = sizes + release
        shown = own + whole_noise().draw(own, _uniform(kept, insider.kept, chance))
        seen = np.where(shown >= Policy().threshold, shown, 0)
        law = np.array(
            [_shown_law(size + release, points, insider.kept) for size in range(LARGEST + 1)]
        )
        weight += _log(law)[:, :, seen].transpose(2, 0, 1)
        if insider.beside:
            many = np.full(sizes.size, LAST_ROW)
            one, other = (whole_noise().draw(many, chance.random(many.size)) for _ in range(2))
            said = (sizes + one - other)[:, None] - np.arange(LARGEST + 1)
            weight += _log(difference)[np.clip(said + LAST_ROW, 0, 2 * LAST_ROW)][:, :, None]
        if release in releases:
            found[release] = _verdict(sizes, weight)
    return found


def practised_insider(known: Findings, planted: Sequence[int], *, seed: int) -> Findings:
    """H played many times against the frozen table, which is public: what he learns from.

    known: cells whose truth he knows, from registries that he made himself.
    """
    chance = np.random.default_rng(seed)
    drawn = chance.integers(0, known.truth.size, PRACTISED)
    true, hint = known.truth[drawn], known.hint[drawn]
    draws = []
    for own in planted:
        noisy = true + own + whole_noise().draw(true + own, chance.random(true.size))
        draws.append(np.where(noisy >= Policy().threshold, noisy - own, np.nan))
    known_draws = (~np.isnan(draws)).sum(axis=0)
    mean = np.where(known_draws, np.nansum(draws, axis=0) / np.maximum(known_draws, 1), np.nan)
    return Findings.of(true, np.full(true.size, np.nan), mean, hint)


def newer_difference(sizes: NDArray[np.int64], *, kept: float, seed: int = 1) -> Verdict:
    """A cell as the total less the rest, when all in it came after what the noise keeps was drawn.

    The total and the rest then keep the same, so that only what is not kept is left in their
    difference.
    """
    chance = np.random.default_rng(seed)
    many = np.full(1_000_000, LAST_ROW)
    same = chance.standard_normal(many.size)
    one, other = (whole_noise().draw(many, _uniform(same, kept, chance)) for _ in range(2))
    law = np.bincount(one - other + LAST_ROW * 2, minlength=4 * LAST_ROW) / many.size
    noise = chance.choice(one - other, sizes.size)
    said = (sizes + noise)[:, None] - np.arange(LARGEST + 1)
    usual = np.bincount(sizes, minlength=LARGEST + 1) / sizes.size
    weight = _log(usual) + _log(law)[np.clip(said + 2 * LAST_ROW, 0, 4 * LAST_ROW - 1)]
    return _verdict(sizes, weight[:, :, None])


def _uniform(kept: Chances, share: float, chance: np.random.Generator) -> Chances:
    if not share:
        return chance.random(kept.size)
    normal = np.sqrt(share) * kept + np.sqrt(1 - share) * chance.standard_normal(kept.size)
    return np.asarray(np.minimum(ndtr(normal), 1 - 2.0**-53))


def _shown_law(n: int, points: Chances, share: float) -> Chances:
    """Chance of each shown number, 0 for hidden, of a count of n; a row for each of the points."""
    table = whole_noise()
    length = LARGEST + max(RELEASES) + int(whole_noise().offsets[-1]) + 1
    law = np.zeros((points.size, length))
    ends = table.cumulative[min(n, LAST_ROW) - 1]
    if share:
        ends = ndtr((ndtri(ends) - np.sqrt(share) * points[:, None]) / np.sqrt(1 - share))
    chances = np.diff(np.broadcast_to(ends, (points.size, table.offsets.size)), prepend=0.0)
    for offset, each in zip(table.offsets.tolist(), chances.T, strict=True):
        shown = n + offset
        law[:, shown if shown >= Policy().threshold else 0] += each
    return law


def _difference_law() -> Chances:
    """Chance of the difference of two perturbations of large counts, from -24 to 24."""
    row = whole_noise().row(LAST_ROW)
    offsets = whole_noise().offsets
    law = np.zeros(2 * LAST_ROW + 1)
    for one, at in zip(offsets.tolist(), row, strict=True):
        place = np.clip(one - offsets + LAST_ROW, 0, 2 * LAST_ROW)
        np.add.at(law, place, at * row)
    return law


def _log(chances: Chances) -> Chances:
    return np.asarray(np.log(np.maximum(chances, 1e-12)))


def _verdict(sizes: NDArray[np.int64], weight: Chances) -> Verdict:
    chances = np.exp(weight - weight.max(axis=(1, 2), keepdims=True)).sum(axis=2)
    chances /= chances.sum(axis=1, keepdims=True)
    small = (sizes >= SMALL.start) & (sizes < SMALL.stop)
    truth, mine = sizes[small], chances[small]
    told = mine[:, SMALL].argmax(axis=1) + SMALL.start
    guess = mine.argmax(axis=1)
    sure = (mine.max(axis=1) > SURE) & (guess >= SMALL.start)
    return Verdict(
        cells=int(truth.size),
        exact=float((told == truth).mean()),
        commonest=float(np.bincount(truth).max() / truth.size),
        sure=float((sure & (guess == truth)).mean()),
        sure_and_wrong=float((sure & (guess != truth)).mean()),
    )


def main() -> None:
    """Print the curves for registries of about 800 and 6,000 implants."""
    from tests.disclosure.attack.practice import practice_truth
    from tests.disclosure.attack.servers import registry_trees

    trees = registry_trees((2005, 2029), ())
    drugs, sexes = trees["drug"].values, trees["sex"].values
    axes = dict(zip(TABLE, (trees["complication"].groups, drugs, sexes), strict=True))
    for implants, events in ((800, 1_136), (6_000, 8_520)):
        with tempfile.TemporaryDirectory() as folder:
            truth = practice_truth(Path(folder), events=events, seed=3)
        sizes = hidden_sizes(truth.counted(axes), many=100_000, seed=1)
        print(f"\n{implants:,} implants: points above the commonest size, sure and right in %\n")
        print(f"| planted | {' | '.join(f'{n} releases' for n in RELEASES)} |")
        print(f"|---|{'---|' * len(RELEASES)}")
        for said, insider in (
            ("in the cell", Insider()),
            ("in the cell and beside it", Insider(beside=True)),
            *((f"in the cell, {kept:g} kept", Insider(kept=kept)) for kept in (0.25, 0.5, 0.75)),
        ):
            some = sizes[:12_000] if insider.kept else sizes
            curve = learnt(some, insider).values()
            print(f"| {said} | {' | '.join(f'{v.gain:+.0f}, {100 * v.sure:.1f}' for v in curve)} |")
        for kept in (0.0, 0.25, 0.5, 0.75):
            v = newer_difference(sizes, kept=kept)
            print(f"total less the rest, {kept:g} kept: {v.gain:+.1f}, {100 * v.sure:.1f}")


if __name__ == "__main__":
    main()

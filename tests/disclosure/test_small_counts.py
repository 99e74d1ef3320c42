"""What docs/disclosure.md says of small shown counts: how high they run, and what limits hold."""

import numpy as np
import pytest

from registry.disclosure import Policy
from registry.disclosure.intervals import perturbed_rate_interval
from registry.disclosure.policy import HANDS_OFF
from registry.disclosure.table import frozen_tables

DRAWS = 20_000


def perturbed(counts, chance):
    tables = frozen_tables()
    noise = sum(table.draw(counts, chance.random(counts.size)) for table in tables)
    return np.maximum(counts + noise, 0)


def shown(expected: float, hands: int) -> np.ndarray:
    """The counts that are shown of cells which expect so many events, of hands alike."""
    chance = np.random.default_rng(int(100 * expected) + hands)
    by_hand = chance.poisson(expected / hands, (DRAWS, hands))
    told = perturbed(by_hand.sum(axis=1), chance)
    left = perturbed(np.sort(by_hand, axis=1)[:, :-HANDS_OFF].sum(axis=1), chance)
    threshold = Policy().threshold
    return told[(told >= threshold) & (left >= threshold)]


@pytest.mark.parametrize(
    ("expected", "hands", "covered", "told", "high"),
    [
        (10, 12, 84, 7, 5.4),
        (15, 12, 94, 35, 3.3),
        (18, 12, 97, 57, 2.3),
        (25, 12, 97, 91, 0.7),
        (40, 12, 96, 100, 0.1),
        (20, 4, 90, 15, 4.2),
        (30, 4, 96, 59, 2.2),
    ],
)
def test_small_shown_counts_are_as_the_documents_say(expected, hands, covered, told, high):
    counts = shown(expected, hands)

    limits = {
        int(n): perturbed_rate_interval(float(n), count_variance=Policy().variance(int(n)))
        for n in np.unique(counts)
    }
    held = np.array([limits[int(n)][0] <= expected <= limits[int(n)][1] for n in counts])
    assert 100 * held.mean() == pytest.approx(covered, abs=3)
    assert 100 * counts.size / DRAWS == pytest.approx(told, abs=2)
    assert counts.mean() - expected == pytest.approx(high, abs=0.3)


def test_one_to_four_are_never_shown():
    chance = np.random.default_rng(4)
    for size in range(1, 5):
        by_hand = chance.multinomial(size, np.ones(12) / 12, DRAWS)
        left = perturbed(np.sort(by_hand, axis=1)[:, :-HANDS_OFF].sum(axis=1), chance)

        assert (left < Policy().threshold).mean() > 0.9999

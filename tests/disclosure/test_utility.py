"""What the protection costs: how far a shown number is from the truth, summed over the table.

Every true size in a band weighs the same. The figures are those that the policy was chosen by.
"""

import numpy as np
import pytest

from registry.disclosure import Policy
from tests.disclosure.whole_noise import whole_noise

TABLE = whole_noise()
THRESHOLD = Policy().threshold


def hidden(n):
    """Probability that a true count of n is hidden."""
    return float(TABLE.row(n)[n + TABLE.offsets < THRESHOLD].sum())


def mean_hidden(first, last):
    return np.mean([hidden(n) for n in range(first, last + 1)])


@pytest.mark.parametrize(("first", "last", "percent"), [(10, 19, 11), (20, 49, 5), (50, 199, 1)])
def test_median_error_by_true_size(first, last, percent):
    sizes = range(first, last + 1)
    errors = np.concatenate([np.abs(TABLE.offsets) / n for n in sizes])
    weights = np.concatenate([TABLE.row(n) for n in sizes])

    ascending = np.argsort(errors)
    half = np.searchsorted(np.cumsum(weights[ascending]), weights.sum() / 2)

    assert round(100 * errors[ascending][half]) == percent


def test_most_of_true_5_to_10_and_a_tenth_of_11_to_19_are_hidden():
    assert round(100 * mean_hidden(5, 10)) == 84
    assert round(100 * mean_hidden(11, 19)) == 11


def test_one_in_a_thousand_true_1_to_4_appears_as_11_or_more():
    assert 1 - mean_hidden(1, 4) == pytest.approx(0.0012, abs=0.0001)


def test_no_singleton_ever_appears():
    assert TABLE.row(1)[1 + TABLE.offsets >= THRESHOLD].sum() == 0


def test_a_true_11_is_hidden_as_often_as_a_true_10_is_told():
    assert round(100 * hidden(11)) == 42
    assert round(100 * (1 - hidden(10))) == 42


@pytest.mark.parametrize(("n", "percent"), [(12, 27), (14, 8), (15, 3), (20, 0)])
def test_larger_counts_are_hidden_less_and_less(n, percent):
    assert round(100 * hidden(n)) == percent

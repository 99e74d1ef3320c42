"""What the protection costs: how far a shown number is from the truth, summed over the table.

Every true size in a band weighs the same. The figures are those that the policy was chosen by.
"""

import numpy as np
import pytest

from registry.disclosure.table import frozen_table

TABLE = frozen_table()


def hidden(n):
    """Probability that a true count of n is hidden."""
    return float(TABLE.row(n)[n + TABLE.offsets < 5].sum())


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


def test_a_fifth_of_true_5_to_9_is_hidden():
    assert round(100 * mean_hidden(5, 9)) == 19


def test_a_fifth_of_true_1_to_4_appears_as_5_or_more():
    assert round(100 * (1 - mean_hidden(1, 4))) == 19


def test_two_singletons_in_a_hundred_appear_as_5():
    assert round(100 * (1 - hidden(1))) == 2
    assert TABLE.row(1)[TABLE.offsets > 4].sum() == 0


def test_a_true_5_is_hidden_as_often_as_told():
    assert round(100 * hidden(5)) == 43


@pytest.mark.parametrize(("n", "percent"), [(6, 27), (8, 8), (10, 1), (15, 0)])
def test_larger_counts_are_hidden_less_and_less(n, percent):
    assert round(100 * hidden(n)) == percent

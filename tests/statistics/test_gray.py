"""Gray's test: where it is undefined, and that it sees a difference; R holds its numbers."""

import numpy as np
import pytest

from registry.statistics.gray import gray_test
from registry.statistics.life_counts import LifeCounts
from registry.statistics.results import Reason

ENDS, CAUSES = [2, 3, 5, 7, 9, 11], [1, 2, 1, 0, 2, 1]


def table(ends: object = ENDS, causes: object = CAUSES, entries: object = None) -> LifeCounts:
    return LifeCounts.of(ends, causes, entries)  # type: ignore[arg-type]


def test_groups_that_are_alike_do_not_differ() -> None:
    found = gray_test([table(), table()])

    assert found.chi2 is not None
    assert found.chi2 < 1e-20
    assert (found.df, found.p, found.reason) == (1, pytest.approx(1.0), None)


def test_the_order_of_the_groups_changes_nothing() -> None:
    others = table([1, 1, 2, 4, 8], [1, 1, 1, 2, 0])

    one, other = gray_test([table(), others]), gray_test([others, table()])

    assert one.chi2 == pytest.approx(other.chi2, rel=1e-12)


def test_of_unlike_groups_few_are_taken_for_alike() -> None:
    dice = np.random.default_rng(7)
    first = table(dice.integers(1, 40, 200), dice.choice((0, 1, 2), 200, p=(0.2, 0.6, 0.2)))
    other = table(dice.integers(1, 40, 200), dice.choice((0, 1, 2), 200, p=(0.2, 0.2, 0.6)))

    p = gray_test([first, other]).p
    assert p is not None
    assert p < 1e-6


def test_it_is_undefined_with_a_reason() -> None:
    late = table(ENDS, CAUSES, [0, 0, 0, 2, 0, 0])
    for tables, reason in (
        ([], Reason.NO_OBSERVATIONS),
        ([table([], []), table([], [])], Reason.NO_OBSERVATIONS),
        ([table()], Reason.ONE_GROUP),
        ([table(), late], Reason.LATE_ENTRIES),
        ([table(ENDS, [2] * 6), table(ENDS, [0] * 6)], Reason.NOTHING_TO_COMPARE),
        ([table(), table([], [])], Reason.NOTHING_TO_COMPARE),
    ):
        found = gray_test(tables)
        assert (found.chi2, found.df, found.p, found.reason) == (None, 0, None, reason)

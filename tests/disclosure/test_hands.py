"""Hands: sites that a person shares are one, also by way of others."""

import pytest

from registry.disclosure import hands


@pytest.mark.parametrize(
    ("together", "numbers"),
    [
        ([], {"A": 1, "B": 2, "C": 3, "D": 4}),
        ([["A"], ["B"], ["B"]], {"A": 1, "B": 2, "C": 3, "D": 4}),
        ([["B", "D"]], {"A": 1, "B": 2, "C": 3, "D": 2}),
        ([["C", "D"], ["D", "B"]], {"A": 1, "B": 2, "C": 2, "D": 2}),  # B and C by way of D
        ([["A", "B", "C", "D"]], {"A": 1, "B": 1, "C": 1, "D": 1}),
    ],
)
def test_sites_that_a_person_shares_are_one_hand(together, numbers):
    assert hands("DCBA", together) == numbers


def test_hands_do_not_depend_on_the_order_of_people(trees):
    shared = [["A", "C"], ["D", "B"], ["C", "D"], ["E", "F"]]

    assert hands("ABCDEF", shared) == hands("FEDCBA", shared[::-1])
    assert set(hands("ABCDEF", shared).values()) == {1, 2}


def test_site_that_is_not_known_joins_nobody():
    assert hands("AB", [["A", "X"], ["X", "B"]]) == {"A": 1, "B": 2}

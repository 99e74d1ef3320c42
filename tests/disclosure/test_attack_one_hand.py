"""One hand alone, with any number of records, opens no node that is not open to others.

Whatever one hand reports, a node that fixes no site is shown only where the records of the others
reach the threshold, and do so without the largest of them.
"""

import random
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.disclosure import Keyed, Policy, Protection, record_key
from registry.disclosure.perturbation import NoiseKey
from registry.disclosure.table import LAST_ROW, Noise, PerturbationTable
from tests.disclosure.attack.designs import FREE, SECOND, Design, SimulatedServer
from tests.disclosure.attack.worlds import World

HANDS = st.lists(st.integers(0, 30), min_size=3, max_size=6)
OWN = st.integers(0, 60)
STILL = {"lasting": (0.0, 0.0), "fresh": (0.0, 0.0)}


def world_of(by_hand: list[int]) -> World:
    """Patients of one category, so many of each hand."""
    hand = np.repeat(np.arange(len(by_hand)), by_hand)
    nothing = np.zeros(hand.size, np.int64)
    sites = tuple(map(str, range(len(by_hand))))
    return World(
        {"category": nothing, "sex": nothing, "site": hand},
        {"category": ("pump",), "sex": ("male",), "site": sites},
        np.arange(hand.size),
        hand,
        np.ones(hand.size, bool),
    )


def is_shown(design: Design, by_hand: list[int]) -> bool:
    server = SimulatedServer(design, {"one": world_of(by_hand)})
    return not np.isnan(server.table(("category", "sex"), "one")).any()


@given(others=HANDS, own=OWN)
@settings(max_examples=200, deadline=None)
def test_one_hand_opens_no_node_whose_other_records_are_too_few(others, own):
    design = replace(SECOND, **STILL)

    if is_shown(design, [own, *others]):
        assert sum(others) - max(others) >= design.threshold


def test_without_the_rule_of_hands_one_hand_opens_a_node_of_one_patient():
    design = replace(FREE, **STILL)

    assert is_shown(design, [20, 1, 0])
    assert not is_shown(replace(SECOND, **STILL), [20, 1, 0])


def test_a_node_is_shown_where_the_threshold_is_reached_without_the_two_largest_hands():
    design = replace(SECOND, **STILL)

    assert is_shown(design, [9, 6, 6, 5])
    assert not is_shown(design, [9, 6, 5, 5])


def keyed(sizes: list[int]) -> Keyed:
    """A node with so many records of each hand."""
    chance = random.Random(1)
    each = []
    for size in sizes:
        keys = [record_key(bytes(32), chance.randbytes(16)) for _ in range(size)]
        each.append((size, sum(high for high, _low in keys), sum(low for _high, low in keys)))
    return Keyed.by_hand(each)


def without_noise() -> Protection:
    """The registry's own rule on exact numbers."""
    still = PerturbationTable.of(np.zeros(1, np.int64), np.ones((LAST_ROW, 1)))
    return Protection(
        key=NoiseKey(bytes(range(32)), "one"), policy=Policy(), tables=Noise(still, still)
    )


@given(others=HANDS, own=OWN)
@settings(max_examples=200, deadline=None)
def test_one_hand_opens_no_node_of_the_registry_whose_other_records_are_too_few(others, own):
    if without_noise().count(keyed([own, *others])) is not None:
        assert sum(others) - max(others) >= Policy().threshold

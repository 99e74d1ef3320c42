"""The border between true and shown numbers: the threshold comes after the perturbation."""

from dataclasses import replace

import numpy as np
import pytest

from registry.disclosure import Keyed, NodeTruth, Protection, ShownExposure
from registry.disclosure.perturbation import NoiseKey
from registry.disclosure.policy import NoiseLaw
from registry.disclosure.table import Noise, PerturbationTable, frozen_tables
from registry.vocabulary import Denominator

K2 = bytes(range(100, 132))
RELEASE = "0" * 64
MANY = Keyed(2_000, 5, 6)
NOTHING = NoiseLaw(0.0, 0.0, most_added=0)


def shifted(by):
    """A part of the noise that adds the same number to every count."""
    offsets = frozen_tables().lasting.offsets
    return PerturbationTable.of(offsets, np.where(offsets == by, 1.0, 0.0)[np.newaxis])


def protection_adding(policy, by):
    return Protection(
        key=NoiseKey(K2, RELEASE), policy=policy, tables=Noise(shifted(by), shifted(0))
    )


def of_many_hands(n, high=1):
    """So many records, none of which belong to the largest hand."""
    return Keyed(n, high, 2)


@pytest.mark.parametrize(
    ("true", "added", "shown"),
    [
        (11, 0, 11),
        (11, -1, None),  # a true 11 is hidden if it is perturbed to 10
        (10, 1, 11),  # and a true 10 shown if it is perturbed to 11
        (10, 0, None),
        (1, 3, None),
        (14, -4, None),
        (14, -3, 11),
        (0, 8, None),
        (100, 2, 102),
    ],
)
def test_threshold_is_held_against_the_perturbed_count(policy, true, added, shown):
    assert protection_adding(policy, added).count(of_many_hands(true)) == shown


@pytest.mark.parametrize(
    ("all_of_them", "largest", "added", "shown"),
    [
        (40, 29, 0, 40),  # eleven are left
        (40, 30, 0, None),  # ten are left
        (40, 30, 1, 41),  # which are perturbed to eleven
        (40, 29, -1, None),  # or to ten
        (40, 40, 8, None),  # a true zero is left
        (10, 0, 0, None),
    ],
)
def test_threshold_is_held_without_the_largest_hand_too(policy, all_of_them, largest, added, shown):
    counted = Keyed(all_of_them, 100, 200, (largest, 70, 90))

    assert protection_adding(policy, added).count(counted) == shown


@pytest.mark.parametrize("records", [1, 10, 100, 10_000])
def test_one_hand_alone_shows_nothing_whatever_it_adds(protection, records):
    for others in (0, 3):
        for high in range(300):
            counted = Keyed(records + others, high + 7, 9, (records, high, 5))
            assert protection.count(counted) is None


def test_what_is_left_is_perturbed_as_the_set_that_it_is(protection):
    counted = Keyed(500, 1_000, 2_000, (489, 400, 300))
    left = protection.count(Keyed(11, 600, 1_700))

    assert (protection.count(counted) is None) is (left is None)


def test_largest_hands_are_the_two_with_most_records_and_the_first_of_equals():
    found = Keyed.by_hand([(3, 10, 20), (7, 1, 2), (5, 5, 6), (9, 3, 3), (7, 9, 9)])

    assert (found.n, found.high, found.low) == (31, 28, 40)
    assert found.largest == (16, 4, 5)
    assert (found.of_others.n, found.of_others.high, found.of_others.low) == (15, 24, 35)


def test_no_hand_has_no_record():
    assert Keyed.by_hand([]).n == 0


def test_no_shown_count_is_under_the_threshold(protection, policy):
    shown = {protection.count(of_many_hands(n, high)) for n in range(18) for high in range(300)}

    assert shown.isdisjoint(range(policy.threshold))
    assert None in shown
    assert policy.threshold in shown


def test_true_zero_is_hidden_under_every_key(protection):
    assert {protection.count(Keyed(0, high, 3)) for high in range(500)} == {None}


def test_population_under_20_hides_all_of_the_node(policy):
    truth = NodeTruth(Keyed(12, 1, 2), Keyed(20, 3, 4), months(5_000, 20))

    seen = protection_adding(policy, -1).show(truth)

    assert (seen.count, seen.population, seen.exposure) == (None, None, None)
    assert seen.has_exposure


def test_population_of_20_is_enough(policy):
    truth = NodeTruth(Keyed(12, 1, 2), Keyed(20, 3, 4))

    seen = protection_adding(policy, 0).show(truth)

    assert (seen.count, seen.population) == (12, 20)


def test_population_of_one_hand_but_ten_hides_all_of_the_node(policy):
    truth = NodeTruth(Keyed(12, 1, 2), Keyed(200, 3, 4, (190, 1, 1)))

    assert protection_adding(policy, 0).show(truth).population is None
    assert protection_adding(policy, 1).show(truth).population == 201


def test_hidden_count_leaves_the_population_and_no_trace(policy):
    seen = protection_adding(policy, 0).show(NodeTruth(Keyed(10, 1, 2), MANY))

    assert seen.count is None
    assert seen.count_variance == 0
    assert seen.population == 2_000


def months(total, devices, unit=Denominator.PUMP_MONTHS):
    return ShownExposure(total, unit, Keyed(devices, 7, 8))


@pytest.fixture
def still(policy):
    """Protection whose noise is nil, for counts and for exposures."""
    return protection_adding(replace(policy, lasting=NOTHING, fresh=NOTHING), 0)


@pytest.mark.parametrize(
    ("unit", "total", "shown"),
    [
        (Denominator.PUMP_MONTHS, 5_004.75, 5_000),
        (Denominator.PUMP_MONTHS, 995, 1_000),
        (Denominator.PUMP_MONTHS, 994.75, None),
        (Denominator.PUMP_MONTHS, 0, None),
        (Denominator.CATHETER_MONTHS, 994, None),
        (Denominator.REFILLS, 2_006, 2_010),
        (Denominator.REFILLS, 494, None),
        (Denominator.PROCEDURES, 24, 24),
        (Denominator.PROCEDURES, 23, None),
    ],
)
def test_exposure_is_hidden_under_the_minimum_of_its_unit_after_rounding(still, unit, total, shown):
    assert still.exposure(months(total, 40, unit)) == shown


@pytest.mark.parametrize("total", [900, 1_100])
def test_minimum_is_held_against_the_perturbed_exposure(protection, total):
    sets = [Keyed(40, high, 8) for high in range(200)]

    shown = [
        protection.exposure(ShownExposure(total, Denominator.PUMP_MONTHS, each)) for each in sets
    ]

    told = [exposure for exposure in shown if exposure is not None]
    assert None in shown
    assert min(told) >= 1_000


@pytest.mark.parametrize(
    ("unit", "sd"),
    [
        (Denominator.PUMP_MONTHS, 205.76),
        (Denominator.CATHETER_MONTHS, 205.76),
        (Denominator.REFILLS, 102.88),
        (Denominator.PROCEDURES, 4.90),
    ],
)
def test_exposure_is_perturbed_in_its_own_unit(protection, unit, sd):
    sets = [Keyed(400, high, 8) for high in range(4_000)]

    shown = [protection.exposure(ShownExposure(20_000, unit, each)) for each in sets]

    assert np.std(shown) == pytest.approx(sd, rel=0.04)
    seen = protection.show(NodeTruth(MANY, MANY, ShownExposure(20_000, unit, MANY)))
    assert seen.exposure_sd == pytest.approx(sd, abs=0.01)


def test_node_without_a_denominator_is_told_from_one_that_hides_it(policy):
    protection = protection_adding(policy, 0)

    without = protection.show(NodeTruth(Keyed(12, 1, 2), MANY))
    hidden = protection.show(NodeTruth(Keyed(12, 1, 2), MANY, months(0, 0)))

    assert (without.has_exposure, without.exposure) == (False, None)
    assert (hidden.has_exposure, hidden.exposure) == (True, None)


def test_shown_node_carries_the_noise_of_its_counts(policy):
    seen = protection_adding(policy, 0).show(NodeTruth(Keyed(12, 1, 2), MANY))

    assert (seen.count_variance, seen.population_variance, seen.exposure_sd) == (6, 6, 0)


def test_same_truth_is_shown_alike_by_two_servers(policy):
    truth = NodeTruth(Keyed(40, 1, 2), MANY, months(9_000, 300))

    one = Protection.under(K2, release=RELEASE)
    other = Protection.under(bytes(K2), release=RELEASE, policy=policy)

    assert one.show(truth) == other.show(truth)


def test_another_secret_gives_other_noise():
    sets = [Keyed(40, high, 2) for high in range(60)]

    one, other = (
        [Protection.under(secret, release=RELEASE).count(each) for each in sets]
        for secret in (K2, K2[::-1])
    )

    assert one != other


def test_another_release_gives_other_noise_and_the_same_one_the_same():
    sets = [Keyed(40, high, 2) for high in range(60)]

    one, other, again = (
        [Protection.under(K2, release=release).count(each) for each in sets]
        for release in ("a", "b", "a")
    )

    assert one != other
    assert one == again


def test_no_true_number_and_no_secret_is_in_a_repr(protection):
    truth = NodeTruth(Keyed(41, 7_001, 7_002), Keyed(97, 1, 2), months(8_123, 55))

    told = f"{truth!r} {truth.counted!r} {truth.exposure!r} {protection!r}"

    assert told == "<NodeTruth> <Keyed> <ShownExposure pump-months> <Protection>"


def test_nodes_are_shown_together_as_each_is_alone(protection):
    truths = [
        NodeTruth(Keyed(n, high, 2), Keyed(max(n, 8 * high), high, 3), exposure)
        for n in range(0, 60, 3)
        for high in range(9)
        for exposure in (
            months(50 * n, n),
            ShownExposure(9.0 * n, Denominator.REFILLS, Keyed(n, high, 1)),
            None,
        )
    ]

    shown = protection.show_all(truths)

    assert shown == [protection.show(truth) for truth in truths]
    assert len({each.count is None for each in shown}) == 2
    assert protection.show_all([]) == []

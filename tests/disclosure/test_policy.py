"""What the protected profile offers, and its numbers."""

import pytest

from registry.records import DIMENSIONS, Side
from registry.vocabulary import CODELISTS, Denominator


def test_every_denominator_has_a_rule(policy):
    assert set(policy.exposure) == set(Denominator)


def test_device_time_is_perturbed_by_84_months_and_hidden_under_1000(policy):
    for unit in (Denominator.PUMP_MONTHS, Denominator.CATHETER_MONTHS):
        rule = policy.exposure[unit]

        assert (rule.per_device, rule.rounding, rule.minimum) == (84, 10, 1_000)


def test_only_known_dimensions_are_offered_and_groups_are_their_parents(policy):
    for offered in policy.offered:
        assert offered.name in DIMENSIONS
        assert offered.group in (None, DIMENSIONS[offered.name].parent)


def test_nothing_on_the_event_side_may_be_summed(policy):
    for offered in policy.offered:
        side = DIMENSIONS[offered.name].side

        assert offered.of_event is (side not in (Side.DEVICE, Side.PATIENT, Side.SITE))


@pytest.mark.parametrize("name", ["state", "actuality", "detection", "country", "implant_year"])
def test_what_is_too_fine_or_no_property_of_a_node_is_not_offered(policy, name):
    assert policy.offer(name) is None


def test_group_belongs_to_the_dimension_of_its_values(policy):
    assert policy.offer("category") == policy.offer("complication")


def test_impossible_pairs_name_published_codes_only(policy):
    known = {"complication": {"death"}, "serious": {"yes", "no"}}

    for rule in policy.impossible:
        for name, codes in ((rule.one, rule.ones), (rule.other, rule.others)):
            listed = known.get(name) or set(map(str, CODELISTS[name].codes()))
            assert codes <= listed | {"not-recorded"}


def test_no_outcome_is_forgotten_beside_death(policy):
    rule = next(rule for rule in policy.impossible if rule.other == "outcome")

    assert rule.others == {*CODELISTS["outcome"].codes(), "not-recorded"} - {"fatal"}


def test_threshold_and_minimums_are_those_of_the_second_design(policy):
    assert (policy.threshold, policy.fewest_hands) == (11, 3)  # as CMS and PCORnet hide under 11
    assert (policy.denominator_minimum, policy.curve_minimum) == (20, 300)


@pytest.mark.parametrize(("n", "variance"), [(0, 0), (1, 1.5), (3, 4.5), (4, 6), (5, 6), (900, 6)])
def test_variance_grows_with_the_count_up_to_six(policy, n, variance):
    assert policy.variance(n) == variance

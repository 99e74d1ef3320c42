"""Trees: one set of values has one name, and the fewest places hold it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.disclosure.trees import (
    ALL,
    Level,
    Place,
    Tree,
    vocabulary_tree,
    window_tree,
    year_tree,
)
from registry.vocabulary import Drug, Outcome

TREE = Tree.grouped("t", {"a": "x", "b": "x", "c": "x", "d": "y", "e": "z", "f": "z"})
APART = Tree.grouped(
    "t",
    {"a": "x", "b": "x", "c": "x", "d": "y", "e": "z", "f": "z"},
    blanks=False,
    apart=("c", "e", "f"),
)


def value(code):
    return Place(Level.VALUE, code)


def group(code):
    return Place(Level.GROUP, code)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({"a"}, (value("a"),)),
        ({"a", "b"}, (value("a"), value("b"))),
        ({"c", "b", "a"}, (group("x"),)),
        ({"a", "b", "c", "e"}, (group("x"), value("e"))),
        ({"d"}, (value("d"),)),  # a group of one is its value
        ({"e", "f", "not-recorded"}, (group("z"), value("not-recorded"))),
        ({"a", "b", "c", "d", "e", "f"}, (group("x"), value("d"), group("z"))),
        ({"a", "b", "c", "d", "e", "f", "not-recorded"}, (ALL,)),
        (set(), ()),
        ({"nowhere"}, ()),
    ],
)
def test_cover_is_the_fewest_places(asked, places):
    assert TREE.cover(asked) == places


@given(st.sampled_from([TREE, APART]), st.data())
def test_cover_holds_each_asked_value_once(tree, data):
    asked = data.draw(st.sets(st.sampled_from(tree.values)))

    covered = [value for place in tree.cover(asked) for value in tree.members(place)]

    assert sorted(covered) == sorted(asked)


def test_all_leaves_out_what_counts_only_when_named():
    assert APART.cover({"a", "b", "d"}) == (ALL,)
    assert APART.cover({"a", "b", "c", "d"}) == (group("x"), value("c"), value("d"))
    assert APART.members(ALL) == {"a", "b", "d"}


def test_group_leaves_out_what_counts_only_when_named_unless_it_holds_nothing_else():
    assert APART.members(group("x")) == {"a", "b"}
    assert APART.members(group("z")) == {"e", "f"}
    assert APART.in_groups == {"a", "b", "d", "e", "f"}
    assert APART.cover({"a", "c"}) == (value("a"), value("c"))
    assert APART.cover({"e", "f"}) == (group("z"),)


@pytest.mark.parametrize(
    ("place", "coarse"),
    [(ALL, True), (group("x"), True), (value("a"), False), (value("d"), True)],
)
def test_place_is_coarse_if_it_is_as_wide_as_a_group(place, coarse):
    assert TREE.is_coarse(place) is coarse


def test_flat_tree_has_no_groups_and_every_value_is_coarse():
    tree = Tree.flat("sex", ("female", "male"))

    assert tree.groups == ()
    assert tree.values == ("female", "male", "not-recorded")
    assert tree.is_coarse(value("male"))


def test_place_that_the_tree_does_not_have_has_no_members():
    assert TREE.members(value("q")) == frozenset()
    assert TREE.members(group("q")) == frozenset()


def test_years_stand_in_five_year_periods():
    tree = year_tree(2019, 2026)

    assert tree.groups == ("2015-2019", "2020-2024", "2025-2029")
    assert tree.cover(["2020", "2021", "2022", "2023", "2024"]) == (group("2020-2024"),)
    assert "not-recorded" not in tree.values


def test_drugs_stand_in_their_classes_with_blanks_apart():
    tree = vocabulary_tree("drug")

    assert tree.values == (*Drug.codes(), "not-recorded")
    assert tree.group_of["baclofen"] == "gabab-agonist"
    assert tree.group_of["not-recorded"] == "not-recorded"


@pytest.mark.parametrize(
    ("name", "code", "stands_in"),
    [
        ("indication", "crps", "pain-noncancer"),
        ("pump_model", "isomed", "medtronic"),
        ("catheter_model", "ascenda", "medtronic"),
        ("age_band", "6-11", "child"),
        ("age_band", "80-plus", "older"),
    ],
)
def test_code_list_with_groups_gives_a_grouped_tree(name, code, stands_in):
    assert vocabulary_tree(name).group_of[code] == stands_in


def test_code_list_without_groups_gives_a_flat_tree():
    assert vocabulary_tree("outcome").values == (*Outcome.codes(), "not-recorded")
    assert vocabulary_tree("severity").values == ("1", "2", "3", "4", "5", "not-recorded")
    assert vocabulary_tree("serious").values == ("yes", "no", "not-recorded")


def test_every_offered_code_list_has_a_tree(policy):
    tables = {"complication", "year", "window", "site"}

    for offered in policy.offered:
        if offered.name not in tables:
            tree = vocabulary_tree(offered.name)
            assert len(tree.values) > 1
            assert bool(tree.groups) or offered.group is None


def test_dimension_of_the_registrys_own_tables_has_no_vocabulary_tree():
    with pytest.raises(KeyError):
        vocabulary_tree("site")


def test_windows_follow_each_other_and_stand_in_two_groups():
    tree = window_tree()

    assert tree.values == ("0-3", "4-12", "13-36", "37-60", "61-")
    assert tree.groups == ("0-12", "13-")
    assert tree.cover(("0-3", "4-12")) == (Place(Level.GROUP, "0-12"),)
    assert tree.cover(tree.values) == (ALL,)

"""Small trees of codes with three levels: value, group, all. Only these are computed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from registry.records import DIMENSIONS, ValueKind
from registry.vocabulary import CODELISTS, NOT_RECORDED

YEARS_IN_PERIOD = 5
WINDOWS = {"0-3": "0-12", "4-12": "0-12", "13-36": "13-", "37-60": "13-", "61-": "13-"}
"""Months since implant that are told apart, as parameters write them, and their groups."""

MOST_KEPT = 2_000
"""So many covers are kept of a tree, since the same questions come again."""


class Level(StrEnum):
    """How fine a place in a tree is."""

    VALUE = "value"
    GROUP = "group"
    ALL = "all"


class Place(NamedTuple):
    """One place in a tree: a single code, a group of codes, or all of them."""

    level: Level
    code: str = ""


ALL = Place(Level.ALL)


@dataclass(frozen=True, slots=True)
class Tree:
    """The codes of one dimension, in the order in which they are shown, and their groups.

    group_of: each value's group; empty where the dimension has none. apart: values counted only
    where named, such as consequences; they are neither in `all` nor in their group, unless the
    group holds nothing else.
    """

    name: str
    values: tuple[str, ...]
    group_of: Mapping[str, str] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()
    _members: dict[Place, frozenset[str]] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )
    _covers: dict[frozenset[str], tuple[Place, ...]] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )

    @classmethod
    def flat(cls, name: str, values: Iterable[str], *, blanks: bool = True) -> "Tree":
        """A dimension without groups; with blanks, if it can have them."""
        return cls(name, _with_blanks(values, blanks))

    @classmethod
    def grouped(
        cls,
        name: str,
        group_of: Mapping[str, str],
        *,
        blanks: bool = True,
        apart: Collection[str] = (),
    ) -> "Tree":
        """A dimension whose values each belong to one group; blanks are a group of their own."""
        values = _with_blanks(group_of, blanks)
        groups = {value: group_of.get(value, NOT_RECORDED) for value in values}
        return cls(name, values, groups, frozenset(apart))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of their first value."""
        return tuple(dict.fromkeys(self.group_of[value] for value in self.values if self.group_of))

    @property
    def in_totals(self) -> frozenset[str]:
        """The values that `all` stands for."""
        return frozenset(self.values) - self.apart

    def members(self, place: Place) -> frozenset[str]:
        """The values at a place; none at a place that the tree does not have."""
        if place not in self._members:
            self._members[place] = self._found_members(place)
        return self._members[place]

    def _found_members(self, place: Place) -> frozenset[str]:
        if place.level is Level.ALL:
            return self.in_totals
        if place.level is Level.GROUP:
            placed = frozenset(each for each, group in self.group_of.items() if group == place.code)
            return placed - self.apart or placed
        return frozenset({place.code}) & frozenset(self.values)

    @property
    def in_groups(self) -> frozenset[str]:
        """The values of all groups."""
        together = (self.members(Place(Level.GROUP, group)) for group in self.groups)
        return frozenset(value for members in together for value in members)

    def is_coarse(self, place: Place) -> bool:
        """Whether a place is as wide as a group, as is a group's only value."""
        if place.level is not Level.VALUE or not self.group_of:
            return True
        return len(self.members(Place(Level.GROUP, self.group_of[place.code]))) == 1

    def cover(self, values: Collection[str]) -> tuple[Place, ...]:
        """The fewest disjoint places that together hold the values, in the tree's order.

        A set of values has one cover: `all` before groups, and a value before a group of one. Codes
        unknown to the tree are ignored.
        """
        wanted = frozenset(values) & frozenset(self.values)
        if wanted not in self._covers:
            if len(self._covers) >= MOST_KEPT:
                self._covers.clear()
            self._covers[wanted] = self._found_cover(wanted)
        return self._covers[wanted]

    def _found_cover(self, wanted: frozenset[str]) -> tuple[Place, ...]:
        if wanted == self.in_totals:
            return (ALL,) if wanted else ()
        named = {value: Place(Level.VALUE, value) for value in self.values}
        for group in self.groups:
            place = Place(Level.GROUP, group)
            members = self.members(place)
            if len(members) > 1 and members <= wanted:
                named |= dict.fromkeys(members, place)
        return tuple(dict.fromkeys(named[value] for value in self.values if value in wanted))


def year_tree(first: int, last: int) -> Tree:
    """Calendar years in their five-year periods (2020-2024).

    Take first and last from public facts, such as the years of the registry's start and of the
    release: ends taken from the events would reveal when the first and the last happened.
    """
    return Tree.grouped(
        "year", {str(year): period_of(year) for year in range(first, last + 1)}, blanks=False
    )


def period_of(year: int) -> str:
    """The five-year period of a calendar year, as parameters write it."""
    start = year - year % YEARS_IN_PERIOD
    return f"{start}-{start + YEARS_IN_PERIOD - 1}"


def window_tree() -> Tree:
    """Months since implant in windows and their groups; an event without a month is in all."""
    return Tree.grouped("window", WINDOWS, blanks=False)


def vocabulary_tree(name: str) -> Tree:
    """The tree of a dimension whose codes are a published code list, with its blanks.

    Raises KeyError for a dimension whose codes live in the registry's own tables.
    """
    dimension = DIMENSIONS[name]
    if dimension.kind is ValueKind.FLAG:
        return Tree.flat(name, ("yes", "no"))
    members = CODELISTS[str(dimension.codelist)]
    if not dimension.relation:
        return Tree.flat(name, (str(code) for code in members.codes()))
    return Tree.grouped(
        name, {str(member.value): str(getattr(member, dimension.relation)) for member in members}
    )


def _with_blanks(values: Iterable[str], blanks: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*values, NOT_RECORDED) if blanks else values))

"""The list of each code column: a snapshot's tables hold places in it, its manifest the codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registry.records import DIMENSIONS
from registry.records.columns import DECLARED
from registry.snapshot.followed import (
    AFTER_FOLLOW_UP,
    AFTER_LAST_ROUND,
    AT_RISK,
    BEFORE_ENTRY,
    IN_DECLARED,
    INELIGIBLE,
    NO_MONTH,
)
from registry.snapshot.schema import TABLES, Kind
from registry.snapshot.terms import Terms
from registry.vocabulary import CODELISTS

UNKNOWN = -1
"""The number of a code that is on no list: no row holds it."""

_PLACES = (
    AT_RISK,
    BEFORE_ENTRY,
    AFTER_FOLLOW_UP,
    NO_MONTH,
    INELIGIBLE,
    AFTER_LAST_ROUND,
    IN_DECLARED,
)
_DECLARED = {
    name: column.codelist
    for columns in DECLARED.values()
    for name, column in columns.items()
    if column.codes
}
"""The list of every declared column of codes, for those that are no dimension."""

_OWN = {
    "serious": ("yes", "no"),
    "device_time": _PLACES,
    "pump_time": _PLACES,
    "catheter_time": _PLACES,
}


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of every column by name, in order; place 0 is "not recorded".

    lists: column name -> its codes, the empty text first.
    """

    lists: Mapping[str, tuple[str, ...]]
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict, compare=False, repr=False)

    def number(self, column: str, code: str) -> int:
        """The number that stands for a code in a column, or UNKNOWN."""
        if column not in self._numbers:
            self._numbers[column] = {text: place for place, text in enumerate(self.lists[column])}
        return self._numbers[column].get(code, UNKNOWN)

    def text(self, column: str, number: int) -> str:
        """The code that a number stands for."""
        return self.lists[column][number]


def code_lists(
    terms: Terms, found: Mapping[str, Iterable[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """The whole list of every code column, also of codes that no row has.

    Lists are in the order of the vocabulary and the catalogue, sites and countries sorted. Place
    0 is "", not recorded. found: the codes that the rows hold by column; those that are on no
    list come last, sorted.
    """
    listed: dict[str, tuple[str, ...]] = {
        **_OWN,
        "complication": tuple(term.code for term in terms.complications),
        "category": _categories(terms),
        "site": tuple(sorted(terms.sites)),
        "country": tuple(sorted(set(terms.sites.values()))),
    }
    lists = {}
    for name in code_columns():
        codes = listed[name] if name in listed else _vocabulary(name)
        known = ("", *(code for code in codes if code))
        lists[name] = known + tuple(sorted(set((found or {}).get(name, ())) - set(known)))
    return lists


def _categories(terms: Terms) -> tuple[str, ...]:
    """The categories in order, then those that only complications name."""
    named = sorted({term.category for term in terms.complications})
    return tuple(dict.fromkeys([*(group.code for group in terms.categories), *named]))


def code_columns() -> tuple[str, ...]:
    """The names of all code columns, in the order in which the tables first have them."""
    columns = (column for columns in TABLES.values() for column in columns)
    return tuple(dict.fromkeys(each.name for each in columns if each.kind is Kind.CODE))


def _vocabulary(name: str) -> tuple[str, ...]:
    dimension = DIMENSIONS.get(name)
    listed = dimension.codelist if dimension else None
    return CODELISTS[listed or _DECLARED[name]].codes()

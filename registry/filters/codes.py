"""The codes that each dimension takes, from the code lists and the registry's tables."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from registry.models import Category, Complication, Site
from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.records import DIMENSIONS, ValueKind
from registry.vocabulary import CODELISTS, NOT_RECORDED

YES, NO = "yes", "no"


def codes_of(dimension: str) -> list[tuple[str, str]]:
    """The codes of a dimension with their labels, in the order of their list.

    Without retired complications and "not recorded"; empty for years and windows. One query for
    lists kept in tables, otherwise none.
    """
    known = DIMENSIONS[dimension]
    if known.kind is ValueKind.FLAG:
        return [(YES, "Yes"), (NO, "No")]
    if known.kind is ValueKind.PERIOD:
        return [(period, period) for period in periods()]
    if known.codelist is None:
        return []
    if known.codelist in TABLES:
        return TABLES[known.codelist]()
    return [(str(code), label) for code, label in CODELISTS[known.codelist].choices()]


def _complications() -> list[tuple[str, str]]:
    current = Complication.objects.current().order_by("category__sort_order", "name")
    return list(current.values_list("code", "name"))


def _categories() -> list[tuple[str, str]]:
    return list(Category.objects.order_by("sort_order").values_list("code", "name"))


def _sites() -> list[tuple[str, str]]:
    """Site codes label themselves: sites' names are for the registry's staff only."""
    return [(code, code) for code in Site.objects.order_by("code").values_list("code", flat=True)]


def _countries() -> list[tuple[str, str]]:
    named = Site.objects.exclude(country="").order_by("country").distinct()
    return [(country, country) for country in named.values_list("country", flat=True)]


TABLES: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "complication": _complications,
    "category": _categories,
    "site": _sites,
    "country": _countries,
}
"""The code lists kept in the database, by the name a dimension gives them."""


def periods() -> list[str]:
    """Every five-year period, from the first that holds a year the registry accepts."""
    return [
        f"{first}-{first + 4}" for first in range(FIRST_YEAR - FIRST_YEAR % 5, LAST_YEAR + 1, 5)
    ]


def own_codes(dimension: str) -> tuple[str, ...]:
    """Every code of the dimension itself that a filter accepts, retired complications included."""
    if DIMENSIONS[dimension].codelist == "complication":
        return tuple(Complication.objects.order_by("code").values_list("code", flat=True))
    return tuple(code for code, _label in codes_of(dimension))


def group_members(dimension: str) -> dict[str, tuple[str, ...]]:
    """The codes of a dimension in each of its groups, such as the drugs of `opioid`.

    A group without members has an empty tuple. Empty where the dimension has no groups.
    """
    parent = DIMENSIONS[dimension].parent
    if parent is None:
        return {}
    if dimension == "complication":
        placed = list(Complication.objects.order_by("code").values_list("code", "category_id"))
    else:
        codelist = CODELISTS[str(DIMENSIONS[dimension].codelist)]
        relation = DIMENSIONS[dimension].relation
        placed = [(str(member.value), str(getattr(member, relation))) for member in codelist]
    members: dict[str, list[str]] = {group: [] for group, _label in codes_of(parent)}
    for code, group in placed:
        members[group].append(code)
    return {group: tuple(sorted(codes)) for group, codes in members.items()}


def nearest(value: str, known: Sequence[str]) -> str:
    """The known word nearest to a value, for a message; empty where nothing is known.

    Compares numbers by size, words by their letters, case-insensitively.
    """
    words = [word for word in known if word != NOT_RECORDED] or list(known)
    if not words:
        return ""
    if value.isdecimal() and all(word.isdecimal() for word in words):
        return min(words, key=lambda word: abs(int(word) - int(value)))
    by_letters = {word.lower(): word for word in [*words, *_blank_like(value, known)]}
    found = get_close_matches(value.lower(), by_letters, n=1, cutoff=0.1)
    return by_letters[found[0]] if found else words[0]


def _blank_like(value: str, known: Sequence[str]) -> list[str]:
    """ "not-recorded" where the value is close to it, else nothing."""
    return [word for word in get_close_matches(value.lower(), known) if word == NOT_RECORDED]


def with_not_recorded(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The choices of a form, followed by "not recorded"."""
    return [*choices, (NOT_RECORDED, "Not recorded")]

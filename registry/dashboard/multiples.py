"""The rate of each category by calendar year, as small pictures on axes of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from registry.answers.asking import Panel, with_set
from registry.answers.numbers import value_of
from registry.answers.whole_years import last_whole_year
from registry.dashboard.common_units import HUNDRED_OF
from registry.dashboard.drawing import NO_ESTIMATE, SmallPicture, small_picture
from registry.dashboard.ranking import Row, estimate_of, figure_of
from registry.records.enumeration import enumerated
from registry.vocabulary import CellStatus

HIDDEN_SITES = (
    "Whether the participating sites changed over these years is not told: numbers by site and "
    "year are hidden. A rise or a fall may come from a site that joined or left."
)
SAME_SITES = "The same sites took part in all these years."


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiple:
    """One category. last: its last number in words, with its year. picture: None of one year."""

    title: str
    address: str
    unit: str
    last: str
    limits: str
    described: str
    picture: SmallPicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiples:
    """The small pictures, and whether the participating sites changed. table: their numbers."""

    each: Sequence[Multiple]
    warning: str
    has_changes: bool
    first: int
    last: int
    table: str


def multiples_of(
    by_year: Panel, by_site: Panel, params: QueryDict, *, by_period: Panel | None = None
) -> Multiples | None:
    """The small pictures of an answer by category and year; None where it was refused or is empty.

    The year in which the data end is left out: it is not over. by_period: the same in spans of five
    years, for categories with fewer than two years that are told.
    """
    rows = [row for row in by_year.rows if isinstance(row["year"], int)]
    until = last_whole_year(by_year.meta)
    rows = [row for row in rows if until is None or int(str(row["year"])) <= until]
    spans = [row for row in by_period.rows if _ends(row)] if by_period else []
    spans = [row for row in spans if until is None or _ends(row)[1] <= until]
    told = [int(str(row["year"])) for row in rows if value_of(row) is not None]
    told += [year for row in spans if value_of(row) is not None for year in _ends(row)]
    if not told:
        return None
    first, last = min(told), max(told)
    years = list(range(first, last + 1))
    changes, known = participation(by_site, years)
    by_category: dict[str, dict[int, Row]] = {}
    by_span: dict[str, dict[int, Row]] = {}
    for row in rows:
        by_category.setdefault(str(row["category"]), {})[int(str(row["year"]))] = row
    for row in spans:
        by_span.setdefault(str(row["category"]), {})[_ends(row)[0] + 2] = row
    return Multiples(
        each=[
            _multiple(code, *_coarser(found, by_span.get(code, {})), years, sorted(changes), params)
            for code, found in by_category.items()
        ],
        warning=_warning(changes) if known else HIDDEN_SITES,
        has_changes=bool(changes),
        first=first,
        last=last,
        table=f"{reverse('explore')}?"
        + with_set(params, group_by="category,year").urlencode(safe=","),
    )


def _ends(row: Row) -> tuple[int, ...]:
    """The first and the last year of a row by five years; empty for one of none."""
    first, _, last = str(row["period"]).partition("-")
    return (int(first), int(last)) if first.isdigit() and last.isdigit() else ()


def _told(rows: Mapping[int, Row]) -> list[Row]:
    return [row for _year, row in sorted(rows.items()) if value_of(row) is not None]


def _coarser(years: Mapping[int, Row], spans: Mapping[int, Row]) -> tuple[Mapping[int, Row], int]:
    """The rows to draw, and the years from one to the next: spans where years are not told."""
    if len(_told(years)) < 2 <= len(_told(spans)):
        return spans, 5
    return years, 1


def _multiple(
    code: str,
    rows: Mapping[int, Row],
    step: int,
    years: Sequence[int],
    changes: Sequence[int],
    of: QueryDict,
) -> Multiple:
    known = _told(rows)
    some = next(iter(rows.values()))
    unit = next((HUNDRED_OF[str(row["unit"])] for row in rows.values() if row["unit"]), "")
    places = years if step == 1 else sorted(year for year in rows if years[0] <= year <= years[-1])
    points = [(year, estimate_of(rows[year]) if year in rows else NO_ESTIMATE) for year in places]
    name = "year" if step == 1 else "period"
    alone = with_set(of, category=code, complication="", group_by=name)
    title = str(some.get("category_label", code))
    return Multiple(
        title=title,
        address=f"{reverse('explore')}?{alone.urlencode(safe=',')}",
        unit=unit,
        last=f"{known[-1][name]}: {figure_of(known[-1]).value}" if known else "",
        limits=figure_of(known[-1]).limits if known else "",
        described=described(title, known, unit, name),
        picture=small_picture(points, between=(years[0], years[-1]), step=step, changed=changes),
    )


def described(title: str, known: Sequence[Row], unit: str, name: str = "year") -> str:
    """A small picture in one sentence, as alternative text."""
    if not known:
        return f"{title}: no year has a rate to show."
    ends = [known[0]] if len(known) == 1 else [known[0], known[-1]]
    said = "; ".join(f"{figure_of(row).value} in {row[name]}" for row in ends)
    return f"{title}, {unit}: {said}. {len(known)} points have a number."


def participation(panel: Panel, years: Sequence[int]) -> tuple[dict[int, tuple[int, int]], bool]:
    """The years in which sites began or no longer took part, as far as they are told.

    A site takes part from the first to the last year in which its device time is told. Returns the
    numbers of sites that joined and that left by year, and whether any site is told at all.
    """
    spans: dict[str, list[int]] = {}
    for row in panel.rows:
        is_there = row["status"] != CellStatus.NO_DENOMINATOR and row["exposure"]
        if is_there and isinstance(row["year"], int):
            spans.setdefault(str(row["site"]), []).append(row["year"])
    changes: dict[int, tuple[int, int]] = {}
    for found in spans.values():
        for year, place in ((min(found), 0), (max(found) + 1, 1)):
            if years[0] < year <= years[-1]:
                joined, left = changes.get(year, (0, 0))
                changes[year] = (joined + (place == 0), left + (place == 1))
    return changes, bool(spans)


def _warning(changes: Mapping[int, tuple[int, int]]) -> str:
    if not changes:
        return SAME_SITES
    joined = [(year, each[0]) for year, each in sorted(changes.items()) if each[0]]
    left = [(year, each[1]) for year, each in sorted(changes.items()) if each[1]]
    said = [
        f"{sum(n for _year, n in found)} {words} ({', '.join(str(year) for year, _n in found)})"
        for found, words in ((joined, "joined"), (left, "left"))
        if found
    ]
    return (
        f"The participating sites changed: {enumerated(said, last='and')}. A rise or a fall in "
        "such a year, marked by a dotted line, may come from them."
    )

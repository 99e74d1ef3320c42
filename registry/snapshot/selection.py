"""Selections of a snapshot: which events and devices a sum is over, and how it is broken down."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from registry.records import DIMENSIONS, Cell, Side, ValueKind, Window

ENDLESS = 1_000_000
"""More quarters, or months, than any device is followed."""

SHARED = frozenset({Side.DEVICE, Side.PATIENT, Side.SITE, Side.TIME})
"""Sides that restrict device time as well as events; a grouping by another repeats the time."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column that must hold one of the values; `blank` lets "not recorded" through as well.

    bits: for columns of several codes; any of these bits will do.
    """

    column: str
    values: tuple[str | int | bool, ...] = ()
    blank: bool = False
    bits: int = 0
    unless: bool = False


@dataclass(frozen=True, slots=True)
class YearSpan:
    """Whole calendar years, both ends included, that belong to one row of the answer.

    labels: a number for each grouping by calendar time; a period is named by its first year.
    """

    labels: tuple[int, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A grouping by places instead of values: a place is a set of values of one column.

    place_of: pairs of value and place; None is "not recorded". A value without a place is in no
    row. Calendar years are placed by spans (`Selection.calendar`) instead.
    """

    column: str
    place_of: tuple[tuple[str | int | None, int], ...]


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """Months since implant that belong to one row; `last` None is open.

    NO_MONTHS stands for the events without a month: it holds no time.
    """

    label: str
    first: int
    last: int | None

    @property
    def time_from(self) -> int:
        """Where its device time starts, in quarters: half a month before its first, but 0 at 0."""
        return 0 if self.first == 0 else 4 * self.first - 2

    @property
    def time_to(self) -> int:
        """Where its device time ends, in quarters: half a month after its last month."""
        return ENDLESS if self.last is None else 4 * self.last + 2


NO_MONTHS = MonthSpan("", -1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One selection of events and device time, and how to break it down.

    on_events restricts the events only, on_devices events and device time. years: the calendar
    years asked for, None for any; `no_year` lets events without a year through. spans: windows of
    months, empty for any. known_years: the years that a breakdown by year can show. placed:
    groupings whose rows are places; calendar: the same for `year`, which is then grouped by place.
    """

    on_events: tuple[Condition, ...] = ()
    on_devices: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    years: tuple[int, ...] | None = None
    no_year: bool = False
    spans: tuple[MonthSpan, ...] = ()
    known_years: tuple[int, ...] = ()
    placed: tuple[Placed, ...] = ()
    calendar: tuple[YearSpan, ...] = ()

    @property
    def shared(self) -> tuple[str, ...]:
        """The groupings that break device time down as well."""
        return tuple(name for name in self.group_by if DIMENSIONS[name].side in SHARED)

    @property
    def timed_spans(self) -> tuple[MonthSpan, ...]:
        """The windows that hold time."""
        return tuple(span for span in self.spans if span != NO_MONTHS)

    @property
    def splits_years(self) -> bool:
        """Whether device time has to be split by calendar year."""
        return self.years is not None or bool({"year", "period"} & set(self.group_by))

    @property
    def is_timed(self) -> bool:
        """Whether it, or its breakdown, holds some of the time only."""
        return bool(self.spans) or self.splits_years

    def by_site(self) -> "Selection":
        """The same selection with the site as the last grouping of each row."""
        return replace(self, group_by=(*self.group_by, "site"))

    def at_any_time(self) -> "Selection":
        """The same selection without what restricts time, and without breakdowns by it."""
        untimed = tuple(name for name in self.group_by if DIMENSIONS[name].side is not Side.TIME)
        return replace(
            self,
            group_by=untimed,
            years=None,
            no_year=False,
            spans=(),
            known_years=(),
            calendar=(),
        )

    @property
    def time_groups(self) -> tuple[str, ...]:
        """The groupings by calendar time, in the order asked."""
        return tuple(name for name in self.group_by if name in {"year", "period"})

    @property
    def is_one_span_a_row(self) -> bool:
        """Whether the calendar time of each row is years that follow each other."""
        labels = [span.labels for span in self.year_spans()]
        return len(labels) == len(set(labels))

    def places_of(self, name: str) -> Placed | None:
        """The places of a grouping, or None where it is grouped by value."""
        return next((each for each in self.placed if each.column == name), None)

    def shared_key(self, key: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The part of a row's key under which its device time is found."""
        return tuple(
            value
            for name, value in zip(self.group_by, key, strict=True)
            if DIMENSIONS[name].side in SHARED
        )

    def year_spans(self) -> tuple[YearSpan, ...]:
        """The calendar years asked for, joined where they follow each other in one row."""
        if self.calendar:
            return self.calendar
        years = self.known_years if self.years is None else self.years
        labelled = [(self._labels(year), year) for year in sorted(years)]
        found = []
        for (labels, _), run in groupby(
            enumerate(labelled), key=lambda each: (each[1][0], each[1][1] - each[0])
        ):
            members = [year for _, (_, year) in run]
            found.append(YearSpan(labels, members[0], members[-1]))
        return tuple(found)

    def _labels(self, year: int) -> tuple[int, ...]:
        return tuple(year if name == "year" else year - year % 5 for name in self.time_groups)


def period_label(start: int) -> str:
    """The five calendar years that begin with one, such as 2020-2024."""
    return f"{start}-{start + 4}"


def joined_spans(spans: Iterable[MonthSpan]) -> tuple[MonthSpan, ...]:
    """Rows of months as one filter."""
    windows = tuple(Window(span.first, span.last) for span in spans if span != NO_MONTHS)
    blank = (NO_MONTHS,) if NO_MONTHS in spans else ()
    return (*month_spans(windows, apart=False), *blank)


def month_spans(windows: tuple[Window, ...], *, apart: bool) -> tuple[MonthSpan, ...]:
    """The windows as rows of their own, or, where they are a filter, joined where they meet."""
    if apart:
        return tuple(MonthSpan(str(window), window.start, window.end) for window in windows)
    joined: list[MonthSpan] = []
    for window in sorted(windows, key=lambda each: each.start):
        before = joined[-1] if joined else None
        if before and (before.last is None or window.start <= before.last + 1):
            open_ended = before.last is None or window.end is None
            last = None if open_ended else max(before.last or 0, window.end or 0)
            joined[-1] = MonthSpan("", before.first, last)
        else:
            joined.append(MonthSpan("", window.start, window.end))
    return tuple(joined)


def is_multiple(name: str) -> bool:
    """Whether an event can hold several values of this dimension."""
    return DIMENSIONS[name].kind is ValueKind.CODES

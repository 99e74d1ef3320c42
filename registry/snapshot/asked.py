"""What one statement is asked for, in the snapshot's own columns."""

from dataclasses import dataclass
from itertools import groupby

from registry.records import DIMENSIONS, Cell, Side, ValueKind, Window

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
    """Whole calendar years that belong to one row: labels by time grouping, first, last."""

    labels: tuple[Cell, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """Months since implant that belong to one row; `last` None is open.

    NO_MONTHS stands for the events without a month: it holds no time.
    """

    label: str
    first: int
    last: int | None

    @property
    def time_from(self) -> float:
        """Where its device time starts: half a month before its first month, but 0 at 0."""
        return 0.0 if self.first == 0 else self.first - 0.5

    @property
    def time_to(self) -> float:
        """Where its device time ends: half a month after its last month."""
        return float("inf") if self.last is None else self.last + 0.5


NO_MONTHS = MonthSpan("", -1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One selection of events and device time, and how to break it down.

    on_events restricts the events only, on_devices events and device time. years: the calendar
    years asked for, None for any; `no_year` lets events without a year through. spans: windows of
    months, empty for any. known_years: the years that a breakdown by year can show.
    """

    on_events: tuple[Condition, ...] = ()
    on_devices: tuple[Condition, ...] = ()
    group_by: tuple[str, ...] = ()
    years: tuple[int, ...] | None = None
    no_year: bool = False
    spans: tuple[MonthSpan, ...] = ()
    known_years: tuple[int, ...] = ()

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
    def time_groups(self) -> tuple[str, ...]:
        """The groupings by calendar time, in the order asked."""
        return tuple(name for name in self.group_by if name in {"year", "period"})

    def shared_key(self, key: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The part of a row's key under which its device time is found."""
        return tuple(
            value
            for name, value in zip(self.group_by, key, strict=True)
            if DIMENSIONS[name].side in SHARED
        )

    def year_spans(self) -> tuple[YearSpan, ...]:
        """The calendar years asked for, joined where they follow each other in one row."""
        years = self.known_years if self.years is None else self.years
        labelled = [(self._labels(year), year) for year in sorted(years)]
        found = []
        for (labels, _), run in groupby(
            enumerate(labelled), key=lambda each: (each[1][0], each[1][1] - each[0])
        ):
            members = [year for _, (_, year) in run]
            found.append(YearSpan(labels, members[0], members[-1]))
        return tuple(found)

    def _labels(self, year: int) -> tuple[Cell, ...]:
        return tuple(year if name == "year" else period_of(year) for name in self.time_groups)


def period_of(year: int) -> str:
    """The five calendar years that hold a year, such as 2020-2024."""
    start = year // 5 * 5
    return f"{start}-{start + 4}"


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

"""The canonical form of a question: equal questions are equal values, however they were written."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from registry.filters.codes import group_members, own_codes
from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault, ValueKind, Window
from registry.vocabulary import NOT_RECORDED, CountingRule, Denominator

C = TypeVar("C", CountingRule, Denominator)

DEFAULT_SCALE = "log-log"

EXPLAINED_RANGE = "The range ends before it starts: year_min must not be after year_max."

GROUPED_EXACTLY = {"complication", "drug", "indication", "age_band"}
"""Dimensions whose group codes may move to the group's own dimension.

Not pump models: `pump_model=medtronic` stays a list of pump models, because `manufacturer` is the
maker of the component itself, which may be a catheter.
"""


def event_query(cleaned: Mapping[str, Any]) -> EventQuery:
    """Builds the canonical question from cleaned parameters.

    Raises BadQuery where the filters on years have no year in common.
    """
    where = _resolved(
        {
            name: tuple(cleaned.get(name) or ())
            for name, dimension in DIMENSIONS.items()
            if dimension.kind is not ValueKind.WINDOW and cleaned.get(name)
        }
    )
    years = _years(where, cleaned.get("year_min"), cleaned.get("year_max"))
    group_by = tuple(cleaned.get("group_by") or ())
    windows = tuple(each for each in cleaned.get("window") or () if isinstance(each, Window))
    if NOT_RECORDED in (cleaned.get("window") or ()):
        where["window"] = (NOT_RECORDED,)
    counting, unit, per = cleaned.get("counting"), cleaned.get("unit"), cleaned.get("per")
    return EventQuery(
        where=tuple(sorted(where.items())),
        years=years,
        windows=windows if "window" in group_by else merged(windows),
        group_by=group_by,
        counting=_member(CountingRule, counting),
        unit=_member(Denominator, unit),
        per=int(per) if per else None,
        level=float(cleaned.get("level") or 0.95),
        standardise=tuple(sorted(cleaned.get("standardise") or ())),
        release=cleaned.get("release") or None,
        labels=cleaned.get("labels") or "code",
        ordering=tuple(cleaned.get("ordering") or ()),
        ci=_scale(cleaned.get("ci")),
        adjust=tuple(sorted(cleaned.get("adjust") or ())),
        reference=cleaned.get("reference") or None,
        cluster=cleaned.get("cluster") or None,
        effect=tuple(sorted(cleaned.get("effect") or ())),
    )


def _scale(ci: str | None) -> str | None:
    """The scale of the limits; None for the default, so that naming the default changes nothing."""
    return None if ci in (None, "", DEFAULT_SCALE) else ci


def _member(codelist: type[C], code: str | None) -> C | None:
    return next((member for member in codelist if member.value == code), None)


def _resolved(where: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Moves group codes to their own dimension, or expands them where that changes the meaning."""
    resolved = dict(where)
    for name, values in where.items():
        if DIMENSIONS[name].parent is None or DIMENSIONS[name].kind is not ValueKind.CODE:
            continue
        own = {*own_codes(name), NOT_RECORDED}
        groups = {value for value in values if value not in own}
        if not groups:
            continue
        parent = str(DIMENSIONS[name].parent)
        if name in GROUPED_EXACTLY and groups == set(values):
            both = groups & set(where.get(parent, groups))
            if both:
                resolved[parent] = tuple(sorted(both))
                del resolved[name]
                continue
        members = group_members(name)
        spelled = {code for group in groups for code in members[group]}
        resolved[name] = tuple(sorted(spelled | (set(values) - groups)))
    return resolved


def _years(
    where: dict[str, tuple[str, ...]], first: int | None, last: int | None
) -> tuple[int | None, int | None] | None:
    """Moves an unbroken range of calendar years out of `where` and returns it.

    A year, neighbouring years, a period and an open range become (first, last). Years with gaps,
    and blanks, stay in `where` as single years.
    """
    chosen: set[int] | None = None
    blanks = False
    for name in ("year", "period"):
        if name not in where:
            continue
        values = where.pop(name)
        wanted = {year for value in values if value != NOT_RECORDED for year in _span(value)}
        if NOT_RECORDED in values:
            blanks = chosen is None or blanks
        elif chosen is not None:
            blanks = False
        chosen = wanted if chosen is None else chosen & wanted
    if chosen is None:
        return None if first is None and last is None else (first, last)
    if first is not None or last is not None:
        chosen = {year for year in chosen if (first or year) <= year <= (last or year)}
        blanks = False
    if not chosen and not blanks:
        raise BadQuery(Fault("year", "bad-range", "The filters on years have no year in common."))
    if not blanks and max(chosen) - min(chosen) + 1 == len(chosen):
        return (min(chosen), max(chosen))
    where["year"] = (*map(str, sorted(chosen)), *((NOT_RECORDED,) if blanks else ()))
    return None


def _span(value: str) -> range:
    """The calendar years of `2019` or of `2020-2024`."""
    first, _dash, last = value.partition("-")
    return range(int(first), int(last or first) + 1)


def merged(windows: Iterable[Window]) -> tuple[Window, ...]:
    """Joins windows that touch or overlap: as a filter, 0-3 and 4-12 are 0-12."""
    joined: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and window.start > last.end + 1):
            joined.append(window)
        elif last.end is not None:
            end = None if window.end is None else max(last.end, window.end)
            joined[-1] = Window(last.start, end)
    return tuple(joined)

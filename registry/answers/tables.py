"""A release as a table to read: titles, cells and statuses in words, caption and legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateformat import format as date_format

from registry.answers.numbers import (
    FEW,
    HIDDEN,
    in_percent,
    range_in_percent,
    range_of,
    written,
)
from registry.records import Cell, Column, Release
from registry.vocabulary import CellStatus, Denominator, Measure, Profile

STATUSES = {each.value: each for each in CellStatus}
UNITS = {each.value: each for each in Denominator}

COUNTED = frozenset({"n", "events", "numerator"})
"""Columns whose hidden numbers are counts of patients, devices or their first events."""

SHARES = frozenset({"proportion"})
"""Columns that hold a share of all; their limits are shares too."""

FOLDED = frozenset({"ci_upper", "denominator"})
"""Columns that another column shows: both limits, and a count with what it is of."""

TITLES = {
    "ci_lower": "Interval",
    "numerator": "With an event, of all",
    "unit": "Divided by",
    "status": "Status",
    "hidden_cells": "Cells left out",
}
"""Headings that the page writes in its own words."""

EXACT = "Exact numbers; whoever looks beyond an own site is logged."
PROTECTED = "Protected numbers: small counts are hidden, so that nobody can be singled out."
WHY_HIDDEN = (
    f"{FEW}: four or fewer, or none, or too few patients, devices or months to divide by. Hidden"
    " does not mean none, and no total gives it back."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell as the page writes it."""

    text: str
    heading: bool = False
    number: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A release ready for a page; every text is in words."""

    title: str
    caption: Sequence[str]
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Shown]]
    legend: Sequence[CellStatus]
    hides: bool
    warnings: Sequence[str]
    receipt: str


def table_of(release: Release) -> Table:
    """A release as a table; a column that says nothing new is left out."""
    meta: Mapping[str, Any] = release.meta
    columns = [column for column in release.columns if _says_something(column, release)]
    statuses = {str(row["status"]) for row in release.rows}
    return Table(
        title=str(meta["title"]),
        caption=caption_of(meta),
        columns=[(title_of(each), each.role in {"measure", "interval"}) for each in columns],
        rows=[[shown(row, column, meta) for column in columns] for row in release.rows],
        legend=[status for status in CellStatus if status in statuses - {"ok"}],
        hides="suppressed" in statuses,
        warnings=[*(meta.get("warnings") or ()), *_in_words(meta)],
        receipt=release.receipt,
    )


def _says_something(column: Column, release: Release) -> bool:
    if column.name == "hidden_cells":
        return any(row[column.name] for row in release.rows)
    named = {each.name for each in release.columns}
    return column.name not in FOLDED and f"{column.name}_label" not in named


def _in_words(meta: Mapping[str, Any]) -> Sequence[str]:
    """What a protected answer says was done to it."""
    disclosure = meta.get("disclosure") or {}
    return [str(sentence) for sentence in disclosure.get("in_words", ())]


def title_of(column: Column) -> str:
    """A column's heading, in words."""
    title = TITLES.get(column.name) or column.title or column.name
    return title.removesuffix(", in words")


def caption_of(meta: Mapping[str, Any]) -> list[str]:
    """What one needs to know to read the numbers: counting, unit, time, protection, source."""
    said = [f"Counted: {meta['counting_in_words']}"]
    if meta["measure"] == Measure.RATES:
        said.append(f"Rates are per {meta['per']:,} of the unit that they are divided by.")
    if meta["measure"] == Measure.PROPORTIONS:
        said.append(f"Of all: {meta['denominator']}.")
    if meta["measure"] != Measure.COUNTS:
        said.append(f"Intervals of {round(100 * meta['level'])} %: {meta['method']}")
    return [*said, source_of(meta), EXACT if meta["profile"] == Profile.EXACT else PROTECTED]


def source_of(meta: Mapping[str, Any]) -> str:
    """Which frozen data were counted, and of when they are."""
    frozen = meta["snapshot"]
    source = f"release {frozen['label']}" if frozen["label"] else f"snapshot {frozen['id'][:12]}"
    return f"Data as of {day_of(meta['data_as_of'])}, {source}."


def day_of(instant: str | None) -> str:
    """A day in words; a registry without any row has none."""
    if not instant:
        return "no entry yet"
    return date_format(datetime.fromisoformat(instant), "j F Y, H:i") + " UTC"


def shown(row: Mapping[str, Cell], column: Column, meta: Mapping[str, Any]) -> Shown:
    """One cell in words; a hidden number shows that it is hidden, never a zero or a blank."""
    value = row[column.name]
    number = column.role in {"measure", "interval"}
    if column.name == "status":
        return Shown(STATUSES[str(value)].label)
    if column.name == "unit":
        return Shown(UNITS[str(value)].label if value else "")
    if column.role == "dimension":
        return Shown(str(value), heading=True)
    if value is None:
        return Shown(missing(column.name, str(row["status"])), number=number, hidden=True)
    if column.name == "numerator":
        of = row["denominator"]
        return Shown(f"{written(value)} of {HIDDEN if of is None else written(of)}", number=True)
    if column.name == "ci_lower":
        shares = meta["measure"] == Measure.PROPORTIONS
        limits = (range_in_percent if shares else range_of)(value, row["ci_upper"])
        return Shown(limits, number=True)
    if column.name in SHARES:
        return Shown(in_percent(value), number=True)
    return Shown(written(value), number=number)


def missing(column: str, status: str) -> str:
    """What stands for a number that is not there: few, hidden, or why it cannot be worked out."""
    if status == CellStatus.SUPPRESSED:
        return FEW if column in COUNTED else HIDDEN
    return STATUSES[status].label if status in STATUSES else status

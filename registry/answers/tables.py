"""A release as a table for readers: titles, cells and statuses in words, caption and legend."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from django.urls import reverse
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
from registry.reporting import MEASURES
from registry.vocabulary import (
    CODELISTS,
    LEAST_SHOWN,
    NOT_RECORDED,
    CellStatus,
    Denominator,
    HiddenReason,
    Profile,
)

STATUSES = {each.value: each for each in CellStatus}
REASONS = {each.value: each for each in HiddenReason}
UNITS = {each.value: each for each in Denominator}

COUNTED = frozenset({"n", "events", "numerator"})
"""Columns whose hidden numbers are counts of patients, devices or their first events."""

SHARES = frozenset({"proportion", "estimate", "share"})
"""Columns that hold a share of all."""

LONG = 30
"""A table with more rows than this scrolls."""

SIGNALS = {
    "within": "Within the limits",
    "not-judged": "Not judged",
    "above-95": "Above the 95 % limits",
    "above-998": "Above the 99.8 % limits",
    "below-95": "Below the 95 % limits",
    "below-998": "Below the 99.8 % limits",
}
"""A site's position in the funnel, in words."""

TITLES = {
    "ci_lower": "Interval",
    "lower_95": "95 % limits",
    "lower_998": "99.8 % limits",
    "numerator": "With an event, of all",
    "unit": "Divided by",
    "status": "Status",
    "hidden_cells": "Cells left out",
}
"""Headings that replace a column's own title."""

NAME_COMPLICATIONS = frozenset({"complication", "cause", "effect"})
"""Columns that name complications; in cascades by category, categories."""
CODE = re.compile(r"[a-z0-9-]+")
"""What tells a code from a label, where an answer has labels in place of codes."""
PRODUCTS: Mapping[str, str] = {"pump_model": "pump", "catheter_model": "catheter"}
"""The kind of product that a dimension's values are models of."""

UNDEFINED = "not defined"
"""The text for a number that is undefined, such as a ratio to 0."""

EXACT = "Exact numbers; access beyond your own site is logged."
PROTECTED = "Protected numbers: small counts are hidden, so that nobody can be identified."
WHY_FEW = (
    f"{FEW}: under {LEAST_SHOWN}, or none, or so without the sites that add most to it; numbers "
    "from which it could be derived are hidden too."
)
WHY_HIDDEN = "Hidden does not mean none, and cannot be derived from totals."

GONE = frozenset({CellStatus.SUPPRESSED, CellStatus.HIDDEN})
"""The statuses of numbers that protection hides."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell of a page's table. address: the page of what it names; empty without one."""

    text: str
    heading: bool = False
    number: bool = False
    hidden: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """A release as a table of a page, all in words. untold: the places of hidden rows."""

    title: str
    caption: Sequence[str]
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Shown]]
    untold: frozenset[int]
    legend: Sequence[CellStatus | HiddenReason]
    why_hidden: Sequence[str]
    is_long: bool
    caveats: Sequence[str]
    protection: Sequence[str]
    receipt: str

    @property
    def warnings(self) -> Sequence[str]:
        """All warnings: about the question, and about the protection."""
        return [*self.caveats, *self.protection]


def table_of(release: Release) -> AnswerTable:
    """A release as a table, without redundant columns."""
    meta: Mapping[str, Any] = release.meta
    columns = [column for column in release.columns if _says_something(column, release)]
    rows = in_order(release)
    return AnswerTable(
        title=str(meta["title"]),
        caption=caption_of(meta),
        columns=[(title_of(each), _is_number(each)) for each in columns],
        rows=[[shown(row, column, meta) for column in columns] for row in rows],
        untold=frozenset(place for place, row in enumerate(rows) if row["status"] in GONE),
        legend=legend_of(release.rows),
        why_hidden=why_hidden(release.rows),
        is_long=len(release.rows) > LONG,
        caveats=[*(meta.get("warnings") or ())],
        protection=_in_words(meta),
        receipt=release.receipt,
    )


def legend_of(rows: Sequence[Mapping[str, Cell]]) -> list[CellStatus | HiddenReason]:
    """The statuses to explain and the reasons for hiding that the rows have."""
    statuses = {row["status"] for row in rows} - {CellStatus.OK}
    reasons = {row.get("reason") for row in rows}
    return [
        *(status for status in CellStatus if status in statuses),
        *(reason for reason in HiddenReason if reason in reasons),
    ]


def why_hidden(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """The explanations of hidden numbers and small counts that the rows need."""
    statuses = {row["status"] for row in rows}
    few = [WHY_FEW] if CellStatus.SUPPRESSED in statuses else []
    return [*few, WHY_HIDDEN] if statuses & GONE else []


def status_in_words(row: Mapping[str, Cell]) -> str:
    """A row's status, with the reason where it is hidden."""
    label = STATUSES[str(row["status"])].label
    reason = row.get("reason")
    return f"{label}: {REASONS[str(reason)].label.lower()}" if reason else label


def in_order(release: Release) -> Sequence[Mapping[str, Cell]]:
    """The rows in the page's order: shown pairs before hidden ones, the strongest first.

    Most pairs of a protected answer are hidden. Files keep the order of the code lists.
    """
    meta: Mapping[str, Any] = release.meta
    by = MEASURES[meta["measure"]].reading.strongest_by
    if by is None:
        return release.rows

    def weakness(row: Mapping[str, Cell]) -> tuple[bool, float]:
        lower = row.get(by)
        return row["status"] in GONE, (-float(lower) if isinstance(lower, int | float) else inf)

    return sorted(release.rows, key=weakness)


def _says_something(column: Column, release: Release) -> bool:
    if column.name == "reason":
        return False  # shown with the status
    if column.name == "hidden_cells":
        return any(row[column.name] for row in release.rows)
    named = {each.name for each in release.columns}
    shown_by_another = lower_of(column.name) in named or (
        column.name == "denominator" and "numerator" in named
    )
    return not shown_by_another and f"{column.name}_label" not in named


def lower_of(name: str) -> str | None:
    """The lower limit's column for an upper limit's; None for any other column."""
    parts = name.split("_")
    if "upper" not in parts:
        return None
    return "_".join("lower" if part == "upper" else part for part in parts)


def upper_of(name: str) -> str | None:
    """The upper limit's column for a lower limit's; None for any other column."""
    parts = name.split("_")
    if "lower" not in parts:
        return None
    return "_".join("upper" if part == "lower" else part for part in parts)


def _in_words(meta: Mapping[str, Any]) -> Sequence[str]:
    """How a protected answer is protected, in words."""
    disclosure = meta.get("disclosure") or {}
    return [str(sentence) for sentence in disclosure.get("in_words", ())]


def title_of(column: Column) -> str:
    """A column's heading; that of a lower limit names the interval."""
    title = TITLES.get(column.name) or column.title or column.name.replace("_", " ").capitalize()
    if upper_of(column.name):
        title = title.replace("Lower limit of", "Interval of").replace(", lower limit", " interval")
    return title.removesuffix(", in words")


def caption_of(meta: Mapping[str, Any]) -> list[str]:
    """The caption: counting rule, unit, method, source and protection."""
    said = [f"Counted: {meta['counting_in_words']}"]
    spec = MEASURES[meta["measure"]]
    if "per" in spec.options:
        said.append(f"Rates are per {meta['per']:,} of the unit that they are divided by.")
    if spec.reading.of_all:
        said.append(f"Of all: {meta['denominator']}.")
    if "level" in spec.options:
        said.append(f"Intervals of {round(100 * meta['level'])} %: {meta['method']}")
    return [*said, source_of(meta), EXACT if meta["profile"] == Profile.EXACT else PROTECTED]


def source_of(meta: Mapping[str, Any]) -> str:
    """The snapshot or release behind an answer, and when its data are from."""
    frozen = meta["snapshot"]
    source = f"release {frozen['label']}" if frozen["label"] else f"snapshot {frozen['id'][:12]}"
    return f"Data as of {day_of(meta['data_as_of'])}, {source}."


def day_of(instant: str | None) -> str:
    """An instant in words; an empty registry has none."""
    if not instant:
        return "no entry yet"
    return date_format(datetime.fromisoformat(instant), "j F Y, H:i") + " UTC"


def _is_number(column: Column) -> bool:
    return column.role != "dimension" and column.type in {"integer", "number"}


def shown(row: Mapping[str, Cell], column: Column, meta: Mapping[str, Any]) -> Shown:
    """One cell in words; a hidden number reads as hidden, never as 0 or blank."""
    value = row[column.name]
    number = _is_number(column)
    if column.name == "status":
        return Shown(status_in_words(row))
    if column.name == "unit":
        return Shown(UNITS[str(value)].label if value else "")
    if column.role == "dimension" and column.name != "unit":
        text = written(value) if isinstance(value, float) else str(value)
        name = column.name.removesuffix("_label")
        by_category = (meta.get("cascades") or {}).get("level") == "category"
        code = "" if by_category else str(row.get(name) or "")
        return Shown(text, heading=True, address=address_of(name, code))
    if value is None:
        return Shown(missing(column.name, str(row["status"])), number=number, hidden=True)
    if column.type == "boolean":
        return Shown("Yes" if value else "No")
    if column.name == "signal":
        return Shown(SIGNALS.get(str(value), str(value)))
    return Shown(_number(row, column.name, meta), number=number)


def address_of(name: str, code: str) -> str:
    """The page of a complication or a model; empty for what is no code of one."""
    if name in NAME_COMPLICATIONS and CODE.fullmatch(code) and code != NOT_RECORDED:
        return reverse("complication", args=[code])
    kind = PRODUCTS.get(name)
    if kind is not None and code in {each.value for each in CODELISTS[name.replace("_", "-")]}:
        return reverse("product", args=[kind, code])
    return ""


def _number(row: Mapping[str, Cell], name: str, meta: Mapping[str, Any]) -> str:
    """A number with its denominator, as an interval, or in per cent."""
    value = row[name]
    if name == "numerator":
        of = row["denominator"]
        return f"{written(value)} of {HIDDEN if of is None else written(of)}"
    upper = upper_of(name)
    if upper is not None and upper in row:
        shares = name == "ci_lower" and MEASURES[meta["measure"]].reading.shares
        ends = value, row[upper]
        if ends[1] is None:
            return f"from {in_percent(value) if shares else written(value)}"
        return (range_in_percent if shares else range_of)(*ends)
    of_all = name in SHARES and (name != "estimate" or MEASURES[meta["measure"]].reading.shares)
    return in_percent(value) if of_all else written(value)


def missing(column: str, status: str) -> str:
    """The text for a missing number: few, hidden, or why it is undefined.

    Few only where the count itself is small.
    """
    if status in GONE:
        return FEW if status == CellStatus.SUPPRESSED and column in COUNTED else HIDDEN
    if status == CellStatus.NO_DENOMINATOR:
        return STATUSES[status].label
    return UNDEFINED

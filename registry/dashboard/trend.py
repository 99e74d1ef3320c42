"""A rate by calendar year, as a picture and as the same numbers in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.answers.asking import Panel
from registry.answers.tables import UNITS
from registry.dashboard.drawing import Estimate, Picture, trend_picture
from registry.dashboard.literature import (
    PER,
    count_in_words,
    estimate_of,
    limits_in_words,
    value_in_words,
)
from registry.records import Cell


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year in words. remark: why it is not in the picture."""

    year: int
    value: str
    limits: str
    events: str
    remark: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class TrendPicture:
    """A rate by year: its years, the newest first, and the picture where there are enough."""

    title: str
    unit: str
    years: Sequence[Year]
    picture: Picture | None
    described: str
    warnings: Sequence[str]


def trend_of(panel: Panel) -> TrendPicture | None:
    """The trend of an answer by year; None where it was refused.

    The year in which the data end is not over: it is in the table, not in the picture.
    """
    if panel.release is None:
        return None
    meta = panel.meta
    rows = [row for row in panel.rows if isinstance(row["year"], int)]
    running = year_of(meta["data_as_of"])
    unit = next((UNITS[str(row["unit"])].label.lower() for row in rows if row["unit"]), "")
    drawn = [
        (int(str(row["year"])), estimate_of(str(row["year"]), numbers_of(row), shares=False))
        for row in rows
        if row["year"] != running
    ]
    return TrendPicture(
        title=str(meta["title"]),
        unit=f"per {PER:,} {unit}" if unit else "",
        years=[in_words(row, running) for row in reversed(rows)],
        picture=trend_picture(drawn),
        described=described(drawn, unit),
        warnings=[text for text in meta.get("warnings") or () if "calendar year" in text],
    )


def year_of(instant: Any) -> int | None:
    """The calendar year of an ISO 8601 instant."""
    return int(str(instant)[:4]) if instant else None


def numbers_of(row: Mapping[str, Cell]) -> tuple[Cell, Cell, Cell]:
    """A year's rate and its limits."""
    return row["rate"], row["ci_lower"], row["ci_upper"]


def in_words(row: Mapping[str, Cell], running: int | None) -> Year:
    """A year's rate in words."""
    return Year(
        year=int(str(row["year"])),
        value=value_in_words(row, shares=False),
        limits=limits_in_words(row, shares=False),
        events=count_in_words(row, shares=False),
        remark="not over yet" if row["year"] == running else "",
        hidden=row["rate"] is None,
    )


def described(drawn: Sequence[tuple[int, Estimate]], unit: str) -> str:
    """The picture in one sentence, as alternative text."""
    known = [(year, each.value) for year, each in drawn if each.value is not None]
    if not known:
        return "No year has a rate to show."
    low = min(known, key=lambda pair: pair[1])
    high = max(known, key=lambda pair: pair[1])
    return (
        f"From {known[0][0]} to {known[-1][0]}: lowest {low[1]:.3g} in {low[0]}, highest "
        f"{high[1]:.3g} in {high[0]}, per {PER:,} {unit}. The table beside it has every year."
    )

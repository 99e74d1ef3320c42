"""The curves of an answer at whole years, as a page shows them: a small table before the large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.answers.numbers import HIDDEN, in_percent, limits_of, written
from registry.answers.tables import address_of
from registry.filters.codes import codes_of, with_not_recorded
from registry.records import DIMENSIONS, Release
from registry.vocabulary import NOT_RECORDED, Profile

MOST_CURVES = 12
"""Curves that are shown at whole years and in words; the table of all months has every one."""

ALL = "All"
"""The group of a curve that stands alone."""


@dataclass(frozen=True, slots=True)
class AtYears:
    """One curve at one whole year; value: hidden, or blank where the curve ends before."""

    value: str
    limits: str = ""
    at_risk: str = ""


@dataclass(frozen=True, slots=True)
class LandmarkTable:
    """Curves at whole years.

    years: the columns. rows: the curve's group and its values. more: curves that are left out.
    addresses: the page of each row's product; empty for other groups.
    """

    title: str
    years: tuple[str, ...]
    rows: tuple[tuple[str, tuple[AtYears, ...]], ...]
    more: int
    addresses: tuple[str, ...] = ()

    @property
    def linked(self) -> list[tuple[str, str, tuple[AtYears, ...]]]:
        """The rows with the page of each."""
        told = zip(self.rows, self.addresses, strict=True)
        return [(group, address, cells) for (group, cells), address in told]


def landmarks_of(release: Release) -> LandmarkTable | None:
    """The table; None for an answer without curves, or with none that is told at a whole year."""
    curves: Any = release.meta.get("curves")
    told = [
        each
        for each in curves or ()
        if any(at["estimate"] is not None for at in each.get("landmarks") or ())
    ]
    if not told:
        return None
    kept = told[:MOST_CURVES]
    months = sorted({at["time_months"] for each in told for at in each["landmarks"]})
    hidden = HIDDEN if release.meta["profile"] == Profile.PROTECTED else ""
    rows = [_row(each, months, hidden) for each in kept]
    return LandmarkTable(
        title=str(release.meta["title"]),
        years=tuple(_years(month // 12) for month in months),
        rows=tuple(zip(groups_of(kept), rows, strict=True)),
        more=len(told) - len(kept),
        addresses=tuple(_address(each) for each in kept),
    )


def _address(curve: Mapping[str, Any]) -> str:
    """The page of the model whose curve it is; empty for a curve of several dimensions or none."""
    names = [name for name in DIMENSIONS if name in curve]
    return address_of(names[0], str(curve[names[0]])) if len(names) == 1 else ""


def groups_of(curves: Sequence[Mapping[str, Any]]) -> list[str]:
    """The groups of an answer's curves in words, "All" where there is one.

    A blank reads as not recorded. Looks the codes of each dimension up once, not for each curve.
    """
    names = [name for name in DIMENSIONS if curves and name in curves[0]]
    labels = {name: dict(with_not_recorded(codes_of(name))) for name in names}
    return [", ".join(_label(each[name], labels[name]) for name in names) or ALL for each in curves]


def _label(value: Any, labels: Mapping[str, str]) -> str:
    code = NOT_RECORDED if value is None else str(value)
    return labels.get(code, code)


def _row(curve: Mapping[str, Any], months: Sequence[int], hidden: str) -> tuple[AtYears, ...]:
    at = {each["time_months"]: each for each in curve["landmarks"]}
    return tuple(_cell(at[month], hidden) if month in at else AtYears("") for month in months)


def _cell(at: Mapping[str, Any], hidden: str) -> AtYears:
    if at["estimate"] is None:
        return AtYears(hidden)
    return AtYears(
        in_percent(at["estimate"]),
        limits_of(at["ci_lower"], at["ci_upper"], shares=True),
        written(at["at_risk"]) if at["at_risk"] is not None else "",
    )


def _years(years: int) -> str:
    return f"{years} year{'' if years == 1 else 's'}"

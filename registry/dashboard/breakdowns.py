"""One rate by a single dimension, as a short table whose rows are drawn on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from registry.answers.asking import Panel, Refused, ask
from registry.answers.numbers import value_of
from registry.answers.tables import address_of
from registry.answers.whole_years import last_whole_year
from registry.dashboard.common_units import HUNDRED_OF, HUNDRED_YEARS
from registry.dashboard.drawing import Strip, StripAxis, strip_axis
from registry.dashboard.ranking import RankedFigure, Row, estimate_of, figure_of
from registry.records import DIMENSIONS, EventQuery, Viewer
from registry.vocabulary import Measure

MOST = 12
NOT_IN_ORDER = frozenset({"complication", "drug", "pump_model", "catheter_model", "procedure"})
"""Dimensions whose values have no order of their own: by size."""


@dataclass(frozen=True, slots=True)
class BrokenDownRow:
    """One value. address: the page of a complication or a model; empty otherwise."""

    name: str
    figure: RankedFigure
    strip: Strip | None
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The values that are told. hidden: how many are not; more: told ones beyond those shown."""

    id: str
    title: str
    unit: str
    axis: StripAxis | None
    rows: Sequence[BrokenDownRow]
    hidden: int
    more: int
    explore: str
    refused: Refused | None = None


def breakdown_of(query: EventQuery, name: str, viewer: Viewer, *, where: str) -> Breakdown:
    """The rates of a question by one dimension: one question. where: its address without grouping.

    Rates are per 100 years, procedures or refills.
    """
    asked = replace(query, group_by=(name,), per=HUNDRED_YEARS, labels="both")
    return broken_down(ask(asked, Measure.RATES, viewer), name, where=where)


def broken_down(panel: Panel, name: str, *, where: str, unit: str = "") -> Breakdown:
    """An answer of rates by one dimension, in a reader's words. unit: that of mixed rows."""
    told = [row for row in panel.rows if value_of(row) is not None]
    if name in NOT_IN_ORDER:
        told.sort(key=lambda row: -(value_of(row) or 0.0))
    if name == "year":
        told = told[::-1]
    kept, until = told[:MOST], last_whole_year(panel.meta)
    axis = strip_axis([estimate_of(row) for row in kept])
    units = [HUNDRED_OF[str(row["unit"])] for row in told if row["unit"]]
    return Breakdown(
        id=f"by-{name}",
        title=DIMENSIONS[name].title,
        unit=unit or (units[0] if units else ""),
        axis=axis,
        rows=[
            BrokenDownRow(
                _name(row, name, until),
                figure_of(row),
                axis.strip(estimate_of(row)) if axis and estimate_of(row).is_whole else None,
                address_of(name, str(row[name])),
            )
            for row in kept
        ],
        hidden=len(panel.rows) - len(told),
        more=len(told) - len(kept),
        explore=f"{reverse('explore')}?{where}&group_by={name}",
        refused=panel.refused,
    )


def _name(row: Row, name: str, until: int | None) -> str:
    """A value in words; months as such, a blank as not recorded. until: the last whole year."""
    value = row.get(f"{name}_label", row[name])
    if value is None:
        return "Not recorded"
    first, _, last = str(value).partition("-")
    if name == "window" and first.isdigit():
        return f"{first} to {last} months" if last else f"{first} months and later"
    if name == "year" and until is not None and str(value) == str(until + 1):
        return f"{value}, not over yet"
    return str(value)

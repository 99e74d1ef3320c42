"""The numbers at risk under the axis of a curve, which are its legend too."""

from collections.abc import Iterable, Sequence

import altair as alt

from registry.charts.framing import Part, layered, once_data, rows_data
from registry.charts.shaping import Drawn, Row
from registry.charts.theme import DASHES, INK, QUIET, SERIES, SHAPES, WIDE
from registry.charts.wording import figure

LINE = 20
CLOSEST = 50
"""The least pixels between two months that have a number under them."""
GAP = 26
"""Pixels between the names and the first number."""


def fixed_ticks(months: Iterable[float], end: float) -> list[float]:
    """The months of a life table for which an axis has room, with the first and the last."""
    least = CLOSEST * end / WIDE
    kept = [end]
    for month in sorted({month for month in months if month < end}, reverse=True):
        if kept[-1] - month >= least and (month >= least or not month):
            kept.append(month)
    return kept[::-1]


def risk_of(row: Row) -> str:
    """A row's number at risk; x where it is hidden."""
    return figure(row["at_risk"]) if row["at_risk"] is not None else "x"


def under_the_axis(place: int, name: str, *, time_months: int, at_risk: int) -> Drawn:
    """The number at risk of an exact curve at a tick, which is no point of the curve.

    place, name: of the curve.
    """
    return {
        "time_months": time_months,
        "estimate": None,
        "ci_lower": None,
        "ci_upper": None,
        "chart_series": name,
        "chart_place": place,
        "chart_at_risk": figure(at_risk),
        "chart_helping": True,
        "chart_run": "",
        "chart_bridge": "under the axis",
        "chart_absent": "",
        "chart_alone": False,
    }


def at_risk(names: Sequence[str], *, end: float, left: float, with_points: bool) -> Part:
    """A line for each curve: its sample, its name, and its numbers under the months of their rows.

    with_points: whether curves differ by their points, not by their dashes.
    """
    once = alt.Chart(once_data())
    written = alt.Chart(rows_data()).transform_filter("datum.chart_at_risk !== ''")
    x = alt.X("time_months:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=None)
    layers = [
        once.mark_text(text="At risk", align="right", fill=QUIET, fontStyle="italic", x=-GAP, y=8)
    ]
    for place, name in enumerate(names):
        y = alt.YValue(8 + LINE * (place + 1))
        dash = [1, 0] if with_points else DASHES[place]
        layers += [
            written.transform_filter(f"datum.chart_place === {place}")
            .mark_text()
            .encode(x=x, y=y, text=alt.Text("chart_at_risk:N")),
            once.mark_rule(
                stroke=SERIES[place], strokeDash=dash, strokeWidth=2, x=-left, x2=24 - left
            ).encode(y=y),
            once.mark_text(text=name, align="right", x=-GAP).encode(y=y),
        ]
        if with_points:
            point = once.mark_point(
                filled=True,
                opacity=1,
                size=62,
                fill=SERIES[place],
                stroke=INK,
                strokeWidth=0.6,
                shape=SHAPES[place],
                x=12 - left,
            )
            layers.append(point.encode(y=y))
    return layered(*layers, width=WIDE, height=LINE * (len(names) + 1))

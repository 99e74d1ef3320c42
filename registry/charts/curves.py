"""Survival and cumulative incidence over months since implant, with how many were at risk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import Any

import altair as alt

from registry.charts.at_risk import at_risk, fixed_ticks, risk_of, under_the_axis
from registry.charts.framing import Drawing, Part, in_words_alone, layered, rows_data, stacked
from registry.charts.shaping import Drawn, Row, grouping_of, labels_of, numbers, room_for
from registry.charts.theme import DASHES, INK, MOST_SERIES, SERIES, SHAPES, WIDE
from registry.charts.wording import (
    HIDDEN,
    absent,
    counted_in_words,
    estimate,
    figure,
    statuses_in_words,
)
from registry.records import Release
from registry.records.enumeration import enumerated
from registry.records.months import even_months
from registry.vocabulary import Profile

TALL = 290
LEFT = 84
SAMPLE = 40
"""Pixels of each curve's sample in the legend."""
NAMED = 4
"""The number of groups without a value that are named; of more, the number."""
NO_CURVE = "No value of any group can be shown: there is no curve to draw."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """title: of values. bottom, top: ends of the values. end: the last month. ticks: months.

    shares: whether the values are shares of all, and not numbers a device.
    """

    title: str
    bottom: float
    top: float
    end: float
    ticks: Sequence[float]
    left: float
    is_life_table: bool
    shares: bool


def curves(release: Release) -> Drawing:
    """A curve with its band for each group, and under the axis the numbers at risk.

    An exact curve has steps. A life table, the protected form, has straight lines between the
    months in which it is told, broken ones over hidden months, and its own months on the axis.
    A curve starts at 1 (incidence: 0) when its devices are first followed, which is no row of the
    answer where the first row is later or has events. Draws at most seven groups, those with the
    most devices at risk; groups without a value are named in a sentence.
    """
    groups = grouping_of(release)
    labels = labels_of(release.rows, groups)
    is_life_table = release.meta["profile"] == Profile.PROTECTED
    valued = [key for key in labels if _has_value(release, groups, key)]
    most = sorted(valued, key=lambda key: -_largest(release.rows, groups, key))[:MOST_SERIES]
    drawn = {key: text or "All" for key, text in labels.items() if key in most}
    silent = [text for key, text in labels.items() if key not in valued]
    if not drawn:
        return in_words_alone(NO_CURVE, notes=statuses_in_words(release.rows))
    starts = _told(release, groups, "starts_at_months")
    ends = {} if is_life_table else _told(release, groups, "ends_at_months")
    told_risks = {} if is_life_table else _told(release, groups, "numbers_at_risk")
    shown = [row for row in release.rows if _key(row, groups) in drawn]
    told = [row for row in shown if row["estimate"] is not None] if is_life_table else shown
    drawn_to = [last for key, last in ends.items() if key in drawn]
    end = max([*map(_months, told), *drawn_to], default=0) or 1
    if is_life_table:
        ticks = fixed_ticks(map(_months, shown), end)
    else:
        longest = max([*map(_months, release.rows), *ends.values()])
        ticks = [float(month) for month in even_months(int(longest)) if month <= end]
    rows: list[Drawn] = []
    for place, (key, name) in enumerate(drawn.items()):
        of_group = sorted((row for row in shown if _key(row, groups) == key), key=_months)
        origin = (starts.get(key, 0.0), release.reading.starts_at)
        curve = _with_origin(of_group, name, origin=origin)
        if is_life_table:
            _write_risks(curve, ticks)
        curve += _drawn_on(curve, ends.get(key)) + (_bridges(curve, name) if is_life_table else [])
        runs = Counter(row["chart_run"] for row in curve if not row["chart_absent"])
        alone = {run for run, points in runs.items() if points == 1}
        rows += [
            {**row, "chart_place": place, "chart_alone": row["chart_run"] in alone} for row in curve
        ]
        risks: Sequence[Mapping[str, Any]] = told_risks.get(key, ())
        rows += [under_the_axis(place, name, **each) for each in risks]
    names = list(drawn.values())
    shares = release.reading.shares
    bottom, top = _reach(rows, rises=release.reading.starts_at == 0, shares=shares)
    axes = _Axes(
        title=release.reading.axis,
        bottom=bottom,
        top=top,
        end=end,
        ticks=ticks,
        left=max(LEFT, room_for([*names, "At risk"]) + SAMPLE),
        is_life_table=is_life_table,
        shares=shares,
    )
    notes = _of_groups(len(drawn), len(valued), silent) + _of_axes(axes)
    notes += _logrank(release) + _of_marks(rows, is_life_table)
    if starts and max(starts.values()) > 0:
        notes.append("Curves of devices that entered late start where enough were at risk.")
    return Drawing(
        plot=lambda: stacked(
            _plot(names, axes),
            at_risk(names, end=end, left=axes.left, with_points=is_life_table),
            spacing=4,
        ),
        rows=rows,
        left=axes.left,
        width=WIDE + 10,
        said=_said(release, rows, drawn),
        notes=notes,
        unstable="",
    )


def _key(row: Row, groups: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[each] for each in groups)


def _has_value(release: Release, groups: Sequence[str], key: tuple[Any, ...]) -> bool:
    """Whether a group has a value that its start alone does not give."""
    return any(
        row["estimate"] is not None
        and (_months(row) > 0 or row["estimate"] != release.reading.starts_at)
        for row in release.rows
        if _key(row, groups) == key
    )


def _reach(rows: Sequence[Drawn], *, rises: bool, shares: bool) -> tuple[float, float]:
    """The ends of the axis: where the curves are, in steps of a twentieth."""
    ends = [*numbers(rows, "estimate"), *numbers(rows, "ci_lower"), *numbers(rows, "ci_upper")]
    if rises:
        top = 1.1 * max(ends, default=1.0)
        return 0.0, (min(1.0, top) if shares else top) or 1.0
    low = floor(20 * min(ends, default=0.0) + 1e-9) / 20
    return (max(0.0, min(low, 0.95)) if low >= 0.4 else 0.0), 1.0


def _of_groups(drawn: int, valued: int, silent: Sequence[str]) -> list[str]:
    said = []
    if drawn < valued:
        said.append(
            f"Drawn: the {drawn} of {valued} groups with the most at risk; the others are in the"
            " table."
        )
    if silent:
        count = counted_in_words(len(silent), "group has", "groups have")
        named = f": {enumerated(silent, last='and')}" if len(silent) <= NAMED else ""
        said.append(f"{count} no value that can be shown, and no curve{named}.")
    return said


def _of_axes(axes: _Axes) -> list[str]:
    if not axes.bottom:
        return []
    return [f"The vertical axis begins at {100 * axes.bottom:.0f} %, not at 0."]


def _of_marks(rows: Sequence[Drawn], is_life_table: bool) -> list[str]:
    said = []
    hides = any(row["chart_absent"] for row in rows)
    if is_life_table:
        said.append("Points: the months in which the curve is told, joined by straight lines.")
        if any(row["chart_bridge"] for row in rows):
            said.append(f"Broken lines join points over months that are {HIDDEN}.")
        if any(row["chart_at_risk"] == "x" for row in rows):
            said.append(f"x: {HIDDEN}.")
        return said
    if hides:
        said.append(f"Where a curve is broken, its value there is {HIDDEN} (a cross on the axis).")
    if any(row["chart_alone"] and not row["chart_absent"] for row in rows):
        said.append("A dot is a value between hidden ones, with its limits.")
    return said


def _months(row: Row) -> float:
    value = row["time_months"]
    return float(value) if isinstance(value, int | float) else 0.0


def _largest(rows: Sequence[Row], groups: Sequence[str], key: tuple[Any, ...]) -> float:
    counts = [row["at_risk"] for row in rows if tuple(row[each] for each in groups) == key]
    return max((float(n) for n in counts if isinstance(n, int | float)), default=-1.0)


def _told(release: Release, groups: Sequence[str], what: str) -> dict[tuple[Any, ...], Any]:
    """What the answer tells of each group's curve, such as the month in which it begins."""
    meta: Mapping[str, Any] = release.meta
    found = {}
    for curve in meta.get("curves") or ():
        if curve.get(what) is not None:
            found[tuple(curve.get(each) for each in groups)] = curve[what]
    return found


def _with_origin(rows: Sequence[Row], name: str, *, origin: tuple[float, float]) -> list[Drawn]:
    """The rows of one curve, after its starting point.

    chart_helping: a point of the line that is no row of the answer. chart_run: a new line starts
    after every hidden value. chart_bridge: the broken line to which a helping point belongs.
    """
    drawn: list[Drawn] = []
    start, first = origin
    begun = rows[0]["estimate"] if rows else None
    own = {"chart_series": name, "chart_bridge": "", "chart_at_risk": ""}
    if begun is not None and (_months(rows[0]) > start or begun != first):
        drawn.append(
            {
                "time_months": start,
                "estimate": first,
                "ci_lower": first,
                "ci_upper": first,
                "status": "ok",
                "chart_helping": True,
                "chart_run": f"{name} 0",
                "chart_absent": "",
                **own,
            }
        )
    run, before_hidden = 0, False
    for row in rows:
        hidden = row["estimate"] is None
        run += before_hidden and not hidden
        before_hidden = hidden
        drawn.append(
            {
                **row,
                "chart_helping": False,
                "chart_run": f"{name} {run}",
                "chart_absent": absent(row["status"], counted=False) if hidden else "",
                **own,
            }
        )
    return drawn


def _write_risks(curve: Sequence[Drawn], ticks: Sequence[float]) -> None:
    """Writes the number at risk of each month of a life table that the axis has room for."""
    for row in curve:
        if not row["chart_helping"] and _months(row) in ticks:
            row["chart_at_risk"] = risk_of(row)


def _bridges(curve: Sequence[Drawn], name: str) -> list[Drawn]:
    """The ends of broken lines over hidden values."""
    told = [row for row in curve if not row["chart_absent"]]
    pairs = pairwise(told)
    apart = [pair for pair in pairs if pair[0]["chart_run"] != pair[1]["chart_run"]]
    return [
        {
            **row,
            "chart_helping": True,
            "chart_bridge": f"{name} {place}",
            "chart_run": f"{name} bridge {place}",
            "chart_at_risk": "",
        }
        for place, pair in enumerate(apart)
        for row in pair
    ]


def _drawn_on(curve: Sequence[Drawn], end: float | None) -> list[Drawn]:
    """Repeats a curve's last value at the end of its devices' follow-up, if that is later."""
    if not curve or end is None or curve[-1]["chart_absent"] or _months(curve[-1]) >= end:
        return []
    return [{**curve[-1], "time_months": end, "chart_helping": True, "chart_at_risk": ""}]


def _logrank(release: Release) -> list[str]:
    meta: Mapping[str, Any] = release.meta
    found: Mapping[str, Any] = meta.get("logrank") or {}
    if found.get("p") is None:
        return []
    p = "p < 0.001" if found["p"] < 0.001 else f"p = {found['p']:.2g}"
    return [f"Log-rank test: chi-squared {found['chi2']:.3g} on {found['df']} df, {p}."]


def _plot(names: Sequence[str], axes: _Axes) -> Part:
    x = alt.X(
        "time_months:Q",
        scale=alt.Scale(domain=[0, axes.end], nice=False),
        axis=alt.Axis(
            title="Months since implant",
            values=list(axes.ticks),
            grid=False,
            format="d",
            labelFlush=False,
        ),
    )
    rises = axes.bottom == 0 and (axes.top < 1 or not axes.shares)
    scale = alt.Scale(domain=[axes.bottom, axes.top], nice=rises, zero=False)
    y = alt.Y(
        "estimate:Q",
        scale=scale,
        axis=alt.Axis(
            title=axes.title,
            format=".3~%" if axes.shares else ",.3~g",
            tickCount=5,
            minExtent=axes.left - 26,
            maxExtent=axes.left - 26,
        ),
    )
    count = len(names)
    domain = list(names)
    scale_of = alt.Scale(domain=domain, range=list(SERIES[:count]))
    stroke = alt.Stroke("chart_series:N", scale=scale_of, legend=None)
    fill = alt.Fill("chart_series:N", scale=scale_of, legend=None)
    run = alt.Detail("chart_run:N")
    there = alt.Chart(rows_data()).transform_filter(
        "datum.chart_absent === '' && datum.chart_bridge === ''"
    )
    limits = {"y": alt.Y("ci_lower:Q", scale=scale), "y2": alt.Y2("ci_upper:Q")}
    joined: Any = "linear" if axes.is_life_table else "step-after"
    layers = [
        there.transform_filter("isValid(datum.ci_lower) && isValid(datum.ci_upper)")
        .mark_area(interpolate=joined, opacity=0.16 if count <= 3 else 0.08)
        .encode(x=x, fill=fill, detail=run, **limits)
    ]
    line = there.mark_line(interpolate=joined, strokeWidth=2)
    alone = there.transform_filter("datum.chart_alone")
    if axes.is_life_table:
        shape = alt.Shape(
            "chart_series:N",
            scale=alt.Scale(domain=domain, range=list(SHAPES[:count])),
            legend=None,
        )
        layers += [
            line.encode(x=x, y=y, stroke=stroke, detail=run),
            alt.Chart(rows_data())
            .transform_filter("datum.chart_bridge !== ''")
            .mark_line(strokeWidth=1.6, strokeDash=[3, 4])
            .encode(x=x, y=y, stroke=stroke, detail=alt.Detail("chart_bridge:N")),
            alone.mark_rule(strokeWidth=1.5).encode(x=x, stroke=stroke, **limits),
            there.mark_point(filled=True, opacity=1, size=62, stroke=INK, strokeWidth=0.6).encode(
                x=x, y=y, fill=fill, shape=shape
            ),
        ]
        return layered(*layers, width=WIDE, height=TALL)
    dash = alt.StrokeDash(
        "chart_series:N", scale=alt.Scale(domain=domain, range=list(DASHES[:count])), legend=None
    )
    layers += [
        line.encode(x=x, y=y, stroke=stroke, strokeDash=dash, detail=run),
        alone.mark_rule(strokeWidth=1.5).encode(x=x, stroke=stroke, **limits),
        alone.mark_point(shape="circle", filled=True, opacity=1, size=46).encode(
            x=x, y=y, fill=fill
        ),
        alt.Chart(rows_data())
        .transform_filter("datum.chart_absent !== ''")
        .mark_point(shape="cross", angle=45, filled=True, size=34)
        .encode(x=x, y=alt.YValue(TALL - 6), fill=fill),
    ]
    return layered(*layers, width=WIDE, height=TALL)


def _said(release: Release, rows: Sequence[Drawn], drawn: Mapping[tuple[Any, ...], str]) -> str:
    """The last value of each curve, and its median where it has one."""
    medians = _told(release, grouping_of(release), "median_months")
    parts = []
    for key, name in drawn.items():
        shown = [
            row
            for row in rows
            if row["chart_series"] == name and not row["chart_helping"] and not row["chart_absent"]
        ]
        last = shown[-1]
        limits = (last["ci_lower"], last["ci_upper"])
        text = estimate(last["estimate"], *limits, share=release.reading.shares)
        median = medians.get(key)
        tail = f", median {figure(median)} months" if median is not None else ""
        parts.append(f"{name}: {text} at {figure(last['time_months'])} months{tail}")
    return f"{'; '.join(parts)}."

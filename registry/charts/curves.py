"""Survival and cumulative incidence over months since implant, with how many were at risk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, once_data, rows_data
from registry.charts.shaping import Drawn, Row, grouping_of, labels_of, room_for
from registry.charts.theme import DASHES, MOST_SERIES, QUIET, SERIES, WIDE
from registry.charts.wording import HIDDEN, absent, estimate, figure
from registry.records import Release

TALL = 270
LINE = 16
LEFT = 70
SAMPLE = 40
"""Pixels of each curve's sample in the legend."""
TICKS = (1, 2, 3, 6, 12, 24, 36, 60, 120)
"""Possible steps of the axis, in months."""
MOST_TICKS = 10


def curves(release: Release) -> Drawing:
    """A step curve with its band for each group, and under the axis the numbers at risk.

    The numbers at risk are under the times of their rows. A curve starts at 1 (incidence: 0) when
    its devices are first followed, which is no row of the answer where the first row is later or
    has events. Draws at most seven groups, those with the most devices at risk; a sentence counts
    the others.
    """
    groups = grouping_of(release)
    labels = labels_of(release.rows, groups)
    most = sorted(labels, key=lambda key: -_largest(release.rows, groups, key))[:MOST_SERIES]
    drawn = {key: text or "All" for key, text in labels.items() if key in most}
    starts = _told(release, groups, "starts_at_months")
    ends = _told(release, groups, "ends_at_months")
    end = max([*(_months(row) for row in release.rows), *ends.values()], default=0) or 1
    step = next((each for each in TICKS if end / each <= MOST_TICKS), TICKS[-1])
    rows: list[Drawn] = []
    for place, (key, name) in enumerate(drawn.items()):
        of_group = [row for row in release.rows if tuple(row[each] for each in groups) == key]
        of_group.sort(key=_months)
        origin = (starts.get(key, 0.0), release.reading.starts_at)
        curve = _with_origin(of_group, name, origin=origin, step=step)
        curve += _drawn_on(curve, ends.get(key))
        runs = Counter(row["chart_run"] for row in curve if not row["chart_absent"])
        alone = {run for run, points in runs.items() if points == 1}
        rows += [
            {**row, "chart_place": place, "chart_alone": row["chart_run"] in alone} for row in curve
        ]
    names = list(drawn.values())
    left = max(LEFT, room_for([*names, "At risk"]) + SAMPLE)
    notes = []
    if len(labels) > len(drawn):
        notes.append(
            f"Drawn: the {len(drawn)} of {len(labels)} groups with the most at risk; the others are"
            " in the table."
        )
    notes += _logrank(release)
    if any(row["chart_absent"] for row in rows):
        notes.append(f"Where a curve is broken, its value there is {HIDDEN} (a cross on the axis).")
    if any(row["chart_alone"] and not row["chart_absent"] for row in rows):
        notes.append("A dot is a value between hidden ones, with its limits.")
    if starts and max(starts.values()) > 0:
        notes.append("Curves of devices that entered late start where enough were at risk.")
    title = release.reading.axis
    return Drawing(
        plot=lambda: alt.vconcat(
            _plot(rows, names, title=title, step=step, end=end, left=left),
            _at_risk(names, end=end, left=left),
            spacing=4,
        ),
        rows=rows,
        left=left,
        width=WIDE + 10,
        said=_said(release, rows, names),
        notes=notes,
    )


def _months(row: Row) -> float:
    value = row["time_months"]
    return float(value) if isinstance(value, int | float) else 0.0


def _largest(rows: Sequence[Row], groups: Sequence[str], key: tuple[Any, ...]) -> float:
    counts = [row["at_risk"] for row in rows if tuple(row[each] for each in groups) == key]
    return max((float(n) for n in counts if isinstance(n, int | float)), default=-1.0)


def _told(release: Release, groups: Sequence[str], what: str) -> dict[tuple[Any, ...], float]:
    """The month in which each group's curve begins or ends, where the answer has it."""
    meta: Mapping[str, Any] = release.meta
    found = {}
    for curve in meta.get("curves") or ():
        months = curve.get(what)
        if months is not None:
            found[tuple(curve.get(each) for each in groups)] = float(months)
    return found


def _with_origin(
    rows: Sequence[Row], name: str, *, origin: tuple[float, float], step: int
) -> list[Drawn]:
    """The rows of one curve, after its starting point.

    chart_helping: a point of the line that is no row of the answer. chart_run: a new line starts
    after every hidden value; a run of one value is drawn as a dot. chart_at_risk: the number under
    the axis, on the first row in every division of it.
    """
    drawn: list[Drawn] = []
    start, first = origin
    run, written = 0, -1
    begun = rows[0]["estimate"] if rows else None
    if begun is not None and (_months(rows[0]) > start or begun != first):
        drawn.append(
            {
                "time_months": start,
                "estimate": first,
                "ci_lower": first,
                "ci_upper": first,
                "status": "ok",
                "chart_helping": True,
                "chart_series": name,
                "chart_run": f"{name} 0",
                "chart_absent": "",
                "chart_at_risk": "",
            }
        )
    before_hidden = False
    for row in rows:
        hidden = row["estimate"] is None
        if not hidden and before_hidden:
            run += 1
        before_hidden = hidden
        division = int(_months(row) // step)
        risk = "" if division == written else _risk(row)
        written = division
        drawn.append(
            {
                **row,
                "chart_helping": False,
                "chart_series": name,
                "chart_run": f"{name} {run}",
                "chart_absent": absent(row["status"], counted=False) if hidden else "",
                "chart_at_risk": risk,
            }
        )
    return drawn


def _drawn_on(curve: Sequence[Drawn], end: float | None) -> list[Drawn]:
    """Repeats a curve's last value at the end of its devices' follow-up, if that is later."""
    if not curve or end is None or curve[-1]["chart_absent"] or _months(curve[-1]) >= end:
        return []
    return [{**curve[-1], "time_months": end, "chart_helping": True, "chart_at_risk": ""}]


def _risk(row: Row) -> str:
    return figure(row["at_risk"]) if row["at_risk"] is not None else "x"


def _logrank(release: Release) -> list[str]:
    meta: Mapping[str, Any] = release.meta
    found: Mapping[str, Any] = meta.get("logrank") or {}
    if found.get("p") is None:
        return []
    p = "p < 0.001" if found["p"] < 0.001 else f"p = {found['p']:.2g}"
    return [f"Log-rank test: chi-squared {found['chi2']:.3g} on {found['df']} df, {p}."]


def _x(end: float, step: int, *, shown: bool) -> Any:
    axis = (
        alt.Axis(
            title="Months since implant",
            values=list(range(0, int(end) + 1, step)),
            grid=False,
            format="d",
        )
        if shown
        else None
    )
    return alt.X("time_months:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=axis)


def _plot(
    rows: Sequence[Drawn], names: Sequence[str], *, title: str, step: int, end: float, left: float
) -> Any:
    x = _x(end, step, shown=True)
    failing = title.startswith("Cumulative")
    tops = [row["ci_upper"] for row in rows if row["ci_upper"] is not None]
    tops += [row["estimate"] for row in rows if row["estimate"] is not None]
    top = min(1.0, 1.1 * max(tops, default=1.0)) if failing else 1.0
    scale = alt.Scale(domain=[0, top], nice=failing)
    y = alt.Y(
        "estimate:Q",
        scale=scale,
        axis=alt.Axis(
            title=title,
            format=".3~%",
            tickCount=5,
            minExtent=left - 22,
            maxExtent=left - 22,
        ),
    )
    count = len(names)
    scale_of = alt.Scale(domain=list(names), range=list(SERIES[:count]))
    stroke = alt.Stroke("chart_series:N", scale=scale_of, legend=None)
    fill = alt.Fill("chart_series:N", scale=scale_of, legend=None)
    dash = alt.StrokeDash(
        "chart_series:N",
        scale=alt.Scale(domain=list(names), range=list(DASHES[:count])),
        legend=None,
    )
    there = alt.Chart(rows_data()).transform_filter("datum.chart_absent === ''")
    alone = there.transform_filter("datum.chart_alone")
    limits = alt.Y("ci_lower:Q", scale=scale)
    layers = [
        there.transform_filter("isValid(datum.ci_lower) && isValid(datum.ci_upper)")
        .mark_area(interpolate="step-after", opacity=0.16 if count <= 3 else 0.08)
        .encode(
            x=x,
            y=limits,
            y2=alt.Y2("ci_upper:Q"),
            fill=fill,
            detail=alt.Detail("chart_run:N"),
        ),
        there.mark_line(interpolate="step-after", strokeWidth=2).encode(
            x=x, y=y, stroke=stroke, strokeDash=dash, detail=alt.Detail("chart_run:N")
        ),
        alone.mark_rule(strokeWidth=1.5).encode(
            x=x, y=limits, y2=alt.Y2("ci_upper:Q"), stroke=stroke
        ),
        alone.mark_point(shape="circle", filled=True, opacity=1, size=46).encode(
            x=x, y=y, fill=fill
        ),
        alt.Chart(rows_data())
        .transform_filter("datum.chart_absent !== ''")
        .mark_point(shape="cross", angle=45, filled=True, size=34)
        .encode(x=x, y=alt.YValue(TALL - 6), fill=fill),
    ]
    return alt.layer(*layers).properties(width=WIDE, height=TALL)


def _at_risk(names: Sequence[str], *, end: float, left: float) -> Any:
    """The numbers at risk under the axis, each under the time of its row."""
    once = alt.Chart(once_data())
    written = alt.Chart(rows_data()).transform_filter("datum.chart_at_risk !== ''")
    x = _x(end, 1, shown=False)
    layers = [
        once.mark_text(text="At risk", align="right", fill=QUIET, fontStyle="italic", x=-22, y=6)
    ]
    for place, name in enumerate(names):
        y = alt.YValue(6 + LINE * (place + 1))
        layers.append(
            written.transform_filter(f"datum.chart_place === {place}")
            .mark_text(fontSize=10)
            .encode(x=x, y=y, text=alt.Text("chart_at_risk:N"))
        )
        layers.append(
            once.mark_rule(
                stroke=SERIES[place], strokeDash=DASHES[place], strokeWidth=2, x=-left, x2=22 - left
            ).encode(y=y)
        )
        layers.append(
            once.mark_text(
                text=name, align="right", fill=SERIES[place], fontWeight="bold", x=-22
            ).encode(y=y)
        )
    return alt.layer(*layers).properties(width=WIDE, height=LINE * (len(names) + 1))


def _said(release: Release, rows: Sequence[Drawn], names: Sequence[str]) -> str:
    """The last value of each curve, and its median where it has one."""
    medians = _medians(release)
    parts = []
    for place, name in enumerate(names):
        shown = [
            row
            for row in rows
            if row["chart_series"] == name and not row["chart_helping"] and not row["chart_absent"]
        ]
        if not shown:
            parts.append(f"{name}: no value shown")
            continue
        last = shown[-1]
        text = estimate(last["estimate"], last["ci_lower"], last["ci_upper"], share=True)
        median = medians[place] if place < len(medians) else None
        tail = f", median {figure(median)} months" if median is not None else ""
        parts.append(f"{name}: {text} at {figure(last['time_months'])} months{tail}")
    return f"{'; '.join(parts)}."


def _medians(release: Release) -> list[Any]:
    meta: Mapping[str, Any] = release.meta
    found = [curve.get("median_months") for curve in meta.get("curves") or ()]
    groups = labels_of(release.rows, grouping_of(release))
    return found if len(found) == len(groups) <= MOST_SERIES else []

"""Numbers over calendar time: counts, rates and proportions by year, and the fitted trend."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.bars import said_of
from registry.charts.framing import (
    Drawing,
    Part,
    in_words_alone,
    layered,
    once_data,
    rows_data,
    stacked,
)
from registry.charts.shaping import (
    CUT,
    Drawn,
    Row,
    estimated_of,
    grouping_of,
    labels_of,
    legend_columns,
    numbers,
    reach,
    title_of,
)
from registry.charts.theme import ALERT, DASHES, EDGE, INK, MOST_SERIES, QUIET, SERIES, SHAPES, WIDE
from registry.charts.wording import (
    WHY_PALE,
    absent,
    counted_in_words,
    estimate,
    figure,
    percent,
    remark,
    unit_in_words,
)
from registry.records import DIMENSIONS, Cell, Estimated, Release
from registry.records.enumeration import enumerated
from registry.vocabulary import CellStatus

TIMES = ("year", "implant_year", "period")
TALL = 260
LINE = 20
"""The height of a line of figures under the axis."""
STEP, FULL_STEP = 46, 64
"""The least and the full pixels of a year: 21 years fit a page."""
DIGIT, BETWEEN = 7.2, 3
"""The pixels of a character of the figures under a year, and between two of them."""
ENOUGH, FAR = 8, 5.0
"""The number of points in several series from which the axis is cut, and at how many medians."""
LEFT = 90
NO_YEAR = "No year has a number that can be drawn."
TREND = Estimated("rate", "ci_lower", "ci_upper", ("events", "in", "exposure"))


def over_years(release: Release) -> Drawing:
    """A point with its limits for every year, joined between consecutive years.

    A hidden year has a word on the axis; the line does not bridge it.
    """
    measured = estimated_of(release)
    names = grouping_of(release)
    time = next(name for name in names if name in TIMES)
    others = [name for name in names if name != time]
    series = labels_of(release.rows, others)
    rows = _arranged(release.rows, time, measured, series, others)
    unit = next((row["unit"] for row in rows if row.get("unit")), None)
    words = unit_in_words(unit, release.meta.get("per")) if unit else ""
    title = f"Rate {words}" if words else title_of(release, measured.value)
    legend = title_of(release, others[0]) if others else ""
    return _drawing(
        rows, measured, title=title, names=list(series.values()), legend=legend, notes=[]
    )


def trend(release: Release) -> Drawing:
    """Rates by year with the fitted line, the change from year to year, and any alarms."""
    rows = _arranged(release.rows, "year", TREND, {(): ""}, [])
    meta: Mapping[str, Any] = release.meta
    found: Mapping[str, Any] = meta.get("trend") or {}
    said = []
    if found.get("rate_ratio") is not None:
        ratio = estimate(found["rate_ratio"], found.get("ci_lower"), found.get("ci_upper"))
        p = found.get("p")
        names = [DIMENSIONS[name].title.lower() for name in found.get("adjusted_for") or ()]
        held = f", {enumerated(names, last='and')} held alike," if names else ""
        said.append(f"Rate ratio from year to year{held} {ratio}{f', p = {p:.2g}' if p else ''}.")
    said += [_sentence(found["reason"])] if found.get("reason") else []
    said += crude_ratio(found)
    if found.get("dropped_period") is not None:
        said.append(f"{found['dropped_period']} is left out: it is not over.")
    if others := other_years_left_out(found):
        said.append(f"Left out too, as events are still to come: {others}.")
    said += years_together(found)
    title = f"Rate {unit_in_words(meta['denominator'], meta.get('per'))}"
    return _drawing(rows, TREND, title=title, names=[""], legend="", notes=said)


def other_years_left_out(found: Mapping[str, Any]) -> str:
    """The years that are over and left out of a trend, in a row; empty where there is none."""
    left = [year for year in found.get("dropped_periods") or () if year != found["dropped_period"]]
    return enumerated(map(str, left), last="and") if left else ""


def crude_ratio(found: Mapping[str, Any]) -> list[str]:
    """The ratio that holds nothing alike; nothing where there is no other."""
    crude: Mapping[str, Any] = found.get("crude") or {}
    if crude.get("rate_ratio") is None:
        return []
    ratio = estimate(crude["rate_ratio"], crude.get("ci_lower"), crude.get("ci_upper"))
    return [f"Crude {ratio}."]


def years_together(found: Mapping[str, Any]) -> list[str]:
    """Says which years a protected trend takes together; nothing where it takes none."""
    spans = [f"{years[0]}-{years[-1]}" for years in found.get("pooled") or ()]
    if not spans:
        return []
    listed = enumerated(spans, last="and")
    return [f"The years {listed} are taken together, since some of them are hidden."]


def _sentence(text: object) -> str:
    words = str(text)
    return words if words.endswith(".") else f"{words}."


def _arranged(
    released: Sequence[Row],
    time: str,
    measured: Estimated,
    series: Mapping[tuple[Cell, ...], str],
    others: Sequence[str],
) -> list[Drawn]:
    """The rows with their year, their series, and their run of consecutive years."""
    axis = _axis_of(released, time)
    last: dict[str, tuple[int, int]] = {}
    rows: list[Drawn] = []
    for row in sorted(released, key=lambda row: axis.index(str(row[time]))):
        name = series[tuple(row[other] for other in others)]
        place = axis.index(str(row[time]))
        there = row[measured.value] is not None
        before, run = last.get(name, (-2, 0))
        if there:
            run = run if before == place - 1 else run + 1
            last[name] = (place, run)
        write = percent if measured.share else figure
        rows.append(
            {
                **row,
                "chart_time": str(row[time]),
                "chart_series": name,
                "chart_run": f"{name} {run}",
                "chart_text": f"{write(row[measured.value])}{_mark(row)}" if there else "",
                "chart_counts": _counts(row, measured),
                "chart_absent": "" if there else absent(row["status"], counted=measured.counted),
            }
        )
    return rows


def _mark(row: Row) -> str:
    return "*" if remark(row["status"]) else ""


def _counts(row: Row, measured: Estimated) -> str:
    if measured.of is None:
        return ""
    count = row[measured.of[0]]
    return absent(row["status"], counted=True) if count is None else figure(count)


def _axis_of(rows: Sequence[Row], time: str) -> list[str]:
    """Every year from the first to the last, also those without a row; then other values."""
    years = sorted(value for row in rows if isinstance(value := row[time], int))
    whole = [str(year) for year in range(years[0], years[-1] + 1)] if years else []
    rest = sorted(
        {str(row[time]) for row in rows} - set(whole),
        key=lambda text: (not text[:1].isdigit(), text),
    )
    return [*whole, *rest]


def _drawing(
    rows: Sequence[Drawn],
    measured: Estimated,
    *,
    title: str,
    names: Sequence[str],
    legend: str,
    notes: Sequence[str],
) -> Drawing:
    """The plot of the years; a sentence where none of them has a number."""
    if all(row["chart_absent"] for row in rows):
        return in_words_alone(NO_YEAR, notes=notes)
    time = next(name for name in (*TIMES, "chart_time") if name in rows[0])
    axis = _axis_of(rows, time)
    single = len(names) == 1
    longest = max(len(str(row[each])) for row in rows for each in ("chart_text", "chart_counts"))
    least = max(STEP, round(DIGIT * longest + BETWEEN)) if single else STEP
    step = max(least, min(FULL_STEP, WIDE // len(axis)))
    width = step * len(axis)
    found = sorted(value for value in numbers(rows, measured.value) if value > 0)
    top, beyond = reach(_steady(rows, measured, found), measured.value, measured.upper)
    if len(names) > 1 and len(found) >= ENOUGH:
        top = min(top, FAR * found[len(found) // 2])
    outside = sum(value > top for value in found)
    parts = [partial(_plot, rows, measured, axis, title, names, legend, top, width)]
    if single:
        parts.append(partial(_below, measured, axis, width, share=measured.share))
    if any(row.get("cusum") is not None for row in rows):
        parts.append(partial(_cusum, axis, width))
        notes = [*notes, "CUSUM: the sum of events above those expected; alarms are orange."]
    starred = any(row["chart_text"].endswith("*") for row in rows) and single
    return Drawing(
        plot=lambda: stacked(*(made() for made in parts), spacing=6),
        rows=list(rows),
        left=LEFT,
        width=max(width, 480),
        said=" ".join([*notes[:1], said_of(rows, measured, _names(rows, time))]),
        notes=[
            *notes,
            *([CUT] if beyond or outside else []),
            *([_outside(outside)] if outside else []),
            *(["* unstable or partial."] if starred else []),
            *(["A cross on the axis: hidden."] if not single and _hides(rows) else []),
        ],
        unstable=WHY_PALE,
    )


def _steady(rows: Sequence[Drawn], measured: Estimated, found: Sequence[float]) -> Sequence[Drawn]:
    """The rows that an axis has to reach: not the few far ones that rest on hardly an event.

    found: the values, ascending. The first years of a registry have a device or two, whose one
    event is a rate that would flatten all years after it.
    """
    if len(found) < ENOUGH:
        return rows
    far = FAR * found[len(found) // 2]
    return [
        row
        for row in rows
        if row["status"] != CellStatus.UNSTABLE or (row[measured.value] or 0.0) <= far
    ]


def _outside(points: int) -> str:
    """A note on points beyond the axis, which would flatten the others."""
    lie = counted_in_words(points, "point lies", "points lie")
    return f"{lie} beyond the axis: see the table."


def _names(rows: Sequence[Drawn], time: str) -> list[str]:
    return ["chart_series", time] if any(row["chart_series"] for row in rows) else [time]


def _hides(rows: Sequence[Drawn]) -> bool:
    return any(row["chart_absent"] for row in rows)


def _x(axis: Sequence[str], *, shown: bool = True) -> Any:
    scale = alt.Scale(domain=list(axis), padding=0.1, type="band")
    if not shown:
        return alt.X("chart_time:O", scale=scale, axis=None)
    angle = 0 if all(len(text) <= 4 for text in axis) else -45
    return alt.X("chart_time:O", scale=scale, axis=alt.Axis(title=None, labelAngle=angle))


def _plot(
    rows: Sequence[Drawn],
    measured: Estimated,
    axis: Sequence[str],
    title: str,
    names: Sequence[str],
    legend: str,
    top: float,
    width: float,
) -> Part:
    x = _x(axis)
    scale = alt.Scale(domain=[0, top], nice=True)
    y = alt.Y(
        f"{measured.value}:Q",
        scale=scale,
        axis=alt.Axis(
            title=title,
            format=".3~%" if measured.share else ",.4~g",
            tickCount=5,
            tickMinStep=1 if measured.counted else 0,
            minExtent=LEFT - 26,
            maxExtent=LEFT - 26,
        ),
    )
    domain, count = list(names), len(names)
    dodge: dict[str, Any] = (
        {"xOffset": alt.XOffset("chart_series:N", scale=alt.Scale(domain=domain))}
        if count > 1
        else {}
    )
    key = alt.Legend(title=legend, orient="top", columns=legend_columns(names)) if legend else None
    colour = alt.Color(
        "chart_series:N", scale=alt.Scale(domain=domain, range=list(SERIES[:count])), legend=key
    )
    shape = alt.Shape(
        "chart_series:N", scale=alt.Scale(domain=domain, range=list(SHAPES[:count])), legend=key
    )
    dash = alt.StrokeDash(
        "chart_series:N", scale=alt.Scale(domain=domain, range=list(DASHES[:count])), legend=None
    )
    there = alt.Chart(rows_data()).transform_filter("datum.chart_absent === ''")
    gone = alt.Chart(rows_data()).transform_filter("datum.chart_absent !== ''")
    fitted = any("fitted" in row for row in rows)
    layers = []
    if not fitted:
        layers.append(
            there.mark_line(strokeWidth=1.8, clip=True).encode(
                x=x, y=y, color=colour, strokeDash=dash, detail=alt.Detail("chart_run:N"), **dodge
            )
        )
    if measured.lower:
        limits = alt.Y(f"{measured.lower}:Q", scale=scale)
        layers.append(
            there.mark_rule(strokeWidth=1.3, clip=True).encode(
                x=x, y=limits, y2=alt.Y2(f"{measured.upper}:Q"), color=colour, **dodge
            )
        )
    if fitted:
        layers.append(
            alt.Chart(rows_data())
            .transform_filter("isValid(datum.fitted)")
            .mark_line(stroke=INK, strokeDash=[6, 3], strokeWidth=1.5)
            .encode(x=x, y=alt.Y("fitted:Q", scale=scale))
        )
    doubtful = "datum.status === 'unstable' || datum.status === 'partial'"
    layers += [
        there.mark_point(
            filled=True, opacity=1, size=58, stroke=INK, strokeWidth=0.6, clip=True
        ).encode(
            x=x,
            y=y,
            color=colour,
            shape=shape,
            fillOpacity=alt.FillOpacityValue(
                **alt.condition(doubtful, alt.value(0.45), alt.value(1))
            ),
            **dodge,
        ),
        gone.mark_text(**_upright(width / len(axis)), fill=QUIET, fontStyle="italic").encode(
            x=x, y=alt.YValue(TALL), text=alt.Text("chart_absent:N")
        )
        if count == 1
        else gone.mark_point(shape="cross", angle=45, size=34, filled=True).encode(
            x=x, y=alt.YValue(TALL - 6), color=colour, **dodge
        ),
    ]
    return layered(*layers, width=width, height=TALL)


def _upright(step: float) -> dict[str, Any]:
    """The angle of a word over its year: vertical where the years are too close."""
    if step >= FULL_STEP:
        return {"dy": -9}
    return {"angle": 270, "align": "left", "dx": 6}


def _below(measured: Estimated, axis: Sequence[str], width: float, *, share: bool) -> Part:
    """The figures under the years: the number itself, and the events behind it."""
    lines = [("%" if share else "Value", "chart_text")]
    lines += [("Events" if not share else "With", "chart_counts")] if measured.of else []
    whole = alt.Chart(rows_data())
    once = alt.Chart(once_data())
    layers = []
    for place, (name, field) in enumerate(lines):
        y = alt.YValue(LINE // 2 + LINE * place)
        fill = INK if place == 0 else QUIET
        layers += [
            whole.mark_text(fill=fill).encode(
                x=_x(axis, shown=False), y=y, text=alt.Text(f"{field}:N")
            ),
            once.mark_text(fill=QUIET, align="right", text=name, x=-10).encode(y=y),
        ]
    return layered(*layers, width=width, height=LINE * len(lines))


def _cusum(axis: Sequence[str], width: float) -> Part:
    sums = alt.Chart(rows_data()).transform_filter("isValid(datum.cusum)")
    alarm = alt.ColorValue(**alt.condition("datum.alarm", alt.value(ALERT), alt.value(EDGE)))
    y = alt.Y(
        "cusum:Q",
        axis=alt.Axis(title="CUSUM", tickCount=3, minExtent=LEFT - 26, maxExtent=LEFT - 26),
    )
    bars = sums.mark_bar(stroke=EDGE, strokeWidth=0.5).encode(x=_x(axis), y=y, color=alarm)
    return layered(bars, width=width, height=70)


def fits(release: Release) -> bool:
    """Whether an answer has numbers over time, in one unit, with a colour for each series."""
    names = grouping_of(release)
    time = [name for name in names if name in TIMES]
    if len(time) != 1 or len(names) > 2:
        return False
    units = {row["unit"] for row in release.rows if row.get("unit")}
    others = [name for name in names if name != time[0]]
    many = len(labels_of(release.rows, others)) > MOST_SERIES
    single = len({row[time[0]] for row in release.rows}) < 2
    return release.reading.estimate is not None and len(units) <= 1 and not many and not single

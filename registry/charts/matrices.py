"""Heat maps: complications by model, and which complication led to which."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.bars import said_of
from registry.charts.framing import Drawing, rows_data
from registry.charts.shaping import (
    Drawn,
    Row,
    count_of,
    estimated_of,
    grouping_of,
    label_axis,
    labels_of,
    numbers,
    room_for,
    title_of,
    wrapped,
)
from registry.charts.theme import EDGE, GROUND, LINE, ON_DEEP, ON_PALE, QUIET, SCALE
from registry.charts.wording import absent, counted_in_words, figure, label_of, percent
from registry.charts.wording import unit_in_words as per_unit
from registry.records import Estimated, Release

CELL = 56
TALL = 26
MOST_DOWN, MOST_ACROSS = 40, 16
NO_ROW = "A blank cell has no row in the answer."
SHADES = "Shades run from pale to deep, from 0 to the highest number of each block."


def heat_map(release: Release) -> Drawing:
    """The first dimension down, the second across, the number in every cell.

    Rates of different units, and the values of a third dimension, are in blocks of their own with
    their own shades. Draws at most 40 cells down and 16 across: those with the most events.
    """
    measured = estimated_of(release)
    names = grouping_of(release)
    rows = [_field(release, row, names, measured) for row in release.rows]
    return _matrix(
        release,
        rows,
        down=names[0],
        across=names[1],
        shade=measured.value,
        said=said_of(release.rows, measured, names),
    )


def _field(release: Release, row: Row, names: Sequence[str], measured: Estimated) -> Drawn:
    value = row[measured.value]
    apart = label_of(row, names[2]) if len(names) > 2 else ""
    unit = row.get("unit")
    block = " · ".join(filter(None, [apart, per_unit(unit, release.meta["per"]) if unit else ""]))
    write: Callable[[Any], str] = percent if measured.share else figure
    text = absent(row["status"], counted=measured.counted) if value is None else write(value)
    sign = " %" if measured.share and value is not None else ""
    return {**row, "chart_block": block, "chart_text": f"{text}{sign}", "chart_more": ""}


def cascades(release: Release) -> Drawing:
    """Causes down, effects across: how often, and after how many months."""
    rows = []
    for row in release.rows:
        there = row["n"] is not None
        text = figure(row["n"]) if there else absent(row["status"], counted=True)
        months, more = row.get("median_months"), ""
        if there and months is not None:
            more = f"{figure(months)} mo"
        rows.append({**row, "chart_block": "", "chart_text": text, "chart_more": more})
    shown = sorted((row for row in rows if row["n"] is not None), key=lambda row: -count_of(row))
    said = [
        f"{label_of(row, 'cause')} led to {label_of(row, 'effect')}: {figure(row['n'])}"
        + (
            ""
            if row.get("median_months") is None
            else f", median {figure(row['median_months'])} months"
        )
        for row in shown[:4]
    ]
    hidden = len(rows) - len(shown)
    said += [counted_in_words(hidden, "pair is", "pairs are") + " hidden"] if hidden else []
    return _matrix(
        release,
        rows,
        down="cause",
        across="effect",
        shade="n",
        said=f"{'; '.join(said)}.",
        notes=["In each cell how often, and the median months from cause to effect (mo)."],
    )


def _matrix(
    release: Release,
    rows: Sequence[Drawn],
    *,
    down: str,
    across: str,
    shade: str,
    said: str,
    notes: Sequence[str] = (),
) -> Drawing:
    rows, cut = _at_most(rows, down, across)
    downs, acrosses = labels_of(rows, [down]), labels_of(rows, [across])
    blocks = list(dict.fromkeys(row["chart_block"] for row in rows))
    for row in rows:
        inside = [each for each in rows if each["chart_block"] == row["chart_block"]]
        highest = max(numbers(inside, shade), default=0.0)
        value = row[shade]
        row["chart_down"] = wrapped(downs[(row[down],)])
        row["chart_across"] = acrosses[(row[across],)]
        row["chart_place"] = blocks.index(row["chart_block"])
        row["chart_deep"] = bool(value is not None and highest and value > 0.55 * highest)
        row["chart_hidden"] = value is None
    left = room_for(row["chart_down"] for row in rows)
    columns = list(acrosses.values())
    plots = [
        partial(
            _block,
            [row for row in rows if row["chart_place"] == place],
            place=place,
            title=block,
            columns=columns,
            left=left,
            shade=shade,
            across=title_of(release, across),
        )
        for place, block in enumerate(blocks)
    ]
    full = len(downs) * len(acrosses) * len(blocks) == len(rows)
    return Drawing(
        plot=lambda: alt.vconcat(*(made() for made in plots), spacing=20).resolve_scale(
            color="independent"
        ),
        rows=rows,
        left=left,
        width=max(CELL * len(columns) + 60, 420),
        said=said,
        notes=[*cut, *notes, SHADES, *([] if full else [NO_ROW])],
    )


def _at_most(rows: Sequence[Drawn], down: str, across: str) -> tuple[list[Drawn], list[str]]:
    """The rows of the cells that are drawn, and a sentence on the others."""
    kept = list(rows)
    said = []
    for name, most in ((down, MOST_DOWN), (across, MOST_ACROSS)):
        weights: dict[Any, float] = {}
        for row in kept:
            weights[row[name]] = weights.get(row[name], 0.0) + max(count_of(row), 0.0)
        if len(weights) > most:
            chosen = set(sorted(weights, key=lambda value: -weights[value])[:most])
            kept = [row for row in kept if row[name] in chosen]
            said.append(
                f"Drawn {'down' if name == down else 'across'}: the {most} of {len(weights)} with"
                " the most events; the others are in the table."
            )
    return kept, said


def _block(
    rows: Sequence[Drawn],
    *,
    place: int,
    title: str,
    columns: Sequence[str],
    left: float,
    shade: str,
    across: str,
) -> Any:
    labels = list(dict.fromkeys(row["chart_down"] for row in rows))
    lines = 2 if any(row["chart_more"] for row in rows) else 1
    tall = max(TALL, 14 * lines + 8, 13 * max(label.count("\n") + 1 for label in labels) + 4)
    highest = max(numbers(rows, shade), default=0.0) or 1.0
    inside = alt.Chart(rows_data()).transform_filter(f"datum.chart_place === {place}")
    y = label_axis("chart_down", labels, left)
    y["scale"] = alt.Scale(domain=labels, padding=0)
    x = alt.X(
        "chart_across:N",
        scale=alt.Scale(domain=list(columns), padding=0),
        axis=alt.Axis(
            orient="top",
            title=across,
            labelAngle=-40,
            labelAlign="left",
            labelLimit=260,
            labelPadding=6,
            labelOffset=-4,
            ticks=False,
            domain=False,
        ),
    )
    colour = alt.Color(
        f"{shade}:Q", scale=alt.Scale(domain=[0, highest], range=list(SCALE)), legend=None
    )
    plot = alt.layer(
        inside.transform_filter("!datum.chart_hidden")
        .mark_rect(stroke=LINE, strokeWidth=1)
        .encode(x=x, y=y, color=colour),
        inside.transform_filter("datum.chart_hidden")
        .mark_rect(fill=GROUND, fillOpacity=0, stroke=EDGE, strokeDash=[3, 3], strokeWidth=1)
        .encode(x=x, y=y),
        *(
            inside.transform_filter(test)
            .mark_text(fill=letters, fontStyle=style, fontSize=size, dy=dy)
            .encode(x=x, y=y, text=alt.Text(f"{field}:N"))
            for test, letters, style in (
                ("datum.chart_hidden", QUIET, "italic"),
                ("!datum.chart_hidden && datum.chart_deep", ON_DEEP, "normal"),
                ("!datum.chart_hidden && !datum.chart_deep", ON_PALE, "normal"),
            )
            for field, size, dy in (("chart_text", 11, 7 - 7 * lines), ("chart_more", 10, 8))
        ),
    ).properties(width=CELL * len(columns), height=tall * len(labels))
    if not title:
        return plot
    heading = alt.Title(title[:1].upper() + title[1:], anchor="start", fontSize=12, frame="group")
    return plot.properties(title=heading)

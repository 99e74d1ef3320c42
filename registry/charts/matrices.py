"""Heat maps: complications by model, and which complication led to which."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.bars import said_of
from registry.charts.framing import Drawing, Part, layered, rows_data, stacked
from registry.charts.shaping import (
    LABEL_LINE,
    Drawn,
    Row,
    by_size,
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
from registry.charts.theme import (
    EDGE,
    GROUND,
    LINE,
    LINE_HEIGHT,
    ON_DEEP,
    ON_PALE,
    QUIET,
    SCALE,
    TEXT,
)
from registry.charts.wording import (
    NO_DENOMINATOR,
    UNDEFINED,
    absent,
    counted_in_words,
    figure,
    label_of,
    percent,
)
from registry.charts.wording import unit_in_words as per_unit
from registry.records import Estimated, Release
from registry.records.enumeration import enumerated
from registry.vocabulary import CellStatus

CELL = 62
"""The pixels of the widest cell; of one that years and short numbers fill, fewer."""
LETTER, AROUND = 8.2, 9.0
"""The pixels of a digit in a cell, and on its sides together."""
ROOM = 1040.0
"""Pixels that a page has for labels and cells."""
TALL = 28
MOST_DOWN, MOST_ACROSS = 40, 16
NAMED = 4
"""The number of values not drawn that are named; of more, the number."""
HATCH = SCALE[2]
NO_ROW = "A blank cell has no row in the answer."
SHADES = "Shades run from pale to deep, from 0 to the highest stable number of each block."
HATCHED = "Hatched: unstable or partial, and not coloured by its number."
DASH = "\N{EN DASH}"
DASHED = f"{DASH}: {UNDEFINED}, or {NO_DENOMINATOR}."
DOUBTFUL = frozenset({CellStatus.UNSTABLE.value, CellStatus.PARTIAL.value})
DIAGONALS = (((0, 1), (1, 0)), ((0, 0.5), (0.5, 0)), ((0.5, 1), (1, 0.5)))
"""The lines of a hatched cell: the ends of each as (across, down), in parts of the cell."""


def heat_map(release: Release) -> Drawing:
    """The first dimension down, the second across, the number in every cell.

    Rates of different units, and the values of a third dimension, are in blocks of their own with
    their own shades, by the stable numbers. Draws those with the most events: at most 40 cells
    down, and across 16 or as many as a page has room for. A value without a number in any cell is
    not drawn. Values without an order of their own stand by size.
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
    text = DASH if text in {UNDEFINED, NO_DENOMINATOR} else text
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
    rows, silent = _without_silent(rows, (down, across), shade)
    downs, acrosses = labels_of(rows, [down]), labels_of(rows, [across])
    left = room_for(wrapped(label) for label in downs.values())
    cell = _cell(rows)
    slanted = max(0.77 * room_for(acrosses.values()) - cell / 2, 0.0)
    fitting = max(int((ROOM - left - slanted) // cell), 2)
    rows, cut = _at_most(rows, {down: MOST_DOWN, across: min(MOST_ACROSS, fitting)})
    order = by_size(release, rows, down, size=count_of)
    rows.sort(key=lambda row: order.index(row[down]))
    downs, acrosses = labels_of(rows, [down]), labels_of(rows, [across])
    blocks = list(dict.fromkeys(row["chart_block"] for row in rows))
    for row in rows:
        row["chart_doubtful"] = row[shade] is not None and str(row["status"]) in DOUBTFUL
    inside = {block: [row for row in rows if row["chart_block"] == block] for block in blocks}
    highest_of = {block: _highest(of_block, shade) for block, of_block in inside.items()}
    for row in rows:
        highest, value = highest_of[row["chart_block"]], row[shade]
        row["chart_down"] = wrapped(downs[(row[down],)])
        row["chart_across"] = acrosses[(row[across],)]
        row["chart_place"] = blocks.index(row["chart_block"])
        row["chart_deep"] = bool(
            not row["chart_doubtful"] and value is not None and highest and value > 0.55 * highest
        )
        row["chart_hidden"] = value is None
    left = room_for(row["chart_down"] for row in rows)
    cell = _cell(rows)
    columns = [acrosses[(value,)] for value in by_size(release, rows, across, size=count_of)]
    plots = [
        partial(
            _block,
            inside[block],
            place=place,
            title=block,
            columns=columns,
            cell=cell,
            left=left,
            shade=shade,
            across=title_of(release, across),
        )
        for place, block in enumerate(blocks)
    ]
    full = len(downs) * len(acrosses) * len(blocks) == len(rows)
    return Drawing(
        plot=lambda: stacked(*(made() for made in plots), spacing=20, own_colours=True),
        rows=rows,
        left=left,
        width=max(cell * len(columns) + 60, 420),
        said=said,
        notes=[
            *silent,
            *cut,
            *notes,
            SHADES,
            *([HATCHED] if any(row["chart_doubtful"] for row in rows) else []),
            *([DASHED] if any(row["chart_text"] == DASH for row in rows) else []),
            *([] if full else [NO_ROW]),
        ],
    )


def _without_silent(
    rows: Sequence[Drawn], names: Sequence[str], shade: str
) -> tuple[list[Drawn], list[str]]:
    """The rows without those of a value that has no number in any cell, and a sentence on these."""
    told = [row for row in rows if row[shade] is not None]
    if not told:
        return list(rows), []
    kept = list(rows)
    said = []
    for name, where in zip(names, ("down", "across"), strict=True):
        heard = {row[name] for row in told}
        silent = labels_of([row for row in rows if row[name] not in heard], [name]).values()
        kept = [row for row in kept if row[name] in heard]
        if silent:
            count = counted_in_words(len(silent), "value", "values")
            listed = enumerated(list(silent), last="and")
            named = f": {listed}" if len(silent) <= NAMED else ", which the table lists"
            said.append(f"Not drawn {where}, without a number in any cell: {count}{named}.")
    return kept, said


def _highest(rows: Sequence[Drawn], shade: str) -> float:
    """The highest stable number; where none is stable, 0."""
    return max(numbers([row for row in rows if not row["chart_doubtful"]], shade), default=0.0)


def _cell(rows: Sequence[Drawn]) -> float:
    """The pixels of a cell that holds the longest text."""
    texts = [str(row[name]) for row in rows for name in ("chart_text", "chart_more")]
    return min(max(map(len, texts), default=0) * LETTER + AROUND, CELL)


def _at_most(rows: Sequence[Drawn], most_of: Mapping[str, int]) -> tuple[list[Drawn], list[str]]:
    """The rows of the cells that are drawn, and a sentence on the others.

    most_of: how many values of the dimension down, and then of that across, are drawn.
    """
    kept = list(rows)
    said = []
    for (name, most), where in zip(most_of.items(), ("down", "across"), strict=True):
        weights: dict[Any, float] = {}
        for row in kept:
            weights[row[name]] = weights.get(row[name], 0.0) + max(count_of(row), 0.0)
        if len(weights) > most:
            chosen = set(sorted(weights, key=lambda value: -weights[value])[:most])
            kept = [row for row in kept if row[name] in chosen]
            said.append(
                f"Drawn {where}: the {most} of {len(weights)} with the most events; the others are "
                "in the table."
            )
    return kept, said


def _block(
    rows: Sequence[Drawn],
    *,
    place: int,
    title: str,
    columns: Sequence[str],
    cell: float,
    left: float,
    shade: str,
    across: str,
) -> Part:
    labels = list(dict.fromkeys(row["chart_down"] for row in rows))
    lines = 2 if any(row["chart_more"] for row in rows) else 1
    longest = max(label.count("\n") + 1 for label in labels)
    tall = max(TALL, LINE_HEIGHT * lines + 8, LABEL_LINE * longest + 6)
    highest = _highest(rows, shade) or 1.0
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
            labelLimit=400,
            labelPadding=6,
            labelOffset=-4,
            ticks=False,
            domain=False,
        ),
    )
    colour = alt.Color(
        f"{shade}:Q", scale=alt.Scale(domain=[0, highest], range=list(SCALE)), legend=None
    )
    heading = alt.Title(title[:1].upper() + title[1:], anchor="start", fontSize=TEXT, frame="group")
    return layered(
        inside.transform_filter("!datum.chart_hidden && !datum.chart_doubtful")
        .mark_rect(stroke=LINE, strokeWidth=1)
        .encode(x=x, y=y, color=colour),
        inside.transform_filter("datum.chart_doubtful")
        .mark_rect(fill=SCALE[0], stroke=LINE, strokeWidth=1)
        .encode(x=x, y=y),
        *_hatching(inside.transform_filter("datum.chart_doubtful"), columns, labels),
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
            for field, size, dy in (
                ("chart_text", TEXT, 9 - 9 * lines),
                ("chart_more", TEXT, 10),
            )
        ),
        width=cell * len(columns),
        height=tall * len(labels),
        title=heading if title else None,
    )


def _hatching(cells: Any, columns: Sequence[str], labels: Sequence[str]) -> list[Any]:
    """Slanted lines over cells, which colour alone would not tell from others."""
    across, down = (alt.Scale(domain=list(each), padding=0) for each in (columns, labels))

    def end(channel: Any, field: str, place: float, **more: Any) -> Any:
        return channel(f"{field}:N", bandPosition=place, **more)

    return [
        cells.mark_rule(stroke=HATCH, strokeWidth=1).encode(
            x=end(alt.X, "chart_across", one[0], scale=across),
            x2=alt.X2("chart_across", bandPosition=other[0]),
            y=end(alt.Y, "chart_down", one[1], scale=down),
            y2=alt.Y2("chart_down", bandPosition=other[1]),
        )
        for one, other in DIAGONALS
    ]

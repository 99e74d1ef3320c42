"""Bars with their limits: counts, rates, proportions, by up to three dimensions."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, Part, layered, rows_data, stacked
from registry.charts.shaping import (
    CUT,
    LABEL_LINE,
    Drawn,
    Row,
    by_size,
    count_of,
    estimated_of,
    grouping_of,
    has_unit,
    label_axis,
    labels_of,
    legend_columns,
    most_important,
    reach,
    room_for,
    size_of,
    title_of,
    wrapped,
)
from registry.charts.theme import BAR, EDGE, INK, MOST_SERIES, QUIET, SERIES, TEXT, WIDTH
from registry.charts.wording import (
    GONE,
    HIDDEN,
    WHY_PALE,
    absent,
    counted_in_words,
    estimate,
    figure,
    label_of,
    reasons_of,
    remark,
    unit_in_words,
    why_absent,
)
from registry.records import Estimated, Release

MOST_BARS = 60
FIGURES = 226
COUNTS = 150
NAMED = 3
"""The number of rows that the alternative text names at either end."""


def bars(release: Release) -> Drawing:
    """A bar for each row: first dimension on the axis, the second as colour, the third as panels.

    Rates of different units are in separate plots. A second dimension with more values than there
    are colours is on the axis with the first.
    """
    measured = estimated_of(release)
    kept = most_important(release, release.rows, MOST_BARS, weight=count_of)
    rows, series, silent = _arranged(release, _by_size(release, kept.rows, measured), measured)
    panels = _panels(rows)
    left = room_for(row["chart_label"] for row in rows)
    plots, cut = [], False
    if len(panels) == 1 and len(grouping_of(release)) < 3:
        panels = [""]
    for place, title in enumerate(panels):
        inside = [row for row in rows if row["chart_panel"] == place]
        top, beyond = reach(inside, measured.value, measured.upper)
        cut = cut or beyond
        sizes: dict[str, Any] = {"place": place, "left": left, "top": top}
        plots.append(
            partial(_panel, release, measured, inside, title=title, series=series, **sizes)
        )
    return Drawing(
        plot=lambda: stacked(*(made() for made in plots), spacing=18),
        rows=rows,
        left=left,
        width=WIDTH + FIGURES + (COUNTS if measured.of else -60),
        said=said_of(kept.rows, measured, grouping_of(release)),
        notes=[*kept.notes, *silent, *([CUT] if cut else [])],
        unstable=WHY_PALE,
    )


def _by_size(release: Release, kept: Sequence[Row], measured: Estimated) -> list[Row]:
    """The rows by the size of the first dimension's values, within panels of one unit."""
    names = grouping_of(release)
    if not names:
        return list(kept)
    order = by_size(release, kept, names[0], size=size_of(measured.value))
    units = list(dict.fromkeys(row.get("unit") for row in kept))
    units.sort(key=lambda unit: not unit)
    return sorted(kept, key=lambda row: (units.index(row.get("unit")), order.index(row[names[0]])))


def _arranged(
    release: Release, kept: Sequence[Row], measured: Estimated
) -> tuple[list[Drawn], list[str], list[str]]:
    """The rows with their positions, the names of the series, and a note on series left out.

    Leaves out a series without a number in any row.
    """
    names = grouping_of(release)
    kept, silent = _without_silent_series(kept, names, measured) if names[1:] else (kept, [])
    second = labels_of(kept, names[1:2])
    coloured = 1 < len(second) <= MOST_SERIES
    on_axis = names[:1] if coloured else names[:2]
    first = labels_of(kept, on_axis)
    panels: dict[tuple[str, str], int] = {}
    rows: list[Drawn] = []
    for row in kept:
        apart = label_of(row, names[2]) if len(names) > 2 else ""
        unit = str(row.get("unit") or "")
        panel = panels.setdefault((apart, unit), len(panels))
        value = row[measured.value]
        there = value is not None
        limits = measured.limits_of(row)
        share = measured.share
        rows.append(
            {
                **row,
                "chart_label": wrapped(first[tuple(row[name] for name in on_axis)] or "All"),
                "chart_series": second[(row[names[1]],)] if coloured else "",
                "chart_panel": panel,
                "chart_apart": " · ".join(filter(None, [apart, _unit_title(release, unit)])),
                "chart_text": estimate(value, *limits, share=share) + remark(row["status"])
                if there
                else "",
                "chart_counts": _counts(row, measured),
                "chart_absent": "" if there else why_absent(row, counted=measured.counted),
            }
        )
    return rows, list(second.values()) if coloured else [], silent


def _without_silent_series(
    kept: Sequence[Row], names: Sequence[str], measured: Estimated
) -> tuple[Sequence[Row], list[str]]:
    second = labels_of(kept, names[1:2])
    heard = {row[names[1]] for row in kept if row[measured.value] is not None}
    silent = [text for key, text in second.items() if key[0] not in heard]
    if not heard or not silent:
        return kept, []
    said = f"Hidden in every row, and not drawn: {', '.join(silent)}."
    return [row for row in kept if row[names[1]] in heard], [said]


def _unit_title(release: Release, unit: str) -> str:
    if not has_unit(release):
        return ""
    return unit_in_words(unit, release.meta.get("per")) if unit else "No denominator"


def _counts(row: Row, measured: Estimated) -> str:
    """The counts behind an estimate, as in `34 of 400`."""
    if measured.of is None:
        return ""
    count, word, base = measured.of
    above = absent(row["status"], counted=True) if row[count] is None else figure(row[count])
    under = row[base]
    if under is None:
        return f"{above} {word} {HIDDEN}" if row["status"] in GONE else above
    return f"{above} {word} {figure(round(float(under)))}"


def _panels(rows: Sequence[Drawn]) -> list[str]:
    found: dict[int, str] = {}
    for row in rows:
        found.setdefault(row["chart_panel"], row["chart_apart"])
    return [found[place] for place in sorted(found)]


def _panel(
    release: Release,
    measured: Estimated,
    rows: Sequence[Drawn],
    *,
    place: int,
    title: str,
    series: Sequence[str],
    left: float,
    top: float,
) -> Part:
    """One plot: bars, limits, figures on the right, and a word where a number is hidden."""
    labels = list(dict.fromkeys(row["chart_label"] for row in rows))
    tall = max(label.count("\n") + 1 for label in labels)
    slot = max(BAR * max(len(series), 1), LABEL_LINE * tall) + 10
    scale = alt.Scale(domain=[0, top], nice=not measured.counted or top > 5, clamp=False)
    numbers = alt.Axis(
        title=None if title and has_unit(release) else _axis_title(release, measured, rows),
        labels=any(not row["chart_absent"] for row in rows),
        format=".3~%" if measured.share else ("~d" if measured.counted and top <= 5 else ",.4~g"),
        tickCount=5,
        tickMinStep=1 if measured.counted else alt.Undefined,
        grid=True,
    )
    y = label_axis("chart_label", labels, left)
    shared: dict[str, Any] = {"y": y}
    if series:
        shared["yOffset"] = alt.YOffset("chart_series:N", scale=alt.Scale(domain=list(series)))
    there = alt.Chart(rows_data()).transform_filter(f"datum.chart_panel === {place}")
    shown = there.transform_filter("datum.chart_absent === ''")
    value = alt.X(f"{measured.value}:Q", scale=scale, axis=numbers)
    colour = (
        alt.Color(
            "chart_series:N",
            scale=alt.Scale(domain=list(series), range=list(SERIES[: len(series)])),
            legend=alt.Legend(
                title=title_of(release, grouping_of(release)[1]),
                orient="top",
                columns=legend_columns(series),
                symbolType="square",
            ),
        )
        if series
        else alt.ColorValue(SERIES[0])
    )
    doubtful = "datum.status === 'unstable' || datum.status === 'partial'"
    layers = [
        shown.mark_bar(clip=True, stroke=EDGE, strokeWidth=0.5).encode(
            x=value,
            color=colour,
            fillOpacity=alt.FillOpacityValue(
                **alt.condition(doubtful, alt.value(0.45), alt.value(0.9))
            ),
            **shared,
        )
    ]
    if measured.lower:
        layers.append(
            shown.mark_rule(clip=True, stroke=INK, strokeWidth=1.3).encode(
                x=alt.X(f"{measured.lower}:Q", scale=scale),
                x2=alt.X2(f"{measured.upper}:Q"),
                **shared,
            )
        )
        for limit in (measured.lower, measured.upper):
            layers.append(
                shown.mark_tick(clip=True, color=INK, thickness=1.3, size=6).encode(
                    x=alt.X(f"{limit}:Q", scale=scale), **shared
                )
            )
    letters: dict[str, Any] = {"align": "left", "baseline": "middle"}
    layers += [
        there.mark_text(**letters, dx=5, fill=QUIET, fontStyle="italic").encode(
            x=alt.XValue(0), text=alt.Text("chart_absent:N"), **shared
        ),
        there.mark_text(**letters).encode(
            x=alt.XValue(WIDTH + 12), text=alt.Text("chart_text:N"), **shared
        ),
        there.mark_text(**letters, fill=QUIET).encode(
            x=alt.XValue(WIDTH + 12 + FIGURES), text=alt.Text("chart_counts:N"), **shared
        ),
    ]
    return layered(
        *layers,
        width=WIDTH,
        height=slot * len(labels),
        title=_panel_title(title) if title else None,
    )


def _panel_title(title: str) -> Any:
    text = title[:1].upper() + title[1:]
    return alt.Title(text, anchor="start", fontSize=TEXT, frame="group", offset=8)


def _axis_title(release: Release, measured: Estimated, rows: Sequence[Drawn]) -> str:
    unit = _unit_title(release, str(rows[0].get("unit") or ""))
    return f"Rate {unit}" if unit else title_of(release, measured.value)


def said_of(rows: Sequence[Row], measured: Estimated, names: Sequence[str]) -> str:
    """The main numbers in words: the highest, the lowest, and how many are hidden."""
    shown = [row for row in rows if row[measured.value] is not None]
    shown.sort(key=lambda row: -float(row[measured.value] or 0))
    named = shown if len(shown) <= 2 * NAMED else [*shown[:NAMED], *shown[-1:]]
    parts = []
    for row in named:
        text = estimate(row[measured.value], *measured.limits_of(row), share=measured.share)
        label = ", ".join(label_of(row, name) for name in names)
        parts.append(f"{label}: {text}" if label else text)
    hidden = len(rows) - len(shown)
    if hidden:
        why = reasons_of(row for row in rows if row[measured.value] is None)
        said = counted_in_words(hidden, "row has", "rows have") + " no number shown"
        parts.append(f"{said} ({why})" if why else said)
    if len(named) < len(shown):
        parts.insert(NAMED, f"lowest of {len(shown)}")
    return "; ".join(parts) + "."

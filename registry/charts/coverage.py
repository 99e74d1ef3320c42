"""How many of the reported events a rate counts, and why it leaves out the others."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, Part, layered, rows_data
from registry.charts.shaping import (
    Drawn,
    Row,
    count_of,
    grouping_of,
    label_axis,
    labels_of,
    most_important,
    numbers,
    room_for,
    wrapped,
)
from registry.charts.theme import ACCENT, EDGE, LINE, QUIET, WIDTH
from registry.charts.wording import figure, percent
from registry.records import Release

MOST = 60
REASONS: Mapping[str, str] = {
    "excluded_before_entry": "before entry",
    "after_follow_up": "after follow-up",
    "after_last_round": "after the last closed round",
    "over_90_days": "over 90 days since a procedure",
    "without_denominator": "without a denominator",
}
SLOT = 28
FIGURES = 140
ROOM_OF_REASONS = 340


def coverage(release: Release) -> Drawing:
    """For each row all events in pale, those that a rate counts in full colour, and the reasons."""
    kept = most_important(release, release.rows, MOST, weight=count_of)
    names = grouping_of(release)
    labels = labels_of(kept.rows, names)
    rows: list[Drawn] = [
        {
            **row,
            "chart_label": wrapped(labels[tuple(row[name] for name in names)] or "All events"),
            "chart_text": f"{figure(row['counted'])} of {figure(row['n'])}",
            "chart_counts": ", ".join(_reasons(row)),
        }
        for row in kept.rows
    ]
    left = room_for(row["chart_label"] for row in rows)
    return Drawing(
        plot=partial(_plot, rows, left),
        rows=rows,
        left=left,
        width=WIDTH + FIGURES + ROOM_OF_REASONS,
        said=_said(rows),
        notes=kept.notes,
    )


def _plot(rows: Sequence[Drawn], left: float) -> Part:
    y = label_axis("chart_label", [row["chart_label"] for row in rows], left)
    top = max(numbers(rows, "n"), default=1.0) or 1.0
    scale = alt.Scale(domain=[0, top], nice=True)
    whole = alt.Chart(rows_data())
    axis = alt.Axis(
        title="Events; in full colour those that a rate counts", format=",d", tickCount=5
    )
    letters: dict[str, Any] = {"align": "left", "baseline": "middle"}
    return layered(
        whole.mark_bar(fill=LINE, stroke=EDGE, strokeWidth=0.8).encode(
            x=alt.X("n:Q", scale=scale, axis=axis), y=y
        ),
        whole.mark_bar(fill=ACCENT, stroke=EDGE, strokeWidth=0.5).encode(
            x=alt.X("counted:Q", scale=scale), y=y
        ),
        whole.mark_text(**letters).encode(
            x=alt.XValue(WIDTH + 12), y=y, text=alt.Text("chart_text:N")
        ),
        whole.mark_text(**letters, fill=QUIET).encode(
            x=alt.XValue(WIDTH + 12 + FIGURES), y=y, text=alt.Text("chart_counts:N")
        ),
        width=WIDTH,
        height=SLOT * len(rows),
    )


def _reasons(row: Row) -> list[str]:
    return [f"{figure(row[name])} {words}" for name, words in REASONS.items() if row.get(name)]


def _said(rows: list[Drawn]) -> str:
    reported, counted = sum(numbers(rows, "n")), sum(numbers(rows, "counted"))
    if len(rows) == 1:
        share = f" ({percent(counted / reported)} %)" if reported else ""
        beside = f": {rows[0]['chart_counts']}" if rows[0]["chart_counts"] else ""
        return f"A rate counts {rows[0]['chart_text']} events{share}{beside}."
    parts = [f"{row['chart_label']}: {row['chart_text']}".replace("\n", " ") for row in rows[:5]]
    return f"Events that a rate counts, of all: {'; '.join(parts)}."

"""Rate ratios below one another on a logarithmic axis: adjusted, and crude beside them."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from registry.charts.framing import Drawing
from registry.charts.points import (
    FIGURES,
    MOST_SIGNALS,
    flat,
    plot_of_points,
    room_for_figures,
    told_of,
)
from registry.charts.shaping import (
    CUT,
    Drawn,
    Row,
    grouping_of,
    labels_of,
    most_important,
    numbers,
    room_for,
    size_of,
    wrapped,
)
from registry.charts.theme import ACCENT, INK, QUIET, WIDTH
from registry.charts.wording import estimate, figure, remark, why_absent
from registry.records import Release
from registry.records.reading import OTHERS, REFERENCE_NOTE

FURTHEST = 4.0
"""The axis ends this many times beyond the outermost ratio; wider limits are cut off."""

RATIO, CRUDE, REFERENCE = "Ratio", "Crude ratio", "Reference"
ADJUSTED = "Adjusted ratio"


def ratios(release: Release) -> Drawing:
    """Each group's ratio to the rate of the reference, or of all others, with its limits.

    At most 40 groups, 20 where each has a crude ratio beside the adjusted one. A group without a
    ratio has the reason in words.
    """
    meta: Mapping[str, Any] = release.meta
    about: Mapping[str, Any] = meta.get("comparison") or {}
    beside = bool(about.get("adjusted_for"))
    most = MOST_SIGNALS // 2 if beside else MOST_SIGNALS
    kept = most_important(release, release.rows, most, weight=size_of("events"))
    named = ADJUSTED if beside else RATIO
    to_others = about.get("reference") == OTHERS
    labels = labels_of(kept.rows, names := grouping_of(release))
    rows = [
        drawn
        for row in kept.rows
        for drawn in _points(row, labels[tuple(row[name] for name in names)], named, beside=beside)
    ]
    low, high, cut = _domain(rows)
    left = room_for(row["chart_label"] for row in rows)
    return Drawing(
        plot=partial(
            plot_of_points,
            rows,
            ("chart_ratio", "chart_lower", "chart_upper"),
            domain=(low, high),
            left=left,
            title=f"{named} (1: the same rate as {'all others' if to_others else 'the reference'})",
            log=True,
            kinds={
                named: ("square", ACCENT),
                CRUDE: ("circle", QUIET),
                REFERENCE: ("diamond", INK),
            },
        ),
        rows=rows,
        left=left,
        width=WIDTH + FIGURES + room_for_figures(rows),
        said=_said(rows, to_others=to_others),
        notes=[*kept.notes, *_notes(about), *([CUT] if cut else [])],
    )


def _points(row: Row, label: str, named: str, *, beside: bool) -> Iterable[Drawn]:
    is_reference = row["note"] == REFERENCE_NOTE
    there = row["ratio"] is not None
    of = f"{figure(row['events'])} in {figure(row['exposure'])}" if row["exposure"] else ""
    text = estimate(row["ratio"], row["ci_lower"], row["ci_upper"]) if there else ""
    yield {
        **row,
        "chart_label": wrapped(label),
        "chart_kind": REFERENCE if is_reference else named,
        "chart_ratio": row["ratio"],
        "chart_lower": row["ci_lower"],
        "chart_upper": row["ci_upper"],
        "chart_text": "reference"
        if is_reference
        else text + (remark(row["status"]) if there else ""),
        "chart_counts": of,
        "chart_absent": "" if there else _absent(row),
    }
    if beside and not is_reference and row["crude_ratio"] is not None:
        limits = (row["crude_lower"], row["crude_upper"])
        yield {
            "status": "",
            "chart_own": False,
            "chart_label": wrapped(f"{label}: crude"),
            "chart_kind": CRUDE,
            "chart_ratio": row["crude_ratio"],
            "chart_lower": limits[0],
            "chart_upper": limits[1],
            "chart_text": estimate(row["crude_ratio"], *limits),
            "chart_counts": "",
            "chart_absent": "",
        }


def _absent(row: Row) -> str:
    """Why a group has no ratio: the note's first sentence, or what hides it."""
    note = str(row["note"] or "")
    return note.split(":")[0].rstrip(".") if note else why_absent(row, counted=False)


def _domain(rows: list[Drawn]) -> tuple[float, float, bool]:
    values = numbers(rows, "chart_ratio")
    lowest = min([*numbers(rows, "chart_lower"), *values, 0.5])
    highest = max([*numbers(rows, "chart_upper"), *values, 2.0])
    low = max(lowest, min([*values, 0.5]) / FURTHEST)
    high = min(highest, max([*values, 2.0]) * FURTHEST)
    return low, high, lowest < low or highest > high


def _notes(about: Mapping[str, Any]) -> list[str]:
    said = []
    if about.get("adjusted_for"):
        said.append("Crude ratios stand below the adjusted ones.")
    if about.get("reason"):
        said.append(str(about["reason"]))
    return said


def _said(rows: list[Drawn], *, to_others: bool) -> str:
    named = told_of([row for row in rows if row["chart_kind"] != REFERENCE])
    reference = next((row for row in rows if row["chart_kind"] == REFERENCE), None)
    against = f"Against {flat(reference)}: " if reference else ""
    against = "Against all others together: " if to_others else against
    return f"{against}{named}." if named else f"{against}nothing to compare."

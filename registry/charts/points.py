"""Estimates below one another on one axis: signals, and the registry's beside published ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, Part, layered, once_data, rows_data
from registry.charts.shaping import (
    CUT,
    LABEL_LINE,
    Drawn,
    Row,
    estimated_of,
    grouping_of,
    has_unit,
    label_axis,
    labels_of,
    numbers,
    reach,
    room_for,
    title_of,
    wrapped,
)
from registry.charts.theme import ACCENT, ALERT, EDGE, INK, QUIET, WIDTH
from registry.charts.wording import (
    counted_in_words,
    estimate,
    figure,
    remark,
    unit_in_words,
    why_absent,
)
from registry.records import Estimated, Release
from registry.vocabulary import Evidence

MOST_SIGNALS = 40
SIGNAL_LETTERS = 40
FIGURES = 200
SLOT = 28
OURS = "This registry"
SHORT = 30
PLAIN, SIGNAL, OUTLIER = "neither", "signal", "outlier of its rate"


def signals(release: Release) -> Drawing:
    """The information component of each pair with its limits, the strongest lower limit first.

    Draws at most 40 pairs. A hidden pair has a word and no point.
    """
    names = grouping_of(release)
    shown = [row for row in release.rows if row["ic"] is not None]
    shown.sort(key=lambda row: -_number(row["ic_lower"]))
    hidden = [row for row in release.rows if row["ic"] is None]
    whole = len(shown) + len(hidden) <= MOST_SIGNALS
    kept = [*shown, *hidden] if whole else (shown or hidden)[:MOST_SIGNALS]
    labels = labels_of(kept, names)
    rows = [_pair(row, labels[tuple(row[name] for name in names)]) for row in kept]
    ends = [*numbers(rows, "ic_lower"), *numbers(rows, "ic_upper"), *numbers(rows, "ic")]
    low, high = min([*ends, -1.0]), max([*ends, 1.0])
    left = room_for(row["chart_label"] for row in rows)
    return Drawing(
        plot=partial(
            plot_of_points,
            rows,
            ("ic", "ic_lower", "ic_upper"),
            domain=(max(low, -6.0), min(high, 8.0)),
            left=left,
            title="Information component (0: as many as expected)",
            zero=True,
            kinds={
                PLAIN: ("circle", ACCENT),
                SIGNAL: ("diamond", ALERT),
                OUTLIER: ("triangle-up", "#e69f00"),
            },
        ),
        rows=rows,
        left=left,
        width=WIDTH + FIGURES + room_for_figures(rows),
        said=_signals_said(rows, len(hidden)),
        notes=_signals_notes(release, len(rows), len(shown)),
    )


def _pair(row: Row, label: str) -> Drawn:
    there = row["ic"] is not None
    kind = PLAIN
    if there and (row.get("signal") or row.get("outlier")):
        kind = SIGNAL if row.get("signal") else OUTLIER
    of = f"{figure(row['n'])} of {figure(row['expected'])} expected" if there else ""
    return {
        **row,
        "chart_label": wrapped(label, SIGNAL_LETTERS),
        "chart_kind": kind,
        "chart_text": estimate(row["ic"], row["ic_lower"], row["ic_upper"]) if there else "",
        "chart_counts": of,
        "chart_absent": "" if there else why_absent(row, counted=True),
    }


def _signals_notes(release: Release, drawn: int, shown: int) -> list[str]:
    meta: Mapping[str, Any] = release.meta
    about: Mapping[str, Any] = meta.get("signals") or {}
    said = []
    if drawn < len(release.rows):
        hidden = len(release.rows) - max(shown, drawn)
        if shown > drawn:
            rest = counted_in_words(shown - drawn, "pair is", "pairs are")
            said.append(f"Drawn: the {drawn} strongest; {rest} not drawn but in the table.")
        if hidden:
            said.append(f"{counted_in_words(hidden, 'pair is', 'pairs are')} hidden and not drawn.")
    if about.get("rule"):
        said.append(f"Rule: {str(about['rule']).rstrip('.')}.")
    if about.get("multiplicity"):
        said.append(f"{str(about['multiplicity']).rstrip('.')}.")
    return said


def _signals_said(rows: Sequence[Drawn], hidden: int) -> str:
    shown = [row for row in rows if not row["chart_absent"]]
    marked = [row for row in shown if row["chart_kind"] != PLAIN]
    named = "; ".join(f"{flat(row)}: {row['chart_text']}" for row in (marked or shown)[:4])
    beside = f" {counted_in_words(hidden, 'pair is', 'pairs are')} hidden." if hidden else ""
    count = counted_in_words(len(marked), "pair is", "pairs are")
    strongest = f" Strongest: {named}." if named else ""
    return f"Of {len(shown)} drawn {count} marked.{strongest}{beside}"


def flat(row: Drawn) -> str:
    """A row's label in one line."""
    return str(row["chart_label"]).replace("\n", " ")


def told_of(rows: Sequence[Drawn]) -> str:
    """The first eight rows with their figures, for the alternative text."""
    return "; ".join(f"{flat(row)}: {row['chart_text'] or row['chart_absent']}" for row in rows[:8])


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("-inf")


# Ours beside the literature's ------------------------------------------------------------------


def forest(release: Release) -> Drawing:
    """The registry's estimate of each complication, and below it published ones.

    The answer's `meta.literature` has only figures of the same measure and unit; each shows how
    well its source was read.
    """
    measured = estimated_of(release)
    rows = list(_compared(release, measured))
    left = room_for(row["chart_label"] for row in rows)
    top, cut = reach(rows, measured.value, measured.upper)
    meta = release.meta
    unit = unit_in_words(
        next((row["unit"] for row in release.rows if row.get("unit")), ""), meta.get("per")
    )
    title = f"Rate {unit}" if has_unit(release) else title_of(release, measured.value)
    return Drawing(
        plot=partial(
            plot_of_points,
            rows,
            (measured.value, measured.lower or "", measured.upper or ""),
            domain=(0.0, top),
            left=left,
            title=title,
            share=measured.share,
            kinds={OURS: ("square", ACCENT), "Literature": ("diamond", ALERT)},
        ),
        rows=rows,
        left=left,
        width=WIDTH + FIGURES + room_for_figures(rows),
        said=f"{told_of(rows)}.",
        notes=[
            "Populations, follow-up and definitions differ between this registry and its sources.",
            *([CUT] if cut else []),
        ],
    )


def _compared(release: Release, measured: Estimated) -> Iterable[Drawn]:
    names = grouping_of(release)
    labels = labels_of(release.rows, names)
    used: dict[str, int] = {}
    for row in release.rows:
        key = tuple(row[name] for name in names)
        there = row[measured.value] is not None
        limits = (row[measured.lower or ""], row[measured.upper or ""])
        text = estimate(row[measured.value], *limits, share=measured.share)
        yield {
            **row,
            "chart_own": True,
            "chart_label": wrapped(_once(f"{labels[key]}: ours" if labels[key] else OURS, used)),
            "chart_kind": OURS,
            "chart_text": text + remark(row["status"]) if there else "",
            "chart_counts": "",
            "chart_absent": "" if there else why_absent(row, counted=False),
        }
        for published in _published(release, row):
            numbers_of = tuple(published.get(each) for each in ("value", "ci_lower", "ci_upper"))
            yield {
                measured.value: numbers_of[0],
                measured.lower or "": numbers_of[1],
                measured.upper or "": numbers_of[2],
                "status": "",
                "chart_own": False,
                "chart_label": wrapped(_once(short_source(published), used)),
                "chart_kind": "Literature",
                "chart_text": estimate(*numbers_of, share=measured.share),
                "chart_counts": _evidence(published),
                "chart_absent": "",
            }


def _published(release: Release, row: Row) -> list[Mapping[str, Any]]:
    """The published figures of a row's complication or category; all, where rows name neither."""
    meta: Mapping[str, Any] = release.meta
    named = [(name, row[name]) for name in ("complication", "category") if name in row]
    return [
        each
        for each in meta.get("literature") or ()
        if all(each.get(name) == value for name, value in named)
    ]


def short_source(published: Mapping[str, Any]) -> str:
    """Author and year, short enough for a picture: `Taira et al 2013`."""
    source = str(published.get("source") or "")
    who = re.sub(r"\s*\b(?:19|20)\d{2}.*", "", source.split(",")[0].split("(")[0]).strip()
    who = f"{who[: SHORT - 1].rstrip()}…" if len(who) > SHORT else who
    found = re.search(r"\b(?:19|20)\d{2}\b", source)
    year = published.get("year") or (found[0] if found else "")
    return f"{who} {year}".strip() or "Published"


def _once(label: str, used: dict[str, int]) -> str:
    """A unique label: repeated ones get a number."""
    used[label] = used.get(label, 0) + 1
    return label if used[label] == 1 else f"{label} ({used[label]})"


def _evidence(published: Mapping[str, Any]) -> str:
    named = {each.value: each.label.lower() for each in Evidence}
    code = str(published.get("evidence") or "")
    return f"source: {named[code]}" if code in named else ""


def has_literature(release: Release) -> bool:
    """Whether the answer has published figures, by complication or category or of one of them."""
    names = grouping_of(release)
    units = {row["unit"] for row in release.rows if row.get("unit")}
    beside = [published for row in release.rows for published in _published(release, row)]
    fit = names in ([], ["complication"], ["category"]) and len(units) <= 1
    return fit and bool(beside) and len(release.rows) + len(beside) <= MOST_SIGNALS


def room_for_figures(rows: Iterable[Drawn]) -> float:
    """The pixels from an estimate in figures to the counts beside it, which it must not touch."""
    return max(FIGURES, room_for(row["chart_text"] for row in rows))


# One plot of points ------------------------------------------------------------------------------


def plot_of_points(
    rows: Sequence[Drawn],
    columns: tuple[str, str, str],
    *,
    domain: tuple[float, float],
    left: float,
    title: str,
    kinds: Mapping[str, tuple[str, str]],
    zero: bool = False,
    share: bool = False,
    log: bool = False,
) -> Part:
    """Points with limits below one another, each with its figures behind it.

    columns: of value and limits. domain: of the axis. kinds: shape and colour of each. zero, log:
    whether a line marks 0, or the axis is logarithmic and a line marks 1.
    """
    value, lower, upper = columns
    labels = [row["chart_label"] for row in rows]
    tall = max((label.count("\n") + 1 for label in labels), default=1)
    scale = alt.Scale(domain=list(domain), nice=True)
    if log:
        scale = alt.Scale(type="log", domain=list(domain), nice=False)
    axis = alt.Axis(title=title, tickCount=6, format=".3~%" if share else ",.4~g")
    y = label_axis("chart_label", labels, left)
    x = alt.X(f"{value}:Q", scale=scale, axis=axis)
    there = alt.Chart(rows_data()).transform_filter("datum.chart_absent === ''")
    used = [kind for kind in kinds if any(row["chart_kind"] == kind for row in rows)]
    key = alt.Legend(title=None, orient="top") if len(used) > 1 else None
    colour = alt.Color(
        "chart_kind:N",
        scale=alt.Scale(domain=used, range=[kinds[kind][1] for kind in used]),
        legend=key,
    )
    shape = alt.Shape(
        "chart_kind:N",
        scale=alt.Scale(domain=used, range=[kinds[kind][0] for kind in used]),
        legend=key,
    )
    layers = []
    if zero or log:
        at = "one:Q" if log else "zero:Q"
        layers.append(
            alt.Chart(once_data())
            .mark_rule(stroke=EDGE, strokeWidth=1.2)
            .encode(x=alt.X(at, scale=scale))
        )
    limits = there.transform_filter(f"isValid(datum.{lower}) && isValid(datum.{upper})")
    letters: dict[str, Any] = {"align": "left", "baseline": "middle"}
    whole = alt.Chart(rows_data())
    layers += [
        limits.mark_rule(strokeWidth=1.8, clip=True).encode(
            x=alt.X(f"{lower}:Q", scale=scale), x2=alt.X2(f"{upper}:Q"), y=y, color=colour
        ),
        there.mark_point(
            filled=True, opacity=1, size=64, stroke=INK, strokeWidth=0.6, clip=True
        ).encode(x=x, y=y, color=colour, shape=shape),
        whole.mark_text(**letters, dx=5, fill=QUIET, fontStyle="italic").encode(
            x=alt.XValue(0), y=y, text=alt.Text("chart_absent:N")
        ),
        whole.mark_text(**letters).encode(
            x=alt.XValue(WIDTH + 12), y=y, text=alt.Text("chart_text:N")
        ),
        whole.mark_text(**letters, fill=QUIET).encode(
            x=alt.XValue(WIDTH + 12 + room_for_figures(rows)),
            y=y,
            text=alt.Text("chart_counts:N"),
        ),
    ]
    return layered(
        *layers, width=WIDTH, height=max(SLOT, LABEL_LINE * tall + 8) * max(len(rows), 1)
    )

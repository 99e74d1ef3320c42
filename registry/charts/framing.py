"""Adds title and notes to a drawing.

Pictures name their channels by class, as `alt.Text("name:N")`: Altair looks a bare name or value up
in its whole schema, at 10 ms each.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import altair as alt
from altair.utils import schemapi

from registry.charts.picture import Chart
from registry.charts.theme import GROUND, INK, LINE_HEIGHT, QUIET, TEXT, TITLE, WIDE, config
from registry.charts.wording import (
    WHY_UNSTABLE,
    lines,
    source_of,
    statuses_in_words,
    subtitle_of,
)
from registry.records import Release

schemapi.disable_debug_mode()  # checking each part took half a picture's time; tests check wholes

Part = dict[str, Any]
"""A part of a specification."""
ROWS = "rows"
"""The name of the data set that every part of a picture draws from."""
ONCE = "once"
"""The name of a data set of one row, for marks drawn once: a text, a line at 0 or 1."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A drawing without title: its plot, rows and size.

    plot: makes the plot by `layered` or `stacked`, lazily. rows: the released rows, with labels and
    positions in added keys that begin with `chart_`. left: pixels of labels before the plot. width:
    pixels of the rest. said: the main numbers, for the alternative text. notes: notes for readers.
    unstable: how rows from few events are marked; empty where they are not.
    """

    plot: Callable[[], Part]
    rows: Sequence[Mapping[str, Any]]
    left: float
    width: float
    said: str
    notes: Sequence[str] = field(default=())
    unstable: str = WHY_UNSTABLE


def rows_data() -> Any:
    """The data set of the rows, by its name."""
    return alt.NamedData(name=ROWS)


def once_data() -> Any:
    """The data set of one row, by its name."""
    return alt.NamedData(name=ONCE)


def layered(*marks: Any, width: float, height: float, title: Any = None) -> Part:
    """A plot of marks over one another, which share its scales; width, height: in pixels.

    Written here, since Altair copies all layers anew at each step that puts them together.
    """
    drawn = [_mark(mark) for mark in marks]
    part = drawn[0] if len(drawn) == 1 else {"layer": drawn}
    part |= {"width": width, "height": height}
    return part if title is None else part | {"title": title.to_dict()}


def stacked(*plots: Part, spacing: int, own_colours: bool = False) -> Part:
    """Plots below one another; own_colours: whether each has a scale of colours of its own."""
    part: Part = {"vconcat": list(plots), "spacing": spacing}
    return part | {"resolve": {"scale": {"color": "independent"}}} if own_colours else part


def in_words_alone(sentence: str, *, notes: Sequence[str] = ()) -> Drawing:
    """A drawing that is a sentence, for an answer with nothing to draw."""

    def plot() -> Part:
        letters: dict[str, Any] = {"align": "left", "fill": QUIET, "x": 0, "y": 30}
        text = lines([sentence], width=WIDE)
        marked = alt.Chart(once_data()).mark_text(text=text, lineHeight=LINE_HEIGHT, **letters)
        return layered(marked, width=WIDE, height=30 + LINE_HEIGHT * (len(text) + 1))

    return Drawing(plot=plot, rows=[], left=0, width=WIDE, said=sentence, notes=notes)


def framed(drawing: Drawing, release: Release) -> Chart:
    """A drawing with title, counting rule, denominator and method above it, and its source below.

    Long texts are wrapped, not cut off.
    """
    words = f"{release.meta['title']}. {drawing.said} {source_of(release)}"
    specify = partial(_specification, drawing, release, words)
    return Chart(specify=specify, title=str(release.meta["title"]), alt=words)


def _specification(drawing: Drawing, release: Release, words: str) -> dict[str, Any]:
    meta: Mapping[str, Any] = release.meta
    room = drawing.left + drawing.width
    under = [f"{meta['agreement']}."] if meta.get("agreement") else []
    below = lines(
        [
            *drawing.notes,
            *statuses_in_words(release.rows, unstable=drawing.unstable),
            source_of(release),
            *under,
        ],
        width=room,
    )
    title = alt.Title(
        lines([str(meta["title"])], width=room * TEXT / TITLE / 1.15),
        subtitle=lines(subtitle_of(release), width=room),
        anchor="start",
        frame="bounds",
        fontSize=TITLE,
        subtitleFontSize=TEXT,
        subtitleLineHeight=LINE_HEIGHT,
        subtitlePadding=6,
        offset=14,
        color=INK,
        subtitleColor=QUIET,
    )
    return {
        "$schema": alt.SCHEMA_URL,
        "config": config(),
        "background": GROUND,
        "description": words,
        "title": title.to_dict(),
        "vconcat": [drawing.plot(), _small_print(below, drawing)],
        "spacing": 14,
        "datasets": {
            ROWS: [dict(row) for row in drawing.rows],
            ONCE: [{"zero": 0, "one": 1}],
        },
        "usermeta": _about(release, words),
    }


def _small_print(sentences: Sequence[str], drawing: Drawing) -> Part:
    """Lines of text, aligned with the labels of the plot."""
    text = alt.Chart(once_data()).mark_text(
        text=list(sentences),
        align="left",
        baseline="top",
        fill=QUIET,
        lineHeight=LINE_HEIGHT,
        x=-drawing.left,
        y=0,
    )
    return layered(text, width=drawing.width, height=LINE_HEIGHT * len(sentences))


def _mark(mark: Any) -> Part:
    """A mark as a part of a whole, which alone has a schema and settings.

    Not validated against the schema here, which is slow: a test validates every kind of picture.
    """
    part: Part = mark.to_dict(validate=False)
    for name in ("$schema", "config"):
        part.pop(name, None)
    return part


def _about(release: Release, words: str) -> dict[str, Any]:
    """Metadata for a specification that is used without its answer."""
    meta = release.meta
    kept = ("measure", "snapshot", "data_as_of", "profile", "counting", "denominator", "per")
    return {
        **{name: meta.get(name) for name in kept},
        "level": meta.get("level"),
        "receipt": meta.get("receipt"),
        "warnings": meta.get("warnings", []),
        "alt": words,
    }

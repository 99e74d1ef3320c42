"""Prepares an answer's rows for a picture: labels, positions, and a limit on their number."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import altair as alt

from registry.charts.wording import counted_in_words, label_of
from registry.records import Cell, Estimated, Release

Row = Mapping[str, Cell]
Drawn = dict[str, Any]

NO_GROUPING = frozenset({"unit", "time_months", "signal", "outlier", "alarm", "status"})
"""Text columns that do not name a row."""
LABEL_LETTERS = 34
LABEL_LINE = 16
"""The height of a line of a label."""
LETTER_OF_LABEL = 7.5
HEADROOM = 2.0
"""The longest axis, as a multiple of the highest estimate; wider limits are cut off."""


@dataclass(frozen=True, slots=True)
class KeptRows:
    """The rows to draw, and a sentence that counts the others."""

    rows: Sequence[Row]
    notes: Sequence[str]


def grouping_of(release: Release) -> list[str]:
    """The columns that name a row, in the order of the answer."""
    named = {column.name for column in release.columns}
    return [
        column.name
        for column in release.columns
        if column.role == "dimension"
        and column.name not in NO_GROUPING
        and column.name.removesuffix("_label") not in named - {column.name}
    ]


def estimated_of(release: Release) -> Estimated:
    """The columns of the estimate by which each row is drawn."""
    if release.reading.estimate is None:
        raise ValueError("The rows of this answer are not single estimates.")
    return release.reading.estimate


def has_unit(release: Release) -> bool:
    """Whether each row names its denominator."""
    return any(column.name == "unit" for column in release.columns)


def labels_of(rows: Iterable[Row], names: Sequence[str]) -> dict[tuple[Cell, ...], str]:
    """A unique label for every combination of values in the rows, in their order.

    Codes with the same label get the code in brackets.
    """
    found: dict[tuple[Cell, ...], str] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        found.setdefault(key, " · ".join(label_of(row, name) for name in names))
    texts = list(found.values())
    return {
        key: text if texts.count(text) == 1 else f"{text} ({' · '.join(map(str, key))})"
        for key, text in found.items()
    }


def label_of_site(row: Row) -> str:
    """A site's code."""
    return label_of(row, "site")


def wrapped(text: str, letters: int = LABEL_LETTERS) -> str:
    """A label wrapped into lines that fit before a plot."""
    return "\n".join(wrap(text, letters, break_on_hyphens=False)) or text


def room_for(labels: Iterable[str]) -> float:
    """The pixels that labels take before a plot."""
    longest = max((len(line) for text in labels for line in text.split("\n")), default=0)
    return longest * LETTER_OF_LABEL + 14


NOMINAL = frozenset(
    {
        *("complication", "category", "cause", "effect", "intervention", "root_cause"),
        *("detection", "organism", "component", "pump_model", "catheter_model", "manufacturer"),
        *("drug", "drug_class", "indication", "indication_group", "site", "country"),
    }
)
"""Dimensions whose values have no order of their own."""


def by_size(
    release: Release, rows: Sequence[Row], name: str, *, size: Callable[[Row], float]
) -> list[Cell]:
    """The values of a dimension, the largest first where neither it nor the question has an order.

    A value is as large as its largest row; hidden rows, of negative size, come last.
    """
    largest: dict[Cell, float] = {}
    for row in rows:
        largest[row[name]] = max(largest.get(row[name], -1.0), size(row))
    if name not in NOMINAL or release.query.ordering:
        return list(largest)
    return sorted(largest, key=lambda value: -largest[value])


def size_of(name: str) -> Callable[[Row], float]:
    """The number of a column as a size; -1 where it is hidden."""

    def size(row: Row) -> float:
        value = row.get(name)
        return float(value) if isinstance(value, int | float) else -1.0

    return size


def most_important(
    release: Release, rows: Sequence[Row], most: int, *, weight: Callable[[Row], float]
) -> KeptRows:
    """At most `most` rows, in the order of the answer, and a sentence about the others.

    Keeps the first rows where the question has an ordering; otherwise the heaviest.
    """
    if len(rows) <= most:
        return KeptRows(rows, ())
    is_ordered = bool(release.query.ordering)
    chosen = range(most) if is_ordered else _heaviest([weight(row) for row in rows], most)
    rest = counted_in_words(len(rows) - most, "row is", "rows are")
    first = "the first in the order chosen" if is_ordered else "those with the most events"
    said = f"Drawn: {most} of {len(rows):,} rows, {first}; {rest} not drawn but in the table."
    return KeptRows([rows[place] for place in chosen], (said,))


def _heaviest(weights: Sequence[float], most: int) -> list[int]:
    ranked = sorted(range(len(weights)), key=lambda place: -weights[place])
    return sorted(ranked[:most])


def count_of(row: Row) -> float:
    """The count behind a row; a hidden number sorts below any shown one."""
    for name in ("n", "events", "numerator"):
        value = row.get(name)
        if isinstance(value, int | float):
            return float(value)
    return -1.0


def numbers(rows: Iterable[Row], name: str) -> list[float]:
    """The numbers of a column, without hidden and undefined ones."""
    return [
        float(value)
        for value in (row.get(name) for row in rows)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def reach(rows: Sequence[Row], value: str, upper: str | None) -> tuple[float, bool]:
    """The number that an axis has to reach, and whether limits are cut off there.

    The highest limit, unless one row with few events would flatten all others.
    """
    top = max(numbers(rows, value), default=0.0)
    limit = max(numbers(rows, upper), default=top) if upper else top
    end = min(max(limit, top), HEADROOM * top) if top else limit
    return (end or 1.0), limit > end


CUT = "Limits beyond the axis are cut off at its end; the figures give them in full."


def title_of(release: Release, name: str) -> str:
    """A column's heading; its name where it has none."""
    return next((each.title for each in release.columns if each.name == name), "") or name


def label_axis(field: str, labels: Sequence[str], left: float) -> Any:
    """A vertical axis with labels in a column of fixed width, so that plots are aligned."""
    return alt.Y(
        f"{field}:N",
        scale=alt.Scale(domain=list(labels), paddingInner=0.28, paddingOuter=0.14),
        axis=alt.Axis(
            title=None,
            labelExpr="split(datum.label, '\\n')",
            labelLimit=400,
            labelOffset=LINES_UP,
            minExtent=left,
            maxExtent=left,
            ticks=False,
            domain=True,
            labelPadding=8,
            labelLineHeight=LABEL_LINE,
        ),
    )


LINES_UP: Any = {
    "condition": [
        {"test": f"length(split(datum.label, '\\n')) > {lines}", "value": -LABEL_LINE / 2 * lines}
        for lines in (2, 1)
    ],
    "value": 0,
}
"""Centres labels of several lines on their position."""


def legend_columns(names: Iterable[str]) -> int:
    """The number of columns of a legend."""
    longest = max((len(name) for name in names), default=1)
    return max(1, min(6, 70 // (longest + 5)))

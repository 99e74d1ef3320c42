"""Device time by calendar year, put together from devices summed by their first and last year.

A device's time by calendar year is told by four numbers that freezing derives: the first year with
any of it, the last, and the time in either; each year between holds a whole year.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.selected import QUARTERS_A_YEAR
from registry.snapshot.selection import Selection, period_label
from registry.snapshot.statement import Key, Source, outer, small_table, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]

MOST_BITS = 62
"""So many calendar years fit into one whole number of an engine."""


@dataclass(frozen=True, slots=True)
class YearShare:
    """The lines of devices that have time in one span of years of one row.

    has_first, has_last: 1 where the part of a line's first year, or of its last, lies in the span.
    between: quarters of whole years there, a device. sums: by name, of each line.
    """

    key: Key
    has_first: Ints
    has_last: Ints
    between: Ints
    sums: Mapping[str, Ints]


def year_shares(
    store: Store, selection: Selection, source: Source, sums: Mapping[str, str]
) -> Iterable[YearShare]:
    """Devices of a source by row and span of years; one statement.

    source: implants grouped by all that the selection shares but calendar time. sums: expressions
    to add up, by name.
    """
    source.require("i.first_year <= i.last_year")
    found = store.run(
        source.select(
            "i.first_year AS first_year",
            "i.last_year AS last_year",
            *(whole(expression, name) for name, expression in sums.items()),
            by=["i.first_year", "i.last_year"],
        )
    )
    keys = source.keys(found)
    since_all, until_all = _ints(found["first_year"]), _ints(found["last_year"])
    values = {name: _ints(found[name]) for name in sums}
    for labels, first, last in _spans(selection):
        inside = np.flatnonzero((since_all <= last) & (until_all >= first))
        together: dict[Key, list[int]] = {}
        for line in inside.tolist():
            together.setdefault(keys[line], []).append(line)
        for key, places in together.items():
            lines = np.array(places)
            since, until = since_all[lines], until_all[lines]
            between = np.minimum(until - 1, last) - np.maximum(since + 1, first) + 1
            yield YearShare(
                _whole_key(selection, key, labels),
                (since >= first).astype(np.int64),
                ((until <= last) & (until > since)).astype(np.int64),
                QUARTERS_A_YEAR * np.maximum(between, 0),
                {name: column[lines] for name, column in values.items()},
            )


def is_one_set(selection: Selection) -> bool:
    """Whether the calendar years of all rows fit into one whole number, a bit a year."""
    spans = selection.year_spans()
    ends = max((span.last for span in spans), default=0)
    return ends - min((span.first for span in spans), default=0) < MOST_BITS


def records_by_years(
    store: Store, selection: Selection, source: Source, number: str, keys: Sequence[str]
) -> dict[Key, tuple[int, ...]]:
    """Different devices, or patients, that have time in each row's years; one statement.

    Their number, then the sums of their keys. source: implants grouped by all that the selection
    shares but calendar time. A record's years become a set of bits, the union of those of its
    implants; records are counted by set, and rows put together from the sets that meet them.
    """
    spans = list(_spans(selection))
    if not spans:
        return {}
    start, end = min(first for _, first, _ in spans), max(last for _, _, last in spans)
    bits_of: dict[Key, int] = {}
    for labels, first, last in spans:
        bits = ((1 << (last - first + 1)) - 1) << (first - start)
        bits_of[labels] = bits_of.get(labels, 0) | bits
    source.join(small_table(("first_year", "last_year"), [(start, end)]), "r ON 1 = 1")
    source.require("i.first_year <= i.last_year")
    source.require("i.first_year <= r.last_year AND i.last_year >= r.first_year")
    since = "greatest(i.first_year, r.first_year)"
    width = f"least(i.last_year, r.last_year) - {since} + 1"
    years = f"bit_or(((CAST(1 AS BIGINT) << ({width})) - 1) << ({since} - r.first_year)) AS years"
    named = [f"key{place}" for place in range(len(keys))]
    once = [f"min({key}) AS {name}" for key, name in zip(keys, named, strict=True)]
    inner = source.select(years, *once, by=[number])
    sums = [whole(name, name) for name in named]
    found = store.run(outer(inner, [*source.names, "years"], "count(*) AS n", *sums))
    sets = _ints(found["years"])
    columns = np.column_stack([_ints(found[name]) for name in ("n", *named)])
    rows: dict[Key, tuple[int, ...]] = {}
    for key, lines in source.lines_by_key(found):
        own, counted = sets[lines], columns[lines]
        for labels, bits in bits_of.items():
            inside = counted[(own & bits) != 0]
            if len(inside):
                row = _whole_key(selection, key, labels)
                rows[row] = tuple(inside.sum(axis=0).tolist())
    return rows


def _spans(selection: Selection) -> Iterable[tuple[Key, int, int]]:
    """The years of each row: the values of its groupings by calendar time, first and last year."""
    for span in selection.year_spans():
        labels = tuple(
            period_label(label) if name == "period" else label
            for name, label in zip(selection.time_groups, span.labels, strict=True)
        )
        yield labels, span.first, span.last


def _whole_key(selection: Selection, key: Key, labels: Key) -> Key:
    """A row's key under all shared groupings, from that without calendar time and that of time."""
    values, years = iter(key), iter(labels)
    return tuple(
        next(years) if name in selection.time_groups else next(values) for name in selection.shared
    )


def _ints(values: NDArray[Any]) -> Ints:
    return np.asarray(values, dtype=np.int64)

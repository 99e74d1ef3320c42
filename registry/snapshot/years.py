"""Device time by calendar year, put together from devices summed by their first and last year.

A device's time by calendar year is told by four numbers that freezing derives: the first year with
any of it, the last, and the time in either; each year between holds a whole year.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
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


@dataclass(frozen=True, slots=True, eq=False)
class YearShares:
    """Lines of devices that share their first and last year, against the spans of years of rows.

    keys: rows but for calendar time, each the lines from its place in `starts` on. labels: of the
    spans by calendar time. inside: by line and span, whether the devices have time there;
    has_first, has_last: 1 where the part of their first year, or of their last, lies there.
    between: quarters of whole years there, a device. sums: by name, of each line, as a column.
    """

    selection: Selection
    keys: list[Key]
    starts: Ints
    labels: list[Key]
    inside: NDArray[np.bool_]
    has_first: Ints
    has_last: Ints
    between: Ints
    sums: Mapping[str, Ints]

    def rows(self, *amounts: Ints) -> Iterable[tuple[Key, tuple[int, ...]]]:
        """The amounts of each row, added up over its lines: only rows with time."""
        if not self.keys:
            return []
        present = np.logical_or.reduceat(self.inside, self.starts, axis=0)
        totals = [
            np.add.reduceat(np.where(self.inside, amount, 0), self.starts, axis=0)
            for amount in amounts
        ]
        whole_key = _whole_keys(self.selection)
        places = zip(*(axis.tolist() for axis in np.nonzero(present)), strict=True)
        keys = [whole_key(self.keys[at], self.labels[span]) for at, span in places]
        told = [total[present].tolist() for total in totals]
        return zip(keys, zip(*told, strict=True) if told else repeat(()), strict=bool(told))


def year_shares(
    store: Store,
    selection: Selection,
    source: Source,
    sums: Mapping[str, str],
    *,
    years: tuple[str, str] = ("i.first_year", "i.last_year"),
) -> YearShares:
    """Devices of a source by row and span of years; one statement.

    source: implants grouped by all that the selection shares but calendar time. sums: expressions
    to add up, by name; `n` is how many devices there are. years: the first and the last year of
    a device.
    """
    source.require(f"{years[0]} <= {years[1]}")
    found = store.run(
        source.select(
            f"{years[0]} AS first_year",
            f"{years[1]} AS last_year",
            "count(*) AS n",
            *(whole(expression, name) for name, expression in sums.items()),
            by=years,
        )
    )
    lines = source.lines_by_key(found)
    order = np.concatenate([np.zeros(0, dtype=np.int64), *(own for _, own in lines)])
    sizes = [len(own) for _, own in lines]
    columns = {
        name: _ints(found[name])[order][:, np.newaxis]
        for name in ("first_year", "last_year", "n", *sums)
    }
    since, until = columns.pop("first_year"), columns.pop("last_year")
    spans = list(_spans(selection))
    first = np.array([each for _, each, _ in spans], dtype=np.int64)
    last = np.array([each for _, _, each in spans], dtype=np.int64)
    between = np.minimum(until - 1, last) - np.maximum(since + 1, first) + 1
    return YearShares(
        selection=selection,
        keys=[key for key, _ in lines],
        starts=np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        labels=[labels for labels, _, _ in spans],
        inside=(since <= last) & (until >= first),
        has_first=(since >= first).astype(np.int64),
        has_last=((until <= last) & (until > since)).astype(np.int64),
        between=QUARTERS_A_YEAR * np.maximum(between, 0),
        sums=columns,
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
    whole_key = _whole_keys(selection)
    rows: dict[Key, tuple[int, ...]] = {}
    for key, lines in source.lines_by_key(found):
        own, counted = sets[lines], columns[lines]
        for labels, bits in bits_of.items():
            inside = counted[(own & bits) != 0]
            if len(inside):
                rows[whole_key(key, labels)] = tuple(inside.sum(axis=0).tolist())
    return rows


def _spans(selection: Selection) -> Iterable[tuple[Key, int, int]]:
    """The years of each row: the values of its groupings by calendar time, first and last year."""
    for span in selection.year_spans():
        labels = tuple(
            period_label(label) if name == "period" else label
            for name, label in zip(selection.time_groups, span.labels, strict=True)
        )
        yield labels, span.first, span.last


def _whole_keys(selection: Selection) -> Callable[[Key, Key], Key]:
    """Joins a row's key without calendar time with that of time, under all shared groupings."""
    of_time = selection.time_groups
    names = [*(name for name in selection.shared if name not in of_time), *of_time]
    if len(names) < 2:
        return lambda key, labels: (*key, *labels)
    in_order = itemgetter(*map(names.index, selection.shared))
    return lambda key, labels: in_order((*key, *labels))


def _ints(values: NDArray[Any]) -> Ints:
    return np.asarray(values, dtype=np.int64)

"""Device time by calendar year, put together from devices summed by their first and last year.

A device's time by calendar year is told by four numbers that freezing derives: the first year with
any of it, the last, and the time in either; each year between holds a whole year.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.selected import QUARTERS_A_YEAR
from registry.snapshot.selection import Selection, period_label
from registry.snapshot.statement import Key, Source, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]


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

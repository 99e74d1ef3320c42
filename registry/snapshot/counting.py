"""How many there are in each row: events, episodes, devices or patients, and the sums of keys.

The first event, the device at risk and the time it gives are each written once, in this room;
exact and protected answers start from the same sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.followed import AFTER_LAST_ROUND, AT_RISK, BEFORE_ENTRY, IN_DECLARED
from registry.snapshot.procedures import WITHIN_90_DAYS
from registry.snapshot.schema import RECORD_KEYS, column
from registry.snapshot.selected import (
    QUARTERS_A_YEAR,
    devices_of,
    events_of,
    name_their_devices,
)
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, small_table, whole
from registry.snapshot.store import Store
from registry.snapshot.years import is_one_set, records_by_years

PROCEDURES = "procedures"

_KEYS = [key.name for key in RECORD_KEYS]
KEYS_OF = {"device_no": (_KEYS[0], _KEYS[1]), "patient_no": (_KEYS[2], _KEYS[3])}
"""The two halves of a record's key, by the number of the record."""


@dataclass(frozen=True, slots=True, repr=False)
class Sums:
    """How many different records a row holds, and the sums of the two halves of their keys.

    The keys are summed where the answer will be perturbed; elsewhere they stay 0.
    """

    n: int = 0
    high: int = 0
    low: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.n + other.n, self.high + other.high, self.low + other.low)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.n - other.n, self.high - other.high, self.low - other.low)


NOTHING = Sums()


def reported(
    store: Store, selection: Selection, *, each: str, keyed: bool = False
) -> dict[Key, Sums]:
    """Different events, episodes, devices or patients that were reported, by row.

    each: the column of events that is counted once; keyed: with the keys of the device or patient,
    so that only events that name an implant count.
    """
    source = events_of(selection, store.codes, clock="device", device="e")
    return different(store, source, f"e.{column('events', each).name}", keyed=keyed)


def matched(
    store: Store, selection: Selection, *, clock: str, each: str, quantity: str = "months"
) -> dict[Key, Sums]:
    """The same in the device time, or on the devices, that a rate divides by."""
    source = at_risk(store, selection, clock=clock, quantity=quantity, joined=False)
    return different(store, source, f"e.{column('events', each).name}")


def carriers(
    store: Store, selection: Selection, *, clock: str | None, each: str, keyed: bool = False
) -> dict[Key, Sums]:
    """Patients with a device under observation in each row, or devices; by shared groupings."""
    number = f"i.{column('implants', each).name}"
    if selection.splits_years and not selection.spans and is_one_set(selection):
        source = devices_of(selection, store.codes, component=clock, by_year=False)
        source.require("i.time_to > i.time_from")
        keys = [f"i.{key}" for key in KEYS_OF[number.split(".")[1]]] if keyed else []
        sets = records_by_years(store, selection, source, number, keys)
        return {key: Sums(*sums) for key, sums in sets.items()}
    source = devices_of(selection, store.codes, component=clock)
    source.require(f"{source.time} > 0")
    return different(store, source, number, keyed=keyed)


def affected(
    store: Store, selection: Selection, *, clock: str | None, each: str, keyed: bool = False
) -> dict[Key, Sums]:
    """Those carriers that had an event after entry, by row; no clock: the device's own.

    The event's own year may be one in which its device has no time, since that split is
    approximate: such an event counts in no row.
    """
    placed = clock or "device"
    source = events_of(selection, store.codes, clock=placed, device="i")
    uncounted = (BEFORE_ENTRY, AFTER_LAST_ROUND, IN_DECLARED)
    source.require_code("e", f"{placed}_time", *uncounted, but=True)
    source.require("i.time_to > i.time_from")
    if selection.spans or selection.splits_years:
        _hold_to_observed(source, selection)
    return different(store, source, f"i.{column('implants', each).name}", keyed=keyed)


def _hold_to_observed(source: Source, selection: Selection) -> None:
    """Keep the events of devices that were followed for any of the time of the event's row."""
    if selection.spans:
        rows = [
            (place, span.time_from, span.time_to)
            for place, span in enumerate(selection.spans)
            if span in selection.timed_spans
        ]
        same = "v.place = w.place AND " if "window" in selection.group_by else ""
        source.join(
            small_table(("place", "time_from", "time_to"), rows or [(0, 0, 0)]),
            f"v ON {same}v.time_from < i.time_to AND v.time_to > i.time_from",
        )
        source.starts.append("v.time_from")
        source.ends.append("v.time_to")
    if selection.splits_years:
        width = len(selection.time_groups)
        labels = [f"label{place}" for place in range(width)]
        spans = selection.year_spans()
        years: list[tuple[int, ...]] = [(*span.labels, span.first, span.last) for span in spans]
        own = [
            f"z.{label} = {source.groups[selection.group_by.index(name)].expression} AND "
            for label, name in zip(labels, selection.time_groups, strict=True)
        ]
        source.join(
            small_table((*labels, "first_year", "last_year"), years or [(*[0] * width, 1, 0)]),
            f"z ON {''.join(own)}z.first_year <= i.last_year AND z.last_year >= i.first_year",
        )
        source.starts.append(f"{QUARTERS_A_YEAR} * z.first_year - i.origin")
        source.ends.append(f"{QUARTERS_A_YEAR} * (z.last_year + 1) - i.origin")
    source.require(f"{source.time} > 0")


def at_risk(
    store: Store, selection: Selection, *, clock: str, quantity: str = "months", joined: bool = True
) -> Source:
    """The events in the follow-up of a device that contributes to the denominator.

    joined: with the device as `i`; without, it is left out where the events tell enough of it.
    """
    joined = joined or quantity != "months" or not name_their_devices(selection, clock=clock)
    device = "i" if joined else "e"
    source = events_of(selection, store.codes, clock=placed_by(clock, quantity), device=device)
    if joined:
        source.require_code("i", "component", clock)
        contribute_to(source, quantity)
    if selection.splits_years:
        source.require(f"{device}.implant_year IS NOT NULL")
    _hold_to_follow_up(source, clock=clock, quantity=quantity)
    return source


def placed_by(clock: str, quantity: str) -> str:
    """What the columns of events are called that say on which device, and when, one counts.

    Per procedure that is the pump that was operated on, whether or not it is still followed.
    """
    return "procedure" if quantity == PROCEDURES else clock


def at_risk_on_any(store: Store, selection: Selection, *, clock: str, quantity: str) -> Source:
    """The events in the follow-up of any device: whoever joins devices says of which.

    Grouped by what is the event's own or its time's.
    """
    own = tuple(each for each in selection.on_devices if each.column == "component")
    placed = placed_by(clock, quantity)
    source = events_of(replace(selection, on_devices=own), store.codes, clock=placed, device="e")
    if "component" in selection.group_by:
        source.require_code("e", "component", clock)
    _hold_to_follow_up(source, clock=clock, quantity=quantity)
    return source


def contribute_to(source: Source, quantity: str) -> None:
    """Keep the devices `i` that give something to a denominator."""
    if quantity != "months":
        source.require(f"i.{column('implants', quantity).name} IS NOT NULL")


def _hold_to_follow_up(source: Source, *, clock: str, quantity: str) -> None:
    if quantity == PROCEDURES:
        source.require(f"e.{column('events', 'procedure_no').name} IS NOT NULL")
    else:
        source.require_code("e", f"{clock}_time", AT_RISK)


@dataclass(frozen=True, slots=True)
class Placing:
    """How many reported events lie at one place of a clock.

    place: as `registry.snapshot.followed` names it; near_procedure: within 90 days of one.
    """

    place: str
    near_procedure: bool
    n: int


def placings(store: Store, selection: Selection, *, clock: str) -> list[tuple[Key, Placing]]:
    """Where the reported events of each row lie on a clock."""
    source = events_of(selection, store.codes, clock=clock, device="e")
    place = column("events", f"{clock}_time").name
    found = store.run(
        source.select(
            f"e.{place} AS place",
            "e.days_since_procedure AS days",
            "count(*) AS n",
            by=[f"e.{place}", "e.days_since_procedure"],
        )
    )
    columns = (found["place"].tolist(), found["days"].tolist(), found["n"].tolist())
    return [
        (
            key,
            Placing(
                store.codes.text(place, where),
                store.codes.text("days_since_procedure", days) in WITHIN_90_DAYS,
                int(n),
            ),
        )
        for key, where, days, n in zip(source.keys(found), *columns, strict=True)
    ]


def before_entry(store: Store, selection: Selection, *, clock: str) -> dict[Key, int]:
    """How many events of each row came before their device was followed."""
    source = events_of(selection, store.codes, clock=clock, device="i")
    source.require_code("e", f"{clock}_time", BEFORE_ENTRY)
    source.require_code("i", "component", clock)
    found = store.run(source.select("count(*) AS n"))
    return dict(zip(source.keys(found), map(int, found["n"].tolist()), strict=True))


def different(store: Store, source: Source, number: str, *, keyed: bool = False) -> dict[Key, Sums]:
    """Count the different values of a number in each row; NULLs do not count.

    keyed: with the sums of the keys of the device or patient that the number names. They are
    looked up once a record: a patient's number is that of one of the patient's implants.
    """
    if number == "e.event_no" and not keyed:
        return read_sums(source, store.run(source.select("count(*) AS n")))
    source.require(f"{number} IS NOT NULL")
    inner = source.select(f"{number} AS record", by=[number])
    if not keyed:
        return read_sums(source, store.run(outer(inner, source.names, "count(*) AS n")))
    records = Source(store.codes, Piece("implants k"))
    records.join(inner, "d ON d.record = k.device_no")
    named = zip(source.names, source.groups, strict=True)
    records.groups = [replace(group, expression=f"d.{name}") for name, group in named]
    halves = zip(KEYS_OF[number.split(".")[1]], ("high", "low"), strict=True)
    sums = ["count(*) AS n", *(whole(f"k.{key}", half) for key, half in halves)]
    return read_sums(records, store.run(records.select(*sums)))


def read_sums(source: Source, found: Mapping[str, NDArray[Any]]) -> dict[Key, Sums]:
    """The sums of each row of a result."""
    names = [name for name in ("n", "high", "low") if name in found]
    columns = [np.asarray(found[name], dtype=np.int64).tolist() for name in names]
    return dict(zip(source.keys(found), map(Sums, *columns), strict=True))

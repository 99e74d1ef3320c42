"""First events: how many, the time that comes after them, and the lives of devices up to them.

A first event is the earliest of a device in a row, or of a patient: then it is that of the device
in place, and later devices of the patient are no longer at risk. Its month ends its device's time
(a quarter of a month at month 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.counting import KEYS_OF, NOTHING, Sums, at_risk, keys_of
from registry.snapshot.exposure import QUARTERS
from registry.snapshot.selected import QUARTERS_A_YEAR, devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Grouping, Key, Piece, Source, small_table, whole
from registry.snapshot.store import Store

SEQUENCE_STEP = 10_000
"""A patient's devices stand in order in one number: sequence times this, plus the month."""

_SEQUENCE = f"f.first - f.first % {SEQUENCE_STEP}"
_MONTH = f"f.first % {SEQUENCE_STEP}"
_IS_OWN = f"{SEQUENCE_STEP} * i.sequence = {_SEQUENCE}"


@dataclass(frozen=True, slots=True)
class FirstEvents:
    """Whose first event falls in a row, and the device months that come after it there."""

    owners: Sums = NOTHING
    months_after: float = 0.0


def first_events(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    per_patient: bool,
    quantity: str = "months",
    keyed: bool = False,
) -> dict[Key, FirstEvents]:
    """First events in the time, or on the devices, that a rate divides by; one statement."""
    source, firsts = _firsts(store, selection, clock, quantity, per_patient, keyed=keyed)
    joined = _owners_devices(store, selection, source, firsts, clock=clock, per_patient=per_patient)
    once, after = f"CASE WHEN {_IS_OWN} THEN 1 ELSE 0 END", "0"
    if quantity == "months":
        joined.require(f"{SEQUENCE_STEP} * i.sequence >= {_SEQUENCE}")
        joined.starts.append(
            f"CASE WHEN {_IS_OWN} THEN greatest({QUARTERS} * ({_MONTH}), 1) ELSE 0 END"
        )
        once = " * ".join([*_bound_time(joined, selection, source), once])
        after = joined.time
    else:
        joined.require(_IS_OWN)
    sums = [whole(once, "n"), whole(after, "after")]
    if keyed:
        sums += [whole(f"{once} * f.{half}", half) for half in ("high", "low")]
    found = store.run(joined.select(*sums))
    names = ("n", "high", "low") if keyed else ("n",)
    rows = zip(*(found[name].tolist() for name in names), strict=True)
    after_all = (found["after"] / QUARTERS).tolist()
    return {
        key: FirstEvents(Sums(*map(int, row)), float(months))
        for key, row, months in zip(source.keys(found), rows, after_all, strict=True)
        if row[0]
    }


def _firsts(
    store: Store,
    selection: Selection,
    clock: str,
    quantity: str,
    per_patient: bool,
    *,
    keyed: bool,
) -> tuple[Source, Piece]:
    """The first event of each device, or of each patient, in each row."""
    source = at_risk(store, selection, clock=clock, quantity=quantity)
    owner = "i.patient_no" if per_patient else "i.device_no"
    first = f"min({SEQUENCE_STEP} * i.sequence + e.{clock}_month) AS first"
    keys = keys_of(owner, keyed=keyed)
    return source, source.select(f"{owner} AS owner", first, *keys, by=[owner])


def _owners_devices(
    store: Store,
    selection: Selection,
    source: Source,
    firsts: Piece,
    *,
    clock: str,
    per_patient: bool,
) -> Source:
    """The devices of those owners in the same row; it is grouped as the events are."""
    untimed = {*selection.time_groups, "window"}
    own = Selection(
        on_devices=selection.on_devices,
        group_by=tuple(n for n in selection.shared if n not in untimed) if per_patient else (),
        placed=selection.placed,
    )
    joined = devices_of(own, store.codes, component=clock)
    owner = "patient_no" if per_patient else "device_no"
    joined.join(firsts, f"f ON f.owner = i.{owner}")
    for name, group in zip(own.group_by, joined.groups, strict=True):
        theirs = source.names[selection.group_by.index(name)]
        joined.require(f"f.{theirs} IS NOT DISTINCT FROM {group.expression}")
    joined.groups = [
        Grouping(f"f.{name}", group.written)
        for name, group in zip(source.names, source.groups, strict=True)
    ]
    return joined


def _bound_time(joined: Source, selection: Selection, source: Source) -> list[str]:
    """Bound the devices' time by the years and the windows of the first event's row.

    A row of several spans joins a device several times: the factors are 1 in the first of them.
    """
    factors = []
    if selection.splits_years:
        width = len(selection.time_groups)
        labels = [f"label{place}" for place in range(width)]
        seen: set[tuple[int, ...]] = set()
        rows = []
        for span in selection.year_spans():
            rows.append((*span.labels, span.first, span.last, int(span.labels not in seen)))
            seen.add(span.labels)
        own = [
            f"b.{label} = f.{source.names[selection.group_by.index(name)]}"
            for label, name in zip(labels, selection.time_groups, strict=True)
        ]
        table = small_table(
            (*labels, "first_year", "last_year", "is_first"), rows or [(*[0] * width, 1, 0, 0)]
        )
        joined.join(table, f"b ON {' AND '.join(own) or '1 = 1'}")
        joined.require("i.origin IS NOT NULL")
        joined.starts.append(f"{QUARTERS_A_YEAR} * b.first_year - i.origin")
        joined.ends.append(f"{QUARTERS_A_YEAR} * (b.last_year + 1) - i.origin")
        factors.append("b.is_first")
    if selection.spans:
        grouped = "window" in selection.group_by
        rows = [
            (place, span.time_from, span.time_to, int(grouped or place == 0))
            for place, span in enumerate(selection.spans)
        ]
        table = small_table(("place", "time_from", "time_to", "is_first"), rows)
        same = f"v.place = f.{source.names[selection.group_by.index('window')]}" if grouped else ""
        joined.join(table, f"v ON {same or '1 = 1'}")
        joined.starts.append("v.time_from")
        joined.ends.append("v.time_to")
        factors.append("v.is_first")
    return factors


# Lives ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lives:
    """The devices of one row by whole month since implantation.

    entered: how many came under observation, by month; ended: how many left it, by why and month,
    THE_EVENT for those whose first event ended it; owners: the devices or patients of those first
    events, by month.
    """

    entered: dict[int, Sums] = field(default_factory=dict)
    ended: dict[tuple[str, int], Sums] = field(default_factory=dict)
    owners: dict[int, Sums] = field(default_factory=dict)

    def plus(self, other: "Lives") -> "Lives":
        """Both together; months with nothing left are left out."""
        return Lives(
            _added(self.entered, other.entered),
            _added(self.ended, other.ended),
            _added(self.owners, other.owners),
        )


THE_EVENT = "event"
"""Why a device's time ended: its own first event."""

_ENTERED, _LEFT, _EVENT = 1, 2, 3


def lives(
    store: Store, selection: Selection, *, clock: str, per_patient: bool, keyed: bool = False
) -> tuple[dict[Key, Lives], dict[Key, Lives]]:
    """Devices under observation by month, events aside; and what first events change.

    The first by shared groupings; the second by all: a device with its first event ends there and
    not where it would have, and those that its patient has later are not there at all. Meant for
    selections without calendar years and windows. Two statements.
    """
    return (
        _lives_without_events(store, selection, clock, keyed=keyed),
        _changes_by_events(store, selection, clock, per_patient, keyed=keyed),
    )


def lives_of(
    without: Mapping[Key, Lives], changes: Mapping[Key, Lives], key: Key, shared: Key
) -> Lives:
    """The lives of one row, from the two that `lives` gives."""
    return without.get(shared, Lives()).plus(changes.get(key, Lives()))


def _lives_without_events(
    store: Store, selection: Selection, clock: str, *, keyed: bool
) -> dict[Key, Lives]:
    source = devices_of(selection, store.codes, component=clock)
    source.require("i.time_to > i.time_from")
    source.join(small_table(("part",), [(_ENTERED,), (_LEFT,)]), "a ON 1 = 1")
    status = f"CASE WHEN a.part = {_LEFT} THEN i.exit_status ELSE 0 END"
    month = f"CASE WHEN a.part = {_LEFT} THEN i.months_followed ELSE i.months_to_entry END"
    sums = ["count(*) AS n"]
    if keyed:
        sums += [
            whole(f"i.{name}", half)
            for name, half in zip(KEYS_OF["device_no"], ("high", "low"), strict=True)
        ]
    by = ["a.part", status, month]
    found = store.run(
        source.select("a.part AS part", f"{status} AS status", f"{month} AS month", *sums, by=by)
    )
    return _read_lives(store, source, found)


def _changes_by_events(
    store: Store, selection: Selection, clock: str, per_patient: bool, *, keyed: bool
) -> dict[Key, Lives]:
    """What first events take away from the lives without events, and add to them."""
    source, firsts = _firsts(store, selection, clock, "months", per_patient, keyed=keyed)
    joined = _owners_devices(store, selection, source, firsts, clock=clock, per_patient=per_patient)
    joined.require("i.time_to > i.time_from")
    joined.require(f"{SEQUENCE_STEP} * i.sequence >= {_SEQUENCE}")
    own = _IS_OWN
    joined.join(small_table(("part",), [(_LEFT,), (_EVENT,)]), "a ON 1 = 1")
    part = f"CASE WHEN a.part = {_EVENT} AND NOT ({own}) THEN {_ENTERED} ELSE a.part END"
    status = f"CASE WHEN a.part = {_LEFT} THEN i.exit_status ELSE 0 END"
    month = (
        f"CASE WHEN a.part = {_LEFT} THEN i.months_followed"
        f" WHEN {own} THEN {_MONTH} ELSE i.months_to_entry END"
    )
    sums = ["count(*) AS n"]
    if keyed:
        high, low = KEYS_OF["device_no"]
        sums += [whole(f"i.{high}", "high"), whole(f"i.{low}", "low")]
        sums += [whole("f.high", "owner_high"), whole("f.low", "owner_low")]
    by = [part, status, month]
    statement = joined.select(
        f"{part} AS part", f"{status} AS status", f"{month} AS month", *sums, by=by
    )
    return _read_lives(store, joined, store.run(statement), changes=True)


def _read_lives(
    store: Store, source: Source, found: Mapping[str, NDArray[Any]], *, changes: bool = False
) -> dict[Key, Lives]:
    """Lines of part, reason and month as lives; changes: what is no event is taken away."""
    names = [each for each in ("n", "high", "low") if each in found]
    owned = ["n", "owner_high", "owner_low"] if "owner_high" in found else ["n"]
    lines = zip(
        source.keys(found),
        *(found[name].tolist() for name in ("part", "status", "month")),
        zip(*(found[name].tolist() for name in names), strict=True),
        zip(*(found[name].tolist() for name in owned), strict=True),
        strict=True,
    )
    rows: dict[Key, Lives] = {}
    for key, part, status, month, sums, owners in lines:
        life = rows.setdefault(key, Lives())
        devices = Sums(*map(int, sums))
        if part == _EVENT:
            life.ended[THE_EVENT, int(month)] = devices
            life.owners[int(month)] = Sums(*map(int, owners))
            continue
        told = NOTHING - devices if changes else devices
        if part == _ENTERED:
            life.entered[int(month)] = told
        else:
            life.ended[store.codes.text("exit_status", int(status)), int(month)] = told
    return rows


def _added(one: Mapping[Any, Sums], other: Mapping[Any, Sums]) -> dict[Any, Sums]:
    found = dict(one)
    for key, sums in other.items():
        found[key] = found.get(key, NOTHING) + sums
    return {key: sums for key, sums in found.items() if sums != NOTHING}


__all__ = [
    "THE_EVENT",
    "FirstEvents",
    "Lives",
    "first_events",
    "lives",
    "lives_of",
]

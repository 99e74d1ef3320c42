"""First events: how many, the time that comes after them, and the lives of devices up to them.

A first event is the earliest of a device in a row, or of a patient: then it is that of the device
in place, and later devices of the patient are no longer at risk. Its month ends its device's time
(a quarter of a month at month 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.counting import KEYS_OF, NOTHING, Sums, at_risk
from registry.snapshot.exposure import QUARTERS
from registry.snapshot.schema import column
from registry.snapshot.selected import bound_by_years, devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Source, small_table, whole
from registry.snapshot.store import Store

SEQUENCE_STEP = 10_000
"""A patient's devices stand in order in one number: sequence times this, plus the month."""

_SEQUENCE = f"f.first - f.first % {SEQUENCE_STEP}"


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
    of = _owners_devices(store, selection, clock=clock, quantity=quantity, per_patient=per_patient)
    joined, after = of.devices, "0"
    factors = [] if of.is_own == "1 = 1" else [f"CASE WHEN {of.is_own} THEN 1 ELSE 0 END"]
    if quantity == "months":
        joined.starts.append(
            f"CASE WHEN {of.is_own} THEN greatest({QUARTERS} * ({of.month}), 1) ELSE 0 END"
        )
        factors += _bound_time(of, selection)
        after = joined.time
    else:
        joined.require(of.is_own)
    once = " * ".join(factors)
    sums = [whole(once, "n") if once else "count(*) AS n", whole(after, "after")]
    if keyed:
        halves = zip(of.keys, ("high", "low"), strict=True)
        sums += [whole(" * ".join([*factors, key]), half) for key, half in halves]
    found = store.run(joined.select(*sums))
    names = ("n", "high", "low") if keyed else ("n",)
    rows = zip(*(found[name].tolist() for name in names), strict=True)
    after_all = (found["after"] / QUARTERS).tolist()
    return {
        key: FirstEvents(Sums(*map(int, row)), float(months))
        for key, row, months in zip(joined.keys(found), rows, after_all, strict=True)
        if row[0]
    }


@dataclass(frozen=True, slots=True)
class _Owners:
    """First events `f` by row and owner, and the devices `i` that a first event is about.

    devices: grouped as the selection is. of_event: the columns of `f` by the groupings that are
    the event's. is_own: whether a device is the one with the event; the others that are joined are
    later ones of its patient. month: of the first event, since implantation. keys: the owner's.
    """

    devices: Source
    of_event: Mapping[str, str]
    is_own: str
    month: str
    keys: tuple[str, ...]


def _owners_devices(
    store: Store, selection: Selection, *, clock: str, quantity: str, per_patient: bool
) -> _Owners:
    """The first event of each device or patient in each row, joined to the devices it is about."""
    of_row = {*selection.time_groups, "window"}
    if not per_patient:
        of_row.add("component")  # a pump's event on a catheter's clock is no catheter's event
    untimed = tuple(name for name in selection.shared if name not in of_row)
    of_event = tuple(name for name in selection.group_by if name not in untimed)
    own = Selection(on_devices=selection.on_devices, group_by=untimed, placed=selection.placed)
    devices = devices_of(own, store.codes, component=clock)
    rows = selection if per_patient else replace(selection, group_by=of_event)
    source = at_risk(store, rows, clock=clock, quantity=quantity, joined=per_patient)
    column_of = dict(zip(rows.group_by, (f"f.{name}" for name in source.names), strict=True))
    month = f"e.{clock}_month"
    if per_patient:
        owner = "i.patient_no"
        first = f"min({SEQUENCE_STEP} * i.sequence + {month}) AS first"
    else:
        owner, first = f"e.{column('events', f'{clock}_no').name}", f"min({month}) AS first"
    firsts = source.select(f"{owner} AS owner", first, by=[owner])
    number = "patient_no" if per_patient else "device_no"
    devices.join(firsts, f"f ON f.owner = i.{number}")
    if per_patient:
        for name, group in zip(untimed, devices.groups, strict=True):
            devices.require(f"{column_of[name]} IS NOT DISTINCT FROM {group.expression}")
        devices.require(f"{SEQUENCE_STEP} * i.sequence >= {_SEQUENCE}")
    grouped = dict(zip(untimed, devices.groups, strict=True)) | {
        name: replace(group, expression=column_of[name])
        for name, group in zip(rows.group_by, source.groups, strict=True)
    }
    devices.groups = [grouped[name] for name in selection.group_by]
    return _Owners(
        devices,
        column_of,
        is_own=f"{SEQUENCE_STEP} * i.sequence = {_SEQUENCE}" if per_patient else "1 = 1",
        month=f"f.first % {SEQUENCE_STEP}" if per_patient else "f.first",
        keys=tuple(f"i.{key}" for key in KEYS_OF[number]),
    )


def _bound_time(of: _Owners, selection: Selection) -> list[str]:
    """Bound the devices' time by the years and the windows of the first event's row.

    A row of several spans joins a device several times: the factors are 1 in the first of them.
    """
    factors, joined = [], of.devices
    if selection.splits_years:
        joined.require("i.origin IS NOT NULL")
        factors += bound_by_years(joined, selection, of.of_event)
    if selection.spans:
        grouped = "window" in selection.group_by
        rows = [
            (place, span.time_from, span.time_to, int(grouped or place == 0))
            for place, span in enumerate(selection.spans)
        ]
        table = small_table(("place", "time_from", "time_to", "is_first"), rows)
        same = f"v.place = {of.of_event['window']}" if grouped else "1 = 1"
        joined.join(table, f"v ON {same}")
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
    of = _owners_devices(store, selection, clock=clock, quantity="months", per_patient=per_patient)
    joined = of.devices
    joined.require("i.time_to > i.time_from")
    joined.join(small_table(("part",), [(_LEFT,), (_EVENT,)]), "a ON 1 = 1")
    part = f"CASE WHEN a.part = {_EVENT} AND NOT ({of.is_own}) THEN {_ENTERED} ELSE a.part END"
    status = f"CASE WHEN a.part = {_LEFT} THEN i.exit_status ELSE 0 END"
    month = (
        f"CASE WHEN a.part = {_LEFT} THEN i.months_followed"
        f" WHEN {of.is_own} THEN {of.month} ELSE i.months_to_entry END"
    )
    sums = ["count(*) AS n"]
    if keyed:
        high, low = KEYS_OF["device_no"]
        sums += [whole(f"i.{high}", "high"), whole(f"i.{low}", "low")]
        sums += [whole(of.keys[0], "owner_high"), whole(of.keys[1], "owner_low")]
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

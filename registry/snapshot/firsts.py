"""First events: how many there are, and the time that comes after them.

A first event is the earliest of a device in a row, or of a patient: then it is that of the device
in place, and later devices of the patient are no longer at risk. Its month ends its device's time
(a quarter of a month at month 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from registry.snapshot.counting import (
    KEYS_OF,
    NOTHING,
    Sums,
    at_risk,
    at_risk_on_any,
    contribute_to,
)
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
    of = first_rows(store, selection, clock=clock, per_patient=per_patient, quantity=quantity)
    once = " * ".join(of.factors)
    sums = [whole(once, "n") if once else "count(*) AS n", whole(of.after, "after")]
    if keyed:
        halves = zip(of.keys, ("high", "low"), strict=True)
        sums += [whole(" * ".join([*of.factors, key]), half) for key, half in halves]
    found = store.run(of.devices.select(*sums))
    names = ("n", "high", "low") if keyed else ("n",)
    rows = zip(*(found[name].tolist() for name in names), strict=True)
    after_all = (found["after"] / QUARTERS).tolist()
    return {
        key: FirstEvents(Sums(*map(int, row)), float(months))
        for key, row, months in zip(of.devices.keys(found), rows, after_all, strict=True)
        if row[0]
    }


@dataclass(frozen=True, slots=True)
class FirstRows:
    """Devices `i` in the rows of first events, each with what it adds there.

    factors: expressions whose product is 1 where the device had the first event, else 0; after: the
    quarters of a month of its time in the row that come after it. keys: the owner's.
    """

    devices: Source
    factors: list[str]
    after: str
    keys: tuple[str, ...]


def first_rows(
    store: Store, selection: Selection, *, clock: str, per_patient: bool, quantity: str
) -> FirstRows:
    """First events as devices in rows, for whoever adds them up."""
    of = owners_devices(store, selection, clock=clock, quantity=quantity, per_patient=per_patient)
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
    return FirstRows(joined, factors, after, of.keys)


@dataclass(frozen=True, slots=True)
class Owners:
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


def owners_devices(
    store: Store, selection: Selection, *, clock: str, quantity: str, per_patient: bool
) -> Owners:
    """The first event of each device or patient in each row, joined to the devices it is about."""
    of_row = {*selection.time_groups, "window"}
    if not per_patient:
        of_row.add("component")  # a pump's event on a catheter's clock is no catheter's event
    untimed = tuple(name for name in selection.shared if name not in of_row)
    of_event = tuple(name for name in selection.group_by if name not in untimed)
    own = Selection(on_devices=selection.on_devices, group_by=untimed, placed=selection.placed)
    devices = devices_of(own, store.codes, component=clock)
    rows = selection if per_patient else replace(selection, group_by=of_event)
    of_events = at_risk if per_patient else at_risk_on_any
    source = of_events(store, rows, clock=clock, quantity=quantity)
    contribute_to(devices, quantity)
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
    return Owners(
        devices,
        column_of,
        is_own=f"{SEQUENCE_STEP} * i.sequence = {_SEQUENCE}" if per_patient else "1 = 1",
        month=f"f.first % {SEQUENCE_STEP}" if per_patient else "f.first",
        keys=tuple(f"i.{key}" for key in KEYS_OF[number]),
    )


def _bound_time(of: Owners, selection: Selection) -> list[str]:
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

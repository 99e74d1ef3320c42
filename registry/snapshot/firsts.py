"""First events: how many there are, and the time that comes after them.

A first event is the earliest of a device, or of a patient: then it is that of the device in place,
and later devices of the patient are no longer at risk. Its month ends its device's time (a quarter
of a month at month 0). It is the first ever within follow-up, so that the device leaves the rows of
later months and years, as in survival; or, where that is asked for, the first in each row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from registry.records import DIMENSIONS, Side
from registry.snapshot.counting import (
    KEYS_OF,
    NOTHING,
    Sums,
    at_risk,
    at_risk_on_any,
    contribute_to,
    placed_by,
    read_sums,
    reported,
)
from registry.snapshot.exposure import QUARTERS
from registry.snapshot.schema import column
from registry.snapshot.selected import (
    bound_by_years,
    device_group,
    devices_of,
    events_of,
    place_devices_in_time,
    place_in_time,
    time_group,
    year_group,
)
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Grouping, Key, Piece, Source, small_table, whole
from registry.snapshot.store import Store

SEQUENCE_STEP = 10_000
"""A patient's devices stand in order in one number: sequence times this, plus the month."""

_SEQUENCE = f"f.first - f.first % {SEQUENCE_STEP}"


@dataclass(frozen=True, slots=True)
class FirstEvents:
    """Whose first event falls in a row, and the device months that come after it there."""

    owners: Sums = NOTHING
    months_after: float = 0.0

    def __add__(self, other: "FirstEvents") -> "FirstEvents":
        return FirstEvents(self.owners + other.owners, self.months_after + other.months_after)


def first_events(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    per_patient: bool,
    quantity: str = "months",
    keyed: bool = False,
    in_row: bool = False,
) -> dict[Key, FirstEvents]:
    """First events in the time, or on the devices, that a rate divides by.

    in_row: the first of each row, instead of the first ever. One statement; two for the first ever
    where rows are of some of the time only.
    """
    added: dict[Key, FirstEvents] = {}
    for of in first_rows(
        store,
        selection,
        clock=clock,
        per_patient=per_patient,
        quantity=quantity,
        in_row=in_row,
    ):
        once = " * ".join(of.factors)
        sums = [whole(once, "n") if once else "count(*) AS n", whole(of.after, "after")]
        if keyed:
            halves = zip(of.keys, ("high", "low"), strict=True)
            sums += [whole(" * ".join([*of.factors, key]), half) for key, half in halves]
        found = store.run(of.devices.select(*sums))
        owners = read_sums(of.devices, found)
        after = (found["after"] / QUARTERS).tolist()
        for (key, each), months in zip(owners.items(), after, strict=True):
            own, before = FirstEvents(each, float(months)), added.get(key)
            added[key] = own if before is None else before + own
    return {key: each for key, each in added.items() if each.owners.n or each.months_after}


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
    store: Store,
    selection: Selection,
    *,
    clock: str,
    per_patient: bool,
    quantity: str,
    in_row: bool = False,
) -> list[FirstRows]:
    """First events as devices in rows, for whoever adds them up: all parts of it together.

    in_row: the first of each row, instead of the first ever.
    """
    ever = selection.is_timed and not in_row

    def owners() -> Owners:
        return owners_devices(
            store,
            selection.at_any_time() if ever else selection,
            clock=clock,
            quantity=quantity,
            per_patient=per_patient,
            dated=selection.splits_years,
        )

    if not ever:
        return [_in_row(owners(), selection, quantity)]
    parts = [_where_it_lies(owners(), selection)]
    return [*parts, _after_it(owners(), selection)] if quantity == "months" else parts


def _in_row(of: "Owners", selection: Selection, quantity: str) -> FirstRows:
    """The first event of each row, and the time after it in that row."""
    joined = of.devices
    factors = [] if of.is_own == "1 = 1" else [f"CASE WHEN {of.is_own} THEN 1 ELSE 0 END"]
    if quantity != "months":
        joined.require(of.is_own)
        return FirstRows(joined, factors, "0", of.keys)
    joined.starts.append(_end_of_first(of))
    factors += _bound_time(of, selection)
    return FirstRows(joined, factors, joined.time, of.keys)


def _where_it_lies(of: "Owners", selection: Selection) -> FirstRows:
    """The first event ever, in the row that it lies in."""
    counted = of.devices
    counted.require(of.is_own)
    place_in_time(counted, selection, "f", of.month)
    _group_by_time(counted, selection, lambda name: time_group(selection, name, "f"))
    if selection.time_groups and not selection.calendar:
        counted.require("f.year IS NOT NULL")
    return FirstRows(counted, [], "0", of.keys)


def _after_it(of: "Owners", selection: Selection) -> FirstRows:
    """The time after the first event ever, in every row."""
    later = of.devices
    later.starts.append(_end_of_first(of))
    place_devices_in_time(later, selection)
    _group_by_time(
        later,
        selection,
        lambda name: (
            device_group(later, selection, name)
            if name == "window"
            else year_group(selection, name)
        ),
    )
    return FirstRows(later, ["0"], later.time, of.keys)


def reported_firsts(
    store: Store, selection: Selection, *, per_patient: bool, keyed: bool = False
) -> dict[Key, Sums]:
    """Devices, or patients, by the row that their first reported event ever lies in.

    Whether it is in follow-up or not; events without a month come last.
    """
    number = "patient_no" if per_patient else "device_no"
    if not selection.is_timed:
        return reported(store, selection, each=number, keyed=keyed)
    source = events_of(selection.at_any_time(), store.codes, clock="device", device="e")
    source.tables.add(" JOIN implants i ON i.device_no = e.device_no")
    place = f"coalesce(e.months_since_implant, {_NO_MONTH})"
    if per_patient:
        place = f"{SEQUENCE_STEP} * i.sequence + {place}"
    owner = f"e.{column('events', number).name}"
    firsts = with_year(source.select(f"{owner} AS owner", *earliest(place), by=[owner]))
    rows = Source(store.codes, Piece("implants k"))
    rows.join(firsts, "f ON f.owner = k.device_no")  # a patient's number is that of an implant
    own = zip(source.groups, source.names, strict=True)
    rows.groups = [replace(group, expression=f"f.{name}") for group, name in own]
    place_in_time(rows, selection, "f", f"nullif(f.first % {SEQUENCE_STEP}, {_NO_MONTH})")
    _group_by_time(rows, selection, lambda name: time_group(selection, name, "f"))
    halves = zip(KEYS_OF[number], ("high", "low"), strict=True) if keyed else ()
    sums = ["count(*) AS n", *(whole(f"k.{key}", half) for key, half in halves)]
    return read_sums(rows, store.run(rows.select(*sums)))


def _group_by_time(
    source: Source, selection: Selection, grouping: Callable[[str], Grouping]
) -> None:
    """Put groupings by time among those that a source has at any time."""
    others = iter(source.groups)
    source.groups = [
        grouping(name) if DIMENSIONS[name].side is Side.TIME else next(others)
        for name in selection.group_by
    ]


def _end_of_first(of: "Owners") -> str:
    """Where a device's time ends by the first event: a later device of the patient has none."""
    return f"CASE WHEN {of.is_own} THEN greatest({QUARTERS} * ({of.month}), 1) ELSE 0 END"


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
    store: Store,
    selection: Selection,
    *,
    clock: str,
    quantity: str,
    per_patient: bool,
    dated: bool = False,
) -> Owners:
    """The first event of each device or patient in each row, joined to the devices it is about.

    dated: leave out devices without a calendar.
    """
    of_row = {*selection.time_groups, "window"}
    if not per_patient:
        of_row.add("component")  # a pump's event on a catheter's clock is no catheter's event
    untimed = tuple(name for name in selection.shared if name not in of_row)
    of_event = tuple(name for name in selection.group_by if name not in untimed)
    own = Selection(on_devices=selection.on_devices, group_by=untimed, placed=selection.placed)
    devices = devices_of(own, store.codes, component=clock)
    rows = selection if per_patient else replace(selection, group_by=of_event)
    firsts = _firsts(
        store, rows, clock=clock, quantity=quantity, per_patient=per_patient, dated=dated
    )
    contribute_to(devices, quantity)
    if dated:
        devices.require("i.origin IS NOT NULL")
    devices.join(firsts.rows, f"f ON {firsts.owned}")
    if per_patient:
        for name, group in zip(untimed, devices.groups, strict=True):
            devices.require(f"{firsts.columns[name]} IS NOT DISTINCT FROM {group.expression}")
        devices.require(firsts.from_its_device)
    grouped = dict(zip(untimed, devices.groups, strict=True)) | {
        name: replace(group, expression=firsts.columns[name])
        for name, group in zip(rows.group_by, firsts.groups, strict=True)
    }
    devices.groups = [grouped[name] for name in selection.group_by]
    return Owners(
        devices, firsts.columns, is_own=firsts.is_own, month=firsts.month, keys=firsts.keys
    )


def devices_with_firsts(
    store: Store, selection: Selection, *, clock: str, per_patient: bool
) -> Owners:
    """Every device, and with it the first event that is its own; later ones of its patient go.

    Grouped by what is known of devices, without calendar years and windows: `f` is blank where a
    device has no first event, or is an earlier one of its patient.
    """
    devices = devices_of(selection, store.codes, component=clock)
    of_event = tuple(name for name in selection.group_by if name == "component")
    rows = selection if per_patient else replace(selection, group_by=of_event)
    firsts = _firsts(store, rows, clock=clock, quantity="months", per_patient=per_patient)
    same = [
        f"{firsts.columns[name]} IS NOT DISTINCT FROM {group.expression}"
        for name, group in zip(selection.group_by, devices.groups, strict=True)
        if name in firsts.columns
    ]
    joined = " AND ".join([firsts.owned, firsts.from_its_device, *same])
    devices.join(firsts.rows, f"f ON {joined}", kind="LEFT JOIN")
    devices.require(f"(f.owner IS NULL OR {firsts.is_own})")
    return Owners(
        devices, firsts.columns, is_own="f.owner IS NOT NULL", month=firsts.month, keys=firsts.keys
    )


@dataclass(frozen=True, slots=True)
class _Firsts:
    """First events as rows of `f`, and how they are joined to devices `i`.

    columns: those of `f` by the groupings, which are `groups`. owned: whether a device, or its
    patient, is the owner; from_its_device: whether it is the device with the event, or a later one.
    """

    rows: Piece
    groups: list[Grouping]
    columns: Mapping[str, str]
    owned: str
    from_its_device: str
    is_own: str
    month: str
    keys: tuple[str, ...]


def _firsts(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    quantity: str,
    per_patient: bool,
    dated: bool = False,
) -> _Firsts:
    """The first event of each device or patient in each row of a selection."""
    of_events = at_risk if per_patient else at_risk_on_any
    source = of_events(store, selection, clock=clock, quantity=quantity)
    if dated and per_patient:
        source.require("i.origin IS NOT NULL")
    placed = placed_by(clock, quantity)
    month = f"e.{placed}_month"
    if per_patient:
        owner, place = "i.patient_no", f"{SEQUENCE_STEP} * i.sequence + {month}"
    else:
        owner, place = f"e.{column('events', f'{placed}_no').name}", month
    firsts = with_year(source.select(f"{owner} AS owner", *earliest(place), by=[owner]))
    number = "patient_no" if per_patient else "device_no"
    named = zip(selection.group_by, source.names, strict=True)
    return _Firsts(
        firsts,
        source.groups,
        {name: f"f.{column_name}" for name, column_name in named},
        owned=f"f.owner = i.{number}",
        from_its_device=f"{SEQUENCE_STEP} * i.sequence >= {_SEQUENCE}" if per_patient else "1 = 1",
        is_own=f"{SEQUENCE_STEP} * i.sequence = {_SEQUENCE}" if per_patient else "1 = 1",
        month=f"f.first % {SEQUENCE_STEP}" if per_patient else "f.first",
        keys=tuple(f"i.{key}" for key in KEYS_OF[number]),
    )


_NO_YEAR = _NO_MONTH = 9_999
"""Stand behind every year and month."""


def earliest(place: str) -> tuple[str, str]:
    """The earliest place of events `e`, and it with the year: of one place, the earliest year."""
    year = f"CAST({place} AS BIGINT) * {_NO_YEAR + 1} + coalesce(e.year, {_NO_YEAR})"
    return f"min({place}) AS first", f"min({year}) AS first_dated"


def with_year(firsts: Piece) -> Piece:
    """The same rows with `year`, that of the earliest event; NULL where it has none."""
    found = Piece("SELECT o.*, ")
    found.add(f"nullif(o.first_dated % {_NO_YEAR + 1}, {_NO_YEAR}) AS year FROM (")
    found.add_piece(firsts)
    found.add(") o")
    return found


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

"""The lives of devices by month since implantation, up to their first event or their exit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.counting import KEYS_OF
from registry.snapshot.firsts import owners_devices
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Source, small_table, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]

ENTERED, LEFT, BY_EVENT = 1, 2, 3
"""What a line tells: devices that came under observation, that left it, or that had their first
event and ended there."""

_SUMS = ("n", "high", "low")


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """The devices of one row as lines that add up; lines that take away are below zero.

    what: ENTERED, LEFT or BY_EVENT; why: the exit status of those that left, as its number in the
    snapshot's list; month: whole months since implantation; one entry a line in each. sums: how
    many devices, one column, and where keys are told the two halves of theirs, two more; owners:
    the same of the devices or patients whose first events they are.
    """

    what: Ints
    why: Ints
    month: Ints
    sums: Ints
    owners: Ints

    @classmethod
    def none(cls, *, keyed: bool = False) -> Self:
        """No device."""
        columns = len(_SUMS) if keyed else 1
        nothing, sums = np.zeros(0, dtype=np.int64), np.zeros((0, columns), dtype=np.int64)
        return cls(nothing, nothing, nothing, sums, sums)

    @classmethod
    def together(cls, several: Sequence["Lives"]) -> "Lives":
        """The devices of all."""
        columns = ("what", "why", "month", "sums", "owners")
        return cls(*(np.concatenate([getattr(each, name) for each in several]) for name in columns))


def lives(
    store: Store, selection: Selection, *, clock: str, per_patient: bool, keyed: bool = False
) -> tuple[dict[Key, Lives], dict[Key, Lives]]:
    """Devices under observation by month, events aside; and what first events change.

    The first by shared groupings; the second by all: a device with its first event ends there and
    not where it would have, and those that its patient has later are not there at all. Meant for
    selections without calendar years and windows. Two statements.
    """
    return (
        _without_events(store, selection, clock, keyed=keyed),
        _changes_by_events(store, selection, clock, per_patient, keyed=keyed),
    )


def lives_of(
    without: Mapping[Key, Lives], changes: Mapping[Key, Lives], key: Key, shared: Key
) -> Lives:
    """The lives of one row, from the two that `lives` gives; without keys."""
    found = without.get(shared, Lives.none())
    return Lives.together((found, changes[key])) if key in changes else found


def _without_events(
    store: Store, selection: Selection, clock: str, *, keyed: bool
) -> dict[Key, Lives]:
    source = devices_of(selection, store.codes, component=clock)
    source.require("i.time_to > i.time_from")
    source.join(small_table(("what",), [(ENTERED,), (LEFT,)]), "a ON 1 = 1")
    month = f"CASE WHEN a.what = {LEFT} THEN i.months_followed ELSE i.months_to_entry END"
    return _read(source, _run(store, source, "a.what", month, _device_keys(keyed)))


def _changes_by_events(
    store: Store, selection: Selection, clock: str, per_patient: bool, *, keyed: bool
) -> dict[Key, Lives]:
    """What first events take away from the lives without events, and add to them."""
    of = owners_devices(store, selection, clock=clock, quantity="months", per_patient=per_patient)
    source = of.devices
    source.require("i.time_to > i.time_from")
    source.join(small_table(("what",), [(LEFT,), (BY_EVENT,)]), "a ON 1 = 1")
    what = f"CASE WHEN a.what = {BY_EVENT} AND NOT ({of.is_own}) THEN {ENTERED} ELSE a.what END"
    month = (
        f"CASE WHEN a.what = {LEFT} THEN i.months_followed"
        f" WHEN {of.is_own} THEN {of.month} ELSE i.months_to_entry END"
    )
    keys = _device_keys(keyed)
    if keyed:
        halves = zip(of.keys, ("owner_high", "owner_low"), strict=True)
        keys += [whole(key, half) for key, half in halves]
    return _read(source, _run(store, source, what, month, keys), changes=True)


def _device_keys(keyed: bool) -> list[str]:
    if not keyed:
        return []
    halves = zip(KEYS_OF["device_no"], _SUMS[1:], strict=True)
    return [whole(f"i.{key}", half) for key, half in halves]


def _run(
    store: Store, source: Source, what: str, month: str, keys: list[str]
) -> Mapping[str, NDArray[Any]]:
    """Sum devices by what a line tells, why, and the month; the source has these as `a.what`."""
    why = f"CASE WHEN a.what = {LEFT} THEN i.exit_status ELSE 0 END"
    named = (f"{what} AS what", f"{why} AS why", f"{month} AS month", "count(*) AS n")
    return store.run(source.select(*named, *keys, by=[what, why, month]))


def _read(
    source: Source, found: Mapping[str, NDArray[Any]], *, changes: bool = False
) -> dict[Key, Lives]:
    """Each row's lines; changes: those that are no event are taken away."""
    what, why, month, n, *keys = (
        np.asarray(found[name], dtype=np.int64)
        for name in ("what", "why", "month", "n", *(name for name in _SUMS[1:] if name in found))
    )
    sums = np.column_stack([n, *keys])
    zeros = [np.zeros_like(n)] * len(keys)
    owned = [found[name] for name in ("owner_high", "owner_low") if name in found]
    owners = np.column_stack([n, *(owned or zeros)]).astype(np.int64)
    owners[what != BY_EVENT] = 0
    if changes:
        sums[what != BY_EVENT] *= -1
    rows = source.lines_by_key(found)
    if not rows:
        return {}
    order = np.concatenate([lines for _, lines in rows])  # once: most rows are short
    ordered = [each[order] for each in (what, why, month, sums, owners)]
    ends = np.cumsum([lines.size for _, lines in rows]).tolist()
    spans = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    return {
        key: Lives(*(each[span] for each in ordered))
        for (key, _), span in zip(rows, spans, strict=True)
    }

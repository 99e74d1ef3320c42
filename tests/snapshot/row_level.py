"""Devices one by one, to check what the engine sums; no product code does this."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.counting import at_risk
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store

NO_EVENT = -1


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Devices by row, one entry for each: whole months since its implantation.

    entry: when it came under observation. followed: when it left. exit_status: why, as a code.
    event: the month of its first event in the row, NO_EVENT where it had none.
    """

    keys: Sequence[Key]
    entry: NDArray[np.int64]
    followed: NDArray[np.int64]
    exit_status: NDArray[np.str_]
    event: NDArray[np.int64]


def lifetimes(store: Store, selection: Selection, *, clock: str, per_patient: bool) -> Lifetimes:
    """Every device under observation with its first event, or its patient's, by plain loops."""
    happened = at_risk(store, selection, clock=clock)
    owner = "i.patient_no" if per_patient else "i.device_no"
    columns = [f"{owner} AS owner", "i.sequence AS sequence", f"e.{clock}_month AS month"]
    found = store.run(
        happened.select(*columns, by=[owner, "i.sequence", f"e.{clock}_month", "e.event_no"])
    )
    firsts: dict[tuple[Key, int], tuple[int, int]] = {}
    lines = zip(*(found[name].tolist() for name in ("owner", "sequence", "month")), strict=True)
    for key, (who, sequence, month) in zip(happened.keys(found), lines, strict=True):
        first = firsts.get((key, who), (sequence, month))
        firsts[key, who] = min(first, (sequence, month))
    source = devices_of(selection, store.codes, component=clock)
    source.require("i.time_to > i.time_from")
    names = ("owner", "sequence", "months_to_entry", "months_followed", "exit_status")
    by = ["i.device_no", owner, *(f"i.{name}" for name in names[1:])]
    found = store.run(
        source.select(f"{owner} AS owner", *(f"i.{name}" for name in names[1:]), by=by)
    )
    kept = []
    lines = zip(*(found[name].tolist() for name in names), strict=True)
    for key, (who, sequence, entry, followed, status) in zip(
        source.keys(found), lines, strict=True
    ):
        with_event, month = firsts.get((key, who), (None, NO_EVENT))
        if with_event is None or sequence <= with_event:
            own = month if sequence == with_event else NO_EVENT
            kept.append((key, entry, followed, store.codes.text("exit_status", status), own))
    keys, entries, ends, statuses, events = zip(*kept, strict=True) if kept else ((),) * 5
    return Lifetimes(
        keys=list(keys),
        entry=np.array(entries, dtype=np.int64),
        followed=np.array(ends, dtype=np.int64),
        exit_status=np.array(statuses, dtype=np.str_),
        event=np.array(events, dtype=np.int64),
    )

"""How long each device went without an event: what curves over months since implant start from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.asked import Asked
from registry.snapshot.derive import BEFORE_ENTRY
from registry.snapshot.schema import column
from registry.snapshot.selections import at_risk
from registry.snapshot.statement import devices_of, events_of
from registry.snapshot.store import SEQUENCE_STEP, Key, Store, keys_of, table_of, whole_numbers

NO_EVENT = -1


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Devices by row, one entry for each: whole months since its implantation.

    entry: when it came under observation, 0 from the start. followed: when it left. exit_status:
    why, as a code; empty where it is still followed. event: the month of its first event in the
    row, NO_EVENT where it had none.
    """

    keys: Sequence[Key]
    entry: NDArray[np.int64]
    followed: NDArray[np.int64]
    exit_status: NDArray[np.str_]
    event: NDArray[np.int64]


def lifetimes(store: Store, asked: Asked, *, clock: str, per_patient: bool) -> Lifetimes:
    """Every device under observation on a clock, with its first event; one statement.

    The events are those that a rate of first events counts. per_patient: the patient's first event
    of the row is that of the device in place then; devices that he or she had later are left out,
    and those before it have none. Meant for selections without calendar years and windows, by what
    devices are.
    """
    owner = "patient_no" if per_patient else "device_no"
    first = f"min(i.sequence * {SEQUENCE_STEP} + e.{clock}_month) AS first"
    firsts = at_risk(asked, clock, "months").select(f"i.{owner} AS owner", first, by=[f"i.{owner}"])
    source, _months = devices_of(asked, component=clock)
    source.require("i.time_to > i.time_from")
    source.tables.add(" LEFT JOIN (")
    source.tables.add(firsts.text, *firsts.values)
    source.tables.add(f") f ON f.owner = i.{owner}")
    for place, group in enumerate(source.groups):
        source.tables.add(f" AND f.g{place} IS NOT DISTINCT FROM {group}")
    columns = ["i.sequence", "i.months_to_entry", "i.months_followed", "i.exit_status"]
    found = store.run(
        source.select(*columns, "f.first", by=["i.device_no", *columns, "f.first"]),
    )
    sequence = whole_numbers(found["sequence"])
    reached = np.ma.filled(np.ma.asarray(found["first"], dtype=np.int64), -SEQUENCE_STEP)
    with_event, month = reached // SEQUENCE_STEP, reached % SEQUENCE_STEP
    had_none = with_event < 0
    left = np.flatnonzero(had_none | (sequence <= with_event))
    keys = keys_of(found, len(source.groups))
    return Lifetimes(
        keys=[keys[place] for place in left.tolist()],
        entry=whole_numbers(found["months_to_entry"])[left],
        followed=whole_numbers(found["months_followed"])[left],
        exit_status=np.asarray(found["exit_status"].tolist(), dtype=np.str_)[left],
        event=np.where(sequence == with_event, month, NO_EVENT)[left],
    )


def events_before_entry(store: Store, asked: Asked, *, clock: str) -> dict[Key, int]:
    """How many events of the selection came before their device was followed, by row."""
    source = events_of(asked, clock=clock, device="i")
    source.require(f"e.{column('events', f'{clock}_time').name} = ?", BEFORE_ENTRY)
    source.require("i.component = ?", clock)
    return table_of(store.run(source.select("count(*) AS n")), len(source.groups))

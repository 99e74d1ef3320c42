"""Which events brought about which: pairs of cause and effect, counted and timed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.snapshot.counting import Sums, different
from registry.snapshot.schema import column
from registry.snapshot.selected import events_of
from registry.snapshot.selection import Condition, Selection
from registry.snapshot.statement import Key, Source, outer, restrict
from registry.snapshot.store import Store

BOTH_EVENTS = frozenset({"state", "actuality"})
"""What the effect has to be as well as the cause."""


@dataclass(frozen=True, slots=True)
class Interval:
    """So many pairs of one cause and one effect that lie so many months apart.

    months: on the clock of the device that both events name, below 0 where the effect is told
    before its cause; None where they name two devices, or no month.
    """

    pair: Key
    months: int | None
    n: int


def intervals(store: Store, selection: Selection, *, level: str) -> list[Interval]:
    """Every pair of a selected cause and an event that names it, by code and months between.

    level: complication or category; of both. A month on the other component's clock is no help:
    it was worked out from two years of implant, and such differences fall up to a year short.
    """
    source = _pairs(store, selection, level)
    device = column("events", "device_no").name
    month = column("events", "months_since_implant").name
    months = f"CASE WHEN e.{device} = f.{device} THEN f.{month} - e.{month} END"
    found = store.run(source.select(f"{months} AS months", "count(*) AS n", by=[months]))
    rows = zip(source.keys(found), found["months"].tolist(), found["n"].tolist(), strict=True)
    return [
        Interval(pair, None if between is None else int(between), int(n))
        for pair, between, n in rows
    ]


def causes(store: Store, selection: Selection, *, level: str) -> dict[Key, int]:
    """How many different causes have an effect, by pair of codes."""
    source = _pairs(store, selection, level)
    inner = source.select("e.event_no AS counted", by=["e.event_no"])
    found = store.run(outer(inner, source.names, "count(*) AS n"))
    return dict(zip(source.keys(found), map(int, found["n"].tolist()), strict=True))


def patients(
    store: Store,
    selection: Selection,
    *,
    level: str,
    of_both: Sequence[Condition] = (),
    keyed: bool = False,
) -> dict[Key, Sums]:
    """How many different patients have a pair of codes, by it and by what the selection groups by.

    of_both: conditions on cause and effect alike. keyed: with the sums of the patients' keys.
    """
    source = _pairs(store, selection, level, by=selection.group_by)
    for alias in ("e", "f"):
        restrict(source, alias, of_both)
    return different(store, source, "e.patient_no", keyed=keyed)


def _pairs(store: Store, selection: Selection, level: str, *, by: tuple[str, ...] = ()) -> Source:
    """The causes, each with every event that names it: `e` and `f`.

    By the codes of both, and then by other groupings.
    """
    of_causes = replace(selection, group_by=(level, *by))
    source = events_of(of_causes, store.codes, clock="device", device="e")
    source.tables.add(f" JOIN events f ON f.{column('events', 'cause_no').name} = e.event_no")
    restrict(source, "f", _of_effects(selection))
    cause, *rest = source.groups
    effect = cause.expression.replace("e.", "f.", 1)
    source.groups = [cause, replace(cause, expression=effect), *rest]
    return source


def _of_effects(selection: Selection) -> list[Condition]:
    return [each for each in selection.on_events if each.column in BOTH_EVENTS]

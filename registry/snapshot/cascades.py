"""Which events brought about which: pairs of cause and effect, counted and timed."""

from dataclasses import dataclass, replace

from registry.snapshot.asked import Asked, Condition
from registry.snapshot.schema import column
from registry.snapshot.statement import Piece, Source, events_of, restrict
from registry.snapshot.store import Key, Store

FIRST_SCHEMA = 4
"""The version of the schema that first held the cause of an event."""

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


def intervals(store: Store, asked: Asked, *, level: str) -> list[Interval]:
    """Every pair of a cause asked for and an event that names it, by code and months between.

    level: complication or category; of both. A month on the other component's clock is no help:
    it was worked out from two years of implant, and such differences fall up to a year short.
    """
    source = _pairs(asked, level)
    device = column("events", "device_no").name
    month = column("events", "months_since_implant").name
    months = f"CASE WHEN e.{device} = f.{device} THEN f.{month} - e.{month} END"
    found = store.run(source.select(f"{months} AS months", "count(*) AS n", by=[months]))
    rows = zip(*(found[name].tolist() for name in ("g0", "g1", "months", "n")), strict=True)
    return [
        Interval((cause, effect), None if months is None else int(months), int(n))
        for cause, effect, months, n in rows
    ]


def causes(store: Store, asked: Asked, *, level: str) -> dict[Key, int]:
    """How many different causes have an effect, by pair of codes."""
    source = _pairs(asked, level)
    inner = source.select("e.event_no AS counted", by=["e.event_no"])
    statement = Piece("SELECT g0, g1, count(*) AS n FROM (")
    statement.add(inner.text, *inner.values)
    statement.add(") d GROUP BY g0, g1")
    found = store.run(statement)
    rows = zip(*(found[name].tolist() for name in ("g0", "g1", "n")), strict=True)
    return {(cause, effect): int(n) for cause, effect, n in rows}


def _pairs(asked: Asked, level: str) -> Source:
    """The causes asked for, each with every event that names it: `e` and `f`."""
    source = events_of(replace(asked, group_by=(level,)), clock="device", device="e")
    source.tables.add(f" JOIN events f ON f.{column('events', 'cause_no').name} = e.event_no")
    restrict(source, "f", _of_effects(asked))
    source.groups.append(f"f.{column('events', level).name}")
    return source


def _of_effects(asked: Asked) -> list[Condition]:
    return [each for each in asked.on_events if each.column in BOTH_EVENTS]

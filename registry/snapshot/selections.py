"""Selections of a snapshot: which events and which devices an answer is about."""

from dataclasses import replace

from registry.records import DIMENSIONS, Side
from registry.snapshot.asked import Asked
from registry.snapshot.derive import AT_RISK, BEFORE_ENTRY
from registry.snapshot.schema import TABLES, column
from registry.snapshot.statement import Piece, Source, devices_of, events_of, restrict

WITHIN_90_DAYS = ("0-7", "8-30", "31-60", "61-90")
"""The day bands in which an event counts per procedure."""


def placeholders() -> str:
    """Room for the day bands in a statement."""
    return f"({', '.join('?' * len(WITHIN_90_DAYS))})"


def within_90_days(source: Source) -> None:
    """Keep the events that count per procedure."""
    source.require(f"e.days_since_procedure IN {placeholders()}", *WITHIN_90_DAYS)


def observed(asked: Asked, clock: str | None) -> Source:
    """The devices that were followed for any of the time of a row."""
    source, months = devices_of(asked, component=clock)
    source.require(f"{months} > 0")
    return source


def hold_to_observed(source: Source, asked: Asked, clock: str | None) -> None:
    """Keep the events of devices that were followed for any of the time of the event's row.

    The event's own year may be one in which its device has no time: that split is approximate.
    """
    times = tuple(name for name in asked.shared if DIMENSIONS[name].side is Side.TIME)
    devices = observed(replace(asked, group_by=times), clock).select(
        "i.device_no AS observed_no", by=["i.device_no"]
    )
    source.tables.add(" JOIN (")
    source.tables.add(devices.text, *devices.values)
    source.tables.add(") o ON o.observed_no = i.device_no")
    for place, name in enumerate(times):
        source.tables.add(f" AND o.g{place} = {source.groups[asked.group_by.index(name)]}")


def after_entry(asked: Asked, *, clock: str | None) -> Source:
    """The events of devices under observation that came after entry; no clock: the device's own."""
    placed = clock or "device"
    source = events_of(asked, clock=placed, device="i")
    source.require(f"e.{column('events', f'{placed}_time').name} <> ?", BEFORE_ENTRY)
    source.require("i.time_to > i.time_from")
    return source


def at_risk(asked: Asked, clock: str, quantity: str) -> Source:
    """The events that lie in the follow-up of a device which contributes to the denominator."""
    source = events_of(asked, clock=clock, device="i")
    source.require(f"e.{column('events', f'{clock}_time').name} = ?", AT_RISK)
    source.require("i.component = ?", clock)
    if asked.splits_years:
        source.require("i.implant_year IS NOT NULL")
    if quantity != "months":
        source.require(f"i.{column('implants', quantity).name} IS NOT NULL")
        if asked.splits_years or asked.spans:
            source.require("1 = 0")
        if quantity == "procedures":
            within_90_days(source)
    return source


def amount_of(asked: Asked, clock: str, quantity: str) -> tuple[Source, str]:
    """The devices that contribute to a denominator, and an expression for what each gives."""
    source, months = devices_of(asked, component=clock)
    if quantity == "months":
        return source, months
    if asked.splits_years or asked.spans:
        source.require("1 = 0")
    name = f"i.{column('implants', quantity).name}"
    source.require(f"{name} IS NOT NULL")
    return source, name


def declared_by_sites(asked: Asked, clock: str, quantity: str) -> Source | None:
    """The declared exposure of a selection, or None where it cannot be followed there."""
    listed = {each.name for each in TABLES["exposures"]}
    groups = asked.shared
    needed = {condition.column for condition in asked.on_devices} | set(groups)
    if asked.spans or not needed <= listed:
        return None
    source = Source(Piece("exposures x"))
    source.require("x.counts")
    source.require("x.component = ?", clock)
    restrict(source, "x", asked.on_devices)
    if asked.years is not None:
        source.require(
            f"x.year IN ({', '.join('?' * len(asked.years))})" if asked.years else "1 = 0",
            *asked.years,
        )
    if quantity != "months":
        source.require(f"x.{column('exposures', quantity).name} IS NOT NULL")
    source.groups = [f"x.{column('exposures', name).name}" for name in groups]
    return source

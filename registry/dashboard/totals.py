"""The registry's totals: events, patients, devices, device time and sites."""

from dataclasses import dataclass
from typing import Any

from registry.answers.asking import Panel
from registry.answers.numbers import in_percent, range_in_percent, written
from registry.answers.tables import missing, status_in_words
from registry.dashboard.panels import Panels
from registry.records import Cell
from registry.vocabulary import Component, CountingRule

NOT_GIVEN = "not available"
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Total:
    """One total with its title and a note."""

    title: str
    number: str
    note: str = ""
    hidden: bool = False

    @property
    def is_withheld(self) -> bool:
        """Whether this viewer never gets the number, whatever its size."""
        return self.number == NOT_GIVEN


def totals_of(panels: Panels) -> list[Total]:
    """The totals of a selection, each from its own answer."""
    return [
        sites(panels.by_category),
        patients(panels.shares),
        devices(panels.devices),
        device_years(panels.by_component),
        counted(panels.counts),
        affected(panels.shares),
    ]


def counted(panel: Panel) -> Total:
    """Events, or in protected answers the patients with an event."""
    patients = panel.meta.get("counting") == CountingRule.PATIENTS
    title = "Patients with an event" if patients else "Events"
    if not panel.rows:
        return hidden(title)
    row = panel.rows[0]
    if row["n"] is None:
        return Total(
            title, missing("n", str(row["status"])), status_in_words(row).lower(), hidden=True
        )
    return Total(title, written(row["n"]), "accepted; without consequences and near misses")


def affected(panel: Panel) -> Total:
    """The share of patients with at least one event."""
    title = "Share with an event"
    if not panel.rows:
        return hidden(title)
    row = panel.rows[0]
    if row["proportion"] is None:
        why = status_in_words(row).lower()
        return Total(title, missing("proportion", str(row["status"])), why, hidden=True)
    limits = range_in_percent(row["ci_lower"], row["ci_upper"])
    return Total(title, in_percent(row["proportion"]), f"{limits} of patients")


def patients(panel: Panel) -> Total:
    """The patients with a device of the selection."""
    number = panel.rows[0]["denominator"] if panel.rows else None
    if number is None:
        return hidden("Patients")
    return Total("Patients", written(number), "with a pump or a catheter")


def devices(panel: Panel | None) -> Total:
    """Pumps and catheters; exact answers only."""
    known = {
        code: number
        for code in Component.codes()
        if panel and isinstance(number := cell_of(panel, code, "denominator"), int | float)
    }
    if not known:
        return hidden("Implants")
    parts = " and ".join(f"{written(n)} {code}s" for code, n in known.items())
    return Total("Implants", written(sum(known.values())), parts)


def device_years(panel: Panel | None) -> Total:
    """Device time of pumps and catheters, in years; exact answers only.

    Protected rates end a device's time at its first event, so they do not give whole device time.
    """
    years = {
        code: round(months / MONTHS_A_YEAR)
        for code in Component.codes()
        if panel
        and cell_of(panel, code, "unit") == f"{code}-months"
        and isinstance(months := cell_of(panel, code, "exposure"), int | float)
    }
    if not years:
        return hidden("Device-years")
    parts = " and ".join(f"{written(n)} of {code}s" for code, n in years.items())
    return Total("Device-years", written(sum(years.values())), parts)


def sites(panel: Panel) -> Total:
    """The sites that reported, and those that sent device time; exact answers only."""
    coverage: Any = panel.meta.get("coverage")
    if not coverage:
        return hidden("Sites")
    with_time = coverage["sites_with_denominator"]
    return Total("Sites", written(coverage["sites"]), f"{written(with_time)} with device time")


def cell_of(panel: Panel, component: str, column: str) -> Cell:
    """One number of a component's row; None where it is hidden, or there is no such row."""
    row = panel.row_of(component=component)
    return row[column] if row else None


def hidden(title: str) -> Total:
    """A total that this viewer never gets."""
    return Total(title, NOT_GIVEN, hidden=True)

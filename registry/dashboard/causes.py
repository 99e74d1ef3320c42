"""What led to a complication and what it led to, as sites linked their events."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from registry.answers.asking import Refused, ask
from registry.answers.numbers import in_percent, written
from registry.answers.tables import address_of
from registry.records import EventQuery, Viewer
from registry.vocabulary import CountingRule, Measure


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One linked complication. share: of the cause's events or patients with that effect."""

    name: str
    address: str
    n: str
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The linked complications that are told, the most frequent first, in both directions."""

    led_to_it: Sequence[CauseLine]
    it_led_to: Sequence[CauseLine]
    hidden: int
    counted: str
    of: str
    explore: str
    refused: Refused | None


def cascades_of(code: str, viewer: Viewer) -> Causes:
    """The causes and the effects of one complication: one question, the same for each, and kept."""
    query = EventQuery(group_by=("complication",), labels="both")
    panel = ask(query, Measure.CASCADES, viewer)
    told = [row for row in panel.rows if row["n"] is not None and row["n"] != 0]
    told.sort(key=lambda row: -float(row["n"] or 0))
    linked = [row for row in panel.rows if code in {row["cause"], row["effect"]}]

    def lines(own: str, other: str) -> list[CauseLine]:
        return [
            CauseLine(
                str(row[f"{other}_label"]),
                address_of("complication", str(row[other])),
                written(row["n"]),
                "" if row["share"] is None else in_percent(row["share"]),
            )
            for row in told
            if row[own] == code
        ]

    patients = panel.meta.get("counting") == CountingRule.PATIENTS
    return Causes(
        led_to_it=lines("effect", "cause"),
        it_led_to=lines("cause", "effect"),
        hidden=sum(row["n"] is None for row in linked),
        counted="Patients" if patients else "Pairs of events",
        of="patients" if patients else "events",
        explore=f"{reverse('explore')}?measure=cascades&group_by=complication&complication={code}",
        refused=panel.refused,
    )

"""Frozen releases with record keys, made of rows without a database."""

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from registry.disclosure import record_key
from registry.keys import read_keys
from registry.records import EventQuery, Release
from registry.reporting.answering import protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.vocabulary import Measure, SnapshotKind
from tests.snapshot.rows import event, implant, shipped_terms, taira_rows

Rows = Iterable[tuple[object, ...]]
AS_OF = datetime(2024, 6, 30, tzinfo=UTC)
COMPLICATIONS = (
    "pump-flip",
    "pump-motor-stall",
    "pump-end-of-service",
    "catheter-kink",
    "catheter-migration",
    "csf-leak",
    "infection-pocket",
    "baclofen-withdrawal",
    "respiratory-depression",
    "death",
)
SITES = ("A", "B", "C", "D")
"""Four sites that nobody shares: hands enough for protected answers."""

DRUGS = ("morphine", "baclofen", "ziconotide", "hydromorphone", "")
PUMPS = ("synchromed-ii-20", "synchromed-ii-40", "prometra-ii-20", "")


def frozen_rows(
    root: Path,
    *,
    events: Rows,
    implants: Rows,
    sites: tuple[str, ...] = SITES,
    hands: Mapping[str, int] | None = None,
) -> Frozen:
    """A release of these rows, frozen under the keys in use; each site is a hand of its own."""
    keys = read_keys()
    manifest = freeze_rows(
        root,
        events=events,
        implants=implants,
        exposures=(),
        terms=shipped_terms(**dict.fromkeys(sites, "DE")),
        record_key=partial(record_key, keys.records),
        keys=keys.mark,
        hands=hands,
    )
    return Frozen(
        store=open_store(root, manifest.snapshot_id),
        kind=SnapshotKind.RELEASE,
        label="2024Q2",
        data_as_of=AS_OF,
    )


def slow_rows() -> tuple[list[tuple[object, ...]], Rows]:
    """Sixty pumps, and 40 flips a year from 2018 to mid-2024, the data's end.

    Site A joined in 2018. Reports are accepted in June of the event's year, and every fourth in
    September of the next.
    """
    implants = [implant(f"slow{n}", implant_year=2016, months_followed=90) for n in range(60)]
    events = []
    for year in range(2018, 2025):
        for n in range(40):
            accepted = f"{year + 1}-09-09" if n % 4 == 0 else f"{year}-06-06"
            if accepted <= AS_OF.date().isoformat():
                own = {"year": year, "months_since_implant": 12 * (year - 2016) - 6}
                name = f"slow{year}-{n}"
                events.append(event(name, on=f"slow{n}", accepted_at=accepted, **own))
    return implants, events


def frozen_cohort(root: Path) -> Frozen:
    """The published cohort; its random ids are always the same, and so is its noise."""
    implants, events = taira_rows()
    sites = tuple(sorted({str(row[2]) for row in implants}))
    return frozen_rows(root, events=events, implants=implants, sites=sites)


def ask(frozen: Frozen, measure: Measure = Measure.COUNTS, **query: object) -> Release:
    """The protected answer to a question."""
    return protected_answer(EventQuery(**query), measure, frozen)  # type: ignore[arg-type]


def tangled_rows(seed: int, *, patients: int = 80) -> tuple[list[tuple[object, ...]], Rows]:
    """Implants and events of patients with pumps and catheters in turn, late entries and gaps."""
    draw = random.Random(seed)
    implants: list[tuple[object, ...]] = []
    events = []
    for number in range(patients):
        shared = {
            "patient": f"p{number}",
            "site": draw.choice(SITES),
            "sex": draw.choice(("female", "male", "")),
            "indication": draw.choice(("crps", "stroke", "cancer-direct", "")),
        }
        for component in ("pump", "catheter"):
            year = draw.randint(2004, 2018)
            for turn in range(draw.randint(0, 2)):
                name = f"{component[0]}{number}-{turn}"
                followed = draw.choice((draw.randint(0, 90), draw.randint(0, 90), 130))
                entry = draw.choice((0, 0, draw.randint(0, followed)))
                model = {f"{component}_model": draw.choice(PUMPS)} if component == "pump" else {}
                implants.append(
                    implant(
                        name,
                        component=component,
                        implant_year=year,
                        age_band=draw.choice(("12-17", "40-64", "80-89", "")),
                        drug=draw.choice(DRUGS),
                        months_to_entry=entry,
                        months_followed=followed,
                        procedures=draw.choice((None, 1, 2)),
                        refills=draw.choice((None, 0, 9)),
                        **shared,
                        **model,
                    )
                )
                for which in range(draw.choice((0, 0, 1, 1, 2, 3))):
                    month = draw.randint(0, followed + 3)
                    events.append(
                        event(
                            f"e{name}{which}",
                            on=name,
                            site=shared["site"],
                            complication=draw.choice(COMPLICATIONS),
                            year=year + (6 + month) // 12,
                            months_since_implant=month,
                            severity=draw.choice((1, 2, 3, None)),
                            outcome=draw.choice(("recovered", "unknown", "")),
                            serious_none=draw.choice((True, False)),
                            days_since_procedure=draw.choice(("0-7", "61-90", "over-365", "")),
                            actuality=draw.choice(("actual", "actual", "near-miss", "")),
                            state=draw.choice(("accepted", "accepted", "submitted")),
                        )
                    )
                year += followed // 12 + draw.randint(0, 2)
    return implants, events

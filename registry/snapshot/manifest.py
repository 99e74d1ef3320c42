"""What a snapshot says of itself, kept beside its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from registry.snapshot.terms import Terms

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One frozen snapshot: its id, its schema, the terms it was frozen with, and its size.

    years: first and last calendar year with an event or device time, None where there is none.
    codes: the list of each code column by its name, in the order of the numbers that the tables
    hold; place 0 is "", not recorded.
    keys: the mark of the keys that its record keys were made with; empty where it has none.
    hands: the number of each site's hand: sites that one person may report or correct at are one.
    rounds: for each site with implants, whether it has closed a follow-up round.
    closed_on: the day, ISO 8601, on which each site closed its last follow-up round.
    """

    snapshot_id: str
    schema_version: int
    terms: Terms
    years: tuple[int, int] | None
    events: int
    implants: int
    exposures: int
    codes: Mapping[str, tuple[str, ...]]
    keys: str = ""
    hands: Mapping[str, int] = field(default_factory=dict)
    rounds: Mapping[str, bool] = field(default_factory=dict)
    closed_on: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        """By the id, which tells all of it apart; what depends on a manifest alone can be kept."""
        return hash(self.snapshot_id)

    def write(self, folder: Path) -> None:
        """Keep the manifest in the snapshot's folder."""
        kept = {
            "snapshot_id": self.snapshot_id,
            "schema_version": self.schema_version,
            "terms": self.terms.as_json(),
            "years": self.years,
            "events": self.events,
            "implants": self.implants,
            "exposures": self.exposures,
            "codes": self.codes,
            "keys": self.keys,
            "hands": self.hands,
            "rounds": self.rounds,
            "closed_on": self.closed_on,
        }
        (folder / MANIFEST).write_text(json.dumps(kept, sort_keys=True))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a snapshot's manifest; raises FileNotFoundError where there is no snapshot."""
        kept = json.loads((folder / MANIFEST).read_text())
        return cls(
            snapshot_id=kept["snapshot_id"],
            schema_version=kept["schema_version"],
            terms=Terms.from_json(kept["terms"]),
            years=tuple(kept["years"]) if kept["years"] else None,
            events=kept["events"],
            implants=kept["implants"],
            exposures=kept["exposures"],
            codes={name: tuple(codes) for name, codes in kept["codes"].items()},
            keys=kept["keys"],
            hands=kept.get("hands", {}),  # the first design had none
            rounds=kept.get("rounds", {}),  # schema 7 had no rounds
            closed_on=kept.get("closed_on", {}),  # nor were their days kept at first
        )

"""What a snapshot says of itself, kept beside its files."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from registry.snapshot.delays import Delays
from registry.snapshot.integrity import (
    MANIFEST,
    Damage,
    Files,
    hold_to,
    looks,
    read_signed,
    signed,
)
from registry.snapshot.terms import Terms


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
    delays: how long accepted events took to be accepted; empty in what was frozen before they were
    kept.
    files: the size and SHA-256 of each file; empty in what was frozen before manifests were signed.
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
    delays: Delays = ()
    files: Files = field(default_factory=dict, compare=False)

    def __hash__(self) -> int:
        """By the id, which tells all of it apart; what depends on a manifest alone can be kept."""
        return hash(self.snapshot_id)

    def write(self, folder: Path, *, key: bytes = b"") -> None:
        """Keep the manifest in the snapshot's folder, signed; in place of one that is there."""
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
            "delays": self.delays,
            "files": self.files,
        }
        write_whole(folder / MANIFEST, signed(kept, key))

    @classmethod
    def sound(cls, folder: Path, *, key: bytes) -> Self:
        """Read a manifest whose signature holds, of a folder whose files are as it says.

        Raises Damage, and FileNotFoundError where there is no such folder.
        """
        found = looks(folder)
        kept = read_signed(folder / MANIFEST, key)
        if kept["snapshot_id"] != folder.name:
            raise Damage("altered", f"{MANIFEST} is of another snapshot.")
        manifest = cls._of(kept)
        hold_to(manifest.files, folder, found)
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a snapshot's manifest, whatever its signature and its files.

        Raises FileNotFoundError where there is no snapshot, and ValueError, KeyError or TypeError
        where it is none.
        """
        return cls._of(json.loads((folder / MANIFEST).read_text()))

    @classmethod
    def _of(cls, kept: Mapping[str, Any]) -> Self:
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
            delays=tuple(map(tuple, kept.get("delays", ()))),
            files={name: (size, digest) for name, (size, digest) in kept.get("files", {}).items()},
        )


def write_whole(path: Path, text: str) -> None:
    """Write a file that others see whole or not at all, of mode 600; leaves nothing half done."""
    handle, name = tempfile.mkstemp(prefix=WRITING, dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_lasting(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


WRITING = ".writing-"
"""How the name of a file begins that is not whole yet."""

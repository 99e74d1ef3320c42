"""A file that holds all implants of its sites closes their follow-up rounds."""

from collections.abc import Iterable
from typing import Any

from registry.intake.importing import Import
from registry.intake.rounds import may_close, round_closed
from registry.intake.writers import not_permitted
from registry.models import Implant, Sealing, Site
from registry.records import Fault, RawReport

MOST_NAMED = 100
"""The implants of a site that a fault names."""


class SentImplants:
    """The keys of the implants that were sent, by site; some hundred bytes a row."""

    def __init__(self) -> None:
        self._keys: dict[str, set[str]] = {}
        self._file: str | None = None

    def add(self, sent: Iterable[RawReport], read: Iterable[tuple[RawReport, Any] | None]) -> None:
        """Takes a batch: as it was sent, and as far as it could be read."""
        for raw, row in zip(sent, read, strict=True):
            self._file = raw.file
            if row is not None:
                site, key = row[1].site, row[1].implant
            else:
                site, key = raw.values.get("site"), raw.values.get("implant")
            if site:
                self._keys.setdefault(site, set()).add(key or "")

    def judge(self, run: Import) -> None:
        """Notes a fault for each site whose round the writer may not close, or with more on file.

        One query a site.
        """
        if not self._keys:
            detail = "a file of all implants of a site closes its follow-up round; there is no row"
            run.note(Fault("implant", "missing-from-file", detail, None, self._file))
        for code, keys in self._keys.items():
            site = run.site(code)
            if site is not None and not may_close(site, by=run.by):
                fault = not_permitted("close a follow-up round; its leads and data managers may")
                run.note(Fault("site", fault.code, fault.detail, None, self._file))
            elif site is not None and (missing := _missing(site, keys)):
                run.note(
                    Fault("implant", "missing-from-file", _told(site, missing), None, self._file)
                )

    def close(self, run: Import, seal: Sealing) -> dict[str, int]:
        """Closes the rounds under the seal of their rows, judged again; their numbers by site.

        Raises ImportRefused, and StateConflict while implants are behind.
        """
        self.judge(run)
        run.refuse_faults()
        closed: dict[str, int] = {}
        for code in self._keys:
            site = run.site(code)
            if site is not None:
                closed[code] = round_closed(site, seal).round_number or 0
        return closed


def _missing(site: Site, keys: set[str]) -> list[str]:
    """The keys of the site's implants on file that were not sent, in order."""
    stored = Implant.objects.filter(site=site).order_by("source_id")
    return [key for key in stored.values_list("source_id", flat=True) if key not in keys]


def _told(site: Site, missing: list[str]) -> str:
    """How many implants are missing, and which."""
    named = ", ".join(missing[:MOST_NAMED])
    more = f", and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
    return (
        f"to close the follow-up round of {site.code} the file must hold all its implants, and "
        f"{len(missing):,} on file are missing: {named}{more}"
    )

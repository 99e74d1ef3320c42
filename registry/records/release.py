"""An answer, and the viewer it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from registry.records.query import EventQuery
from registry.records.reading import PLAIN, Cell, Reading


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer.

    type: string, integer, number or boolean. role: dimension, measure, interval or status.
    """

    name: str
    type: str
    role: str
    unit: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class UnderAgreement:
    """The data-use agreement under which somebody reads exact answers. until: its last day."""

    reference: str
    until: date

    @property
    def rule(self) -> str:
        """What every exact answer that is read under it says."""
        last = f"{self.until.day} {self.until:%B %Y}"
        return f"Under agreement {self.reference}, until {last}: nothing under 5 in print"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The caller's rights for protection; derived from the caller, never from a parameter.

    exact_everywhere: reviewers, data managers, analysts under a current agreement.
    exact_sites: site codes of the caller's memberships. may_ask: False for auditors.
    agreement: what alone makes the caller see all sites exactly; None where a role does.
    """

    user_id: int | None = None
    exact_everywhere: bool = False
    exact_sites: frozenset[str] = frozenset()
    may_ask: bool = True
    label: str = "public"
    agreement: UnderAgreement | None = None

    @property
    def is_public(self) -> bool:
        """Whether the caller has no role and no site, and may be anonymous."""
        return self.label == "public" and not (self.exact_everywhere or self.exact_sites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One answer: its metadata, its protection and its rows, ready to render.

    meta: JSON-ready, the keys of the API's reply. A hidden number is None with its `status`.
    query: the question as answered, in the canonical form of its profile.
    reading: how its rows are read; no part of the API's reply.
    """

    meta: Mapping[str, object]
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...] = field(default=())
    query: EventQuery = field(default_factory=EventQuery)
    reading: Reading = PLAIN

    @property
    def receipt(self) -> str:
        """The signed token of canonical query, snapshot and profile."""
        return str(self.meta["receipt"])

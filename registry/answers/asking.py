"""Asks the reporting room and keeps the answer or the refusal of each panel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict

from registry import reporting
from registry.answers.reader_words import in_reader_words, title_of
from registry.records import (
    BadQuery,
    Cell,
    EngineAway,
    EventQuery,
    NoSnapshot,
    NotAvailableAtThisDetail,
    NotPermitted,
    Refusal,
    Release,
    SnapshotGone,
    SnapshotUnusable,
    Viewer,
    without_agreement,
)
from registry.vocabulary import Measure, Profile

REFUSALS: Mapping[type[Refusal], tuple[int, str, str, str]] = {
    BadQuery: (
        400,
        "error",
        "This question cannot be read",
        "Correct the filters below and ask again.",
    ),
    NotPermitted: (
        403,
        "warning",
        "Your account may not ask this question",
        "The registry's data manager assigns roles, and data-use agreements for exact numbers of"
        " every site.",
    ),
    NotAvailableAtThisDetail: (
        422,
        "warning",
        "This level of detail is not available",
        "Choose the coarser level named above.",
    ),
    NoSnapshot: (
        409,
        "warning",
        "No data are published yet",
        "Statistics come from frozen data. This page answers once a data manager has published a"
        " release with the freeze command.",
    ),
    SnapshotGone: (
        410,
        "warning",
        "This release is closed",
        "Ask the newest release instead.",
    ),
    SnapshotUnusable: (
        503,
        "error",
        SnapshotUnusable.title,
        "Reports can be entered and read as always. Try again in a few minutes.",
    ),
    EngineAway: (
        503,
        "error",
        EngineAway.title,
        "Reports can be entered and read as always. Try again in a few minutes.",
    ),
}
"""HTTP status, tone, heading and next step for each refusal."""

OF_A_FAULT: Mapping[str, tuple[str, str]] = {
    "too-few-sites": (
        "Nothing can be published of so few sites",
        "Exact numbers are for the sites' own members, reviewers and data managers, and for"
        " researchers under an agreement.",
    ),
}
"""Another heading and next step, by the code of the refusal's first fault."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a question has no answer, for a page."""

    status: int
    tone: str
    heading: str
    way_on: str
    faults: tuple[Any, ...]

    @classmethod
    def because(cls, refusal: Refusal) -> "Refused":
        """The page's words for a refusal; the page itself leads to agreements, once."""
        status, tone, heading, way_on = REFUSALS[type(refusal)]
        heading, way_on = OF_A_FAULT.get(refusal.faults[0].code, (heading, way_on))
        faults = tuple(
            replace(
                fault,
                column=fault.column and title_of(fault.column),
                detail=in_reader_words(without_agreement(fault.detail)),
            )
            for fault in refusal.faults
        )
        return cls(status, tone, heading, way_on, faults)


@dataclass(frozen=True, slots=True)
class Panel:
    """One question of a page with its answer or its refusal."""

    query: EventQuery
    measure: Measure
    release: Release | None = None
    refused: Refused | None = None

    @property
    def rows(self) -> tuple[Mapping[str, Cell], ...]:
        """The rows of the answer; none where it was refused."""
        return self.release.rows if self.release else ()

    @property
    def meta(self) -> Mapping[str, Any]:
        """The answer's metadata; empty where it was refused."""
        return self.release.meta if self.release else {}

    @property
    def is_exact(self) -> bool:
        """Whether the answer has exact numbers."""
        return self.meta.get("profile") == Profile.EXACT

    @property
    def shares(self) -> bool:
        """Whether the measure gives a share of all."""
        return reporting.MEASURES[self.measure].reading.shares

    def row_of(self, **named: Cell) -> Mapping[str, Cell] | None:
        """The row with these values, if the answer has one."""
        return next(
            (row for row in self.rows if all(row[name] == value for name, value in named.items())),
            None,
        )


def ask(query: EventQuery, measure: Measure, viewer: Viewer) -> Panel:
    """Asks one question; keeps a refusal in the panel, so that other panels are still answered."""
    try:
        release = reporting.answer(query, measure=measure, viewer=viewer)
    except tuple(REFUSALS) as refusal:
        return Panel(query, measure, refused=Refused.because(refusal))
    return Panel(query, measure, release=release)


def refused_alike(panels: Iterable[Panel]) -> Refused | None:
    """The first refusal where no panel has an answer, to show once for the whole page."""
    found = [panel.refused for panel in panels]
    return found[0] if found and all(found) else None


def of_complications(query: EventQuery, codes: Iterable[str]) -> EventQuery:
    """The same question about these complications only, in place of those that it named."""
    kept = {name: values for name, values in query.where if name not in NAMED}
    kept["complication"] = tuple(sorted(codes))
    return replace(query, where=tuple(sorted(kept.items())))


NAMED = frozenset({"complication", "category"})
"""The dimensions by which a question names complications."""


def may_look(request: HttpRequest) -> bool:
    """Whether the caller may see statistics; others are redirected to sign in."""
    return request.user.is_authenticated or settings.REGISTRY_PUBLIC_STATISTICS


def without_blanks(params: QueryDict) -> QueryDict:
    """The parameters without empty ones: a form sends its empty boxes, too."""
    filled = QueryDict(mutable=True)
    for name, values in params.lists():
        if kept := [value for value in values if value.strip()]:
            filled.setlist(name, kept)
    return filled


def with_set(params: QueryDict, **values: str) -> QueryDict:
    """A copy of the parameters with some values set; an empty value removes its parameter."""
    changed = params.copy()
    for name, value in values.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return changed

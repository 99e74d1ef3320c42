"""How complete the data behind an exact answer are, from sums made once a snapshot."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from registry.records import DIMENSIONS, Cell
from registry.reporting.asking.question import selected_terms
from registry.reporting.asking.spec import Divides, Part, Question
from registry.reporting.words.completeness import about, rounds_of
from registry.snapshot import completeness as sums
from registry.snapshot.completeness import Tally, TallyPart
from registry.snapshot.selected import exposures_of
from registry.snapshot.store import Store
from registry.statistics.completeness import follow_up_completeness
from registry.vocabulary import Component, Profile

KEPT_SNAPSHOTS = 8
"""So many snapshots have their sums kept in a process."""

BLANKS = frozenset((*sums.OF_DEVICES, *sums.OF_EVENTS))
"""The dimensions whose answers can be blank."""


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotTallies:
    """What is summed once a snapshot; terms: the events of all years."""

    devices: Tally
    events: Tally
    terms: Tally
    declared: Tally


@lru_cache(maxsize=KEPT_SNAPSHOTS)
def sums_of(store: Store, as_of: date | None) -> SnapshotTallies:
    """The sums of a snapshot, kept in the process: three scans for all its questions."""
    events = sums.answers_of_events(store)
    return SnapshotTallies(
        devices=sums.follow_up(store, as_of=as_of),
        events=events,
        terms=events.over("year"),
        declared=sums.declared_time(store),
    )


def completeness_of(store: Store, question: Question) -> dict[str, Any]:
    """The completeness of what an exact answer rests on: of the sites and components asked for.

    Filters on devices, patients and time do not narrow it down. A curve and a rate of first events
    rest on implants alone, other rates on declared exposure too, where that can be followed.
    """
    as_of = question.as_of.date() if question.as_of else None
    found = sums_of(store, as_of)
    terms = store.manifest.terms
    sites = _sites_asked(question, terms.sites)
    clocks = components_of(question.parts)
    codes = {term.code for term in selected_terms(question.query, terms)}
    devices = found.devices.among(site=sites, component=clocks)
    declared = found.declared.among(site=sites, component=clocks)
    events = found.terms.among(site=sites, complication=codes)
    with_devices = devices.values("site", of="observed")
    with_declared = declared.values("site", of="declared")
    reporting = events.values("site", of="n")
    counts_declared = _counts_declared(store, question)
    observed, declared_time = devices.total("observed"), declared.total("declared")
    divided = with_devices | (with_declared if counts_declared else set())
    known = with_devices | with_declared | reporting
    followed, lost = devices.total("followed"), devices.total("lost")
    time = observed + declared_time
    used = observed + (declared_time if counts_declared else 0)
    return {
        "about": about(Profile.EXACT, sorted(clocks)),
        "follow_up": {
            "devices": devices.total("n"),
            "in_follow_up": followed,
            "lost": lost,
            "share_in_follow_up": followed / (followed + lost) if followed + lost else None,
            "share_of_time": follow_up_completeness(observed, devices.total("possible")),
        },
        "complete_to": rounds_of(store.manifest, known),
        "denominators": {
            "sites": len(divided),
            "of": len(known),
            "share_of_sites": len(divided) / len(known) if known else None,
            "share_of_time": used / time if time else None,
        },
        "not_recorded": [_blank(name, devices, events) for name in dimensions_used(question)],
    }


def dimensions_used(question: Question) -> list[str]:
    """The dimensions of a question whose answers can be blank, in the order of all."""
    query = question.query
    used = {*query.group_by, *(name for name, _ in query.where), *query.standardise}
    return [name for name in DIMENSIONS if name in used and name in BLANKS]


def components_of(parts: Iterable[Part]) -> frozenset[str]:
    """The components on whose devices a question rests; both where it names none."""
    found: set[str] = set()
    for part in parts:
        asked = [each for each in part.selection.on_devices if each.column == "component"]
        named = {str(value) for each in asked for value in each.values}
        found |= {part.clock} if part.clock else named or set(Component.codes())
    return frozenset(found)


def _sites_asked(question: Question, sites: Mapping[str, str]) -> Collection[str]:
    chosen = set(sites)
    if named := question.query.values("site"):
        chosen &= set(named)
    if countries := question.query.values("country"):
        chosen = {site for site in chosen if sites[site] in countries}
    return chosen


def _counts_declared(store: Store, question: Question) -> bool:
    """Whether declared exposure is part of the denominators."""
    if question.spec.divides is not Divides.EXPOSURE or not question.takes_declared:
        return False
    return all(
        exposures_of(part.selection, store.codes, component=part.clock) is not None
        for part in question.parts
    )


def _blank(name: str, devices: TallyPart, events: TallyPart) -> dict[str, Cell]:
    """How many devices, or events, have no answer to a dimension."""
    of_devices = name in sums.OF_DEVICES
    counted = devices if of_devices else events
    n, blank = counted.total("n"), counted.total(name)
    return {
        "dimension": name,
        "title": DIMENSIONS[name].title,
        "of": "devices" if of_devices else "events",
        "share": blank / n if n else None,
    }

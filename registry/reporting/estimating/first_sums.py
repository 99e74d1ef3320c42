"""Device time and first events behind rates, summed once for rows and for each of their sites."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from registry.reporting.asking.spec import Part, Question
from registry.snapshot.exposure import exposure
from registry.snapshot.firsts import FirstEvents, first_events
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule


@dataclass(frozen=True, slots=True)
class FirstSums:
    """Rows of first events, and the device time by the groupings that devices share with them."""

    time: Mapping[Key, float]
    firsts: Mapping[Key, FirstEvents]


def first_sums(store: Store, question: Question, part: Part, *, by_site: bool = False) -> FirstSums:
    """The sums of a part; by_site: with the site as the last grouping of each row."""
    selection = part.selection
    if by_site:
        selection = replace(selection, group_by=(*selection.group_by, "site"))
    devices = exposure(store, selection, clock=part.clock or "", quantity=part.quantity)
    time = {key: given.amount for key, given in devices.items()}
    return FirstSums(time, _firsts(store, question, part, selection))


def over_sites(store: Store, question: Question, part: Part, sites: FirstSums) -> FirstSums:
    """The same as `first_sums` from the sums by site: a device is of one site.

    A patient's first event is not the first of each site, and is looked for again. Sums are the
    same to the last digit: of whole quarters of a month, or of parts of a procedure.
    """
    time: dict[Key, float] = {}
    for key, amount in sites.time.items():
        time[key[:-1]] = time.get(key[:-1], 0.0) + amount
    if part.per_patient:
        return FirstSums(time, _firsts(store, question, part, part.selection))
    firsts: dict[Key, FirstEvents] = {}
    for key, own in sites.firsts.items():
        other = firsts.get(key[:-1], FirstEvents())
        months = other.months_after + own.months_after
        firsts[key[:-1]] = FirstEvents(other.owners + own.owners, months)
    return FirstSums(time, firsts)


def _firsts(
    store: Store, question: Question, part: Part, selection: Selection
) -> Mapping[Key, FirstEvents]:
    return first_events(
        store,
        selection,
        clock=part.clock or "",
        per_patient=part.per_patient,
        quantity=part.quantity,
        in_row=question.counting is CountingRule.FIRST_IN_ROW,
    )

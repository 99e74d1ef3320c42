"""Device time and first events behind rates, summed once for rows and for each of their sites."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.reporting.asking.spec import Part
from registry.snapshot.counting import Sums
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


def device_time(store: Store, part: Part, selection: Selection) -> dict[Key, float]:
    """What the devices of each row give to a part's denominator; by shared groupings."""
    devices = exposure(store, selection, clock=part.clock or "", quantity=part.quantity)
    return {key: given.amount for key, given in devices.items()}


def first_sums(store: Store, part: Part, counting: CountingRule, selection: Selection) -> FirstSums:
    """The sums of a part for a selection of it, such as its own by site."""
    time = device_time(store, part, selection)
    return FirstSums(time, _firsts(store, part, counting, selection))


def over_sites(store: Store, part: Part, counting: CountingRule, sites: FirstSums) -> FirstSums:
    """The sums of a part's own selection from those by site: a device is of one site.

    A patient's first event is not the first of each site, and is looked for again. Sums are the
    same to the last digit: of whole quarters of a month, or of parts of a procedure.
    """
    time: dict[Key, float] = {}
    for key, amount in sites.time.items():
        time[key[:-1]] = time.get(key[:-1], 0.0) + amount
    if part.per_patient:
        return FirstSums(time, _firsts(store, part, counting, part.selection))
    owners: dict[Key, int] = {}
    after: dict[Key, float] = {}
    for key, own in sites.firsts.items():
        row = key[:-1]
        owners[row] = owners.get(row, 0) + own.owners.n
        after[row] = after.get(row, 0.0) + own.months_after
    return FirstSums(time, {row: FirstEvents(Sums(n), after[row]) for row, n in owners.items()})


def _firsts(
    store: Store, part: Part, counting: CountingRule, selection: Selection
) -> Mapping[Key, FirstEvents]:
    return first_events(
        store,
        selection,
        clock=part.clock or "",
        per_patient=part.per_patient,
        quantity=part.quantity,
        in_row=counting is CountingRule.FIRST_IN_ROW,
    )

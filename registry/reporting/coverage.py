"""How much of what was reported a rate rests on."""

from collections.abc import Mapping
from dataclasses import replace

from registry.records import Cell
from registry.reporting.cells import Found
from registry.reporting.question import Part, Question
from registry.snapshot.clusters import declared, declared_events
from registry.snapshot.counting import matched, placings, reported
from registry.snapshot.derive import AFTER_FOLLOW_UP, AT_RISK, BEFORE_ENTRY, INELIGIBLE
from registry.snapshot.exposure import exposure
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.vocabulary import CellStatus, CountingRule, Denominator

PLACES = ("excluded_before_entry", "after_follow_up", "over_90_days")


def coverage_of(store: Store, question: Question) -> dict[str, object]:
    """What was reported, what of it a rate counts, why the rest does not, and on which tiers."""
    totals: dict[str, int] = {}
    sites: set[str] = set()
    reporting: set[str] = set()
    amounts: dict[Denominator, tuple[float, float]] = {}
    takes_declared = question.counting is not CountingRule.FIRST_EVENT
    for part in question.parts:
        for numbers in _placed(store, part, part.whole, takes_declared=takes_declared).values():
            for name, n in numbers.items():
                totals[name] = totals.get(name, 0) + n
        by_site = replace(part.whole, group_by=("site",))
        implants, sites_years = _given(store, part, by_site, takes_declared=takes_declared)
        sites |= {site for tier in (implants, sites_years) for site, t in tier.items() if t > 0}
        reporting |= {str(key[0]) for key in reported(store, by_site, each="event_no")}
        before = amounts.get(part.unit, (0.0, 0.0))
        amounts[part.unit] = (
            max(before[0], sum(implants.values())),
            max(before[1], sum(sites_years.values())),
        )
    names = ("n", "counted", *PLACES, "without_denominator")
    return {
        **{name: totals.get(name, 0) for name in names},
        "tiers": [_tiers(unit, *amounts[unit]) for unit in question.units],
        "sites": len(sites | reporting),
        "sites_with_denominator": len(sites),
    }


def _given(
    store: Store, part: Part, by_site: Selection, *, takes_declared: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """What implants give to a denominator by site, and what sites declare."""
    clock, quantity = part.clock or "", part.quantity
    devices = exposure(store, by_site, clock=clock, quantity=quantity)
    implants = {str(key[0]): given.amount for key, given in devices.items()}
    if not takes_declared:
        return implants, {}
    years = declared(store, by_site, clock=clock, quantity=quantity)
    return implants, {str(key[0]): time.amount for key, time in years.items()}


def _tiers(unit: Denominator, implants: float, sites_years: float) -> dict[str, Cell]:
    """The exposure that implants give, and that sites declare; the largest selection of a unit."""
    total = implants + sites_years
    return {
        "unit": unit.value,
        "implants": implants,
        "declared": sites_years,
        "share_declared": sites_years / total if total else None,
    }


def coverage_cells(store: Store, question: Question) -> list[Found]:
    """The same, row by row."""
    found = []
    for part in question.parts:
        placed = _placed(store, part, part.selection, takes_declared=True)
        if not question.query.group_by:
            placed = placed or {(): {}}
        for key, numbers in placed.items():
            status = CellStatus.OK if numbers.get("n") else CellStatus.ZERO
            whole: dict[str, Cell] = {
                name: numbers.get(name, 0)
                for name in ("n", "counted", *PLACES, "without_denominator")
            }
            found.append(Found(key, whole, status))
    return found


def _placed(
    store: Store, part: Part, selection: Selection, *, takes_declared: bool
) -> Mapping[Key, Mapping[str, int]]:
    """Sort the reported events of each row into counted and the reasons why not."""
    clock = part.clock or ""
    asks = {"clock": clock, "each": "event_no", "quantity": part.quantity}
    counted = {key: sums.n for key, sums in matched(store, selection, **asks).items()}
    if takes_declared:
        for key, events in declared_events(store, selection, **asks).items():
            counted[key] = counted.get(key, 0) + events.n
    found: dict[Key, dict[str, int]] = {}
    for key, placing in placings(store, selection, clock=clock):
        numbers = found.setdefault(key, dict.fromkeys(("n", *PLACES), 0))
        numbers["n"] += placing.n
        if placing.place == BEFORE_ENTRY:
            numbers["excluded_before_entry"] += placing.n
        elif placing.place == AFTER_FOLLOW_UP:
            numbers["after_follow_up"] += placing.n
        elif (
            placing.place in (AT_RISK, INELIGIBLE)
            and part.unit is Denominator.PROCEDURES
            and not placing.near_procedure
        ):
            numbers["over_90_days"] += placing.n
    for key, numbers in found.items():
        left = numbers["n"] - sum(numbers[name] for name in PLACES)
        numbers["counted"] = min(counted.get(key, 0), max(left, 0))
        numbers["without_denominator"] = left - numbers["counted"]
    return found

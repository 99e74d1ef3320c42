"""The coverage of a rate: which reported events it counts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from registry.records import Cell
from registry.reporting.asking.spec import Part, Question
from registry.reporting.estimating.found import Found
from registry.snapshot.counting import matched, placings
from registry.snapshot.declared import declared, declared_events
from registry.snapshot.exposure import exposure
from registry.snapshot.followed import (
    AFTER_FOLLOW_UP,
    AFTER_LAST_ROUND,
    AT_RISK,
    BEFORE_ENTRY,
    INELIGIBLE,
)
from registry.snapshot.selected import name_their_devices
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.vocabulary import CellStatus, Denominator

PLACES = ("excluded_before_entry", "after_follow_up", "after_last_round", "over_90_days")
COLUMNS = ("n", "counted", *PLACES, "without_denominator")


def coverage_of(store: Store, question: Question) -> dict[str, object]:
    """Reported events, those that a rate counts, why others are left out, and the tiers."""
    totals: dict[str, int] = {}
    sites: set[str] = set()
    reporting: set[str] = set()
    amounts: dict[Denominator, tuple[float, float]] = {}
    takes_declared = question.takes_declared
    for part in question.parts:
        by_site = replace(part.whole, group_by=("site",))
        placed = _placed(store, part, by_site, takes_declared=takes_declared)
        for name, n in _settled(_together(placed.values())).items():
            totals[name] = totals.get(name, 0) + n
        implants, sites_years = _given(store, part, by_site, takes_declared=takes_declared)
        sites |= {site for tier in (implants, sites_years) for site, t in tier.items() if t > 0}
        reporting |= {str(key[0]) for key, numbers in placed.items() if numbers["n"]}
        before = amounts.get(part.unit, (0.0, 0.0))
        amounts[part.unit] = (
            max(before[0], sum(implants.values())),
            max(before[1], sum(sites_years.values())),
        )
    return {
        **{name: totals.get(name, 0) for name in COLUMNS},
        "tiers": [_tiers(unit, *amounts[unit]) for unit in question.units],
        "sites": len(sites | reporting),
        "sites_with_denominator": len(sites),
    }


def _given(
    store: Store, part: Part, by_site: Selection, *, takes_declared: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """A denominator's exposure by site, from implants and from declarations."""
    clock, quantity = part.clock or "", part.quantity
    devices = exposure(store, by_site, clock=clock, quantity=quantity)
    implants = {str(key[0]): given.amount for key, given in devices.items()}
    if not takes_declared:
        return implants, {}
    years = declared(store, by_site, clock=clock, quantity=quantity)
    return implants, {str(key[0]): time.amount for key, time in years.items()}


def _tiers(unit: Denominator, implants: float, sites_years: float) -> dict[str, Cell]:
    """The exposure from implants and from declarations; the largest selection of a unit."""
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
        rows = {key: _settled(numbers) for key, numbers in placed.items() if numbers["n"]}
        if not question.query.group_by:
            rows = rows or {(): {}}
        for key, numbers in rows.items():
            status = CellStatus.OK if numbers.get("n") else CellStatus.ZERO
            whole: dict[str, Cell] = {name: numbers.get(name, 0) for name in COLUMNS}
            found.append(Found(key, whole, status))
    return found


def _placed(
    store: Store, part: Part, selection: Selection, *, takes_declared: bool
) -> dict[Key, dict[str, int]]:
    """The reported events of each row: their number, tiers, and how many a rate can count."""
    clock = part.clock or ""
    asks = {"clock": clock, "each": "event_no", "quantity": part.quantity}
    found: dict[Key, dict[str, int]] = {}

    def add(key: Key, name: str, n: int) -> None:
        numbers = found.setdefault(key, dict.fromkeys(("n", "counted", *PLACES), 0))
        numbers[name] += n

    by_place = part.quantity == "months" and not selection.splits_years
    by_place = by_place and name_their_devices(selection, clock=clock)
    for key, placing in placings(store, selection, clock=clock):
        add(key, "n", placing.n)
        if placing.place == BEFORE_ENTRY:
            add(key, "excluded_before_entry", placing.n)
        elif placing.place == AFTER_FOLLOW_UP:
            if part.unit is not Denominator.PROCEDURES or not placing.near_procedure:
                add(key, "after_follow_up", placing.n)
        elif placing.place == AFTER_LAST_ROUND:
            add(key, "after_last_round", placing.n)
        elif (
            placing.place in (AT_RISK, INELIGIBLE)
            and part.unit is Denominator.PROCEDURES
            and not placing.near_procedure
        ):
            add(key, "over_90_days", placing.n)
        if by_place and placing.place == AT_RISK:
            add(key, "counted", placing.n)
    if not by_place:
        for key, sums in matched(store, selection, **asks).items():
            add(key, "counted", sums.n)
    if takes_declared:
        for key, events in declared_events(store, selection, **asks).items():
            add(key, "counted", events.n)
    return found


def _together(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sums over several rows."""
    found = dict.fromkeys(("n", "counted", *PLACES), 0)
    for numbers in rows:
        for name, n in numbers.items():
            found[name] += n
    return found


def _settled(placed: Mapping[str, int]) -> dict[str, int]:
    """The numbers of a row; events neither counted nor left out have no denominator."""
    left = placed["n"] - sum(placed[name] for name in PLACES)
    counted = min(placed["counted"], max(left, 0))
    return {**placed, "counted": counted, "without_denominator": left - counted}

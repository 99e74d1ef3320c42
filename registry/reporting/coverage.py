"""How much of what was reported a rate rests on."""

from collections.abc import Mapping

from registry.records import Cell
from registry.reporting.cells import Found
from registry.reporting.question import Part, Question
from registry.snapshot.asked import Asked
from registry.snapshot.derive import AFTER_FOLLOW_UP, AT_RISK, BEFORE_ENTRY
from registry.snapshot.store import Key, Store
from registry.vocabulary import CellStatus, CountingRule, Denominator

PLACES = ("excluded_before_entry", "after_follow_up", "over_90_days")


def coverage_of(store: Store, question: Question) -> dict[str, object]:
    """What was reported, what of it a rate counts, why the rest does not, and on which tiers."""
    totals: dict[str, int] = {}
    tiers = []
    sites: set[str] = set()
    reporting: set[str] = set()
    declared = question.counting is not CountingRule.FIRST_EVENT
    for part in question.parts:
        for numbers in _placed(store, part, part.whole, declared=declared).values():
            for name, n in numbers.items():
                totals[name] = totals.get(name, 0) + n
        sites |= store.sites_with(
            part.whole, clock=part.clock or "", quantity=part.quantity, declared=declared
        )
        by_site = Asked(
            on_events=part.whole.on_events,
            on_devices=part.whole.on_devices,
            group_by=("site",),
            years=part.whole.years,
            no_year=part.whole.no_year,
            spans=part.whole.spans,
            known_years=part.whole.known_years,
        )
        reporting |= {str(key[0]) for key in store.reported(by_site, each="event_no")}
    for unit in question.units:
        tiers.append(_tiers(store, question, unit))
    names = ("n", "counted", *PLACES, "without_denominator")
    return {
        **{name: totals.get(name, 0) for name in names},
        "tiers": tiers,
        "sites": len(sites | reporting),
        "sites_with_denominator": len(sites),
    }


def _tiers(store: Store, question: Question, unit: Denominator) -> dict[str, Cell]:
    """The exposure that implants give, and that sites declare; the largest selection of a unit."""
    implants = declared = 0.0
    for part in question.parts:
        if part.unit is not unit:
            continue
        asks = {"clock": part.clock or "", "quantity": part.quantity}
        implants = max(implants, sum(store.exposure(part.whole, **asks).values()))
        if question.counting is not CountingRule.FIRST_EVENT:
            declared = max(declared, float(store.declared(part.whole, **asks).amount.sum()))
    total = implants + declared
    return {
        "unit": unit.value,
        "implants": implants,
        "declared": declared,
        "share_declared": declared / total if total else None,
    }


def coverage_cells(store: Store, question: Question) -> list[Found]:
    """The same, row by row."""
    found = []
    for part in question.parts:
        placed = _placed(store, part, part.asked, declared=True)
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
    store: Store, part: Part, asked: Asked, *, declared: bool
) -> Mapping[Key, Mapping[str, int]]:
    """Sort the reported events of each row into counted and the reasons why not."""
    clock = part.clock or ""
    asks = {"clock": clock, "each": "event_no", "quantity": part.quantity}
    counted = store.matched(asked, **asks)
    if declared:
        tier = store.declared_events(asked, **asks)
        for key, n in zip(tier.keys, tier.amount.tolist(), strict=True):
            counted[key] = counted.get(key, 0) + int(n)
    found: dict[Key, dict[str, int]] = {}
    for key, place, near, n in store.places(asked, clock=clock):
        numbers = found.setdefault(key, dict.fromkeys(("n", *PLACES), 0))
        numbers["n"] += n
        if place == BEFORE_ENTRY:
            numbers["excluded_before_entry"] += n
        elif place == AFTER_FOLLOW_UP:
            numbers["after_follow_up"] += n
        elif place == AT_RISK and part.unit is Denominator.PROCEDURES and not near:
            numbers["over_90_days"] += n
    for key, numbers in found.items():
        left = numbers["n"] - sum(numbers[name] for name in PLACES)
        numbers["counted"] = min(counted.get(key, 0), max(left, 0))
        numbers["without_denominator"] = left - numbers["counted"]
    return found

"""Which profile an answer has, what the protected one may ask, and what it hides.

The profile follows from the caller. Until answers are perturbed, the protected profile answers
few, coarse questions from releases only, and hides a cell with fewer than ten patients behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.records import Cell, EventQuery, Fault, NotPermitted, Viewer
from registry.reporting.question import DEFAULT_COUNTING
from registry.snapshot.store import Key
from registry.vocabulary import NOT_RECORDED, CellStatus, CountingRule, Measure, Profile

PROTECTED_MEASURES = (Measure.COUNTS, Measure.RATES, Measure.PROPORTIONS)
PROTECTED_GROUPS = ("year", "category")
PROTECTED_COUNTING = DEFAULT_COUNTING | {Measure.COUNTS: CountingRule.PATIENTS}


def profile_of(query: EventQuery, viewer: Viewer) -> Profile:
    """Exact for whoever may see all rows, and for members asking about their own sites alone."""
    sites = set(query.values("site"))
    own = bool(sites) and sites <= viewer.exact_sites and NOT_RECORDED not in sites
    return Profile.EXACT if viewer.exact_everywhere or own else Profile.PROTECTED


def hold_to_profile(query: EventQuery, measure: Measure, viewer: Viewer) -> Profile:
    """Name the profile of an answer; raises NotPermitted, saying what may be asked instead."""
    if not viewer.may_ask:
        raise NotPermitted(
            Fault(
                "",
                "no-statistics",
                "Statistics are open to site members, researchers, analysts, reviewers and data "
                "managers.",
            )
        )
    profile = profile_of(query, viewer)
    if profile is Profile.PROTECTED:
        faults = tuple(_beyond_protected(query, measure))
        if faults:
            raise NotPermitted(faults)
    return profile


def _beyond_protected(query: EventQuery, measure: Measure) -> Sequence[Fault]:
    faults = []
    if measure not in PROTECTED_MEASURES:
        faults.append(
            Fault("measure", "protected-measure", "Ask for counts, rates or proportions.")
        )
    for name, values in query.where:
        if name != "category":
            faults.append(
                Fault(name, "protected-filter", "Filter by one complication category, or by none.")
            )
        elif len(values) > 1:
            faults.append(Fault(name, "protected-one-category", "Name one category at a time."))
    if query.years is not None:
        faults.append(
            Fault("year", "protected-years", "Leave the years out; group_by=year shows each.")
        )
    if query.windows:
        faults.append(Fault("window", "protected-window", "Leave the months since implant out."))
    if query.unit is not None:
        faults.append(
            Fault("unit", "protected-unit", "Leave the unit out; each category has its own.")
        )
    if len(query.group_by) > 1 or set(query.group_by) - set(PROTECTED_GROUPS):
        faults.append(
            Fault("group_by", "protected-group-by", "Group by year, or by category, or not at all.")
        )
    rule = PROTECTED_COUNTING.get(measure)
    if query.counting is not None and rule is not None and query.counting is not rule:
        faults.append(
            Fault("counting", "protected-counting", f"Leave it out, or ask for {rule.value}.")
        )
    return faults


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer before it is written out, with how many patients had an event in it."""

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus
    patients: int = 0


def hide_small(rows: Sequence[Row], *, minimum: int, kept: frozenset[str]) -> list[Row]:
    """Hide every row with fewer patients than the minimum, zeros too, and never just one row.

    Where one row alone would be hidden, the smallest of the others is hidden as well: otherwise
    the total gives it back. kept: columns that are not numbers and stay.
    """
    hidden = {place for place, row in enumerate(rows) if row.patients < minimum}
    if len(hidden) == 1 and len(rows) > 1:
        shown = [place for place in range(len(rows)) if place not in hidden]
        hidden.add(min(shown, key=lambda place: (rows[place].patients, place)))
    return [_hidden(row, kept) if place in hidden else row for place, row in enumerate(rows)]


def _hidden(row: Row, kept: frozenset[str]) -> Row:
    numbers = {name: cell if name in kept else None for name, cell in row.numbers.items()}
    return Row(row.key, numbers, CellStatus.SUPPRESSED)

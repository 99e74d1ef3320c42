"""How complete a release is, for everybody who may not see true numbers.

One set of numbers a release and component, whatever is asked: counts and device time are perturbed
and hidden as those of any node, shares made of them are in whole per cent. What is not recorded is
told as far as protected answers to plain questions tell it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add
from typing import Any

from registry.disclosure import Keyed, Protection, ShownExposure
from registry.records import DIMENSIONS, Cell, EventQuery
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.opening import disclosure_keys
from registry.reporting.asking.spec import Question
from registry.reporting.estimating.completeness import (
    BLANKS,
    KEPT_SNAPSHOTS,
    components_of,
    dimensions_used,
)
from registry.reporting.protected_answers import POLICY, protected_rows, read_protected
from registry.reporting.words.completeness import about, rounds_of
from registry.snapshot.completeness import OF_DEVICES, KeyedFollowUp, keyed_follow_up
from registry.snapshot.counting import NOTHING, Sums
from registry.vocabulary import CountingRule, Denominator, Measure, Profile

UNIT_OF = {"pump": Denominator.PUMP_MONTHS, "catheter": Denominator.CATHETER_MONTHS}
QUARTERS = 4


def protected_completeness(question: Question, frozen: Frozen) -> dict[str, Any]:
    """The completeness of a release, in the form of exact answers; None is not told.

    Depends on the components and dimensions that a question names, and on the release.
    """
    clocks = components_of(question.parts)
    shown = [_of_component(frozen, clock) for clock in sorted(clocks)]
    sites = frozenset[str]().union(*(each.sites for each in shown))
    listed = len(frozen.store.manifest.terms.sites)
    return {
        "about": about(Profile.PROTECTED, sorted(clocks)),
        "follow_up": {
            "devices": None,
            "in_follow_up": None,
            "lost": None,
            "share_in_follow_up": _together([(each.followed, each.reachable) for each in shown]),
            "share_of_time": _together([(each.observed, each.possible) for each in shown]),
        },
        "complete_to": rounds_of(frozen.store.manifest, frozen.store.manifest.terms.sites),
        "denominators": {
            "sites": len(sites),
            "of": listed,
            "share_of_sites": round(len(sites) / listed, 2) if listed else None,
            "share_of_time": None,
        },
        "not_recorded": [_blank(name, frozen) for name in dimensions_used(question)],
    }


@dataclass(frozen=True, slots=True)
class _Shown:
    """The shown numbers of one component: devices in follow-up, those that could be, and months.

    None is hidden. sites: those whose number of devices may be shown.
    """

    followed: int | None
    reachable: int | None
    observed: int | None
    possible: int | None
    sites: frozenset[str]


@lru_cache(maxsize=2 * KEPT_SNAPSHOTS)
def _of_component(frozen: Frozen, component: str) -> _Shown:
    """Shows the follow-up of one component; one statement a release and component."""
    manifest = frozen.store.manifest
    protection = Protection.under(
        disclosure_keys().noise, release=frozen.snapshot_id, policy=POLICY
    )
    as_of = frozen.data_as_of.date() if frozen.data_as_of else None
    by_site = {
        site: each
        for (site, own), each in keyed_follow_up(frozen.store, as_of=as_of).items()
        if own == component
    }
    by_hand: dict[int, list[KeyedFollowUp]] = {}
    for site, each in by_site.items():
        by_hand.setdefault(manifest.hands[site], []).append(each)

    def keyed(sums_of: Callable[[KeyedFollowUp], Sums]) -> Keyed:
        hands = (reduce(add, map(sums_of, own), NOTHING) for _, own in sorted(by_hand.items()))
        return Keyed.by_hand((each.n, each.high, each.low) for each in hands)

    present = keyed(lambda each: each.present)
    enough = _shown(protection, present) is not None

    def months(quarters: int) -> int | None:
        total = quarters / QUARTERS
        return protection.exposure(ShownExposure(total, UNIT_OF[component], present))

    return _Shown(
        followed=_shown(protection, keyed(lambda each: each.followed)) if enough else None,
        reachable=_shown(protection, keyed(lambda each: each.reachable)) if enough else None,
        observed=months(sum(each.observed for each in by_site.values())) if enough else None,
        possible=months(sum(each.possible for each in by_site.values())) if enough else None,
        sites=frozenset(
            site
            for site, each in by_site.items()
            if _shown(protection, Keyed(each.present.n, each.present.high, each.present.low))
            is not None
        ),
    )


def _shown(protection: Protection, counted: Keyed) -> int | None:
    return protection.count(counted, minimum=POLICY.denominator_minimum)


def _together(parts: Sequence[tuple[int | None, int | None]]) -> float | None:
    """The share of several components together, in whole per cent; None where one is hidden.

    Each number has noise of its own, so that a part can come out above the whole.
    """
    told = [(part, whole) for part, whole in parts if part is not None and whole is not None]
    if len(told) < len(parts):
        return None
    part, whole = sum(each for each, _ in told), sum(each for _, each in told)
    return round(min(1.0, part / whole), 2) if whole else None


@lru_cache(maxsize=KEPT_SNAPSHOTS * len(BLANKS))
def _blank(name: str, frozen: Frozen) -> dict[str, Cell]:
    """The share without an answer, of patients with a device or of those with an event.

    From two answers that anybody may ask for; None where either number is hidden.
    """
    of_devices = name in OF_DEVICES
    blank = _number(name, frozen, of_devices=of_devices)
    total = _number("", frozen, of_devices=of_devices)
    known = blank is not None and total
    return {
        "dimension": name,
        "title": DIMENSIONS[name].title,
        "of": "patients" if of_devices else "patients with an event",
        "share": round(min(1.0, (blank or 0) / (total or 1)), 2) if known else None,
    }


def _number(name: str, frozen: Frozen, *, of_devices: bool) -> int | None:
    """The shown number of patients whose answer to a dimension is blank; of all without a name."""
    query = EventQuery(group_by=(name,) if name else (), counting=CountingRule.PATIENTS)
    measure = Measure.PROPORTIONS if of_devices else Measure.COUNTS
    question = read_protected(query, measure=measure, frozen=frozen, per=1)
    rows = protected_rows(question, frozen=frozen, keys=disclosure_keys()).rows
    told = [row.numbers["denominator" if of_devices else "n"] for row in rows if not any(row.key)]
    return int(told[0]) if told and told[0] is not None else None

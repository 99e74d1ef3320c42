"""The finding of the overview in one sentence: what is most frequent, whether it changes, and how
the reader's own site compares."""

from collections.abc import Collection, Iterator
from typing import Any

from registry.answers.numbers import in_brackets, limits_of, written
from registry.answers.summaries import change_of, is_clear
from registry.dashboard.common_units import HUNDRED_OF, PATIENTS
from registry.dashboard.own_site import is_within
from registry.dashboard.panels import Panels
from registry.dashboard.ranking import RankedRow, Ranking
from registry.records.enumeration import enumerated

NOTHING_TOLD = (
    "No complication is told here: those that were reported are too few to be shown, which does "
    "not mean that there are none"
)
NO_EVENT = "No event is recorded that answers this question"


def headline_of(
    panels: Panels, ranking: Ranking | None, sites: Collection[str] = frozenset()
) -> str:
    """One sentence. sites: the reader's own, where they stand beside all."""
    if ranking is None:
        return ""
    said = [_most_frequent(ranking), *_change(panels), *_own(panels, sites)]
    return f"{'; '.join(said)}."


def _most_frequent(ranking: Ranking) -> str:
    first = ranking.first
    if first is None:
        return NOTHING_TOLD if ranking.hidden else NO_EVENT
    group = next(each for each in ranking.groups if each.rows)
    unit = "of patients" if ranking.unit is PATIENTS else group.title[0].lower() + group.title[1:]
    return f"{first.name} is most frequent, {_number(first)} {unit}"


def _number(row: RankedRow) -> str:
    return f"{row.figure.value}{in_brackets(row.figure.limits)}"


def _change(panels: Panels) -> Iterator[str]:
    """Whether the rate of all that was asked changes from year to year."""
    found: Any = panels.trend.meta.get("trend")
    if not found or found.get("rate_ratio") is None:
        return
    between = in_brackets(limits_of(found.get("ci_lower"), found.get("ci_upper")))
    ratio = f"ratio {written(found['rate_ratio'])}{between}"
    of = HUNDRED_OF.get(str(panels.trend.meta.get("denominator")), "")
    what = f"all together, {of}," if of else "all together"
    if not is_clear(found):
        yield f"{what} there is no clear change from year to year, {ratio}"
    else:
        yield f"{what} the rate {change_of(found)} a year, {ratio}"


def _own(panels: Panels, sites: Collection[str]) -> Iterator[str]:
    """Where the own sites lie in the funnel of all sites, as far as that is told."""
    found = {site: is_within(site, panels.own_funnel) for site in sorted(sites)}
    for within, words in ((True, "within"), (False, "outside")):
        named = [site for site, place in found.items() if place is within]
        if named:
            lie = "lies" if len(named) == 1 else "lie"
            yield f"{enumerated(named, last='and')} {lie} {words} the limits of all sites"

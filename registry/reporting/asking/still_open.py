"""The calendar years whose events are not all in yet: by the calendar, or by the measured delay."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from registry.reporting.asking.years import running_year
from registry.snapshot.delays import SiteDelay
from registry.snapshot.manifest import Manifest
from registry.statistics.delays import Delay, ReportingDelay, reporting_delay
from registry.vocabulary import Profile

ENOUGH = 0.95
"""A year is provisional where less than this share of its events is likely to be accepted."""

MONTHS_BEYOND = 12
"""A year is judged by delays of events that were watched for so many months longer than its own."""


KEPT = 64
"""So many judgements are kept in a process."""


class Rule(StrEnum):
    """By what a year is provisional."""

    CALENDAR = "calendar"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class AcceptedSoFar:
    """The share of a year's events that is likely to be accepted so far, with limits."""

    year: int
    share: float
    lower: float | None
    upper: float | None

    @property
    def is_enough(self) -> bool:
        """Whether so few are still to come that the year's numbers stand."""
        return self.share >= ENOUGH


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Which years are provisional in an answer, and by which rule.

    running: the year that the data end in, until it is over. shares: by the measured rule, of the
    last year that is over, and of each before it that is provisional too; the newest first.
    events, within: how many delays were measured, and the months of the longest.
    last_over: the last year that is over, where it cannot be judged for want of delays.
    """

    rule: Rule
    running: int | None
    shares: tuple[AcceptedSoFar, ...] = ()
    events: int = 0
    within: int | None = None
    last_over: int | None = None

    @property
    def provisional(self) -> tuple[AcceptedSoFar, ...]:
        """The years that are over and still provisional, the newest first."""
        return tuple(each for each in self.shares if not each.is_enough)

    @property
    def first(self) -> int | None:
        """The first of the provisional years, which reach up to the last one; None without any."""
        return self.provisional[-1].year if self.provisional else self.running

    def told(self) -> dict[str, object]:
        """As `meta.provisional` tells it."""
        return {
            "rule": self.rule.value,
            "first_year": self.first,
            "years": [
                {
                    "year": each.year,
                    "accepted": each.share,
                    "ci_lower": each.lower,
                    "ci_upper": each.upper,
                }
                for each in self.shares
            ],
            "events": self.events,
            "within_months": self.within,
        }


NOTHING_OPEN = StillOpen(Rule.CALENDAR, None)


@lru_cache(maxsize=KEPT)
def open_years_of(
    manifest: Manifest, as_of: datetime | None, *, profile: Profile, sites: frozenset[str]
) -> StillOpen:
    """The years that are provisional in an answer about some sites of a snapshot; none: all.

    Kept in the process. Sites that are named are judged by their own delays: their members may see
    what is theirs, and no number of the others.
    """
    delays = [each for each in manifest.delays if not sites or each[0] in sites]
    return still_open(delays, as_of, profile=profile)


def still_open(
    delays: Iterable[SiteDelay], as_of: datetime | None, *, profile: Profile
) -> StillOpen:
    """The years that are provisional in data as of an instant.

    Exact answers go by the measured delay where enough is on file, others by the calendar: how
    long single events took is not for everybody. Months that are not over are not watched yet.
    """
    running = running_year(as_of)
    if as_of is None or profile is not Profile.EXACT:
        return StillOpen(Rule.CALENDAR, running)
    last_over = as_of.year if running is None else as_of.year - 1
    watched = 12 * as_of.year + as_of.month - 1
    if (as_of + timedelta(days=1)).month == as_of.month:
        watched -= 1
    found = reporting_delay(_seen(delays, watched))
    if found is None or found.longest < watched - 12 * last_over + MONTHS_BEYOND:
        return StillOpen(Rule.CALENDAR, running, last_over=last_over)
    shares = [*_shares(found, last_over, watched)]
    return StillOpen(Rule.MEASURED, running, tuple(shares), found.events, found.longest)


def _seen(delays: Iterable[SiteDelay], watched: int) -> Iterable[Delay]:
    counted: Counter[tuple[int, int]] = Counter()
    for _site, year, months, n in delays:
        if months <= watched - 12 * year:
            counted[months, watched - 12 * year] += n
    return [Delay(*each, n) for each, n in counted.items()]


def _shares(found: ReportingDelay, last_over: int, watched: int) -> Iterable[AcceptedSoFar]:
    """Of the last year that is over, and of those before up to the first that is complete."""
    year = last_over
    while watched - 12 * year + MONTHS_BEYOND <= found.longest:
        each = AcceptedSoFar(year, *found.share(watched - 12 * year))
        if year < last_over and each.is_enough:
            return
        yield each
        if each.is_enough:
            return
        year -= 1

"""How complete each site's data are, year by year, for those who answer for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from registry.models import AccessLog
from registry.records import DIMENSIONS, Cell, Fault, NotPermitted, Viewer
from registry.reporting.asking import freshness
from registry.reporting.estimating.completeness import KEPT_SNAPSHOTS, sums_of
from registry.snapshot.completeness import Tally, follow_up_by_year
from registry.snapshot.store import Store
from registry.statistics.completeness import follow_up_completeness
from registry.vocabulary import Component

QUARTERS = 4
ASKED_OF_EVENTS = {
    name: DIMENSIONS[name].title for name in ("severity", "serious", "outcome", "root_cause")
}
"""The answers whose blanks are counted by year, with their titles."""


@dataclass(frozen=True, slots=True)
class ComponentFollowUp:
    """The follow-up of a site's devices of one component; shares are None where there are none.

    in_follow_up, lost: devices. share_in_follow_up: of both together. share_of_time: device time
    observed over possible.
    """

    component: Component
    devices: int
    in_follow_up: int
    lost: int
    share_in_follow_up: float | None
    share_of_time: float | None


@dataclass(frozen=True, slots=True)
class YearFollowUp:
    """One calendar year of a site.

    months: device time in it by component, from implants, and the share of the possible;
    declared: component-months that were declared instead. events: accepted ones; blanks: the share
    of them without an answer, by dimension.
    """

    year: int
    months: Mapping[str, tuple[float, float | None]]
    declared: Mapping[str, float]
    events: int
    blanks: Mapping[str, float | None]

    @property
    def has_denominator(self) -> bool:
        """Whether there is any device time in it."""
        return any(months for months, _ in self.months.values()) or any(self.declared.values())


@dataclass(frozen=True, slots=True)
class SiteCompleteness:
    """One site: the day of its last closed round, None without one, its devices and its years."""

    site: str
    closed_on: str | None
    components: tuple[ComponentFollowUp, ...]
    years: tuple[YearFollowUp, ...]


def completeness_by_site(sites: Collection[str], *, viewer: Viewer) -> list[SiteCompleteness]:
    """The completeness of each site by year, from the working snapshot, newest year first.

    Raises NotPermitted for a site of which the viewer has no exact numbers. Logged beyond the
    viewer's own sites, as exact answers are.
    """
    if not viewer.exact_everywhere and not set(sites) <= viewer.exact_sites:
        detail = "Completeness by site and year is for the site's own people and data managers."
        raise NotPermitted(Fault("site", "not-your-numbers", detail))
    frozen = freshness.current()
    as_of = frozen.data_as_of.date() if frozen.data_as_of else None
    found = [_of_site(frozen.store, as_of, site) for site in sorted(sites)]
    if not set(sites) <= viewer.exact_sites:
        AccessLog.objects.create(
            user_id=viewer.user_id,
            action="exact-statistics",
            what=f"completeness {','.join(sorted(sites))}",
            count=sum(len(each.years) for each in found),
        )
    return found


@lru_cache(maxsize=KEPT_SNAPSHOTS)
def _by_year(store: Store, as_of: date | None) -> Tally:
    return follow_up_by_year(store, as_of=as_of)


def _of_site(store: Store, as_of: date | None, site: str) -> SiteCompleteness:
    found, by_year = sums_of(store, as_of), _by_year(store, as_of)
    here = {site}
    listed: set[int] = set()
    for tally, name in ((by_year, "observed"), (found.declared, "declared"), (found.events, "n")):
        years = tally.values("year", of=name, site=here)
        listed |= {int(year) for year in years if year is not None}
    return SiteCompleteness(
        site=site,
        closed_on=store.manifest.closed_on.get(site),
        components=tuple(_component(found.devices, site, each) for each in Component),
        years=tuple(
            _year(by_year, found.declared, found.events, site, year)
            for year in sorted(listed, reverse=True)
        ),
    )


def _component(devices: Tally, site: str, component: Component) -> ComponentFollowUp:
    def total(name: str) -> int:
        return devices.total(name, site={site}, component={component.value})

    followed, lost = total("followed"), total("lost")
    return ComponentFollowUp(
        component=component,
        devices=total("n"),
        in_follow_up=followed,
        lost=lost,
        share_in_follow_up=followed / (followed + lost) if followed + lost else None,
        share_of_time=follow_up_completeness(total("observed"), total("possible")),
    )


def _year(by_year: Tally, declared: Tally, events: Tally, site: str, year: int) -> YearFollowUp:
    here: Mapping[str, Collection[Cell]] = {"site": {site}, "year": {year}}
    months, given = {}, {}
    for component in Component.codes():
        own: Mapping[str, Collection[Cell]] = {**here, "component": {component}}
        observed = by_year.total("observed", **own)
        share = follow_up_completeness(observed, by_year.total("possible", **own))
        months[component] = observed / QUARTERS, share
        given[component] = declared.total("declared", **own) / QUARTERS
    n = events.total("n", **here)
    blanks = {name: events.total(name, **here) / n if n else None for name in ASKED_OF_EVENTS}
    return YearFollowUp(year, months, given, n, blanks)

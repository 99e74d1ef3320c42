"""The questions behind the overview; their number does not depend on the data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.answers.asking import Panel, ask
from registry.answers.whole_years import last_whole_year
from registry.dashboard.common_units import HUNDRED_YEARS, CommonUnit, unit_of
from registry.filters.codes import periods
from registry.records import DIMENSIONS, EventQuery, Side, Viewer
from registry.vocabulary import CountingRule, Measure

YEARS_BEFORE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class YearSpans:
    """The last calendar year that was over when the data ended, and the years before it.

    before: a five-year period where only whole periods are told.
    """

    last: int
    before: tuple[int, int]

    @property
    def before_words(self) -> str:
        """The years before, as in `2020 to 2024`."""
        return f"{self.before[0]} to {self.before[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The answers that the overview is made of.

    ranked: by complication in the common unit. last, before: the same of the last whole year and
    of the years before; None where the unit is a share, or the question names years. by_component,
    devices: only exact answers give whole device time, and count devices. own, own_funnel: of the
    reader's own site and of all sites side by side, for members who see all sites protected.
    """

    unit: CommonUnit
    spans: YearSpans | None
    counts: Panel
    shares: Panel
    by_component: Panel | None
    devices: Panel | None
    by_category: Panel
    ranked: Panel
    last: Panel | None
    before: Panel | None
    by_year: Panel
    by_period: Panel | None
    by_site: Panel
    trend: Panel
    own: Panel | None
    own_funnel: Panel | None

    @property
    def level(self) -> int:
        """The confidence level of every interval, in per cent."""
        return round(100 * self.shares.query.level)

    def everything(self) -> Sequence[Panel]:
        """Every panel of the question itself, the simplest first."""
        panels = [
            self.counts,
            self.ranked,
            self.by_category,
            self.shares,
            self.by_year,
            self.trend,
            self.by_component,
            self.devices,
            self.last,
            self.before,
        ]
        return [panel for panel in panels if panel]


def ask_all(query: EventQuery, viewer: Viewer, *, unit: str = "") -> Panels:
    """Asks every question of the page: eleven of an exact reader, ten of a protected one.

    Two more for members, who see their own site beside all. Totals of devices count every device
    and its whole time: they ignore filters on events.
    """
    asked = replace(query, labels="both", unit=None, per=None)
    counts = ask(replace(asked, level=EventQuery().level), Measure.COUNTS, viewer)
    exact = counts.is_exact
    common = unit_of(unit, exact=exact)
    ranked = common.asked(asked)
    spans = None if common.shares else spans_of(query, counts, exact=exact)
    rates = replace(asked, per=HUNDRED_YEARS)
    devices = replace(of_devices(asked), group_by=("component",), counting=CountingRule.DEVICES)
    device_time = replace(devices, per=HUNDRED_YEARS, counting=CountingRule.EVENTS)
    own = own_side(query, viewer)
    return Panels(
        unit=common,
        spans=spans,
        counts=counts,
        shares=ask(asked, Measure.PROPORTIONS, viewer),
        by_component=ask(device_time, Measure.RATES, viewer) if exact else None,
        devices=ask(devices, Measure.PROPORTIONS, viewer) if exact else None,
        by_category=ask(replace(asked, group_by=("category",)), Measure.RATES, viewer),
        ranked=ask(ranked, common.measure, viewer),
        last=ask(in_years(ranked, spans.last, spans.last), common.measure, viewer)
        if spans
        else None,
        before=ask(in_years(ranked, *spans.before), common.measure, viewer) if spans else None,
        by_period=None
        if exact
        else ask(replace(rates, group_by=("category", "period")), Measure.RATES, viewer),
        by_year=ask(replace(rates, group_by=("category", "year")), Measure.RATES, viewer),
        by_site=ask(of_sites(query), Measure.RATES, viewer),
        trend=ask(replace(asked, per=None), Measure.TREND, viewer),
        own=ask(own_of(ranked, own), common.measure, viewer) if own else None,
        own_funnel=ask(asked, Measure.FUNNEL, viewer) if own else None,
    )


def own_side(query: EventQuery, viewer: Viewer) -> frozenset[str]:
    """The reader's own sites where they stand beside all sites; empty where they do not."""
    beside = not viewer.exact_everywhere and not query.values("site")
    return viewer.exact_sites if beside else frozenset()


def own_of(query: EventQuery, sites: frozenset[str]) -> EventQuery:
    """The same question of these sites, as they stand today."""
    where = {**dict(query.where), "site": tuple(sorted(sites))}
    return replace(query, where=tuple(sorted(where.items())), release=None)


def of_sites(query: EventQuery) -> EventQuery:
    """Which sites have device time in which year: of the same sites and release, all devices."""
    kept = [(name, values) for name, values in query.where if name in {"site", "country"}]
    return EventQuery(where=tuple(kept), release=query.release, group_by=("site", "year"))


def of_devices(query: EventQuery) -> EventQuery:
    """The same question without filters on events: its devices and their time."""
    kept = [(name, values) for name, values in query.where if not is_of_events(name)]
    return replace(query, where=tuple(kept))


def is_of_events(name: str) -> bool:
    """Whether a filter is on the event, and so does not change the device time."""
    return DIMENSIONS[name].side is Side.EVENT


def spans_of(query: EventQuery, panel: Panel, *, exact: bool) -> YearSpans | None:
    """The last whole year of the data and the years before; None where years are asked for.

    Protected answers have the last five-year period that ended before.
    """
    last = last_whole_year(panel.meta)
    if query.years or last is None:
        return None
    if exact:
        return YearSpans(last=last, before=(last - YEARS_BEFORE, last - 1))
    over = [(int(each[:4]), int(each[5:])) for each in periods() if int(each[5:]) < last]
    return YearSpans(last=last, before=over[-1]) if over else None


def in_years(query: EventQuery, first: int, last: int) -> EventQuery:
    """The same question of some calendar years."""
    return replace(query, years=(first, last))

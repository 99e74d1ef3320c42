"""The questions behind the overview; their number does not depend on the data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.answers.asking import Panel, ask, of_complications
from registry.dashboard.literature import PER
from registry.filters.catalogue import every_complication
from registry.records import DIMENSIONS, EventQuery, Side, Viewer
from registry.vocabulary import CountingRule, Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The answers that the overview is made of.

    core: the core groups within the question, as (name, terms). joint: for groups of several
    terms, name -> (rates, proportions) of all its terms together. by_component, devices:
    only exact answers give whole device time, and count devices. shares_by_category: only protected
    answers need it, for groups of several terms.
    """

    core: Sequence[tuple[str, Sequence[Any]]]
    counts: Panel
    shares: Panel
    by_component: Panel | None
    devices: Panel | None
    by_category: Panel
    shares_by_category: Panel | None
    by_complication: Panel
    shares_by_complication: Panel
    by_year: Panel
    joint: Mapping[str, tuple[Panel, Panel]]

    @property
    def level(self) -> int:
        """The confidence level of every interval, in per cent."""
        return round(100 * self.shares.query.level)

    def everything(self) -> Sequence[Panel]:
        """Every panel, the simplest question first."""
        panels = [
            self.counts,
            self.by_category,
            self.by_year,
            self.shares,
            self.by_component,
            self.devices,
            self.shares_by_category,
            self.by_complication,
            self.shares_by_complication,
            *(panel for pair in self.joint.values() for panel in pair),
        ]
        return [panel for panel in panels if panel]


def ask_all(query: EventQuery, viewer: Viewer) -> Panels:
    """Asks every question of the page: eight, and two for each group of several terms.

    One fewer where the answers are protected. Totals of devices count every device and its whole
    time: they ignore filters on events.
    """
    terms = terms_within(query)
    core = core_groups(terms)
    shares = replace(query, labels="both", unit=None, per=None)
    rates = replace(shares, per=PER)
    counts = ask(replace(shares, level=EventQuery().level), Measure.COUNTS, viewer)
    exact = counts.is_exact
    devices = replace(of_devices(shares), group_by=("component",), counting=CountingRule.DEVICES)
    device_time = replace(devices, per=PER, counting=CountingRule.EVENTS)
    by_category = replace(shares, group_by=("category",))
    by_complication = replace(shares, group_by=("complication",))
    return Panels(
        core=core,
        counts=counts,
        shares=ask(shares, Measure.PROPORTIONS, viewer),
        by_component=ask(device_time, Measure.RATES, viewer) if exact else None,
        devices=ask(devices, Measure.PROPORTIONS, viewer) if exact else None,
        by_category=ask(replace(by_category, per=PER), Measure.RATES, viewer),
        shares_by_category=None if exact else ask(by_category, Measure.PROPORTIONS, viewer),
        by_complication=ask(replace(by_complication, per=PER), Measure.RATES, viewer),
        shares_by_complication=ask(by_complication, Measure.PROPORTIONS, viewer),
        by_year=ask(replace(rates, group_by=("year",)), Measure.RATES, viewer),
        joint={
            name: (
                ask(of_complications(rates, codes_of(several)), Measure.RATES, viewer),
                ask(of_complications(shares, codes_of(several)), Measure.PROPORTIONS, viewer),
            )
            for name, several in core
            if len(several) > 1
        },
    )


def of_devices(query: EventQuery) -> EventQuery:
    """The same question without filters on events: its devices and their time."""
    kept = [(name, values) for name, values in query.where if not is_of_events(name)]
    return replace(query, where=tuple(kept))


def is_of_events(name: str) -> bool:
    """Whether a filter is on the event, and so does not change the device time."""
    return DIMENSIONS[name].side is Side.EVENT


def terms_within(query: EventQuery) -> list[Any]:
    """The catalogue's current terms that the question is about. One query."""
    codes, categories = set(query.values("complication")), set(query.values("category"))
    return [
        term
        for term in every_complication()
        if not term.retired
        and (not codes or term.code in codes)
        and (not categories or term.category_id in categories)
    ]


def core_groups(terms: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    """The core groups with their terms within the question."""
    groups: dict[str, list[Any]] = {}
    for term in terms:
        if term.core_group:
            groups.setdefault(term.core_group, []).append(term)
    return list(groups.items())


def codes_of(terms: Iterable[Any]) -> list[str]:
    """The codes of some terms."""
    return [term.code for term in terms]

"""Refuses questions that no curve over months since implant can answer, with alternatives."""

from collections.abc import Iterable, Sequence

from registry.records import DIMENSIONS, EventQuery, Fault, Side
from registry.reporting.asking.adjusting import refused_of_groups
from registry.reporting.asking.spec import ANY_DIMENSION, Elsewhere
from registry.snapshot.terms import Term
from registry.vocabulary import Outcome, Seriousness, Severity

KNOWN_AT_IMPLANT = tuple(
    name
    for name in ANY_DIMENSION
    if DIMENSIONS[name].side in {Side.DEVICE, Side.PATIENT, Side.SITE}
)
NOT_FILTERED_BY = ("year", "year_min", "year_max", "period", "window")

DEATH = "death"
WHICH_EVENT = frozenset({"complication", "category"})
CALENDAR = frozenset({"year", "period"})
FATAL = {
    "severity": {str(Severity.DEATH.value)},
    "outcome": {Outcome.FATAL.value},
    "seriousness": {Seriousness.DEATH.value},
}
"""Filters that select deaths only."""

ONE_EVENT = (
    "A curve is free of one kind of event: name it by complication or category, one curve at a "
    "time, and group by what was known at implantation."
)
KNOWN_AFTERWARDS = (
    "{title} is known only once the event has happened, so nobody in its group could have had the "
    "event before (immortal time). Filter by {name} to say which event is meant, and group by what "
    "was known at implantation: model, drug, indication, age band, sex, site or year of implant."
)
CALENDAR_GROUPS = (
    "A device passes through many calendar years after its clock has started. Group by "
    "implant_year instead."
)
CALENDAR_FILTER = (
    "Calendar years would cut the devices' time in two. Filter or group by implant_year instead, "
    "or ask for rates by year."
)
OWN_MONTHS = "A curve is by months since implant already: leave window out."
DEATH_COMPETES = (
    "Kaplan-Meier cannot estimate freedom from death here: deaths outside the selection "
    "compete with it. Ask for incidence, or for rates or proportions of deaths."
)


def refused_of_curves(
    query: EventQuery, chosen: Sequence[Term], elsewhere: Elsewhere
) -> Iterable[Fault]:
    """Every reason why a curve would be wrong; from the question alone."""
    yield from _groupings(query, elsewhere)
    named = {name for name, _values in query.where}
    if query.years is not None or named & CALENDAR:
        yield Fault("year", "not-of-a-curve", CALENDAR_FILTER)
    if query.windows or "window" in named:
        yield Fault("window", "not-of-a-curve", OWN_MONTHS)


def refused_of_freedom(
    query: EventQuery, chosen: Sequence[Term], elsewhere: Elsewhere
) -> Iterable[Fault]:
    """The same for a curve that censors deaths, and so cannot be of deaths.

    chosen: the complications that the question selects, from the catalogue.
    """
    yield from refused_of_curves(query, chosen, elsewhere)
    yield from _strata(query)
    if not WHICH_EVENT & set(query.group_by):
        yield from _death(query, chosen)


def _groupings(query: EventQuery, elsewhere: Elsewhere) -> Iterable[Fault]:
    for name in query.group_by:
        dimension = DIMENSIONS[name]
        if name in WHICH_EVENT:
            code, said = "one-event", ONE_EVENT
        elif name in CALENDAR:
            code, said = "immortal-time", CALENDAR_GROUPS
        elif name == "window":
            code, said = "immortal-time", OWN_MONTHS
        elif dimension.side is Side.EVENT:
            code = "immortal-time"
            said = KNOWN_AFTERWARDS.format(title=dimension.title, name=name)
        else:
            continue
        yield Fault("group_by", code, f"{said} {elsewhere([name])}")


def _strata(query: EventQuery) -> Iterable[Fault]:
    """What the log-rank test cannot be stratified by: what changes, and what the groups are."""
    for name in query.adjust:
        if name not in KNOWN_AT_IMPLANT:
            title = DIMENSIONS[name].title.lower()
            detail = f"A curve starts at implantation, and {title} changes: adjust for what was "
            yield Fault("adjust", "bad-adjustment", f"{detail}known then.")
    yield from refused_of_groups(query)


def _death(query: EventQuery, chosen: Sequence[Term]) -> Iterable[Fault]:
    if any(term.code == DEATH for term in chosen):
        named = "complication" if query.values("complication") else "category"
        yield Fault(named, "death-competes", DEATH_COMPETES)
    for name, fatal in FATAL.items():
        values = set(query.values(name))
        if values and values <= fatal:
            yield Fault(name, "death-competes", DEATH_COMPETES)

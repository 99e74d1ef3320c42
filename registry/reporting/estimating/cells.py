"""Counts, rates and proportions by row, from the store's sums."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product

from registry.records import DIMENSIONS, BadQuery, Cell, Fault
from registry.reporting.asking.question import EACH
from registry.reporting.asking.spec import Part, Question
from registry.reporting.estimating.clusters import (
    has_sites_enough,
    robust_to_sites,
    sums_by_site,
)
from registry.reporting.estimating.first_sums import FirstSums, first_sums, over_sites
from registry.reporting.estimating.found import Found
from registry.snapshot.clusters import (
    ClusterEvents,
    ClusterTime,
    events_by_cluster,
    time_by_cluster,
)
from registry.snapshot.counting import Sums, affected, carriers, reported
from registry.snapshot.declared import declared, declared_events, declared_rows
from registry.snapshot.exposure import present
from registry.snapshot.firsts import FirstEvents, reported_firsts
from registry.snapshot.selection import SHARED, Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import ClusterSums, clustered_rate_of_sums, first_event_rate
from registry.vocabulary import CellStatus, CountingRule

MOST_CELLS = 2000
MOST_YEARS = 20
"""The most calendar years that count towards the limit of rows: years grow with the registry."""
FEWEST_STABLE_EVENTS = 20


def count_cells(store: Store, question: Question) -> list[Found]:
    """The count of each row; 0 for rows with device time and no event."""
    found: dict[Key, int] = {}
    for part in question.parts:
        selection = part.selection
        counts = numbers_of(_counted(store, question, part))
        for key in _with_zeros(selection, counts, _present(store, selection)):
            found[key] = found.get(key, 0) + counts.get(key, 0)
    hold_to_limit(found, question)
    return [
        Found(key, {"n": n}, CellStatus.OK if n else CellStatus.ZERO) for key, n in found.items()
    ]


def _counted(store: Store, question: Question, part: Part) -> Mapping[Key, Sums]:
    counting, selection = question.counting, part.selection
    if counting is CountingRule.FIRST_EVENT:
        return reported_firsts(store, selection, per_patient=part.per_patient)
    if counting is CountingRule.FIRST_IN_ROW:
        each = "patient_no" if part.per_patient else "device_no"
        return reported(store, selection, each=each)
    return reported(store, selection, each=EACH[counting])


def rate_cells(
    store: Store, question: Question, *, per: float, by_site: bool = False
) -> list[Found]:
    """Events per `per` units of each row's own denominator.

    by_site: widens limits that sites which differ ask for, and says so in `dispersion_sites` and
    `robust_to`.
    """
    found: list[Found] = []
    counting = question.counting
    for part in question.parts:
        split = by_site and has_sites_enough(store, question, part)
        of_sites: FirstSums | None = None
        if counting.of_firsts:
            if split:
                of_sites = first_sums(store, part, counting, part.selection.by_site())
                sums = over_sites(store, part, counting, of_sites)
            else:
                sums = first_sums(store, part, counting, part.selection)
            rows = _first_event_rates(store, question, part, per, sums)
        else:
            rows = _clustered_rates(store, question, part, per)
        if by_site:
            sites = sums_by_site(store, question, part, of_sites) if split else {}
            level = question.query.level
            only = question.query.cluster
            rows = (robust_to_sites(row, sites.get(row.key), per, level, only) for row in rows)
        found.extend(rows)
        hold_to_limit([each.key for each in found], question)
    return found


def proportion_cells(store: Store, question: Question) -> list[Found]:
    """The share of patients, or devices, that had at least one event (Wilson's interval)."""
    each = EACH[question.counting]
    found = []
    for part in question.parts:
        selection, clock = part.selection, part.clock
        population = numbers_of(carriers(store, selection, clock=clock, each=each))
        with_event = numbers_of(affected(store, selection, clock=clock, each=each))
        for key in _with_zeros(selection, with_event, population):
            of, n = population.get(selection.shared_key(key), 0), with_event.get(key, 0)
            lower, upper = wilson_interval(n, of, level=question.query.level)
            numbers = {
                "numerator": n,
                "denominator": of,
                "proportion": n / of if of else None,
                "ci_lower": lower,
                "ci_upper": upper,
            }
            status = CellStatus.OK if n else CellStatus.ZERO
            found.append(Found(key, numbers, status if of else CellStatus.NO_DENOMINATOR))
        hold_to_limit([each.key for each in found], question)
    return found


def _first_event_rates(
    store: Store, question: Question, part: Part, per: float, sums: FirstSums
) -> Iterable[Found]:
    selection, amounts, firsts = part.selection, sums.time, sums.firsts
    years: Mapping[Key, ClusterTime] = {}
    in_years: Mapping[Key, ClusterEvents] = {}
    if question.takes_declared:
        asks = {"clock": part.clock or "", "quantity": part.quantity}
        years = declared(store, selection, **asks)
        in_years = declared_events(store, selection, each="event_no", **asks)
    events_of = numbers_of(reported(store, selection, each="event_no"))
    given = {key: time.amount for key, time in years.items()}
    rows = {key: None for key, found in in_years.items() if found.n}
    present = _positive(amounts) | _positive(given)
    for key in _with_zeros(selection, {**firsts, **rows, **events_of}, present):
        first, shared = firsts.get(key, FirstEvents()), selection.shared_key(key)
        time = max(amounts.get(shared, 0.0) - first.months_after, 0.0)
        result = first_event_rate(
            first.owners.n,
            time,
            declared=_cluster_sums(
                [in_years.get(key, ClusterEvents())], [years.get(shared, ClusterTime())]
            ),
            per=per,
            level=question.query.level,
        )
        numbers = _rate_numbers(part, result.rate, result.lower, result.upper)
        numbers |= {"events": int(result.events), "exposure": result.exposure}
        if shared in years:
            numbers["dispersion_declared"] = result.dispersion
        yield _rate_row(key, numbers, reported_events=events_of.get(key, 0))


def _clustered_rates(store: Store, question: Question, part: Part, per: float) -> Iterable[Found]:
    selection, each = part.selection, EACH[question.counting]
    asks = {"clock": part.clock or "", "quantity": part.quantity}
    time = (time_by_cluster(store, selection, **asks), declared(store, selection, **asks))
    events = (
        events_by_cluster(store, selection, each=each, **asks),
        declared_events(store, selection, each=each, **asks),
    )
    events_of = numbers_of(reported(store, selection, each="event_no"))
    rows = {key: None for tier in events for key, found in tier.items() if found.n}
    for key in _with_zeros(selection, {**rows, **events_of}, _positive(_amounts(time))):
        shared = selection.shared_key(key)
        sums = _cluster_sums(
            [tier.get(key, ClusterEvents()) for tier in events],
            [tier.get(shared, ClusterTime()) for tier in time],
        )
        result = clustered_rate_of_sums(sums, per=per, level=question.query.level)
        numbers = _rate_numbers(part, result.rate, result.lower, result.upper)
        numbers |= {
            "events": int(result.events),
            "exposure": result.exposure,
            "dispersion": result.dispersion,
        }
        yield _rate_row(key, numbers, reported_events=events_of.get(key, 0))


def _cluster_sums(events: Sequence[ClusterEvents], time: Sequence[ClusterTime]) -> ClusterSums:
    """Both tiers together, whose clusters differ: a site's declared year is no patient."""
    return ClusterSums(
        events=sum(each.n for each in events),
        time=sum(each.amount for each in time),
        x2=sum(each.squares for each in events),
        xt=sum(each.products for each in events),
        t2=sum(each.squares for each in time),
        clusters=sum(each.without_time for each in events) + sum(each.clusters for each in time),
    )


def _amounts(tiers: Iterable[Mapping[Key, ClusterTime]]) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for tier in tiers:
        for key, time in tier.items():
            found[key] = found.get(key, 0.0) + time.amount
    return found


def _rate_numbers(
    part: Part, rate: float | None, lower: float | None, upper: float | None
) -> dict[str, Cell]:
    return {"rate": rate, "ci_lower": lower, "ci_upper": upper, "unit": part.unit.value}


def _rate_row(key: Key, numbers: dict[str, Cell], *, reported_events: int) -> Found:
    if not numbers["exposure"]:
        return Found(key, numbers | {"events": reported_events}, CellStatus.NO_DENOMINATOR)
    if numbers["events"] == 0:
        return Found(key, numbers, CellStatus.ZERO)
    stable = int(numbers["events"] or 0) >= FEWEST_STABLE_EVENTS
    return Found(key, numbers, CellStatus.OK if stable else CellStatus.UNSTABLE)


def numbers_of(found: Mapping[Key, Sums]) -> dict[Key, int]:
    """The count of each row."""
    return {key: sums.n for key, sums in found.items()}


def _present(store: Store, selection: Selection) -> Iterable[Key]:
    """Rows with devices, with or without events."""
    if not selection.shared:
        return ()
    return dict.fromkeys([*present(store, selection), *declared_rows(store, selection)])


def _positive(amounts: Mapping[Key, float]) -> dict[Key, float]:
    return {key: amount for key, amount in amounts.items() if amount > 0}


def _with_zeros(
    selection: Selection, counted: Mapping[Key, object], present: Iterable[Key]
) -> list[Key]:
    """Every row with an event, and rows with device time in which one could have occurred.

    Properties of the event make rows only for values that occur.
    """
    group_by = selection.group_by
    if not group_by:
        return [()]
    own = [place for place, name in enumerate(group_by) if not _is_shared(name)]
    if len(own) == len(group_by):
        return list(counted)
    occurring = {tuple(key[place] for place in own) for key in counted} if own else {()}
    rows = dict.fromkeys(counted)
    for values, shared in product(occurring, present):
        of_event, of_device = iter(values), iter(shared)
        rows[tuple(next(of_device if _is_shared(name) else of_event) for name in group_by)] = None
    return list(rows)


def _is_shared(name: str) -> bool:
    return DIMENSIONS[name].side in SHARED


def hold_to_limit(keys: Collection[Key], question: Question) -> None:
    """Refuses an answer of too many rows; raises BadQuery."""
    group_by = question.query.group_by
    cells = len(keys)
    if "year" in group_by:
        years = {key[group_by.index("year")] for key in keys}
        cells = cells * MOST_YEARS // max(len(years), MOST_YEARS)
    if cells > MOST_CELLS:
        raise BadQuery(
            Fault(
                "group_by",
                "too-many-cells",
                f"The answer has over {MOST_CELLS} rows: group by fewer dimensions or filter more.",
            )
        )

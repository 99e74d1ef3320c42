"""Counts, rates and proportions, row by row: the arithmetic between the store and the answer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from registry.records import DIMENSIONS, BadQuery, Cell, Fault
from registry.reporting.question import EACH, Part, Question
from registry.snapshot.asked import SHARED, Asked
from registry.snapshot.store import SEQUENCE_STEP, Clusters, Firsts, Key, Members, Store
from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import clustered_rate, incidence_rate
from registry.vocabulary import CellStatus, CountingRule

MOST_CELLS = 2000
MOST_YEARS = 20
"""Of the rows by calendar year so many count: the years grow with the registry."""
FEWEST_STABLE_EVENTS = 20
FIRST_HALF_MONTH = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    """One row: its key in the order of the grouping, its numbers by column, and its status."""

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus


def count_cells(store: Store, question: Question) -> list[Found]:
    """How many there are in each row; rows with device time and no event say zero."""
    found: dict[Key, int] = {}
    for part in question.parts:
        asked = part.asked
        if question.counting is CountingRule.FIRST_EVENT:
            each = "patient_no" if part.per_patient else "device_no"
        else:
            each = EACH[question.counting]
        counts = store.reported(asked, each=each)
        for key in _with_zeros(asked, counts, _present(store, asked)):
            found[key] = found.get(key, 0) + counts.get(key, 0)
    hold_to_limit(found, question)
    return [
        Found(key, {"n": n}, CellStatus.OK if n else CellStatus.ZERO) for key, n in found.items()
    ]


def rate_cells(store: Store, question: Question, *, per: float) -> list[Found]:
    """Events per `per` units of each row's own denominator."""
    found: list[Found] = []
    for part in question.parts:
        if question.counting is CountingRule.FIRST_EVENT:
            found.extend(_first_event_rates(store, question, part, per))
        else:
            found.extend(_clustered_rates(store, question, part, per))
        hold_to_limit([each.key for each in found], question)
    return found


def proportion_cells(store: Store, question: Question) -> list[Found]:
    """The share of patients, or devices, that had at least one event (Wilson's interval)."""
    each = EACH[question.counting]
    found = []
    for part in question.parts:
        carriers = store.carriers(part.asked, clock=part.clock, each=each)
        affected = store.affected(part.asked, clock=part.clock, each=each)
        for key in _with_zeros(part.asked, affected, carriers):
            of, n = carriers.get(part.asked.shared_key(key), 0), affected.get(key, 0)
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


def _first_event_rates(store: Store, question: Question, part: Part, per: float) -> Iterable[Found]:
    asked, clock = part.asked, part.clock or ""
    exposure = store.exposure(asked, clock=clock, quantity=part.quantity)
    firsts = store.firsts(asked, clock=clock, per_patient=part.per_patient, quantity=part.quantity)
    rows = _places(firsts.keys)
    events = {key: len(places) for key, places in rows.items()}
    lost: dict[Key, float] = {}
    if part.quantity == "months" and rows:
        members = store.members(asked, clock=clock, per_patient=part.per_patient)
        lost = time_after_first(asked, firsts, rows, members)
    reported = store.reported(asked, each="event_no")
    for key in _with_zeros(asked, events | reported, _positive(exposure)):
        time = exposure.get(asked.shared_key(key), 0.0) - lost.get(key, 0.0)
        result = incidence_rate(
            events.get(key, 0), max(time, 0.0), per=per, level=question.query.level
        )
        numbers = _rate_numbers(part, result.rate, result.lower, result.upper)
        numbers |= {"events": events.get(key, 0), "exposure": result.exposure}
        yield _rate_row(key, numbers, reported=reported.get(key, 0))


def time_after_first(
    asked: Asked, firsts: Firsts, rows: Mapping[Key, NDArray[np.int64]], members: Members
) -> dict[Key, float]:
    """Device time that no longer counts, by row: what comes after the row's first events.

    A first event at month m ends its device's time at m (0.25 at month 0); where the owner is a
    patient, the time of his or her later devices in the same row goes as well.
    """
    groups = _places(members.keys)
    lost = {}
    for key, places in rows.items():
        untimed = tuple(
            value
            for name, value in zip(asked.group_by, key, strict=True)
            if name in asked.shared and name not in {"year", "period", "window"}
        )
        inside = groups.get(untimed, np.array([], dtype=np.int64))
        owners = firsts.owner[places]
        order = np.argsort(owners)
        owners, first = owners[order], firsts.first[places][order]
        at = np.searchsorted(owners, members.owner[inside])
        at[at == owners.size] = 0
        hit = owners[at] == members.owner[inside]
        chosen, first = inside[hit], first[at[hit]]
        sequence = members.sequence[chosen]
        end = np.where(
            sequence == first // SEQUENCE_STEP,
            np.maximum(first % SEQUENCE_STEP, FIRST_HALF_MONTH),
            np.where(sequence > first // SEQUENCE_STEP, -np.inf, np.inf),
        )
        lost[key] = sum(
            float(_overlap(members, chosen, end, bounds).sum()) for bounds in _bounds(asked, key)
        )
    return lost


Bounds = tuple[tuple[float, float] | None, tuple[float, float] | None]


def _bounds(asked: Asked, key: Key) -> list[Bounds]:
    """The pieces of time of a row: months since implant, and calendar months; None for any."""
    named = dict(zip(asked.group_by, key, strict=True))
    spans: list[tuple[float, float] | None] = [
        (span.time_from, span.time_to)
        for span in asked.timed_spans
        if named.get("window", span.label) == span.label
    ]
    years: list[tuple[float, float] | None] = [
        (12.0 * span.first, 12.0 * span.last + 12)
        for span in asked.year_spans()
        if span.labels == tuple(named[name] for name in asked.time_groups)
    ]
    return list(product(spans if asked.spans else [None], years if asked.splits_years else [None]))


def _overlap(
    members: Members, chosen: NDArray[np.int64], end: NDArray[np.float64], bounds: Bounds
) -> NDArray[np.float64]:
    months, calendar = bounds
    start = np.maximum(members.time_from[chosen], end)
    stop = members.time_to[chosen]
    if months is not None:
        start, stop = np.maximum(start, months[0]), np.minimum(stop, months[1])
    if calendar is not None:
        origin = members.origin[chosen]
        start = np.maximum(start, calendar[0] - origin)
        stop = np.minimum(stop, calendar[1] - origin)
    return np.nan_to_num(np.clip(stop - start, 0, None))


def _clustered_rates(store: Store, question: Question, part: Part, per: float) -> Iterable[Found]:
    asked, clock, each = part.asked, part.clock or "", EACH[question.counting]
    asks = {"clock": clock, "quantity": part.quantity}
    time = _by_key(store.exposure_clusters(asked, **asks), store.declared(asked, **asks))
    events = _by_key(
        store.matched_clusters(asked, each=each, **asks),
        store.declared_events(asked, each=each, **asks),
    )
    reported = store.reported(asked, each="event_no")
    exposure = {key: float(amounts.sum()) for key, (_, amounts) in time.items()}
    for key in _with_zeros(asked, {**events, **reported}, _positive(exposure)):
        x, t = _aligned(events.get(key), time.get(asked.shared_key(key)))
        result = clustered_rate(x, t, per=per, level=question.query.level)
        numbers = _rate_numbers(part, result.rate, result.lower, result.upper)
        numbers |= {
            "events": int(result.events),
            "exposure": result.exposure,
            "dispersion": result.dispersion,
        }
        yield _rate_row(key, numbers, reported=reported.get(key, 0))


def _rate_numbers(
    part: Part, rate: float | None, lower: float | None, upper: float | None
) -> dict[str, Cell]:
    return {"rate": rate, "ci_lower": lower, "ci_upper": upper, "unit": part.unit.value}


def _rate_row(key: Key, numbers: dict[str, Cell], *, reported: int) -> Found:
    if not numbers["exposure"]:
        return Found(key, numbers | {"events": reported}, CellStatus.NO_DENOMINATOR)
    if numbers["events"] == 0:
        return Found(key, numbers, CellStatus.ZERO)
    stable = int(numbers["events"] or 0) >= FEWEST_STABLE_EVENTS
    return Found(key, numbers, CellStatus.OK if stable else CellStatus.UNSTABLE)


Grouped = tuple[NDArray[np.int64], NDArray[np.float64]]


def _by_key(*tiers: Clusters) -> dict[Key, Grouped]:
    """Clusters and their amounts by row, both tiers together."""
    pieces: dict[Key, list[Grouped]] = {}
    for tier in tiers:
        amounts = np.nan_to_num(tier.amount)
        for key, places in _places(tier.keys).items():
            pieces.setdefault(key, []).append((tier.cluster[places], amounts[places]))
    return {
        key: (np.concatenate([c for c, _ in found]), np.concatenate([a for _, a in found]))
        for key, found in pieces.items()
    }


def _aligned(
    events: Grouped | None, time: Grouped | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Events and device time of the same clusters, in the same order."""
    none: Grouped = (np.array([], dtype=np.int64), np.array([], dtype=np.float64))
    (event_cluster, n), (time_cluster, t) = events or none, time or none
    clusters = np.union1d(event_cluster, time_cluster)
    x, exposure = np.zeros(clusters.size), np.zeros(clusters.size)
    np.add.at(x, np.searchsorted(clusters, event_cluster), n)
    np.add.at(exposure, np.searchsorted(clusters, time_cluster), t)
    return x, exposure


def _places(keys: list[Key]) -> dict[Key, NDArray[np.int64]]:
    """Where each key stands in a list of keys."""
    if keys and keys[0] == ():
        return {(): np.arange(len(keys))}
    found: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return {key: np.array(places) for key, places in found.items()}


def _present(store: Store, asked: Asked) -> dict[Key, float]:
    """Rows under which there are devices, whatever happened to them."""
    if not asked.shared:
        return {}
    present: dict[Key, float] = dict(store.present(asked))
    for clock in ("pump", "catheter"):
        present |= dict.fromkeys(store.declared(asked, clock=clock).keys, 1.0)
    return present


def _positive(exposure: Mapping[Key, float]) -> dict[Key, float]:
    return {key: amount for key, amount in exposure.items() if amount > 0}


def _with_zeros(asked: Asked, counted: Mapping[Key, object], present: Iterable[Key]) -> list[Key]:
    """Every row with an event, and those with device time in which an event could have been.

    Along the event's own properties only values that occur make rows.
    """
    if not asked.group_by:
        return [()]
    own = [place for place, name in enumerate(asked.group_by) if not _is_shared(name)]
    if len(own) == len(asked.group_by):
        return list(counted)
    occurring = {tuple(key[place] for place in own) for key in counted} if own else {()}
    rows = dict.fromkeys(counted)
    for values, shared in product(occurring, present):
        of_event, of_device = iter(values), iter(shared)
        rows[
            tuple(next(of_device if _is_shared(name) else of_event) for name in asked.group_by)
        ] = None
    return list(rows)


def _is_shared(name: str) -> bool:
    return DIMENSIONS[name].side in SHARED


def hold_to_limit(keys: Collection[Key], question: Question) -> None:
    """Refuse an answer of too many rows; raises BadQuery."""
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

"""Events and exposure by cell, and by cell and cluster: what a regression is fitted to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from registry.records import BadQuery, Fault
from registry.reporting.asking.adjusting import ages_within
from registry.reporting.asking.question import EACH, question_of
from registry.reporting.asking.spec import Part, Question
from registry.reporting.estimating.clusters import PATIENTS, SITES
from registry.reporting.estimating.first_sums import device_time, first_sums
from registry.snapshot.cell_pairs import FIRST, FIRST_IN_ROW, cell_pairs
from registry.snapshot.counting import matched
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.comparison import Clusters
from registry.statistics.regression import ClusterTable, PairSums
from registry.vocabulary import CountingRule

MOST_STRATA = 5000
"""A regression is fitted to at most so many cells."""

Amounts = Mapping[Key, tuple[float, float]]
"""Events and exposure by key."""


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """Cells with exposure, in a stable order; of the tier of implants alone.

    question: grouped by the rows' grouping, then by what is adjusted for. events_without_time: in
    cells without exposure, as the split by calendar year is approximate.
    """

    question: Question
    part: Part
    keys: Sequence[Key]
    events: Sequence[float]
    exposure: Sequence[float]
    events_without_time: float


def cell_table(
    store: Store, question: Question, adjust: Sequence[str], *, most: int | None = None
) -> CellTable:
    """The cells of a question by its own grouping and what it is adjusted for.

    most: how many cells may have exposure, MOST_STRATA where it is left out. Raises BadQuery
    (`too-many-cells`) over that.
    """
    most = MOST_STRATA if most is None else most
    query = question.query
    grouped = replace(query, group_by=(*query.group_by, *adjust), adjust=())
    if "window" in adjust:
        grouped = replace(grouped, windows=ages_within(query.windows))
    finer = question_of(grouped, question.spec, manifest=store.manifest, as_of=question.as_of)
    (part,) = finer.parts
    found = amounts(store, part, question.counting, part.selection)
    cells = {key: each for key, each in found.items() if each[1] > 0}
    if len(cells) > most:
        detail = (
            f"Groups and strata make over {most:,} cells: adjust for fewer or coarser "
            "dimensions, or filter more."
        )
        raise BadQuery(Fault("adjust", "too-many-cells", detail))
    keys = sorted(cells, key=lambda key: tuple((value is None, str(value)) for value in key))
    return CellTable(
        question=finer,
        part=part,
        keys=keys,
        events=[cells[key][0] for key in keys],
        exposure=[cells[key][1] for key in keys],
        events_without_time=sum(each[0] for key, each in found.items() if key not in cells),
    )


def amounts(store: Store, part: Part, counting: CountingRule, selection: Selection) -> Amounts:
    """Events and exposure of implants by key; events may stand in a key without exposure."""
    events: dict[Key, float] = {}
    if counting.of_firsts:
        sums = first_sums(store, part, counting, selection)
        time = dict(sums.time)
        for key, first in sums.firsts.items():
            events[key] = first.owners.n
            time[key] = max(time.get(key, 0.0) - first.months_after, 0.0)
    else:
        time = device_time(store, part, selection)
        asks = {"clock": part.clock or "", "quantity": part.quantity}
        counted = matched(store, selection, each=EACH[counting], **asks)
        events = {key: sums.n for key, sums in counted.items() if None not in _years(key, part)}
    return {key: (events.get(key, 0), time.get(key, 0.0)) for key in {**time, **events}}


def _years(key: Key, part: Part) -> Iterable[object]:
    """The calendar years of a key: an event without one has no exposure."""
    named = zip(part.selection.group_by, key, strict=False)
    return [value for name, value in named if name in {"year", "period"}]


def clusters_of_cells(store: Store, table: CellTable) -> list[Clusters]:
    """The patients and the sites behind the cells, for robust variances.

    The number of sites with exposure is told for each value of the first grouping, in the order of
    `groups_of`.
    """
    return [_patients(store, table), _sites(store, table)]


def groups_of(table: CellTable) -> list[Key]:
    """The values of the first grouping that have exposure, in the order of the cells."""
    return list(dict.fromkeys(key[:1] for key in table.keys))


def _patients(store: Store, table: CellTable) -> Clusters:
    part, counting = table.part, table.question.counting
    firsts = {CountingRule.FIRST_EVENT: FIRST, CountingRule.FIRST_IN_ROW: FIRST_IN_ROW}
    each = firsts[counting] if counting.of_firsts else EACH[counting]
    pairs = cell_pairs(
        store,
        part.selection,
        clock=part.clock or "",
        each=each,
        per_patient=part.per_patient,
        quantity=part.quantity,
    )
    place = {key: at for at, key in enumerate(table.keys)}
    at = np.array([place.get(key, -1) for key in pairs.keys], dtype=np.int64)
    first, second = at[pairs.first], at[pairs.second]
    held = np.flatnonzero((first >= 0) & (second >= 0))
    held = held[np.lexsort((second[held], first[held]))]  # an engine gives lines in any order
    lines = (pairs.xx[held], pairs.xt[held], pairs.tt[held])
    return Clusters(PATIENTS, PairSums(first[held], second[held], *lines, pairs.patients))


def _sites(store: Store, table: CellTable) -> Clusters:
    selection = table.part.selection
    if "site" in selection.group_by:
        at = selection.group_by.index("site")
        of_site = {(key, key[at]): each for key, each in _told(table)}
    else:
        finer = selection.by_site()
        found = amounts(store, table.part, table.question.counting, finer)
        of_site = {(key[:-1], key[-1]): each for key, each in found.items()}
    place = {key: number for number, key in enumerate(table.keys)}
    sites = {site: number for number, site in enumerate(sorted({str(s) for _, s in of_site}))}
    events, time = np.zeros((2, len(sites), len(place)))
    for (key, site), (n, amount) in of_site.items():
        if key in place:
            events[sites[str(site)], place[key]] = n
            time[sites[str(site)], place[key]] = amount
    group = np.array([groups_of(table).index(key[:1]) for key in table.keys], dtype=np.int64)
    by_group = tuple(
        int((time[:, group == number] > 0).any(axis=1).sum())
        for number in range(len(groups_of(table)))
    )
    return Clusters(SITES, ClusterTable(events, time), by_group)


def _told(table: CellTable) -> Iterable[tuple[Key, tuple[float, float]]]:
    pairs = zip(table.events, table.exposure, strict=True)
    return zip(table.keys, pairs, strict=True)

"""Attacks on how many there are: the devices that curves start with, what proportions divide by.

Whose events a curve tells of hardly changes who is at risk, and every set of devices has noise of
its own: so the mean over the curves of many kinds of event comes near to the size of a group, and
what a large group has beyond the others in it is the size of a small one. Denominators of
proportions are told by year in the same way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from registry.catalogue import read_catalogue
from registry.disclosure import BOUNDARIES, Policy, plan
from registry.records import EventQuery
from registry.reporting import protected_answers
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.question import CLOCK
from registry.reporting.protected.curves import curve_truths
from registry.reporting.protected.trees import trees_of
from registry.vocabulary import Component, Denominator
from tests.disclosure.attack.asking import Asker, Values
from tests.disclosure.attack.attacks import differences, shown_cells
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.servers import TOO_MANY
from tests.disclosure.attack.solving import NOISE, Margin, Side, expected, sides, solve
from tests.disclosure.attack.truth import Truth

Names = tuple[str, ...]
AT_RISK: Sequence[Names] = (("drug",), ("indication",), ("pump_model",), ("catheter_model",))
BESIDE: Sequence[Names] = (
    *((), ("category",), ("complication",), ("severity",), ("outcome",), ("root_cause",)),
    *(("category", "severity"), ("category", "outcome"), ("complication", "serious")),
)
"""What curves of the same devices are asked by: a curve for each kind of event."""


def _most_with(beside: Names) -> int:
    """How many more dimensions a question may name that is asked by these."""
    return Policy().most_beside - len(set(beside) - {"category", "complication"})


DENOMINATORS: Sequence[Names] = (("drug",), ("indication",), ("pump_model",), ("age_band",))
OF_POPULATION: Mapping[str, str] = {"measure": "proportions", "column": "denominator"}
_UNLIKE = 0.15
"""Share by which patients of a proportion may differ from the devices at the start of a curve."""


# F: the numbers at risk


@dataclass
class Told:
    """What the curves told so far make of the devices at each month: a mean by weight."""

    shape: tuple[int, ...]
    summed: Values = field(init=False)
    weight: Values = field(init=False)

    def __post_init__(self) -> None:
        self.summed, self.weight = np.zeros(self.shape), np.zeros(self.shape)

    def add(self, place: tuple[int, ...], curve: Sequence[Mapping[str, Any]]) -> None:
        """Take in one curve: who is at risk, and who would be but for the event.

        Of those with the event as many are taken to be followed still as of the others.
        """
        first = curve[0]["at_risk"]
        if first is None:
            return
        before: list[tuple[float, float]] = []  # events, and the share followed until then
        for month, point in enumerate(curve):
            if point["at_risk"] is None:
                continue
            at_risk, free = float(point["at_risk"]), float(point["estimate"])
            followed = at_risk / float(first) / free if free else 1.0
            if month:
                before.append((float(point["events"]), max(followed, 1e-6)))
            still = [(n, min(1.0, followed / until)) for n, until in before]
            variance = Policy().variance_at_risk(int(at_risk))
            variance += sum(NOISE * share**2 + n * share * (1 - share) for n, share in still)
            weight = 1 / variance
            self.summed[(*place, month)] += weight * (at_risk + sum(n * s for n, s in still))
            self.weight[(*place, month)] += weight

    def mean(self) -> Values:
        """NaN where no curve tells."""
        known = self.weight > 0
        return np.where(known, self.summed / np.where(known, self.weight, 1.0), np.nan)


def clocks() -> dict[str, str]:
    """The clock of the curve of each complication and category, from the open catalogue."""
    catalogue = read_catalogue()
    return {
        each.code: CLOCK[Denominator(str(each.natural_denominator))].value
        for each in (*catalogue.complications, *catalogue.categories)
    }


def numbers_at_risk(asker: Asker, levels: Sequence[Side], clock: str) -> Values:
    """The mean over all curves that can be had of the groups at these levels, by month."""
    clock_of = clocks()
    told = Told((*(side.members.shape[0] for side in levels), len(BOUNDARIES)))
    names = [side.asked_name for side in levels if side.asked_name]
    for chosen in product(
        *(tuple(enumerate(side.asked_filters)) or ((0, None),) for side in levels)
    ):
        where = {each[0]: ",".join(each[1]) for _place, each in chosen if each is not None}
        for beside in BESIDE:
            if len(names) + len(where) > _most_with(beside):
                continue
            rows = _curves(asker, beside, names, where)
            for start in range(0, len(rows), len(BOUNDARIES)):
                curve = rows[start : start + len(BOUNDARIES)]
                kind = str(curve[0][beside[0]]) if beside else ""
                if clock_of.get(kind, Component.PUMP.value) == clock:
                    told.add(_place(asker, levels, chosen, curve[0]), curve)
    return told.mean()


def _curves(
    asker: Asker, beside: Names, names: Sequence[str], where: Mapping[str, str]
) -> Sequence[Mapping[str, Any]]:
    """The points of all these curves; where they are too many for one answer, kind by kind."""
    grouped = ",".join((*beside, *names))
    asker.requests += 1
    reply = asker.server.reply("survival", where | ({"group_by": grouped} if grouped else {}))
    if reply.code != TOO_MANY or len(beside) != 1:
        return reply.rows
    (kind,) = beside
    found: list[Mapping[str, Any]] = []
    for label in asker.axis(kind):
        one = _curves(asker, (), names, {**where, kind: label})
        found += [{**point, kind: label} for point in one]
    return found


def _place(
    asker: Asker,
    levels: Sequence[Side],
    chosen: Sequence[tuple[int, object]],
    row: Mapping[str, object],
) -> tuple[int, ...]:
    return tuple(
        asker.axis(side.asked_name).index(str(row[side.asked_name])) if side.asked_name else place
        for side, (place, _filter) in zip(levels, chosen, strict=True)
    )


def sizes_at_risk(asker: Asker, names: Names, clock: str) -> tuple[Values, NDArray[np.bool_]]:
    """The devices of each group at each month that fit best, and which groups stand in a told one.

    What a group too small for curves holds is taken from denominators, as far as these are told.
    """
    shape = tuple(len(asker.axis(name)) for name in names)
    every: list[tuple[sparse.csr_array, Values]] = []
    for levels in product(*(sides(asker, name) for name in names)):
        asked = [side.asked_name for side in levels if side.asked_name]
        if len(asked) + sum(bool(side.asked_filters) for side in levels) <= Policy().most_beside:
            mean = numbers_at_risk(asker, levels, clock)
            members = reduce(sparse.kron, [sparse.csr_array(side.members) for side in levels])
            every.append((sparse.csr_array(members), mean.reshape(-1, len(BOUNDARIES))))
    table = asker.table(names, **OF_POPULATION)
    people = np.full(shape, np.nan) if table is None else table.values
    start = expected(asker, names, **OF_POPULATION)
    solved, within = np.zeros((*shape, len(BOUNDARIES))), np.zeros((*shape, len(BOUNDARIES)), bool)
    for month in range(len(BOUNDARIES)):
        found = [_known(members, mean[:, month]) for members, mean in every]
        share = _share(every[-1][1][0, month], asker)
        if share is not None:
            variance = NOISE + (_UNLIKE * share * np.nan_to_num(people)) ** 2
            whole = sparse.csr_array(sparse.eye(people.size))
            found.append(_known(whole, share * people.ravel(), variance.ravel()))
        found = [each for each in found if each.shown.size]
        if found:
            solved[..., month] = solve(found, start * (share or 1.0))
        for members, mean in every[1:-1]:
            told = ~np.isnan(mean[:, month])
            within[..., month] |= (members.T @ told > 0).reshape(shape)
    return solved, within


def _known(members: sparse.csr_array, shown: Values, variance: Values | None = None) -> Margin:
    """A margin of what is told only: a curve that is not told may be of three hundred devices."""
    rows = np.flatnonzero(~np.isnan(shown))
    noise = np.full(rows.size, 1.0) if variance is None else variance[rows]
    return Margin(members[rows], shown[rows], noise)


def _share(at_risk: float, asker: Asker) -> float | None:
    everybody = asker.table((), **OF_POPULATION)
    if everybody is None or np.isnan(at_risk) or np.isnan(float(everybody.values)):
        return None
    return float(at_risk / float(everybody.values))


def at_risk_findings(asker: Asker, names: Names, frozen: Frozen) -> Findings | None:
    """What the attacker makes of the devices of groups that stand in a group with a curve."""
    found = []
    truth = devices_followed(asker, names, frozen)
    for clock, true in truth.items():
        solved, within = sizes_at_risk(asker, names, clock)
        nothing = np.full(int(within.sum()), np.nan)
        hint = expected(asker, names, **OF_POPULATION)[..., None] * np.ones(len(BOUNDARIES))
        found.append(Findings.of(true[within], nothing, solved[within], hint[within]))
    return Findings.joined(found) if found else None


def devices_followed(asker: Asker, names: Names, frozen: Frozen) -> dict[str, NDArray[np.int64]]:
    """How many devices of each group are followed beyond each month, by clock.

    The most that are at risk of any one complication: of some complication nobody in a small group
    has had an event.
    """
    clock_of = clocks()
    trees = trees_of(
        frozen.store.manifest.terms, data_as_of=frozen.data_as_of, policy=protected_answers.POLICY
    )
    unlimited = replace(protected_answers.POLICY, most_cells=10**6, most_beside=2)
    planned = plan(EventQuery(group_by=("complication", *names)), trees, unlimited)
    truths = curve_truths(planned.nodes, store=frozen.store, trees=trees)
    shape = (*(len(asker.axis(name)) for name in names), len(BOUNDARIES))
    found = {
        clock.value: np.zeros(shape, np.int64) for clock in (Component.PUMP, Component.CATHETER)
    }
    for row in planned.rows:
        labels = dict(zip(planned.group_by, row.labels, strict=True))
        into = found[clock_of[labels["complication"]]]
        place = tuple(asker.axis(name).index(labels[name]) for name in names)
        for node in row.nodes:
            at_risk = truths[node].at_risk[:, :, 0].sum(axis=1)
            into[place] = np.maximum(into[place], at_risk)
    return found


# E: the denominators of proportions


def denominators(asker: Asker, names: Names) -> tuple[Values, Values] | None:
    """The patients of each group as what a larger one has beyond the others in it: mean of all ways

    over both dimensions, clocks, and sums over a third dimension; and the mean over the years.
    """
    own = asker.table(names, **OF_POPULATION)
    if own is None:
        return None
    ways, yearly = [], []
    for axis in range(len(names)):
        kept = tuple(name for place, name in enumerate(names) if place != axis)
        for parent, cells in _versions(asker, kept, names):
            ways.append(_beyond(parent, cells, axis))
        parent, cells = (_told(asker, (*each, "year")) for each in (kept, names))
        if parent is not None and cells is not None:
            yearly += [
                _beyond(parent[..., year], cells[..., year], axis)
                for year in range(parent.shape[-1])
            ]
    return _mean(ways, own.values.shape), _mean(yearly, own.values.shape)


def _versions(asker: Asker, kept: Names, names: Names) -> Iterator[tuple[Values, Values]]:
    """Every way to be told of parents and of cells: whole, by category, and summed over others."""
    categories = [{}, *({"category": (label,)} for label in asker.axis("category"))]
    for where in categories:
        pair = [asker.table(each, where, **OF_POPULATION) for each in (kept, names)]
        if pair[0] is not None and pair[1] is not None:
            yield pair[0].values, pair[1].values
    own = {asker.tree_of(name) for name in names}
    for other in asker.offered():
        if not asker.is_summable(other) or asker.tree_of(other) in own or other == "site":
            continue
        parent, cells = (_told(asker, (*each, other)) for each in (kept, names))
        if parent is not None and cells is not None:
            hidden = np.isnan(parent).all(axis=-1)
            yield np.where(hidden, np.nan, np.nansum(parent, axis=-1)), np.nansum(cells, axis=-1)


def _told(asker: Asker, names: Names) -> Values | None:
    return shown_cells(asker, names, **OF_POPULATION)


def _beyond(parent: Values, cells: Values, axis: int) -> Values:
    known = np.nan_to_num(cells)
    return np.asarray(np.expand_dims(parent, axis) - known.sum(axis=axis, keepdims=True) + known)


def _mean(ways: Sequence[Values], shape: tuple[int, ...]) -> Values:
    if not ways:
        return np.full(shape, np.nan)
    stack = np.array(ways)
    known = (~np.isnan(stack)).sum(axis=0)
    return np.where(known, np.nansum(stack, axis=0) / np.maximum(known, 1), np.nan)


def denominator_findings(
    asker: Asker, truth: Truth, names: Names, *, naive: bool = False
) -> Findings | None:
    """What the attacker makes of the patients of each group.

    naive: of the devices, where filters are free.
    """
    if naive:
        mean = differences(asker, names, **OF_POPULATION)
        found = None if mean is None else (mean, np.ones(mean.shape))
    else:
        found = denominators(asker, names)
    if found is None:
        return None
    true, _high, _low = truth.keyed(
        {name: asker.axis(name) for name in names},
        unit="devices" if naive else "patients",
        population=True,
    )
    return Findings.of(true, shown_cells(asker, names, **OF_POPULATION), *found)

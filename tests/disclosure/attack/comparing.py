"""Attacks on measures that rest on the cells of others: trends, funnels, signals and curves.

Trends, funnels and signals must be the very numbers of the rates and counts they are made of: a
second draw for the same patients could be averaged with the first. A curve tells events by
interval: its own universe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy import sparse

from registry.disclosure import BOUNDARIES, plan
from registry.records import EventQuery
from registry.reporting import protected_answers
from registry.reporting.asking.freshness import Frozen
from registry.reporting.protected.curves import curve_truths
from registry.reporting.protected.trees import trees_of
from tests.disclosure.attack.asking import Asker, Values
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.solving import NOISE, Margin, expected, solve

Names = tuple[str, ...]
INTERVALS = len(BOUNDARIES) - 1
SHARED = ("events", "exposure", "rate", "ci_lower", "ci_upper")
"""What a trend or a funnel says that rates say."""

COMPARED: Sequence[Mapping[str, str]] = (
    {},
    {"complication": "catheter-migration"},
    {"complication": "catheter-kink"},
    {"category": "pump"},
    {"category": "catheter", "sex": "female"},
)
SIGNALS: Sequence[Names] = (("pump_model", "category"), ("catheter_model", "category"))
CURVES: Sequence[tuple[Names, Mapping[str, str]]] = (
    (("drug_class",), {"category": "catheter"}),
    (("pump_family",), {"category": "pump"}),
    (("drug_class", "sex"), {"category": "catheter"}),
    (("indication_group", "sex"), {"category": "catheter"}),
    (("label_status", "sex"), {"category": "pump"}),
    (("indication_group", "label_status"), {"category": "infection"}),
)


def second_draws(asker: Asker) -> list[str]:
    """Trends, funnels and signals whose numbers are not those of rates and counts."""
    found = []
    for measure, name in (("trend", "year"), ("funnel", "site")):
        for where in COMPARED:
            if name == "site" and len(where) > 1:
                continue
            told = asker.server.reply(measure, where)
            rates = asker.server.reply("rates", {**where, "group_by": name})
            if rates.status == 422:  # sites are compared by one complication in funnels alone
                continue
            known = {row[name]: row for row in rates.rows}
            for row in told.rows:
                own = SHARED[:2] if measure == "funnel" else SHARED
                if any(row[each] != known[row[name]][each] for each in own):
                    found.append(f"{measure} {name}={row[name]} {sorted(where.items())}")
    for names in SIGNALS:
        pairs = asker.server.reply("signals", {"group_by": ",".join(names)}).rows
        counted = asker.table(names, counting="devices")
        for row in pairs:
            place = tuple(asker.axis(name).index(str(row[name])) for name in names)
            same = counted is not None and float(counted.values[place]) == row["n"]
            if row["n"] is not None and not same:
                found.append(f"signals {' '.join(names)} {row}")
    return found


def curves_asked(asker: Asker, names: Names, where: Mapping[str, str]) -> Iterator[Margin]:
    """Everything that curves tell about the events by interval of the groups of these names.

    Cells are groups by interval. An interval whose events are hidden is told together with those
    that follow, until they can be shown.
    """
    axes = [asker.axis(name) for name in names]
    shape = (*(len(axis) for axis in axes), INTERVALS)
    number = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    for size in range(len(names) + 1):
        for chosen in combinations(range(len(names)), size):
            grouped = [names[axis] for axis in chosen]
            asked = {**where, "group_by": ",".join(grouped)} if grouped else dict(where)
            rows = asker.server.reply("survival", asked).rows
            members, shown = [], []
            for start in range(0, len(rows), len(BOUNDARIES)):
                curve = rows[start : start + len(BOUNDARIES)]
                place: list[object] = [slice(None)] * len(names)
                for axis in chosen:
                    place[axis] = axes[axis].index(str(curve[0][names[axis]]))
                for first, last, events in _told_intervals(curve):
                    cells = number[(*place, slice(first, last))].ravel()  # type: ignore[arg-type]
                    row = np.zeros(number.size)
                    row[cells] = 1
                    members.append(row)
                    shown.append(np.nan if events is None else float(events))
            if members:
                yield Margin(
                    sparse.csr_array(np.array(members)),
                    np.array(shown),
                    np.full(len(shown), NOISE),
                )


def _told_intervals(curve: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, int, int | None]]:
    """The runs of intervals that one number is told for, or that are known to be hidden.

    What lies between two told boundaries was hidden at every boundary in between, events and who
    is at risk alike. After the last told one either may be hidden, and nothing is known.
    """
    start = 0
    for place, point in enumerate(curve):
        if place and point["estimate"] is not None:
            for hidden in range(start + 1, place):
                yield start, hidden, None
            yield start, place, int(str(point["events"]))
            start = place


def curve_universe(asker: Asker, names: Names, where: Mapping[str, str]) -> Values | None:
    """F on curves: the events by group and interval that fit best all that curves tell."""
    found = list(curves_asked(asker, names, where))
    if not found:
        return None
    groups = expected(asker, names, **where)
    start = np.repeat(groups[..., None], INTERVALS, axis=-1) / INTERVALS
    return solve(found, start)


def curve_findings(
    asker: Asker, names: Names, where: Mapping[str, str], frozen: Frozen
) -> Findings | None:
    """What the attack makes of the events by group and interval of curves that are told."""
    solved = curve_universe(asker, names, where)
    if solved is None:
        return None
    truth = true_curves(asker, names, where, frozen)
    told = truth.sum(axis=-1) > 0
    shown = np.full(truth.shape, np.nan)
    rows = asker.server.reply("survival", {**where, "group_by": ",".join(names)}).rows
    for start in range(0, len(rows), len(BOUNDARIES)):
        curve = rows[start : start + len(BOUNDARIES)]
        place = tuple(asker.axis(name).index(str(curve[0][name])) for name in names)
        told[place] &= curve[0]["at_risk"] is not None
        for first, last, events in _told_intervals(curve):
            if last == first + 1 and events is not None:
                shown[(*place, first)] = events
    hint = np.repeat(expected(asker, names, **where)[..., None], INTERVALS, axis=-1) / INTERVALS
    return Findings.of(truth[told], shown[told], solved[told], hint[told])


def true_curves(asker: Asker, names: Names, where: Mapping[str, str], frozen: Frozen) -> np.ndarray:
    """The true events by group and interval, along the axes as the answers list them."""
    trees = trees_of(
        frozen.store.manifest.terms, data_as_of=frozen.data_as_of, policy=protected_answers.POLICY
    )
    filters = tuple((name, (value,)) for name, value in where.items())
    unlimited = replace(protected_answers.POLICY, most_cells=10**6, most_beside=len(names))
    planned = plan(EventQuery(group_by=names, where=filters), trees, unlimited)
    truths = curve_truths(planned.nodes, store=frozen.store, trees=trees)
    found = np.zeros((*(len(asker.axis(name)) for name in names), INTERVALS), np.int64)
    for row in planned.rows:
        for node in row.nodes:
            place = tuple(
                asker.axis(name).index(label) for name, label in zip(names, row.labels, strict=True)
            )
            found[place] = truths[node].events[:, :, 0].sum(axis=1)
    return found

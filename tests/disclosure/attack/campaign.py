"""All nine attacks on one registry, at its own addresses, and on the naive server beside it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from registry.reporting.asking import freshness
from tests.disclosure.attack import channels, consistency, releasing
from tests.disclosure.attack.asking import Asker, Values
from tests.disclosure.attack.attacks import (
    Names,
    differences,
    findings,
    parents,
    tables_of,
    trackers,
    true_cells,
    universe,
)
from tests.disclosure.attack.comparing import CURVES, curve_findings, second_draws
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.populations import (
    AT_RISK,
    DENOMINATORS,
    at_risk_findings,
    denominator_findings,
)
from tests.disclosure.attack.record import Record
from tests.disclosure.attack.registries import (
    SITES,
    Cell,
    Door,
    Planter,
    door_of,
    fill,
    release,
    releases,
    sites_with_implants,
    trees_of,
)
from tests.disclosure.attack.servers import Naive
from tests.disclosure.attack.truth import Truth
from tests.disclosure.attack.utility import (
    curve_errors,
    rate_limits,
    session,
    usefulness,
    wrongly_shown,
)
from tests.disclosure.attack.yardstick import Hazards

FIRST = "first"
_Against = Sequence[tuple[dict[str, Findings], Asker]]
PLANTED_TABLE: Names = ("category", "drug")
SMALL_TABLES: tuple[Names, ...] = (
    ("complication", "sex"),
    ("complication", "label_status"),
    ("complication", "drug_class"),
    ("complication", "severity"),
    ("complication", "period"),
)
"""Tables short enough to ask for each of their values apart."""

PAIR_TABLES: tuple[Names, ...] = (
    ("age_band", "category"),
    ("category", "drug_class"),
    ("category", "indication_group"),
    ("category", "drug"),
    ("complication", "sex"),
    ("complication", "drug"),
)
"""Tables whose cells stand in many parents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is asked.

    shares, share: into how many parts the universe is dealt, and which is this registry's.
    most_tables: of its part; None is all. controls: whether the naive server is attacked as well.
    utility: whether what researchers still see is measured.
    """

    questions: int
    shares: int
    share: int
    most_tables: int | None = None
    small_tables: tuple[Names, ...] = SMALL_TABLES
    pair_tables: tuple[Names, ...] = PAIR_TABLES
    all_measures: int = 6
    curves: int = len(CURVES)
    at_risk: int = len(AT_RISK)
    denominators: int = len(DENOMINATORS)
    parents: int = 1_000
    refined_by: int | None = None
    releases: int = 20
    insider_cells: int = 80
    most_filtered: int = 30
    most_filtered_again: int = 8
    timed_cells: int = 60
    controls: bool = True
    utility: bool = True


def run(
    plan: Plan,
    *,
    events: int,
    seed: int,
    again: Callable[[list[str], str], list[str]] | None = None,
    tell: Callable[[str], None] = lambda _said: None,
    only: str | None = None,
) -> Record:
    """Fill an empty database, publish it, and attack; gives back everything that was found.

    only: `curves` leaves out all but the attacks on curves and on what others divide by.
    """
    fill(events=events, seed=seed)
    folder = release(FIRST)
    truth = Truth.read(folder)
    door, other = (door_of(name, "researcher") for name in ("researcher", "colleague"))
    asker = Asker(door, most_filtered=plan.most_filtered)
    naive = Asker(Naive({"": truth, FIRST: truth}, trees_of(folder)))
    hazards = Hazards.of(events=events, sites=SITES, seed=seed)
    record = Record(implants=truth.months.size, hazards=hazards)
    curves = ("curves", lambda: _curves(record, plan, asker, naive, truth))
    steps = (
        ("A", lambda: _consistency(record, plan, door, other, asker, seed, again)),
        ("C to E", lambda: _single_release(record, plan, asker, naive, truth)),
        ("F", lambda: _universe(record, plan, asker, naive, truth)),
        curves,
        ("utility", lambda: _usefulness(record, plan, asker, truth)),
        ("G to I, B", lambda: _many_releases(record, plan, door, asker, naive, truth, seed)),
    )
    if only == "curves":
        exact = Asker(door_of("manager", "data manager"))
        measured = ("survival", lambda: _measure_curves(record, asker, exact))
        steps = (curves, measured)
    for said, step in steps:
        step()
        tell(f"{said}: {asker.requests:,} requests")
    record.requests += asker.requests + record.spellings
    return record


def _against(record: Record, plan: Plan, asker: Asker, naive: Asker) -> _Against:
    """Whom to attack, and where what is found is kept."""
    both = ((record.findings, asker), (record.naive, naive))
    return both if plan.controls else both[:1]


def _consistency(
    record: Record,
    plan: Plan,
    door: Door,
    other: Door,
    asker: Asker,
    seed: int,
    again: Callable[[list[str], str], list[str]] | None,
) -> None:
    asked, requests, unequal = consistency.attack(
        door, other, asker, count=plan.questions, seed=seed, again=again
    )
    record.questions, record.spellings = asked, requests
    record.unequal = [f"{each.spelling}: {each.question}" for each in unequal]


def _single_release(record: Record, plan: Plan, asker: Asker, naive: Asker, truth: Truth) -> None:
    for kept, against in _against(record, plan, asker, naive):
        for letter, attack in (("C", differences), ("D", trackers)):
            kept[letter] = _joined(
                findings(against, truth, names, attack(against, names))
                for names in plan.small_tables
            )
        averaged: dict[int, list[Findings | None]] = {}
        for names in plan.pair_tables:
            for size, mean in _parents(plan, against, names).items():
                averaged.setdefault(size, []).append(findings(against, truth, names, mean))
        kept.update({f"E {size}": _joined(found) for size, found in averaged.items()})


def _parents(plan: Plan, asker: Asker, names: Names) -> dict[int, Values]:
    return parents(asker, names, most=plan.parents, refined_by=plan.refined_by) or {}


def _universe(record: Record, plan: Plan, asker: Asker, naive: Asker, truth: Truth) -> None:
    mine = dealt_tables(asker, plan)
    record.offered = asker.offered()
    record.universe = len(_two_way(asker))
    found = []
    for names in mine:
        solved = universe(asker, names)
        record.universe_refused += solved is None
        found.append(findings(asker, truth, names, solved))
    record.universe_asked = len(mine)
    record.findings["F"] = _joined(found)
    record.findings["F all measures"] = _joined(
        findings(asker, truth, names, universe(asker, names, all_units=True))
        for names in (*plan.small_tables, *mine)[: plan.all_measures]
    )
    record.unequal += second_draws(asker)
    if plan.controls:
        record.naive["F"] = _joined(
            findings(naive, truth, names, universe(naive, names, partial_sums=True))
            for names in plan.small_tables[:3]
        )


def _curves(record: Record, plan: Plan, asker: Asker, naive: Asker, truth: Truth) -> None:
    frozen = freshness.named_release(FIRST)
    record.findings["F curves"] = _joined(
        curve_findings(asker, names, where, frozen) for names, where in CURVES[: plan.curves]
    )
    record.findings["F at risk"] = _joined(
        at_risk_findings(asker, names, frozen) for names in AT_RISK[: plan.at_risk]
    )
    for kept, against in _against(record, plan, asker, naive):
        kept["E denominators"] = _joined(
            denominator_findings(against, truth, names, naive=against is naive)
            for names in DENOMINATORS[: plan.denominators]
        )


def _measure_curves(record: Record, asker: Asker, exact: Asker) -> None:
    record.usefulness.curves = curve_errors(asker, exact, release=FIRST)


def dealt_tables(asker: Asker, plan: Plan) -> list[Names]:
    """This registry's part of all two-way tables, dealt in an order of no meaning."""
    dealt = sorted(_two_way(asker), key=lambda names: random.Random(" ".join(names)).random())
    return dealt[plan.share :: plan.shares][: plan.most_tables]


def _two_way(asker: Asker) -> list[Names]:
    """The largest tables that there may be: a complication or a category by something else."""
    return [
        names
        for names in tables_of(asker, 2)
        if len(names) == 2 and {"category", "complication"} & set(names)
    ]


def _usefulness(record: Record, plan: Plan, asker: Asker, truth: Truth) -> None:
    checked = wrongly_shown(asker, truth)
    record.shown, record.shown_small, record.shown_empty = checked
    if not plan.utility:
        return
    record.usefulness = usefulness(asker, truth)
    exact = Asker(door_of("manager", "data manager"))
    of_devices = {"release": FIRST, "site": sites_with_implants()}
    record.usefulness.exact_limits = rate_limits(exact, **of_devices)
    record.usefulness.session = session(asker, exact, release=FIRST)
    _measure_curves(record, asker, exact)


def _many_releases(
    record: Record, plan: Plan, door: Door, asker: Asker, naive: Asker, truth: Truth, seed: int
) -> None:
    names = PLANTED_TABLE
    truths = naive.server.truths  # type: ignore[attr-defined]
    planter = Planter(seed)
    cells = insider_targets = releasing.insider_cells(
        asker, names, most=plan.insider_cells, label=FIRST
    )
    changes = _changes(truth, names, plan.releases, seed=seed)
    again = Asker(door, most_filtered=plan.most_filtered_again)
    labels = [FIRST]
    for number, cell in enumerate(changes, start=1):
        for label in releases(planter, truths, [(f"change-{number}", [cell])]):
            for kept, against in (
                (record.device_pairs, asker),
                (record.naive_device_pairs, naive),
            ):
                kept += releasing.planted_devices(
                    against, ("drug", "sex", "component"), labels[-1], label, planter.planted[0]
                )
            labels.append(label)
    for kept, against in _against(record, plan, again, naive):
        for said, used in (("G 1", labels[:2]), (f"G {len(labels) - 1}", labels)):
            mean, solved = releasing.over_releases(against, names, used)
            places = np.ones(mean.shape, bool)
            for cell in changes:
                places[tuple(against.axis(name).index(cell[name]) for name in names)] = False
            shown = np.full(int(places.sum()), np.nan)
            true = true_cells(against, truth, names)[places]
            kept[said] = Findings.of(true, shown, mean[places], solved[places])
    record.requests += again.requests
    before = truths[labels[-1]]
    plans = [(f"insider-{number}", cells) for number in range(1, releasing.INSIDER_MOST + 1)]
    grown = list(releases(planter, truths, plans[: plan.releases]))
    record.insider = releasing.insider(asker, before, names, insider_targets, grown, FIRST)
    if plan.controls:
        record.naive_insider = releasing.insider(
            naive, before, names, insider_targets, grown, FIRST
        )
    for kept, against in ((record.device_pairs, asker), (record.naive_device_pairs, naive)):
        kept += releasing.single_devices(
            against, truth, ("drug", "indication", "pump_model", "age_band", "sex")
        )
    _channels(record, plan, door, asker, truth, grown[-1])


def _channels(
    record: Record, plan: Plan, door: Door, asker: Asker, truth: Truth, last: str
) -> None:
    record.told = [
        *(f"refusal differs: {each}" for each in channels.unequal_refusals(door, FIRST, last)),
        *(f"rows differ: {each}" for each in channels.rows_that_differ(asker, FIRST, last)),
        *(f"rows or totals reached: {each}" for each in channels.rows_reached(door)),
    ]
    zeros, small = (
        [
            {**cell, "release": FIRST}
            for cell in channels.cells_by_truth(asker, truth, PLANTED_TABLE, sizes, release=FIRST)
        ]
        for sizes in ((0,), (1, 2, 3, 4))
    )
    chance = random.Random(1)
    most = min(plan.timed_cells, len(zeros), len(small))
    zeros, small = chance.sample(zeros, most), chance.sample(small, most)
    if channels.told_apart(door, zeros, small):
        record.told.append("an empty and a small cell are said to be hidden in different words")
    record.slower = channels.timing(door, zeros, small)


def _changes(truth: Truth, names: Names, count: int, *, seed: int) -> list[Cell]:
    """Cells for new records, as patients come: where there are many, more."""
    chance = np.random.default_rng(seed)
    rows = chance.choice(np.flatnonzero(truth.in_totals), count)
    columns = {name: truth.events[name] for name in names}
    return [
        {name: known[inverse[row]] for name, (known, inverse) in columns.items()} for row in rows
    ]


def _joined(found: object) -> Findings:
    return Findings.joined([each for each in found if each is not None])  # type: ignore[attr-defined]

"""Twenty releases: a hidden cell that does not change, as its parent less its parts, averaged.

The parent and the other parts grow, so that their noise is new in each release, and the cell is
what is left. The attacker knows the law of the noise; how usual each size is, and how far such
differences are off, he learns on other registries.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.disclosure.attack.designs import Design, Names, SimulatedServer, Values
from tests.disclosure.attack.judging import SURE
from tests.disclosure.attack.worlds import COARSER, DEVICE_COLUMNS, Bools, Ints, World

RELEASES = (1, 4, 8, 20)
LARGEST = 12
SMALL = slice(1, 5)
AVERAGED: tuple[Names, ...] = (
    ("category", "sex"),
    ("category", "age_band"),
    ("category", "drug"),
    ("category", "indication_group"),
    ("complication", "sex"),
    ("complication", "drug_class"),
    ("drug", "indication_group"),
    ("category", "drug_class", "sex"),
    ("drug", "sex"),
    ("indication", "sex"),
    ("pump_model", "sex"),
    ("sex", "year"),
)
NOTHING = 0.3
"""Where the margins lead to expect so few in all other hidden parts, he takes them for empty."""

HINTS = np.array([0.1, 0.3, 1.0, 2.0, 4.0, 8.0])


@dataclass(frozen=True, slots=True)
class Averaged:
    """Hidden cells of one registry after so many releases: the estimate and its rough variance.

    hint: what the margins lead to expect. NaN is nothing. alone: whether it is the only hidden one
    of a parent's parts, but for those that the margins lead to expect nothing in.
    """

    truth: Ints
    estimate: Values
    variance: Values
    hint: Values
    alone: Bools

    @classmethod
    def joined(cls, many: Sequence["Averaged"]) -> "Averaged":
        """Of several tables or registries."""
        return cls(
            *(
                np.concatenate([getattr(one, name) for one in many])
                for name in ("truth", "estimate", "variance", "hint", "alone")
            )
        )


def grown(world: World, names: Names, *, growth: float, seed: int) -> list[World]:
    """Twenty releases in which cells of 1 to 10 patients stay as they are, and all else grows."""
    chance = np.random.default_rng(seed)
    world = _only(world, names)
    cell = world.cells(names)
    patients = np.unique(np.stack([cell, world.patient]), axis=1)[0]
    known, many = np.unique(patients, return_counts=True)
    kept = set(known[(many <= 10)].tolist())
    growing = np.flatnonzero(~np.isin(cell, list(kept)))
    last = round(len(world) * ((1 + growth) ** (max(RELEASES) - 1) - 1))
    new = world.at(chance.choice(growing, last))
    patient = int(world.patient.max()) + 1 + np.arange(last)
    new = replace(new, patient=patient)
    found = []
    for release in range(max(RELEASES)):
        so_far = round(len(world) * ((1 + growth) ** release - 1))
        found.append(world.joined(new.at(np.arange(so_far))))
    return found


def _only(world: World, names: Names) -> World:
    """The columns that the table and its parents need."""
    kept = {*names, *(coarse for coarse, fine in COARSER.items() if fine in names)}
    columns = {name: world.columns[name] for name in kept}
    return World(columns, world.labels, world.patient, world.hand, world.in_totals)


def averaged(
    world: World,
    design: Design,
    names: Names,
    *,
    growth: float = 0.10,
    seed: int = 1,
    after: Sequence[int] = RELEASES,
) -> dict[int, Averaged]:
    """What is known of hidden cells after so many releases."""
    worlds = grown(world, names, growth=growth, seed=seed)[: max(after)]
    labels = [f"release {number}" for number in range(len(worlds))]
    server = SimulatedServer(design, dict(zip(labels, worlds, strict=True)), seed)
    noise = max(design.lasting[0] + design.fresh[0], 0.01)
    own = [server.table(names, label) for label in labels]
    if any(each is None for each in own):
        return {}
    shown = np.array(own)
    first, true = np.isnan(shown[0]), _true(worlds[0], names)
    hint = _expected(server, names, labels[0])
    ways = list(_lines(server, names, labels))
    found = {}
    for number in after:
        hidden = np.isnan(shown[number - 1])
        solved = _solved(shown[:number], ways, hidden, hint, noise)
        estimate, variance, alone = (each[first] for each in solved)
        found[number] = Averaged(true[first], estimate, variance, hint[first], alone)
    return found


def _true(world: World, names: Names) -> Ints:
    cell = world.cells(names)
    pairs = np.unique(np.stack([cell, world.patient])[:, cell >= 0], axis=1)[0]
    shape = world.size(names)
    return np.bincount(pairs, minlength=int(np.prod(shape))).reshape(shape)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Parents in one direction: the parent of each cell, and what each shows at each release."""

    parent: Ints
    shown: Values


def _lines(server: SimulatedServer, names: Names, labels: Sequence[str]) -> Iterator[_Lines]:
    """Directions in which patients add up: those of the patient's or device's side."""
    world = server.worlds[labels[0]]
    places = np.indices(world.size(names))
    for axis, name in enumerate(names):
        if COARSER.get(name, name) not in DEVICE_COLUMNS:
            continue
        rest = [(world.size(names)[at], places[at]) for at in range(len(names)) if at != axis]
        left = tuple(each for each in names if each != name)
        for base in (None, *(coarse for coarse in COARSER if COARSER[coarse] == name)):
            asked = left if base is None else (*left, base)
            told = [server.table(asked, label) for label in labels]
            if any(each is None for each in told):
                continue
            group = np.zeros(len(world.labels[name]), np.int64)
            if base is not None:
                group[world.columns[name]] = world.columns[base]
            parent = np.zeros(world.size(names), np.int64)
            for size, place in rest:
                parent = parent * size + place
            parent = parent * (1 if base is None else len(world.labels[base])) + group[places[axis]]
            yield _Lines(parent.ravel(), np.array(told).reshape(len(labels), -1))


def _solved(
    shown: Values, ways: Sequence[_Lines], hidden: np.ndarray, hint: Values, noise: float
) -> tuple[Values, Values, Bools]:
    """What the averaged lines alone say of each hidden cell, how unsure that is, and whether some
    line has no other hidden cell.

    Hidden cells are normal with the margins' expectation at first; each line tells their sum. Of a
    line those releases are averaged in which the same cells are hidden as in the last.
    """
    flat, now = shown.reshape(len(shown), -1), hidden.ravel()
    which = np.flatnonzero(now)
    place = np.full(now.size, -1)
    place[which] = np.arange(which.size)
    usual = np.minimum(hint.ravel()[which], 8.0)
    prior = 0.02 + usual + 0.25 * usual**2  # as Poisson, and the expectation itself is unsure
    precision, pull = np.diag(1 / prior), usual / prior
    blank, alone = np.isnan(flat), np.zeros(now.size, bool)
    for way in ways:
        for parent in np.unique(way.parent[which]).tolist():
            cells = np.flatnonzero(way.parent == parent)
            same = (blank[:, cells] == now[cells]).all(axis=1)
            same &= ~np.isnan(way.shown[: len(flat), parent])
            if not same.any():
                continue
            known, unknown = cells[~now[cells]], place[cells[now[cells]]]
            parts = flat[np.ix_(same, known)]
            said = way.shown[: len(flat)][same, parent] - parts.sum(axis=1)
            draws = 1 + (np.diff(parts, axis=0) != 0).sum(axis=0)
            variance = noise * (1 / same.sum() + (1 / draws).sum())
            precision[np.ix_(unknown, unknown)] += 1 / variance
            pull[unknown] += said.mean() / variance
            beside = usual[unknown].sum() - usual[unknown]
            alone[which[unknown[beside < NOTHING]]] = True
    spread = np.linalg.inv(precision)
    mean, variance = spread @ pull, np.diag(spread)
    told = 1 / np.maximum(variance, 1e-9) - 1 / prior
    usable = told > 0.02
    estimate, unsure = np.full(now.size, np.nan), np.full(now.size, np.nan)
    by_lines = (mean / variance - usual / prior) / np.where(usable, told, 1.0)
    estimate[which[usable]], unsure[which[usable]] = by_lines[usable], 1 / told[usable]
    return tuple(each.reshape(hidden.shape) for each in (estimate, unsure, alone))  # type: ignore[return-value]


def _expected(server: SimulatedServer, names: Names, label: str) -> Values:
    whole = server.table((), label)
    total = max(1.0, float(np.nan_to_num(whole, nan=1.0)))  # type: ignore[arg-type]
    result = np.array(total)
    for name in names:
        alone = server.table((name,), label)
        result = np.multiply.outer(result, np.nan_to_num(alone, nan=3.0) / total)  # type: ignore[arg-type]
    return result


@dataclass(frozen=True, slots=True)
class SureOf:
    """Shares of hidden cells of 1 to 4: of whose size he is sure, and right, or wrong."""

    cells: int
    right: float
    wrong: float
    named: float
    commonest: float


def sure_of(found: Averaged, practice: Sequence[Averaged], *, alone: bool = True) -> SureOf:
    """Bayes' rule, with what is usual learnt on other registries.

    alone: judge only cells that are alone, of which most can be learnt.
    """
    known = Averaged.joined(practice)
    sizes = np.arange(LARGEST + 1)
    size = np.minimum(known.truth, LARGEST)
    bins = np.searchsorted(HINTS, known.hint)
    usual = np.bincount(bins * (LARGEST + 1) + size, minlength=(HINTS.size + 1) * (LARGEST + 1))
    usual = usual.reshape(HINTS.size + 1, LARGEST + 1) + 2.0 * np.bincount(
        size, minlength=LARGEST + 1
    ) / max(size.size, 1)
    usual = usual / usual.sum(axis=1, keepdims=True)
    usable = ~np.isnan(known.estimate)
    off = (known.estimate[usable] - known.truth[usable]) ** 2 / known.variance[usable]
    scale = float(np.clip(np.median(off) / 0.455, 0.3, 10.0)) if off.size > 10 else 1.0
    chance = np.log(np.maximum(usual[np.searchsorted(HINTS, found.hint)], 1e-9))
    said = ~np.isnan(found.estimate)
    distance = np.where(said, found.estimate, 0.0)[:, None] - sizes
    spread = scale * np.where(said, found.variance, 1.0)
    chance = chance - np.where(said, 0.5 / spread, 0.0)[:, None] * distance**2
    chance = np.exp(chance - chance.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    small = (found.truth >= SMALL.start) & (found.truth < SMALL.stop)
    if alone:
        small = small & found.alone
    truth, mine = found.truth[small], chance[small]
    if not truth.size:
        return SureOf(0, 0.0, 0.0, 0.0, 0.0)
    guess = mine.argmax(axis=1)
    named = mine[:, SMALL].argmax(axis=1) + SMALL.start
    sure = (mine.max(axis=1) > SURE) & (guess >= SMALL.start)
    return SureOf(
        cells=int(truth.size),
        right=float((sure & (guess == truth)).mean()),
        wrong=float((sure & (guess != truth)).mean()),
        named=float((named == truth).mean()),
        commonest=float(np.bincount(truth).max() / truth.size),
    )

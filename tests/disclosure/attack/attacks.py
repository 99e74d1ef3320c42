"""Attacks C to F: what one release's answers give away about its small cells.

Every attack asks like anybody: the same code goes at every server, takes what it is answered, and
goes round what it is refused.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

import numpy as np
from scipy import sparse

from registry.vocabulary import NOT_RECORDED
from tests.disclosure.attack.asking import (
    Asker,
    Table,
    Values,
)
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.solving import NOISE, Margin, expected, margins, solve
from tests.disclosure.attack.truth import Truth

Names = tuple[str, ...]


def tables_of(asker: Asker, most: int = 3) -> list[Names]:
    """Every choice of at most three groupings that belong to different dimensions."""
    return [
        chosen
        for size in range(1, most + 1)
        for chosen in combinations(sorted(asker.offered()), size)
        if len({asker.tree_of(name) for name in chosen}) == size
    ]


def true_cells(asker: Asker, truth: Truth, names: Names) -> np.ndarray:
    """The truth of a table, along the axes as the answers list them."""
    axes = {name: asker.axis(name) for name in names}
    return truth.counted(axes, unit=asker.server.unit)


def shown_cells(asker: Asker, names: Names, **options: str) -> Values | None:
    """What the table itself shows."""
    table = asker.table(names, **options)
    return None if table is None else table.values


# C, D: a cell from the difference of sets that are large enough to be shown


def differences(asker: Asker, names: Names, **options: str) -> Values | None:
    """C: each cell as a set less the same set without it, along one dimension, two, or three.

    The fewest dimensions that give a number are used, and the mean of all ways that they do.
    Where a filter on several values is refused, the others are summed from the table itself.
    """

    def terms(axes: Sequence[int]) -> Iterator[tuple[int, Values | None]]:
        for without in _subsets(axes):
            forms = {axis: "but" if axis in without else "all" for axis in axes}
            yield (-1) ** len(without), _term(asker, names, forms, None, options)

    return _fewest(asker, names, terms, options)


def trackers(asker: Asker, names: Names, *, seed: int = 1, **options: str) -> Values | None:
    """D: the general tracker of Denning (1979): for a set T of values that is no secret,

        q(a) = q(a or T) + q(a or not T) - q(all)

    along one dimension, or along two or three at once.
    """
    chance = random.Random(seed)
    tracker = {}
    for name in names:
        labels = asker.axis(name)
        tracker[name] = set(chance.sample(labels, len(labels) // 2))

    def terms(axes: Sequence[int]) -> Iterator[tuple[int, Values | None]]:
        for forms in product(("with", "without", "all"), repeat=len(axes)):
            chosen = dict(zip(axes, forms, strict=True))
            yield (-1) ** forms.count("all"), _term(asker, names, chosen, tracker, options)

    return _fewest(asker, names, terms, options)


def _fewest(asker: Asker, names: Names, terms: object, options: Mapping[str, str]) -> Values | None:
    own = shown_cells(asker, names, **options)
    if own is None:
        return None
    best = np.full(own.shape, np.nan)
    for size in range(1, len(names) + 1):
        ways = []
        for axes in combinations(range(len(names)), size):
            total: Values = np.zeros(own.shape)
            for sign, value in terms(axes):  # type: ignore[operator]
                if value is None:
                    break
                total = total + sign * value
            else:
                ways.append(total)
        if ways:
            found = np.array(ways)
            known = (~np.isnan(found)).sum(axis=0)
            mean = np.nansum(found, axis=0) / np.maximum(known, 1)
            best = np.where(np.isnan(best) & (known > 0), mean, best)
        if not np.isnan(best).any():
            break
    return best


def _subsets(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(axes) + 1):
        yield from combinations(axes, size)


def _term(
    asker: Asker,
    names: Names,
    forms: Mapping[int, str],
    tracker: Mapping[str, set[str]] | None,
    options: Mapping[str, str],
) -> Values | None:
    """One answer for every cell: along some axes all values, along others all but the cell's own
    (or the tracker with it), along the rest the cell's own value."""
    grouped = tuple(name for axis, name in enumerate(names) if axis not in forms)
    varied = [axis for axis, form in sorted(forms.items()) if form != "all"]
    labels = [asker.axis(names[axis]) for axis in varied]
    if np.prod([len(each) for each in labels], dtype=int) > asker.most_filtered:
        return None
    shape = [len(asker.axis(name)) if a not in forms else 1 for a, name in enumerate(names)]
    result = np.full([len(asker.axis(name)) if a not in forms or a in varied else 1
                      for a, name in enumerate(names)], np.nan)  # fmt: skip
    for chosen in product(*(range(len(each)) for each in labels)):
        where = {}
        for axis, each, place in zip(varied, labels, chosen, strict=True):
            name = names[axis]
            where[name] = _values(forms[axis], each, each[place], tracker and tracker[name])
        if any(not values for values in where.values()):
            continue
        table = asker.table(grouped, where, **options)
        if table is None:
            return _summed(asker, names, forms, options) if tracker is None else None
        index = tuple(
            slice(None) if axis not in varied else slice(p := chosen[varied.index(axis)], p + 1)
            for axis in range(len(names))
        )
        result[index] = table.values.reshape(shape)
    return result


def _values(
    form: str, labels: Sequence[str], own: str, tracker: set[str] | None
) -> tuple[str, ...]:
    if form == "but":
        return tuple(label for label in labels if label != own)
    inside = form == "with"
    return tuple(label for label in labels if label == own or (label in (tracker or ())) is inside)


def _summed(
    asker: Asker, names: Names, forms: Mapping[int, str], options: Mapping[str, str]
) -> Values | None:
    """All but each value, where that may not be asked: the other shown cells, summed."""
    varied = [axis for axis, form in forms.items() if form == "but"]
    rest = [axis for axis, form in forms.items() if form == "all"]
    kept = tuple(name for axis, name in enumerate(names) if axis not in rest)
    table = asker.table(kept, **options)
    if table is None:
        return None
    known = np.nan_to_num(table.values)
    for axis in varied:
        place = kept.index(names[axis])
        usual = np.array([asker.in_all(names[axis], lb) for lb in asker.axis(names[axis])], float)
        line = [1] * known.ndim
        line[place] = usual.size
        weighted = known * usual.reshape(line)
        known = weighted.sum(axis=place, keepdims=True) - weighted
    for axis in sorted(rest):
        known = np.expand_dims(known, axis)
    return known


# E: the mean of many parents


def parents(
    asker: Asker,
    names: Names,
    *,
    most: int,
    refined_by: int | None = None,
    joins: int = 4,
    seed: int = 1,
) -> dict[int, Values] | None:
    """E: the mean over 1, 10, 100 ... `most` parents of each cell, less the rest of the parent.

    Parents are joined of random values, in `joins` draws, where they may be (then only clean
    answers count, since what is hidden was never in them), and are all values or the cell's group;
    each, and its rest,
    is taken as shown and as the sum of its parts in every other dimension (or the first
    `refined_by`), patients and devices.
    """
    own = shown_cells(asker, names)
    if own is None:
        return None
    chance = random.Random(seed)
    joined = _joined_parents(asker, names, most=min(most, joins), chance=chance)
    pools = _refined_parents(asker, names, refined_by)
    means: dict[int, Values] = {}
    sizes = [size for size in (1, 10, 100, 1000) if size <= most]
    for size in sizes:
        drawn = list(joined[:size])
        pairs = [(p, r) for wholes, rests in pools for p in wholes for r in rests]
        chance.shuffle(pairs)
        if not any((~np.isnan(each)).any() for each in drawn):
            drawn = [whole - rest for whole, rest in pairs[:size]]
        else:
            drawn = [*drawn, *(_only_where_unknown(drawn, p - r) for p, r in pairs[:size])]
        stack = np.array(drawn) if drawn else np.full((1, *own.shape), np.nan)
        known = (~np.isnan(stack)).sum(axis=0)
        means[size] = np.where(known, np.nansum(stack, axis=0) / np.maximum(known, 1), np.nan)
    return means


def _only_where_unknown(known: Sequence[Values], value: Values) -> Values:
    return np.where((~np.isnan(np.array(known))).any(axis=0), np.nan, value)


def _joined_parents(
    asker: Asker, names: Names, *, most: int, chance: random.Random
) -> list[Values]:
    """The same random set of values with and without the cell's own, where both are clean."""
    axes = [axis for axis, name in enumerate(names) if asker.tree_of(name) == name]
    found: list[Values] = []
    for draw in range(most):
        axis = axes[draw % len(axes)] if axes else 0
        name, labels = names[axis], asker.axis(names[axis])
        grouped = tuple(each for each in names if each != name)
        chosen = {label for label in labels if chance.random() < 0.5}
        result = []
        for own in labels:
            without = tuple(label for label in labels if label in chosen and label != own)
            more = tuple(label for label in labels if label in chosen or label == own)
            whole = asker.table(grouped, {name: more})
            rest = asker.table(grouped, {name: without}) if without else None
            if whole is None or rest is None:
                blank = np.full([len(asker.axis(each)) for each in grouped], np.nan)
                result.append(blank)
                continue
            both = whole.clean & rest.clean
            result.append(np.where(both, whole.values - rest.values, np.nan))
        found.append(np.stack(result, axis=axis))
    return [each for each in found if (~np.isnan(each)).any()]


def _refined_parents(
    asker: Asker, names: Names, most: int | None
) -> list[tuple[list[Values], list[Values]]]:
    """For each dimension and each wider place: the parents, and the rests, in every version."""
    countings = ({}, {"counting": "devices"})
    others = [
        other
        for other in asker.offered()
        if asker.tree_of(other) == other and other not in {asker.tree_of(name) for name in names}
    ][:most]
    found = []
    for axis, name in enumerate(names):
        labels = asker.axis(name)
        bases: list[np.ndarray] = [np.array([asker.in_all(name, lb) for lb in labels], float)]
        groups = [asker.group_of(name, lb) or NOT_RECORDED for lb in labels]
        same = np.array([[float(g == h) for h in groups] for g in groups])
        rests_of_all = np.tile(bases[0], (len(labels), 1)) - np.eye(len(labels)) * bases[0]
        wider = [(None, rests_of_all)]
        coarse = asker.coarser(name)
        if coarse is not None:
            wider.append((coarse, same - np.eye(len(labels))))
        for base, rest in wider:
            wholes, rests = [], []
            for counting in countings if asker.server.unit == "patients" else ({},):
                for other in (None, *others):
                    extra = () if other is None else (other,)
                    kept = tuple(each for each in names if each != name)
                    parent = asker.table((*kept, *((base,) if base else ()), *extra), **counting)
                    cells = asker.table((*names, *extra), **counting)
                    if parent is not None:
                        whole = _collapsed(parent, bool(extra))
                        wholes.append(at_cells(asker, whole, kept, axis, base, groups))
                    if cells is not None:
                        siblings = np.nan_to_num(_collapsed(cells, bool(extra)))
                        moved = np.moveaxis(siblings, axis, -1) @ rest.T
                        rests.append(np.moveaxis(moved, -1, axis))
            if wholes and rests:
                found.append((wholes, rests))
    return found


def _collapsed(table: Table, refined: bool) -> Values:
    """A table as shown, or summed over the dimension that refines it; NaN where nothing shows."""
    if not refined:
        return table.values
    nothing = np.isnan(table.values).all(axis=-1)
    return np.where(nothing, np.nan, np.nansum(table.values, axis=-1))


def at_cells(
    asker: Asker,
    whole: Values,
    kept: Names,
    axis: int,
    base: str | None,
    groups: Sequence[str],
) -> Values:
    """The parent of every cell along the axis that it was widened on.

    A group that no table tells (consequences count only where they are named) is no parent.
    """
    if base is None:
        return np.repeat(np.expand_dims(whole, axis), len(groups), axis=axis)
    place = {label: index for index, label in enumerate(asker.axis(base))}
    taken = np.full((*whole.shape[:-1], len(groups)), np.nan)
    for at, group in enumerate(groups):
        if group in place:
            taken[..., at] = whole[..., place[group]]
    return np.moveaxis(taken, len(kept), axis)


# F: the whole universe


def universe(
    asker: Asker, names: Names, *, all_units: bool = False, partial_sums: bool = False
) -> Values | None:
    """F: the table that fits best everything published about it and its margins.

    all_units: devices and first events of rates as well, which are other noise on nearly the same
    cells. partial_sums: use sums of all values but one as well, as in C.
    """
    found = margins(asker, names)
    if not found or shown_cells(asker, names) is None:
        return None
    if all_units:
        found = [
            *found,
            *margins(asker, names, counting="devices"),
            *margins(asker, names, measure="rates", column="events"),
        ]
    if partial_sums and (single := differences(asker, names)) is not None:
        each = sparse.csr_array(sparse.eye(single.size))
        found.append(Margin(each, single.ravel(), np.full(single.size, 2 * NOISE)))
    return solve(found, expected(asker, names))


def findings(asker: Asker, truth: Truth, names: Names, estimate: Values | None) -> Findings | None:
    """What an estimate of a whole table is worth being judged by."""
    shown = shown_cells(asker, names)
    if shown is None or estimate is None:
        return None
    return Findings.of(true_cells(asker, truth, names), shown, estimate, expected(asker, names))

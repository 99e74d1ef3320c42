"""Attacks G, H and I: what one release after another, an insider, and device time give away."""

from collections.abc import Sequence

import numpy as np

from registry.models import Implant
from tests.disclosure.attack.asking import Asker, Values
from tests.disclosure.attack.attacks import Names, differences
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.patience import FIRST_IN_MEAN
from tests.disclosure.attack.registries import Cell
from tests.disclosure.attack.solving import Margin, expected, margins, solve
from tests.disclosure.attack.truth import Truth

INSIDER_MOST = 20


def over_releases(asker: Asker, names: Names, labels: Sequence[str]) -> tuple[Values, Values]:
    """G: differences as in C, and the solved table as in F, from the mean of all releases.

    A set of records that changed is perturbed anew, so that its mean over releases is nearer to
    the truth; a hidden cell that did not change stays what it was.
    """
    found = [differences(asker, names, release=label) for label in labels]
    stack = np.array([each for each in found if each is not None])
    known = (~np.isnan(stack)).sum(axis=0)
    mean = np.where(known, np.nansum(stack, axis=0) / np.maximum(known, 1), np.nan)
    each = [margins(asker, names, release=label) for label in labels]
    averaged = []
    for versions in zip(*each, strict=True):
        shown = np.array([version.shown for version in versions])
        draws = 1 + (np.diff(shown, axis=0) != 0).sum(axis=0)
        variance = versions[0].variance / np.maximum(draws, 1)
        averaged.append(Margin(versions[0].members, shown.mean(axis=0), variance))
    return mean, solve(averaged, expected(asker, names, release=labels[0]))


def insider_cells(asker: Asker, names: Names, *, most: int, label: str) -> list[Cell]:
    """H: the hidden cells that an insider goes for: those that the margins lead to expect most in.

    He cannot see what is in them, and most hidden cells are empty.
    """
    table = asker.table(names, release=label)
    if table is None:
        return []
    awaited = np.where(np.isnan(table.values), expected(asker, names, release=label), -1.0)
    order = np.column_stack(np.unravel_index(np.argsort(-awaited, axis=None), awaited.shape))
    usual = (
        {name: asker.axis(name)[place] for name, place in zip(names, index, strict=True)}
        for index in order
        if awaited[tuple(index)] >= 0
    )
    return [cell for cell in usual if asker.in_all("category", cell["category"])][:most]


def insider(
    asker: Asker,
    truth: Truth,
    names: Names,
    cells: Sequence[Cell],
    labels: Sequence[str],
    first: str,
) -> list[Findings]:
    """H: what he makes of his cells with 1, 2 ... of his own records in them, and of the mean.

    labels: the releases, each with one more of his records in every cell. The last findings are
    the mean over all of them: beyond the attack of twenty records, it is told and not limited.
    """
    places = tuple(
        np.array([asker.axis(name).index(cell[name]) for cell in cells]) for name in names
    )
    true = truth.counted({name: asker.axis(name) for name in names}, unit=asker.server.unit)[places]
    hint = expected(asker, names, release=first)[places]
    nothing = np.full(len(cells), np.nan)
    found, estimates = [], []
    for planted, label in enumerate(labels, start=1):
        table = asker.table(names, release=label)
        shown = nothing if table is None else table.values[places]
        estimates.append(shown - planted)
        found.append(Findings.of(true, nothing, shown - planted, hint))
    usable = np.array(estimates[FIRST_IN_MEAN - 1 :] or estimates)
    known = (~np.isnan(usable)).sum(axis=0)
    mean = np.where(known, np.nansum(usable, axis=0) / np.maximum(known, 1), np.nan)
    return [*found, Findings.of(true, nothing, mean, hint)]


# I: one device's follow-up from the difference of two exposures


def single_devices(asker: Asker, truth: Truth, names: Sequence[str]) -> list[tuple[float, float]]:
    """Exposure of all less exposure of all but one value, where that value has one device.

    Pairs of what the difference says and what is true, in months; the truth picks the values, so
    that this is an attacker who knows whom he is after.
    """
    found = []
    whole = asker.table((), measure="rates", column="exposure")
    for name in names:
        labels = asker.axis(name)
        if not asker.is_summable(name) or whole is None:
            continue
        devices = truth.keyed({name: labels}, unit="devices", population=True)[0]
        months = truth.time({name: labels})
        for label, count, time in zip(labels, devices, months, strict=True):
            if count != 1:
                continue
            others = tuple(other for other in labels if other != label)
            rest = asker.table((), {name: others}, measure="rates", column="exposure")
            if rest is not None and not np.isnan(whole.values - rest.values):
                found.append((float(whole.values - rest.values), float(time)))
    return found


def planted_devices(
    asker: Asker, names: Sequence[str], before: str, after: str, planted: Implant
) -> list[tuple[float, float]]:
    """Exposure after a release less before, of every answer that one new device went into."""
    time = float(planted.months_followed - planted.months_to_entry) or 0.25
    found = []
    for name in (None, *names):
        grouped = () if name is None else (name,)
        one, two = (
            asker.table(grouped, measure="rates", column="exposure", release=label)
            for label in (before, after)
        )
        if one is None or two is None:
            continue
        place: tuple[int, ...] = ()
        if name is not None:
            value = getattr(planted, name, None) or getattr(planted.patient, name, "")
            if value not in asker.axis(name):
                continue
            place = (asker.axis(name).index(value),)
        step = two.values[place] - one.values[place]
        if not np.isnan(step):
            found.append((float(step), time))
    return found

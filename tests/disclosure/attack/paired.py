"""A campaign on persons: every way in which a registry changes, at every server that is asked.

`Scenario` is one way; `collect` looks at one registry, `judged` judges registries of one size, each
by an attacker trained on the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.disclosure.attack.averaging import AVERAGED, RELEASES, Averaged, averaged, sure_of
from tests.disclosure.attack.designs import Design, SimulatedServer, Tables
from tests.disclosure.attack.limits import (
    MOST_BY_CATEGORIES,
    MOST_BY_COMPLICATIONS,
    MOST_BY_LENS,
    MOST_FOUND,
    MOST_NAMED,
    MOST_SURE_AFTER,
)
from tests.disclosure.attack.naming import Newcomers, named
from tests.disclosure.attack.persons import (
    BY_ALL,
    BY_COURSE,
    BY_EIGHT,
    BY_THREE,
    KINDS,
    OVER_CATEGORIES,
    OVER_COMPLICATIONS,
    Change,
    Pair,
    Seen,
    look,
    pairs,
)
from tests.disclosure.attack.recognising import Recogniser, auc, found_at
from tests.disclosure.attack.worlds import World

Serve = Callable[[Pair, int], Tables]
"""Puts a pair of worlds behind a server; the number makes its noise."""

RELEASED = "as released"
FOUR, TWENTY, FORTY = (f"{RELEASED}, {planted} planted" for planted in (4, 20, 40))
CHANGES: Mapping[str, Change] = {
    RELEASED: Change(),
    "10 %": Change(least=0),
    "3 %": Change(growth=0.03, least=0),
    "1 %": Change(growth=0.01, least=0),
    FOUR: Change(planted=4),
    TWENTY: Change(planted=20),
    "10 %, 20 planted": Change(planted=20, least=0),
    FORTY: Change(planted=40),
    f"{FORTY} at two hands": Change(planted=40, hands=2),
}
LIMITED = (RELEASED, FOUR, TWENTY)
"""Changes that the limits are for; the others are told.

A tenth alone is what a release waits for where that is 200 records or more.
"""

LENSES = (TWENTY, FORTY)
VIEWS = {
    "complications": OVER_COMPLICATIONS,
    "categories": OVER_CATEGORIES,
    "both": OVER_COMPLICATIONS | OVER_CATEGORIES,
}
EIGHT = "eight"
KNOWN = {
    EIGHT: BY_EIGHT,
    "eight of the course": BY_COURSE,
    "all sixteen": BY_ALL,
    "three": BY_THREE,
}
"""What the attacker knows of the person, in words."""
STANDING_OUT = 0.25
"""The share of attributes that he names where he may choose."""


@dataclass
class Persons:
    """What was seen of one registry: by change, then by kind; and of newcomers and hidden cells.

    known: of each person.
    """

    known: frozenset[str] = BY_EIGHT
    seen: dict[str, dict[str, Seen]] = field(default_factory=dict)
    newcomers: dict[str, list[Newcomers]] = field(default_factory=dict)
    hidden: dict[int, Averaged] = field(default_factory=dict)


def simulated(design: Design, seed: int) -> Serve:
    """A design as the server; every pair has keys of its own."""
    return lambda pair, number: SimulatedServer(design, pair.worlds, 100_003 * seed + number)


def collect(
    world: World,
    serve: Serve,
    *,
    seed: int,
    many: int = 100,
    changes: Mapping[str, Change] = CHANGES,
    known: frozenset[str] = BY_ALL,
) -> Persons:
    """Look at one registry through one server, until there are so many persons of each kind."""
    found = Persons(known)
    for place, (said, change) in enumerate(changes.items()):
        seen: dict[str, list[Seen]] = {}
        came = []
        for number, pair in enumerate(pairs(world, change, seed=100 * seed + place, many=many)):
            server = serve(pair, 1_009 * place + number)
            for kind, each in look(server, pair, known).items():
                seen.setdefault(kind, []).append(each)
            came.append(Newcomers.of(server, pair.worlds))
        found.seen[said] = {kind: Seen.joined(each) for kind, each in seen.items()}
        found.newcomers[said] = came
    return found


def hidden_over_releases(world: World, design: Design, *, seed: int) -> dict[int, Averaged]:
    """Hidden cells of every table after 1, 4, 8 and 20 releases."""
    found = [averaged(world, design, names, seed=seed) for names in AVERAGED]
    return {
        release: Averaged.joined([each[release] for each in found if each]) for release in RELEASES
    }


@dataclass(frozen=True, slots=True)
class Recognised:
    """How well persons were told apart: the mean over registries, and its standard error."""

    auc: float
    error: float
    found: float
    persons: int
    by_band: tuple[float, ...]


def recognised(
    registries: Sequence[Persons],
    change: str,
    kind: str,
    *,
    known: str = EIGHT,
    view: str = "both",
    practice: Sequence[Persons] = (),
) -> Recognised:
    """Judge one change and kind, every registry by what was learnt on all the others."""
    mine = [_view(each, change, kind, known, view) for each in registries]
    own = [_view(each, change, kind, known, view) for each in practice]
    scores = [
        Recogniser.trained([*own, *mine[:place], *mine[place + 1 :]]).scores(seen)
        for place, seen in enumerate(mine)
    ]
    each = [auc(*both) for both in scores]
    changed, same = (np.concatenate([both[side] for both in scores]) for side in (0, 1))
    band = np.concatenate([seen.band for seen in mine])
    return Recognised(
        auc=float(np.mean(each)),
        error=float(np.std(each, ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan"),
        found=found_at(changed, same),
        persons=int(band.size),
        by_band=tuple(auc(changed[band == b], same[band == b]) for b in range(3)),
    )


def _view(persons: Persons, change: str, kind: str, known: str, view: str) -> Seen:
    return persons.seen[change][kind].by(KNOWN[known]).over(VIEWS[view])


def lines(
    size: int, registries: Sequence[Persons], practice: Sequence[Persons] = ()
) -> tuple[list[str], list[str]]:
    """The table of one size in Markdown, and the limits that are broken."""
    told, broken = [], []
    for change in registries[0].seen:
        for kind in (kind for kind in KINDS if kind in registries[0].seen[change]):
            for known in (said for said, each in KNOWN.items() if each <= registries[0].known):
                rows = {
                    view: recognised(
                        registries, change, kind, known=known, view=view, practice=practice
                    )
                    for view in VIEWS
                }
                told.append(_line(size, f"{kind}, {change}, known by {known}", rows))
                if change in LIMITED:
                    broken += _over(f"{size:,}: {kind}, {change}, known by {known}", rows)
    broken += _lenses(size, registries, practice, told)
    broken += _named(size, registries, practice, told)
    broken += _hidden(size, registries, told)
    return told, broken


def _line(size: int, said: str, rows: Mapping[str, Recognised]) -> str:
    cells = [f"{each.auc:.2f} ± {each.error:.2f}, {each.found:.2f}" for each in rows.values()]
    bands = " ".join(f"{value:.2f}" for value in rows["both"].by_band)
    return f"| {size:,} | {said} | {rows['both'].persons} | {' | '.join(cells)} | {bands} |"


def _over(said: str, rows: Mapping[str, Recognised]) -> list[str]:
    limits = {"complications": MOST_BY_COMPLICATIONS, "categories": MOST_BY_CATEGORIES}
    broken = [
        f"{said}: AUC over {view} {rows[view].auc:.3f} is over {most:g}"
        for view, most in limits.items()
        if rows[view].auc > most
    ]
    most = max(each.found for each in rows.values())
    if most > MOST_FOUND:
        broken.append(f"{said}: TPR at 2 % FPR {most:.3f} is over {MOST_FOUND:g}")
    return broken


def _lenses(
    size: int, registries: Sequence[Persons], practice: Sequence[Persons], told: list[str]
) -> list[str]:
    broken = []
    for change in (each for each in CHANGES if each.startswith(RELEASED) and "planted" in each):
        if change not in registries[0].seen:
            continue
        with_them, none = (
            recognised(registries, each, "arrival", practice=practice)
            for each in (change, RELEASED)
        )
        gain = with_them.auc - none.auc
        limit = f"{MOST_BY_LENS:g}" if change in LENSES else "told only"
        told.append(f"| {size:,} | lens: {change}: AUC above none | {gain:+.2f} | {limit} |")
        if change in LENSES and gain > MOST_BY_LENS:
            broken.append(f"{size:,}: lens, {change}: {gain:+.3f} is over {MOST_BY_LENS:g}")
    return broken


def _named(
    size: int, registries: Sequence[Persons], practice: Sequence[Persons], told: list[str]
) -> list[str]:
    broken = []
    for change in registries[0].newcomers:
        for share in (1.0, STANDING_OUT):
            each = [
                named(
                    mine.newcomers[change],
                    [n for other in (*practice, *registries) if other is not mine
                     for n in other.newcomers[change]],
                    told=share,
                )
                for mine in registries
            ]  # fmt: skip
            many = sum(one.many for one in each)
            right, commonest = (
                100 * sum(one.many * getattr(one, name) for one in each) / max(many, 1)
                for name in ("right", "commonest")
            )
            said = f"{change}, {100 * share:.0f} % of {many} attributes named"
            limit = MOST_NAMED if change in LIMITED else "told only"
            told.append(
                f"| {size:,} | newcomers, {said} | {right:.0f} | {commonest:.0f} | {limit} |"
            )
            if change in LIMITED and right - commonest > MOST_NAMED:
                broken.append(
                    f"{size:,}: newcomers, {said}: {right - commonest:+.1f} points above the "
                    f"commonest is over {MOST_NAMED:g}"
                )
    return broken


def _hidden(size: int, registries: Sequence[Persons], told: list[str]) -> list[str]:
    broken = []
    for release in registries[0].hidden:
        each = [one.hidden[release] for one in registries]
        most = MOST_SURE_AFTER.get(release)
        for alone in (True, False):
            verdicts = [
                sure_of(one, [other for other in each if other is not one], alone=alone)
                for one in each
            ]
            cells = sum(verdict.cells for verdict in verdicts)
            right, wrong, named_right, commonest = (
                100 * float(np.mean([getattr(verdict, name) for verdict in verdicts]))
                for name in ("right", "wrong", "named", "commonest")
            )
            said = f"hidden cells{', alone in a parent' if alone else ''}, {release} releases"
            told.append(
                f"| {size:,} | {said} | {cells:,} | {right:.1f} | {wrong:.1f} | {named_right:.0f} "
                f"| {commonest:.0f} | {'told only' if most is None else f'{100 * most:g}'} |"
            )
            if most is not None and right > 100 * most:
                broken.append(f"{size:,}: {said}: sure and right of {right:.1f} %, over {most:.0%}")
    return broken

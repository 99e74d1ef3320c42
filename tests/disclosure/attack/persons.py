"""Change between releases: was this person added, taken out, or corrected?

Pairs of worlds that differ by one person. He is known by attributes of one of his events; the
attacker looks at every table in which these attributes have a cell, in the release before and in
that after. What a cell's two numbers say he learns on other registries, whose truth he has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tests.disclosure.attack.designs import Names, Tables, Values
from tests.disclosure.attack.worlds import ASKED, COURSE, WHO, Ints, World, parted, tree_of

BEFORE, AFTER, OTHERWISE = "before", "after", "otherwise"
"""The first release, and what comes next in either world of a pair."""

PLAIN = "plain"
"""A column that a world may have: whether the attacker can know such a patient's attributes."""

BY_EIGHT = frozenset({"complication", *WHO, "site"})
BY_COURSE = frozenset({"complication", *COURSE, "cause", "sex", "site"})
"""Eight others: what happened to somebody, what it came from, and what was done about it."""

BY_ALL = BY_EIGHT | BY_COURSE | {"procedure", "pump_site", "pump_plane"}
BY_THREE = frozenset({"complication", "age_band", "sex"})
KINDS = ("arrival", "withdrawal", "correction")
BANDS = {"1 to 10": (1, 10), "11 to 40": (11, 40), "41 to 150": (41, 150)}
"""Patients of the person's complication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens between two releases.

    growth, least: new records, as a share of those before, or so many where that is more: a release
    waits for both. planted: invented records like the person's,
    put in before the first release, at so many hands. a_round: persons of each kind in one pair.
    """

    growth: float = 0.10
    least: int = 200
    planted: int = 0
    hands: int = 1
    a_round: int = 34
    kinds: tuple[str, ...] = KINDS
    bands: tuple[str, ...] = tuple(BANDS)

    def share(self, records: int) -> float:
        """New records as a share of those before."""
        return max(self.growth, self.least / max(records, 1))

    def persons(self, records: int) -> int:
        """So many of each kind that they stay few among the records, and an even number."""
        most = min(
            self.a_round, self.share(records) * records / 4, 0.06 * records / max(1, self.planted)
        )
        return max(2, 2 * int(most / 2))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two worlds from one past. Each person is changed in one of them.

    person: a record of each; kind, band: positions in KINDS and BANDS; in_after: whether the
    change is in AFTER (else in OTHERWISE). corrected: the complication it is corrected to.
    planted: invented records, which are in all three worlds.
    """

    worlds: Mapping[str, World]
    person: World
    kind: Ints
    band: Ints
    in_after: np.ndarray
    corrected: Ints
    planted: World | None = None


def pairs(world: World, change: Change, *, seed: int, many: int) -> Iterator[Pair]:
    """Pairs of worlds until there are so many persons of each kind."""
    chance = np.random.default_rng(seed)
    done = 0
    while done < many:
        each = change.persons(len(world))
        yield _pair(world, change, min(each, many - done + (many - done) % 2), chance)
        done += each


def _pair(world: World, change: Change, each: int, chance: np.random.Generator) -> Pair:
    chosen, band = _persons(world, each * len(change.kinds), change.bands, chance)
    kinds = np.array([KINDS.index(kind) for kind in change.kinds])
    kind = np.resize(kinds, chosen.size)
    in_after = np.arange(chosen.size) // len(kinds) % 2 == 0
    chosen_by = np.full(int(world.patient.max()) + 1, -1)
    chosen_by[world.patient[chosen]] = np.arange(chosen.size)
    owner = chosen_by[world.patient]
    of_kind = np.where(owner >= 0, kind[owner], -1)
    changed_after = np.where(owner >= 0, in_after[owner], False)
    arriving = of_kind == KINDS.index("arrival")
    leaving = of_kind == KINDS.index("withdrawal")
    growth = change.share(len(world))
    new = growth / (1 + growth) * len(world) - arriving.sum() / 2
    others = np.flatnonzero(owner < 0)
    (growing,) = parted(others.size, [max(0, round(new))], chance)
    later = np.zeros(len(world), bool)
    later[others[growing]] = True
    corrected = _corrected(world, chosen, chance)
    worlds = {BEFORE: world.at(~later & ~arriving)}
    for release, here in ((AFTER, changed_after), (OTHERWISE, ~changed_after)):
        kept = np.where(arriving, here, True) & ~(leaving & here)
        of_release = in_after if release == AFTER else ~in_after
        fixed = np.flatnonzero((kind == KINDS.index("correction")) & of_release)
        columns = {
            "complication": corrected[fixed],
            "category": _category_of(world)[corrected[fixed]],
        }
        worlds[release] = world.changed(chosen[fixed], **columns).at(kept)
    planted = _planted(world, chosen, change) if change.planted else None
    if planted is not None:
        worlds = {release: each.joined(planted) for release, each in worlds.items()}
    return Pair(worlds, world.at(chosen), kind, band, in_after, corrected, planted)


def _persons(
    world: World, many: int, bands: Sequence[str], chance: np.random.Generator
) -> tuple[Ints, Ints]:
    """Records of different patients, as many from rare as from common complications."""
    code = world.columns["complication"]
    size = len(world.labels["complication"])
    first = np.unique(np.stack([code, world.patient]), axis=1)
    patients = np.bincount(first[0], minlength=size)[code]
    order, taken, found, of_band = chance.permutation(len(world)), set(), [], []
    fit = world.in_totals & (world.columns.get(PLAIN, 1) != 0)
    order = order[fit[order]]
    names = list(BANDS)
    for number, name in enumerate(bands):
        low, high = BANDS[name]
        wanted = many * (number + 1) // len(bands) - len(found)
        for row in order[(patients[order] >= low) & (patients[order] <= high)].tolist():
            if wanted <= 0:
                break
            if world.patient[row] not in taken:
                taken.add(world.patient[row])
                found.append(row)
                of_band.append(names.index(name))
                wanted -= 1
    mixed = chance.permutation(len(found))
    return np.array(found, np.int64)[mixed], np.array(of_band, np.int64)[mixed]


def _corrected(world: World, chosen: Ints, chance: np.random.Generator) -> Ints:
    """Another complication for each, as common as they come, that counts in totals as well."""
    own = world.columns["complication"][chosen]
    usual = world.columns["complication"][world.in_totals]
    found = chance.choice(usual, chosen.size)
    while (same := found == own).any():
        found[same] = chance.choice(usual, int(same.sum()))
    return found


def _category_of(world: World) -> Ints:
    found = np.zeros(len(world.labels["complication"]), np.int64)
    found[world.columns["complication"]] = world.columns["category"]
    return found


def _planted(world: World, chosen: Ints, change: Change) -> World:
    """Invented patients with the persons' attributes, reported by the attacker's own hands."""
    rows = np.repeat(chosen, change.planted)
    copies = world.at(rows)
    own = np.arange(rows.size) % change.hands
    spread = len(world.labels["site"])
    hands = (copies.hand + 1 + own) % spread
    patient = int(world.patient.max()) + 1 + np.arange(rows.size)
    columns = {**copies.columns, "site": hands}
    return World(columns, world.labels, patient, hands, copies.in_totals, copies.several)


# What the attacker looks at

PARTS = (
    "complication",
    "complication x",
    "category",
    "category x",
    "all",
    "site",
    "complication x site",
    "cascade of complications",
    "cascade of categories",
)
OVER_COMPLICATIONS = frozenset({0, 1, 6, 7})
OVER_CATEGORIES = frozenset({2, 3, 4, 5, 8})


def tables_about(known: frozenset[str]) -> list[Names]:
    """Every table in which such a person has a cell that one knows."""
    named = [name for name in ASKED if tree_of(name) in known]
    crossed = [
        (one, other) for one, other in combinations(named, 2) if tree_of(one) != tree_of(other)
    ]
    found: list[Names] = [("complication",), *(("complication", name) for name in named)]
    for base in (("category",), ()):
        found += [base, *((*base, name) for name in named), *((*base, *two) for two in crossed)]
    found += [("complication", *two) for two in crossed]
    if "site" in known:
        found += [("site",), ("category", "site"), ("complication", "site")]
        found += [(name, "site") for name in ("year", "period") if "year" in known]
    if "cause" in known:
        found += [("complication", "cause"), ("category", "cause_category")]
    return [names for names in found if names]


def part_of(names: Names) -> int:
    """Which of PARTS a table is."""
    if "cause" in names:
        return PARTS.index("cascade of complications")
    if "cause_category" in names:
        return PARTS.index("cascade of categories")
    if names == ("complication", "site"):
        return PARTS.index("complication x site")
    if "site" in names:
        return PARTS.index("site")
    if "complication" in names:
        return PARTS.index("complication" if len(names) == 1 else "complication x")
    if "category" in names:
        return PARTS.index("category x" if len(names) == 3 else "category")
    return PARTS.index("all")


@dataclass(frozen=True, slots=True)
class Seen:
    """Both numbers of every cell of persons: (persons, cells, release before and after).

    part: of each cell; tables: its names. Where a complication is corrected, cells of the new one
    follow, with parts of their own.
    """

    changed: Values
    same: Values
    part: Ints
    tables: tuple[Names, ...]
    band: Ints

    def by(self, known: frozenset[str]) -> "Seen":
        """What is left to somebody who knows less."""
        kept = np.array([all(tree_of(n) in known or n == "category" for n in names)
                         for names in self.tables])  # fmt: skip
        tables = tuple(names for names, keep in zip(self.tables, kept, strict=True) if keep)
        return Seen(self.changed[:, kept], self.same[:, kept], self.part[kept], tables, self.band)

    def over(self, parts: frozenset[int]) -> "Seen":
        """What some of the tables tell alone."""
        kept = np.isin(self.part % len(PARTS), list(parts))
        tables = tuple(names for names, keep in zip(self.tables, kept, strict=True) if keep)
        return Seen(self.changed[:, kept], self.same[:, kept], self.part[kept], tables, self.band)

    @classmethod
    def joined(cls, many: Sequence["Seen"]) -> "Seen":
        """The persons of several pairs."""
        return cls(
            np.concatenate([one.changed for one in many]),
            np.concatenate([one.same for one in many]),
            many[0].part,
            many[0].tables,
            np.concatenate([one.band for one in many]),
        )


def look(server: Tables, pair: Pair, known: frozenset[str] = BY_EIGHT) -> dict[str, Seen]:
    """What the server tells of each kind of person in both worlds."""
    found = {}
    for number, kind in enumerate(KINDS):
        mine = np.flatnonzero(pair.kind == number)
        if not mine.size:
            continue
        person = pair.person.at(mine)
        ways = [person]
        if kind == "correction":
            codes = pair.corrected[mine]
            category = _category_of_labels(pair)[codes]
            ways.append(person.changed(np.arange(mine.size), complication=codes, category=category))
        cells, part, tables = [], [], []
        for way, records in enumerate(ways):
            for names in tables_about(known):
                if way and not {"complication", "category"} & set(names):
                    continue
                told = []
                for release in (BEFORE, AFTER, OTHERWISE):
                    told.append(server.table(names, release))
                    if told[-1] is None:
                        break
                if told[-1] is None:
                    continue
                place = tuple(records.columns[name] for name in names)
                cells.append([each[place] for each in told])  # type: ignore[index]
                part.append(part_of(names) + way * len(PARTS))
                tables.append(names)
        before, after, otherwise = np.array(cells).transpose(1, 2, 0)
        here = pair.in_after[mine][:, None]
        changed = np.stack([before, np.where(here, after, otherwise)], axis=-1)
        same = np.stack([before, np.where(here, otherwise, after)], axis=-1)
        found[kind] = Seen(changed, same, np.array(part), tuple(tables), pair.band[mine])
    return found


def _category_of_labels(pair: Pair) -> Ints:
    return _category_of(pair.worlds[OTHERWISE].joined(pair.worlds[BEFORE]))

"""Attackers on persons, in their fast form: simulated servers, three registries, few persons.

A limit is for the mean of five registries with a hundred persons of each kind: here three standard
errors more are allowed. `python -m tests.disclosure.attack.people` is the full form.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.disclosure.attack.averaging import Averaged, averaged, sure_of
from tests.disclosure.attack.designs import (
    FIRST,
    FREE,
    NAIVE,
    RENEWED,
    SECOND,
    Design,
    SimulatedServer,
    laws,
    sums,
)
from tests.disclosure.attack.limits import (
    CHANGE_LOSES,
    MOST_BY_CATEGORIES,
    MOST_BY_COMPLICATIONS,
    MOST_BY_LENS,
    MOST_FOUND,
    MOST_NAMED,
    MOST_SURE_AFTER,
)
from tests.disclosure.attack.naming import named, single_newcomers
from tests.disclosure.attack.paired import (
    STANDING_OUT,
    Persons,
    Recognised,
    collect,
    recognised,
    simulated,
)
from tests.disclosure.attack.persons import (
    AFTER,
    BEFORE,
    BY_EIGHT,
    KINDS,
    OTHERWISE,
    Change,
    pairs,
)
from tests.disclosure.attack.recognising import auc, codes, found_at
from tests.disclosure.attack.worlds import World, made_up

IMPLANTS = 2_000
REGISTRIES = 3
PERSONS = 50
NONE, LENS = "10 %", "10 %, 20 planted"
KNOWN_BY_FIVE = frozenset({"complication", "year", "drug", "indication", "sex"})
"""Enough to be found on the negative controls, with a third of the tables."""
HIDDEN_TABLES = (("complication", "sex"), ("complication", "drug"), ("category", "pump_model"))


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [made_up(implants=IMPLANTS, seed=seed) for seed in range(1, REGISTRIES + 1)]


KNOWN_ON_LENS = frozenset({"complication", "drug", "sex"})


def looked_at(
    worlds: list[World],
    design: Design,
    changes: dict[str, Change],
    known: frozenset[str] = BY_EIGHT,
    many: int = PERSONS,
) -> list[Persons]:
    return [
        collect(world, simulated(design, seed), seed=seed, many=many, changes=changes, known=known)
        for seed, world in enumerate(worlds, start=1)
    ]


@pytest.fixture(scope="module")
def second(worlds) -> list[Persons]:
    return looked_at(worlds, SECOND, {NONE: Change()})


@pytest.fixture(scope="module")
def first(worlds) -> list[Persons]:
    return looked_at(worlds, FIRST, {NONE: Change(kinds=("arrival",))}, KNOWN_BY_FIVE)


def allowed(limit: float, found: Recognised) -> float:
    """Three standard errors of an AUC of one half, as if persons were independent."""
    return limit + 3 * float(np.sqrt((2 * found.persons + 1) / (12 * found.persons**2)))


@pytest.mark.parametrize("kind", KINDS)
def test_persons_are_not_recognised_by_complications(second, kind):
    found = recognised(second, NONE, kind, view="complications")

    assert found.persons >= REGISTRIES * PERSONS - 6
    assert found.auc <= allowed(MOST_BY_COMPLICATIONS, found)
    assert found.found <= MOST_FOUND + 3 * np.sqrt(MOST_FOUND / found.persons)


@pytest.mark.parametrize("kind", KINDS)
def test_persons_are_not_recognised_where_a_category_has_one_dimension_beside_it(worlds, kind):
    seen = looked_at(worlds, SECOND, {NONE: Change(kinds=(kind,))})

    found = recognised(seen, NONE, kind, view="categories")

    assert found.auc <= allowed(MOST_BY_CATEGORIES, found)
    assert found.found <= MOST_FOUND + 3 * np.sqrt(MOST_FOUND / found.persons)


@pytest.mark.parametrize(
    ("view", "least"),
    [
        ("complications", MOST_BY_COMPLICATIONS + 0.05),
        ("categories", CHANGE_LOSES),
        ("both", CHANGE_LOSES),
    ],
)
def test_the_first_design_loses_persons_between_releases(first, view, least):
    assert recognised(first, NONE, "arrival", view=view).auc > least


def test_a_naive_server_loses_persons_between_releases(worlds):
    seen = looked_at(worlds, NAIVE, {NONE: Change(kinds=("arrival",))}, KNOWN_BY_FIVE)

    assert recognised(seen, NONE, "arrival").auc > CHANGE_LOSES


def lens_gain(worlds: list[World], design: Design) -> float:
    changes = {
        said: Change(kinds=("arrival",), bands=("1 to 10", "11 to 40"), planted=planted)
        for said, planted in ((NONE, 0), (LENS, 20))
    }
    seen = looked_at(worlds, design, changes, KNOWN_ON_LENS, many=24)
    return recognised(seen, LENS, "arrival").auc - recognised(seen, NONE, "arrival").auc


def test_a_lens_of_invented_records_at_one_hand_adds_little(worlds):
    spread = np.sqrt(2 / (6 * REGISTRIES * 24))

    assert lens_gain(worlds, SECOND) <= MOST_BY_LENS + 3 * spread


def test_a_lens_reads_a_design_that_takes_no_hand_off(worlds):
    assert lens_gain(worlds, FREE) > MOST_BY_LENS


def gain_of_names(found: list[Persons], told: float) -> tuple[float, int]:
    """Points above the commonest value, and how many attributes were named."""
    each = [
        named(
            mine.newcomers[NONE],
            [one for other in found if other is not mine for one in other.newcomers[NONE]],
            told=told,
        )
        for mine in found
    ]
    return float(np.mean([one.gain for one in each])), sum(one.many for one in each)


@pytest.mark.parametrize("told", [1.0, STANDING_OUT])
def test_what_alone_moved_names_no_newcomer(second, told):
    gain, many = gain_of_names(second, told)

    assert many > 100
    assert gain <= MOST_NAMED + 3 * 100 * np.sqrt(0.5 / many)


def test_what_alone_moved_names_the_first_designs_newcomers(first):
    gain, many = gain_of_names(first, STANDING_OUT)

    assert many > 30
    assert gain > 2 * MOST_NAMED


@pytest.fixture(scope="module")
def hidden(worlds) -> dict[str, dict[int, list[Averaged]]]:
    """Hidden cells of two designs, by release: one entry for each registry."""
    found: dict[str, dict[int, list[Averaged]]] = {}
    for design, after in ((SECOND, (1, 4)), (RENEWED, (1, 20)), (NAIVE, (1,))):
        of_design = found.setdefault(design.name, {})
        for seed, world in enumerate(worlds, start=1):
            tables = [
                averaged(world, design, names, seed=seed, after=after) for names in HIDDEN_TABLES
            ]
            for release in tables[0]:
                joined = Averaged.joined([table[release] for table in tables])
                of_design.setdefault(release, []).append(joined)
    return found


def sure(found: list[Averaged], *, alone: bool = True) -> tuple[float, int]:
    each = [
        sure_of(one, [other for other in found if other is not one], alone=alone) for one in found
    ]
    cells = sum(one.cells for one in each)
    return sum(one.cells * one.right for one in each) / max(cells, 1), cells


@pytest.mark.parametrize("release", MOST_SURE_AFTER)
def test_hidden_cells_are_not_had_by_averaging_releases(hidden, release):
    right, cells = sure(hidden[SECOND.name][release], alone=False)
    limit = MOST_SURE_AFTER[release]

    assert cells > 100
    assert right <= limit + 3 * np.sqrt(limit / cells)


def test_a_naive_server_loses_a_hidden_cell_that_is_alone_in_its_parent(hidden):
    right, cells = sure(hidden[NAIVE.name][1])

    assert cells > 20
    assert right > 0.25


def test_a_little_noise_that_each_release_renews_is_averaged_away(hidden):
    once, after_twenty = (sure(hidden[RENEWED.name][release])[0] for release in (1, 20))

    assert after_twenty > MOST_SURE_AFTER[4]
    assert after_twenty > 2 * once


# The attackers' own machinery


def test_one_person_alone_is_told_from_another_by_auc():
    assert auc(np.array([2.0, 3.0]), np.array([1.0, 2.0])) == 0.875  # 3 wins, 1 tie of 4
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5


def test_recognition_is_counted_above_all_but_two_percent_of_false_alarms():
    same = np.arange(100.0)

    assert found_at(np.array([97.0, 98.5, 100.0, 200.0]), same) == 0.75


def test_a_hidden_number_that_stays_hidden_says_one_thing():
    nothing = np.array([[np.nan, np.nan]])
    came, went, still = (np.array([pair]) for pair in ([np.nan, 12.0], [12.0, np.nan], [12.0, 12]))

    assert len({int(codes(cells)[0]) for cells in (nothing, came, went, still)}) == 4


@pytest.mark.parametrize("variance", [(4.0, 1.0), (2.0, 0.5), (6.0, 1.5)])
def test_the_simulated_noise_has_its_moments(variance):
    offsets, cumulative = laws(variance)
    law = np.diff(cumulative, axis=1, prepend=0.0)

    for n in (1, 2, 3, 10, 24):
        assert law[n] @ offsets == pytest.approx(0.0, abs=1e-8)
        assert law[n] @ offsets**2 == pytest.approx(min(variance[0], n * variance[1]))
        assert offsets[law[n] > 0].min() >= -n


def test_a_table_counts_each_patient_once_and_takes_off_the_largest_hands(worlds):
    world = worlds[0]
    names = ("category", "sex")
    size = int(np.prod(world.size(names)))
    whole, others = sums(world, names, size, seed=1, hands_off=2)

    for cell in range(size):
        mine = np.flatnonzero(world.cells(names) == cell)
        hands = dict(zip(world.patient[mine].tolist(), world.hand[mine].tolist(), strict=True))
        by_hand = np.bincount(list(hands.values()) or [0])
        assert whole[0, cell] == len(hands)
        assert others[0, cell] == np.sort(by_hand)[:-2].sum()


def test_the_same_set_has_the_same_noise_and_a_release_adds_its_own(worlds):
    server = SimulatedServer(SECOND, {BEFORE: worlds[0], AFTER: worlds[0]})
    lasting = SimulatedServer(
        replace(SECOND, fresh=(0.0, 0.0)), {BEFORE: worlds[0], AFTER: worlds[0]}
    )

    assert np.array_equal(
        lasting.table(("sex",), BEFORE), lasting.table(("sex",), AFTER), equal_nan=True
    )
    tables = [server.table(("complication", "sex"), each) for each in (BEFORE, AFTER)]
    assert np.nanmean(tables[0] != tables[1]) > 0.5


def differing(one: World, other: World) -> Iterator[int]:
    """Patients whose records differ."""
    rows = [
        {(p, *r) for p, r in zip(each.patient.tolist(), zip(*(each.columns[n].tolist()
         for n in ("complication", "drug", "year")), strict=True), strict=True)}
        for each in (one, other)
    ]  # fmt: skip
    yield from {row[0] for row in rows[0] ^ rows[1]}


def test_paired_worlds_differ_by_their_persons_alone(worlds):
    pair = next(pairs(worlds[0], Change(), seed=1, many=20))
    differ = set(differing(pair.worlds[AFTER], pair.worlds[OTHERWISE]))

    assert differ == set(pair.person.patient.tolist())
    assert len(differ) == len(pair.person)


def test_a_single_newcomer_is_new_to_the_complication_and_alone(worlds):
    pair = next(pairs(worlds[0], Change(), seed=1, many=20))
    before, after = pair.worlds[BEFORE], pair.worlds[AFTER]

    for row in single_newcomers(before, after).tolist():
        code = after.columns["complication"][row]
        old, now = (
            set(each.patient[each.columns["complication"] == code].tolist())
            for each in (before, after)
        )
        assert now - old == {after.patient[row]}

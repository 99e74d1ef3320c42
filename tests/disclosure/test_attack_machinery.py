"""The attacker, proven without the web: the naive server must fall to him, a stand-in must not.

The stand-in is made of registry.disclosure over rows in memory. A limit is for the mean of many
registries; here one small registry is allowed three standard errors more.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csr_array

from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.attacks import (
    at_cells,
    differences,
    findings,
    parents,
    shown_cells,
    trackers,
    universe,
)
from tests.disclosure.attack.judging import Findings, Verdict, judge
from tests.disclosure.attack.limits import LIMIT, MOST_SURE, NAIVE_LOSES
from tests.disclosure.attack.patience import practised_insider
from tests.disclosure.attack.practice import practice_truth
from tests.disclosure.attack.servers import Naive, StandIn, registry_trees
from tests.disclosure.attack.solving import Margin, expected, margins, solve
from tests.disclosure.attack.truth import Truth

EVENTS = 1_100
SITES = tuple(f"SITE-{number:02d}" for number in range(1, 13))
TABLES = (
    ("complication", "sex"),
    ("complication", "label_status"),
    ("complication", "drug_class"),
)
PAIRS = (("age_band", "category"),)


@dataclass(frozen=True)
class Practised:
    truth: Truth
    naive: Asker
    protected: Asker


@pytest.fixture(scope="module")
def registries(tmp_path_factory) -> list[Practised]:
    """Three registries of about 800 implants: one to attack, two to practise on."""
    trees = registry_trees((2008, 2026), SITES)
    made = []
    for seed in (1, 2, 3):
        truth = practice_truth(tmp_path_factory.mktemp("frozen"), events=EVENTS, seed=seed)
        naive, protected = Naive({"": truth}, trees), StandIn(truth, trees)
        made.append(Practised(truth, Asker(naive), Asker(protected, most_filtered=8)))
    return made


def averaged(asker: Asker, names, *, most: int):
    """The mean over the most parents."""
    return (parents(asker, names, most=most, refined_by=3) or {}).get(most)


ATTACKS = {
    "C": (TABLES, differences),
    "D": (TABLES, trackers),
    "E": (PAIRS, partial(averaged, most=100)),
    "F": (TABLES[:2], universe),
}


def judged(
    registries: list[Practised], which: str, tables, attack: Callable[..., object]
) -> Verdict:
    """What the attack made of the first registry, learnt on the others."""
    found = []
    for each in registries:
        asker = getattr(each, which)
        ways = (findings(asker, each.truth, names, attack(asker, names)) for names in tables)
        found.append(Findings.joined([way for way in ways if way is not None]))
    return judge(found[0], found[1:])


@pytest.mark.parametrize("letter", ATTACKS)
def test_every_attack_takes_the_small_cells_of_a_naive_server(registries, letter):
    tables, attack = ATTACKS[letter]
    asked = partial(universe, partial_sums=True) if letter == "F" else attack

    verdict = judged(registries, "naive", tables, asked)

    assert verdict.cells > 25
    assert verdict.exact >= NAIVE_LOSES


@pytest.mark.parametrize("letter", ATTACKS)
def test_no_attack_gets_past_the_stand_in(registries, letter):
    tables, attack = ATTACKS[letter]

    verdict = judged(registries, "protected", tables, attack)

    assert verdict.cells > 25
    assert verdict.gain <= LIMIT[letter] + 3 * verdict.spread
    assert verdict.sure <= MOST_SURE + 3 * np.sqrt(MOST_SURE / verdict.cells)


def test_a_server_that_shows_everything_is_judged_as_wholly_lost():
    chance = np.random.default_rng(1)
    found = []
    for _ in range(2):
        truth = chance.integers(0, 8, 4_000)
        found.append(Findings.of(truth, np.full(4_000, np.nan), truth, np.ones(4_000)))

    verdict = judge(found[0], found[1:])

    assert verdict.exact == 1.0
    assert verdict.sure == 1.0
    assert verdict.sure_and_wrong == 0.0


def test_a_server_that_tells_nothing_gives_no_more_than_the_commonest_size():
    chance = np.random.default_rng(2)
    nothing = np.full(4_000, np.nan)
    found = [
        Findings.of(chance.choice([0, 1, 2, 3, 4], 4_000, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
                    nothing, nothing, np.ones(4_000))
        for _ in range(2)
    ]  # fmt: skip

    verdict = judge(found[0], found[1:])

    assert verdict.gain == 0.0
    assert verdict.sure == 0.0


def test_a_lone_estimate_of_an_unseen_size_makes_nobody_sure():
    nothing = np.full(200, np.nan)
    seen = Findings.of(np.zeros(200, int), nothing, np.zeros(200), np.ones(200))
    unseen = Findings.of(np.full(200, 2), nothing, np.full(200, 2.2), np.ones(200))

    assert judge(unseen, [seen]).sure == 0.0


def test_the_table_that_fits_best_is_scipys_non_negative_least_squares(registries):
    asker, names = registries[0].naive, ("category", "severity")
    found = margins(asker, names)
    open_to_all = [replace(each, shown=np.nan_to_num(each.shown, nan=2.0)) for each in found]
    equations = np.vstack([each.members.toarray() for each in open_to_all])
    shown = np.concatenate([each.shown for each in open_to_all])
    _cells, least = nnls(equations, shown)

    solved = solve(open_to_all, expected(asker, names))

    assert (solved >= 0).all()
    assert np.linalg.norm(equations @ solved.ravel() - shown) == pytest.approx(least, rel=1e-3)


def test_a_hidden_sum_keeps_its_cells_under_the_threshold():
    both = Margin(csr_array(np.ones((1, 2))), np.array([np.nan]), np.array([6.0]))
    each = Margin(csr_array(np.eye(2)), np.array([9.0, 8.0]), np.array([6.0, 6.0]))

    assert solve([each], np.ones(2)).tolist() == pytest.approx([9, 8])
    assert solve([each, both], np.ones(2)).sum() == pytest.approx(10 + 7 / 3)


def test_the_naive_server_hides_all_counts_under_5(registries):
    shown = shown_cells(registries[0].naive, TABLES[0])

    assert np.nanmin(shown) == 5
    assert np.isnan(shown).any()


def test_the_stand_in_sums_only_what_is_shown(registries):
    asker = registries[0].protected
    drugs = asker.axis("drug")
    alone = asker.table(("drug",)).values

    joined = asker.table((), {"drug": drugs[1:]})

    assert float(joined.values) == np.nansum(alone[1:])
    assert not joined.clean


def test_an_insider_who_sees_all_twenty_releases_learns_more_than_from_one():
    chance = np.random.default_rng(3)
    true = chance.choice([0, 1, 2, 3, 4], 3_000, p=[0.5, 0.25, 0.13, 0.08, 0.04])
    nothing = np.full(true.size, np.nan)
    known = Findings.of(true, nothing, nothing, np.full(true.size, 0.8))
    one, other = (
        [practised_insider(known, planted, seed=seed) for seed in (1, 2)]
        for planted in ((12,), range(5, 21))
    )

    assert judge(one[0], one[1:]).gain < judge(other[0], other[1:]).gain
    assert judge(one[0], one[1:]).gain <= LIMIT["H"]


def test_cell_whose_group_no_table_tells_has_no_parent_there():
    class Told:
        def axis(self, name):
            return ["catheter", "pump"]

    whole = np.array([[1.0, 2.0], [3.0, 4.0]])  # by sex and category

    found = at_cells(Told(), whole, ("sex",), 0, "category", ["pump", "consequence", "catheter"])

    assert found.tolist()[0] == [2.0, 4.0]
    assert np.isnan(found[1]).all()
    assert found.tolist()[2] == [1.0, 3.0]

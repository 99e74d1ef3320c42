"""Attacks on cells at the registry's own addresses, in their fast form.

One small registry, attacked with a researcher's token; `make attack` is the full form, and
test_attack_machinery.py shows that the same attacks take a naive server's cells. A limit is for the
mean of five large registries: here three standard errors more are allowed. The attacker practises
on registries that he makes himself.
"""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from django.core.cache import cache
from django.db import transaction
from django.test.utils import override_settings

from registry.disclosure import Policy
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.attacks import differences, findings, parents, trackers, universe
from tests.disclosure.attack.campaign import PLANTED_TABLE, Plan, run
from tests.disclosure.attack.judging import Findings, Verdict, judge
from tests.disclosure.attack.limits import LIMIT, MOST_FOLLOWED, MOST_SURE
from tests.disclosure.attack.patience import practised_insider
from tests.disclosure.attack.practice import practice_truth
from tests.disclosure.attack.record import Record, within_a_month
from tests.disclosure.attack.registries import RefusedOutright, door_with
from tests.disclosure.attack.servers import StandIn, registry_trees
from tests.disclosure.attack.truth import NOT_ATTACKED, Truth

pytestmark = pytest.mark.django_db

EVENTS = 1_100
TABLES = (("complication", "sex"), ("complication", "label_status"))
FILTERED = TABLES[:1]
"""Asked for value by value, which takes most requests."""

PAIRS = (("age_band", "category"),)
PLAN = Plan(
    questions=8,
    shares=10,
    share=7,
    small_tables=FILTERED,
    pair_tables=PAIRS,
    all_measures=1,
    curves=0,
    at_risk=0,
    denominators=0,
    parents=100,
    refined_by=2,
    releases=2,
    insider_cells=80,
    most_filtered=8,
    timed_cells=8,
    controls=False,
    utility=False,
)


@pytest.fixture(scope="module")
def attacked(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Record]:
    """What the attacks found out; the database is as before afterwards."""
    var = tmp_path_factory.mktemp("attacked")
    with django_db_blocker.unblock(), override_settings(REGISTRY_VAR=var), transaction.atomic():
        cache.clear()
        with pytest.MonkeyPatch.context() as patch:  # public ids repeat, and so does the noise
            patch.setattr("os.urandom", Random(11).randbytes)
            found = run(PLAN, events=EVENTS, seed=11)
        yield found
        transaction.set_rollback(True)
    cache.clear()


@pytest.fixture(scope="module")
def practice(tmp_path_factory) -> list[tuple[Truth, Asker]]:
    """Two registries of his own, behind a protected server."""
    sites = tuple(f"SITE-{number:02d}" for number in range(1, 13))
    trees = registry_trees((2005, 2029), sites)
    made = []
    for seed in (21, 22):
        truth = practice_truth(tmp_path_factory.mktemp("practice"), events=EVENTS, seed=seed)
        protected = Asker(StandIn(truth, trees, seed), most_filtered=PLAN.most_filtered)
        made.append((truth, protected))
    return made


def averaged(asker: Asker, names):
    return (parents(asker, names, most=PLAN.parents, refined_by=PLAN.refined_by) or {}).get(100)


def practised(practice, tables, attack) -> list[Findings]:
    """The same attack on his own registries."""
    found = []
    for truth, asker in practice:
        ways = (findings(asker, truth, names, attack(asker, names)) for names in tables)
        found.append(Findings.joined([way for way in ways if way is not None]))
    return found


def assert_within(verdict: Verdict, limit: float) -> None:
    assert verdict.cells > 10
    assert verdict.gain <= limit + 3 * verdict.spread
    assert verdict.sure <= MOST_SURE + 3 * np.sqrt(MOST_SURE / verdict.cells)


def test_the_same_question_has_the_same_bytes_however_it_is_asked(attacked):
    assert attacked.questions == 8
    assert attacked.spellings > 50
    assert attacked.unequal == []


def test_nothing_is_told_beside_the_numbers(attacked):
    assert attacked.told == []


def test_no_number_under_the_threshold_is_shown(attacked):
    assert attacked.shown > 200
    assert attacked.shown_small == 0


def test_no_group_without_an_event_shows_one(attacked):
    assert attacked.shown_empty == 0


def test_everything_the_policy_offers_is_offered_and_within_the_universe(attacked):
    policy = Policy().offered
    names = {name for each in policy for name in (each.name, each.group) if name}

    assert set(attacked.offered) == names - NOT_ATTACKED
    assert attacked.universe > 30
    assert attacked.universe_asked == 5


ATTACKS = {
    "C": (FILTERED, differences),
    "D": (FILTERED, trackers),
    "E 100": (PAIRS, averaged),
    "F": (TABLES, universe),
}


@pytest.mark.parametrize("said", ATTACKS)
def test_no_attack_on_one_release_gets_past_the_limit(attacked, practice, said):
    learnt = practised(practice, *ATTACKS[said])

    assert_within(judge(attacked.findings[said], learnt), LIMIT[said[0]])


def test_the_mean_of_more_parents_is_no_better(attacked, practice):
    learnt = practised(practice, *ATTACKS["E 100"])
    few, many = (judge(attacked.findings[said], learnt) for said in ("E 10", "E 100"))

    assert many.gain <= few.gain + 3 * many.spread


def test_releases_after_one_another_do_not_get_past_the_limit(attacked, practice):
    learnt = []
    for truth, asker in practice:
        one, two = differences(asker, PLANTED_TABLE), universe(asker, PLANTED_TABLE)
        found = findings(asker, truth, PLANTED_TABLE, one)
        nothing = np.full(found.truth.size, np.nan)
        learnt.append(Findings.of(found.truth, nothing, found.estimate, two))

    assert_within(judge(attacked.findings["G 2"], learnt), LIMIT["G"])


def test_an_insider_who_plants_records_does_not_get_past_the_limit(attacked):
    for planted, each in enumerate(attacked.insider[:-1], start=1):
        # He knows how many cells have each size, but not which: that hint would name the cell.
        found = Findings.of(each.truth, each.shown, each.estimate, np.ones(each.truth.size))

        verdict = judge(found, [practised_insider(found, [planted], seed=planted)])

        assert verdict.cells > 10
        assert verdict.gain <= LIMIT["H"] + 3 * verdict.spread
        assert verdict.sure <= MOST_SURE + 3 * np.sqrt(MOST_SURE / verdict.cells)


def test_differences_of_exposure_give_no_device_s_follow_up(attacked):
    assert len(attacked.device_pairs) > 3
    assert within_a_month(attacked.device_pairs) <= MOST_FOLLOWED + 0.2
    assert within_a_month(attacked.naive_device_pairs) == 1.0


def test_an_attacker_without_a_right_to_ask_does_not_count_as_beaten():
    with pytest.raises(RefusedOutright):
        door_with("no-such-token").reply("counts", {})

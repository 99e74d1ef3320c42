"""The attacks on numbers at risk and denominators, proven without the web on groups made up here.

Without rounding or noise the mean over many curves must name the small group, or the attack proves
nothing; as curves are published it must not.
"""

from dataclasses import replace
from functools import partial
from itertools import pairwise, product

import numpy as np
import pytest

from registry.disclosure import (
    BOUNDARIES,
    CurveTruth,
    Policy,
    Protection,
    life_table,
    record_key,
)
from registry.disclosure.table import Noise, PerturbationTable
from tests.disclosure.attack import populations
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.comparing import _told_intervals
from tests.disclosure.attack.judging import Findings, judge
from tests.disclosure.attack.limits import LIMIT, MOST_SURE, NAIVE_LOSES
from tests.disclosure.attack.populations import denominator_findings, sizes_at_risk
from tests.disclosure.attack.practice import practice_truth
from tests.disclosure.attack.record import Record
from tests.disclosure.attack.report import report_of_some
from tests.disclosure.attack.servers import TOO_MANY, Naive, Reply, StandIn, registry_trees
from tests.disclosure.attack.truth import Truth

KINDS = tuple(f"kind-{number:02d}" for number in range(32))
AXES = {"complication": KINDS, "label_status": ("on", "off"), "sex": ("female", "male", "other")}
NAMES = ("label_status", "sex")
LARGE = ((420, 510, 0), (380, 460, 0))
STILL = PerturbationTable.of(np.array([0]), np.array([[1.0]]))
"""A part of the noise that adds nothing."""
LATER = slice(3, 6)
"""Months by which enough events came for many curves to be told, and enough devices are left."""


class Curves:
    """Curves of six groups, five of them large: the sixth has `small` devices."""

    unit = "patients"

    def __init__(self, small: int, protection: Protection, *, seed: int) -> None:
        chance = np.random.default_rng(seed)
        sizes = np.array(LARGE)
        sizes[:, 2] = 340, small
        self.sizes, self.protection = sizes, protection
        places = [(on, sex) for on, sex in product(range(2), range(3))]
        self.places = np.repeat(np.array(places), sizes.ravel(), axis=0)
        devices = len(self.places)
        self.left = chance.integers(40, 130, devices)
        self.happened = np.where(
            chance.random((len(KINDS), devices)) < 0.2,
            chance.integers(0, 90, (len(KINDS), devices)),
            10_000,
        )
        self.happened[self.happened > self.left] = 10_000  # nobody saw it
        self.happened[:, (self.places == (1, 2)).all(axis=1)] = 10_000
        keys = [record_key(bytes(32), chance.bytes(16)) for _ in range(devices)]
        self.keys = np.array(keys, np.int64)

    def dimensions(self):
        return [
            {"name": name, "group_by": True, "protected": {"groups": {}, "levels": [name, "all"]}}
            for name in AXES
        ]

    def reply(self, measure, asked) -> Reply:
        names = [name for name in asked.get("group_by", "").split(",") if name]
        where = {name: value for name, value in asked.items() if name != "group_by"}
        if not {*names, *where} <= set(AXES):
            return Reply(422, code="not-available-at-this-detail")
        if measure == "survival" and len(names) == 3:
            return Reply(400, code=TOO_MANY)
        rows = []
        for labels in product(*(AXES[name] for name in names)):
            chosen = dict(zip(names, labels, strict=True))
            rows += [chosen | row for row in self.rows(measure, chosen | where)]
        return Reply(200, rows)

    def rows(self, measure, chosen):
        inside = np.ones(len(self.places), bool)
        for axis, name in enumerate(NAMES):
            if name in chosen:
                inside &= self.places[:, axis] == AXES[name].index(chosen[name])
        if measure != "survival":
            people = int(inside.sum())
            told = people if people >= 20 else None
            return [{"denominator": told, "n": None, "status": "ok"}]
        kinds = (
            [KINDS.index(chosen["complication"])] if "complication" in chosen else range(len(KINDS))
        )
        first = self.happened[kinds].min(axis=0)
        at_risk = [
            self.keyed(inside & ((first > month) & (self.left > month) | (month == 0)))
            for month in BOUNDARIES
        ]
        events = [
            self.keyed(inside & (first > (after or -1)) & (first <= upto))
            for after, upto in pairwise(BOUNDARIES)
        ]
        points = life_table(CurveTruth(np.array(at_risk), np.array(events)), self.protection)
        hidden = {"at_risk": None, "events": None, "estimate": None}
        if not points:
            return [hidden] * len(BOUNDARIES)
        return [{name: getattr(point, name) for name in hidden} for point in points]

    def keyed(self, inside) -> list[tuple[int, int, int]]:
        """Four hands' records, every fourth device each."""
        hand = np.arange(len(self.places)) % 4
        return [
            (int(mine.sum()), *map(int, self.keys[mine].sum(axis=0)))
            for mine in (inside & (hand == each) for each in range(4))
        ]

    def small_group(self) -> np.ndarray:
        """Who is in the small group at the later months."""
        inside = (self.places == (1, 2)).all(axis=1)
        return np.array([(inside & (self.left > month)).sum() for month in BOUNDARIES[LATER]])


def errors(policy: Policy, *, noisy: bool = True) -> np.ndarray:
    """How far the attack is from the devices of the small group, by size and later month."""
    found = []
    for small in (2, 3, 4):
        protection = Protection.under(bytes(range(32)), release="1", policy=policy)
        if not noisy:
            protection = replace(protection, tables=Noise(STILL, STILL))
        solved, within = sizes_at_risk(Asker(Curves(small, protection, seed=small)), NAMES, "pump")
        assert within[1, 2, LATER].all()
        server = Curves(small, protection, seed=small)
        found.append(np.abs(solved[1, 2, LATER] - server.small_group()))
    return np.array(found)


def test_mean_over_many_curves_names_a_small_group_but_for_noise_and_rounding(monkeypatch):
    """Were curves of two dimensions published: noise and rounding would still hold."""
    monkeypatch.setattr(populations, "Policy", partial(Policy, most_beside=2))
    plain = errors(replace(Policy(), at_risk_rounding=()), noisy=False)
    published = errors(Policy())

    assert np.median(plain) < 1
    assert np.median(published) > 2 * np.median(plain)


def test_boundaries_between_told_ones_are_known_to_be_hidden():
    told = {"estimate": 0.9, "events": 7, "at_risk": 500}
    hidden = {"estimate": None, "events": None, "at_risk": None}

    runs = list(_told_intervals([told, hidden, hidden, told, told, hidden, hidden]))

    assert runs == [(0, 1, None), (0, 2, None), (0, 3, 7), (3, 4, 7)]


@pytest.fixture(scope="module")
def truths(tmp_path_factory) -> list[Truth]:
    return [
        practice_truth(tmp_path_factory.mktemp("people"), events=1_100, seed=seed)
        for seed in (1, 2)
    ]


TREES = registry_trees((2008, 2026), [f"SITE-{number:02d}" for number in range(1, 13)])
TABLES = (("drug",), ("indication",), ("pump_model",))


def joined(truth: Truth, server, *, naive: bool) -> Findings:
    attack = partial(denominator_findings, Asker(server), truth, naive=naive)
    return Findings.joined([attack(names) for names in TABLES])


def test_denominators_of_a_naive_server_give_small_groups_away(truths):
    found = [joined(truth, Naive({"": truth}, TREES), naive=True) for truth in truths]

    verdict = judge(found[0], found[1:])

    assert verdict.cells > 5
    assert verdict.exact >= NAIVE_LOSES


def test_mean_of_denominators_names_no_small_group_for_sure(truths):
    found = [joined(truth, StandIn(truth, TREES), naive=False) for truth in truths]

    verdict = judge(found[0], found[1:])

    assert verdict.cells > 5
    assert verdict.gain <= LIMIT["E"] + 3 * verdict.spread
    assert verdict.sure <= MOST_SURE + 3 * np.sqrt(MOST_SURE / verdict.cells)


def test_report_leaves_out_an_attack_that_a_kept_record_lacks():
    chance = np.random.default_rng(1)
    nothing = np.full(400, np.nan)
    seen = Findings.of(chance.integers(0, 5, 400), nothing, nothing, np.ones(400))
    newer = Record(findings={"F": seen, "F at risk": seen}, naive={})
    older = Record(findings={"F": seen}, naive={})

    lines = report_of_some({800: [newer, older]}).text()

    assert "| 800 | F |" in lines
    assert "F at risk" not in lines
    assert "F at risk" in report_of_some({800: [newer, newer]}).text()

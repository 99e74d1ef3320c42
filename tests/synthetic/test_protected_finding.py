"""Protected verdicts are true in exact numbers, and protected trends not bent by what is hidden.

A short form of `python -m tests.synthetic.protected_finding_study` and of
`python -m tests.synthetic.protected_funnel_study`, whose tables are in methods.md.
"""

import numpy as np
import pytest

from tests.synthetic.protected_finding import CATEGORIES, ProtectedStudy
from tests.synthetic.protected_funnels import Setting, tallies

SEEDS = (201, 202)


@pytest.fixture(scope="module")
def study() -> ProtectedStudy:
    made = ProtectedStudy()
    for seed in SEEDS:
        made.add(seed, events=5_000)
    return made


@pytest.mark.parametrize("verdict", ["signal", "outlier"])
def test_verdicts_of_shown_numbers_are_true_in_exact_ones(study, verdict):
    found = study.verdicts[verdict]

    assert found.given >= 15
    assert found.untrue <= 0.1 * found.given
    assert study.found[verdict] == len(SEEDS)


def test_funnels_of_so_few_events_say_that_no_site_is_judged(study):
    # 24 sites share 5,000 events of sixty complications: too few sites are shown
    for verdict in ("funnel, beyond 95 %", "funnel, beyond 99.8 %"):
        assert study.verdicts[verdict].judged >= 60
        assert study.verdicts[verdict].untrue == 0
    assert study.verdicts["funnel, beyond 95 %"].exact >= 3  # there is something to accuse of
    assert study.judged_funnels < 0.2 * len(CATEGORIES) * len(SEEDS)


@pytest.mark.parametrize(
    ("setting", "least"),
    [
        (Setting(24, 40, 0.2, outlier=True), 60),
        (Setting(40, 30, 0.4), 40),
        (Setting(24, 20, 0.0, outlier=True), 30),
    ],
)
def test_sites_beyond_protected_limits_are_beyond_exact_ones(setting, least):
    # where only the noise's variance was added to that of chance, 20 to 50 % were not
    found = tallies(setting, registries=60, seed=11)

    assert found["95 %"].given >= least
    for tally in found.values():
        assert tally.untrue <= 0.1 * tally.given + 1


def test_trends_of_shown_numbers_are_those_of_exact_ones(study):
    # where the shown years alone were used they lay 4 % a year too low; chance of the noise: 0.3 %
    assert len(study.off) >= 8
    assert abs(np.mean(study.off)) < 0.012
    assert np.mean(study.held) >= 0.9


def test_table_says_how_many_verdicts_are_untrue(study):
    assert f"| signal | {len(SEEDS)} | {study.verdicts['signal'].given} |" in study.table()

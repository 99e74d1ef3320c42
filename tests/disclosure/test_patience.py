"""An insider who plants before every release: how much he learns, and after how many releases.

Releases are a year apart, and every one draws a changed set anew; beyond eight the limits of a
single release do not hold, and this says so too.
"""

import numpy as np
import pytest

from tests.disclosure.attack.limits import LIMIT, MOST_SURE
from tests.disclosure.attack.patience import (
    TABLE,
    Insider,
    hidden_sizes,
    learnt,
    newer_difference,
)
from tests.disclosure.attack.practice import practice_truth
from tests.disclosure.attack.servers import registry_trees

RELEASES = (1, 4, 8, 20)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory) -> np.ndarray:
    """True sizes of hidden cells of a registry of about 6,000 implants."""
    truth = practice_truth(tmp_path_factory.mktemp("frozen"), events=8_520, seed=3)
    trees = registry_trees((2005, 2029), ())
    labels = (trees["complication"].groups, trees["drug"].values, trees["sex"].values)
    counts = truth.counted(dict(zip(TABLE, labels, strict=True)))
    return hidden_sizes(counts, many=60_000, seed=1)


@pytest.fixture(scope="module")
def curve(sizes):
    return learnt(sizes, Insider(), releases=RELEASES)


def test_hidden_cells_hold_few_patients(sizes):
    assert sizes.size == 60_000
    assert (sizes <= 4).mean() > 0.8
    assert (sizes == 0).mean() > 0.5


def test_one_planted_record_tells_next_to_nothing(curve):
    assert curve[1].gain < 10
    assert curve[1].sure == 0


def test_eight_yearly_releases_stay_within_the_limit(curve):
    assert curve[4].gain == pytest.approx(4, abs=3)
    assert curve[8].gain == pytest.approx(15, abs=3)
    assert curve[8].gain <= LIMIT["H"]
    assert curve[8].sure <= MOST_SURE


def test_twenty_do_not(curve):
    assert curve[20].gain == pytest.approx(34, abs=3)
    assert curve[20].sure <= MOST_SURE


def test_who_plants_beside_the_cell_as_well_learns_faster(sizes, curve):
    both = learnt(sizes, Insider(beside=True), releases=RELEASES)

    assert both[4].gain <= LIMIT["H"]
    assert both[20].gain > curve[20].gain + 3
    assert both[8].gain > curve[8].gain + 3


def test_noise_that_is_kept_would_end_the_averaging_and_open_the_difference(sizes):
    some = sizes[:4_000]
    kept = learnt(some, Insider(kept=0.25), releases=(20,))[20]
    opened = [newer_difference(sizes, kept=share).gain for share in (0.0, 0.25, 0.75)]

    assert kept.gain <= 24
    assert kept.sure <= MOST_SURE
    assert opened[0] <= LIMIT["C"] < opened[2]
    assert opened[0] < opened[1] < opened[2]

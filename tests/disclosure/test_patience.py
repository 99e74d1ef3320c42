"""An insider who plants before every release: how much he learns, and after how many releases.

docs/disclosure.md and ADR 10 tell these figures; beyond a year of quarterly releases the limits of
a single release do not hold, and this says so too.
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

QUARTERLY = (1, 4, 8, 20)


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
    return learnt(sizes, Insider(), releases=QUARTERLY)


def test_hidden_cells_hold_few_patients(sizes):
    assert sizes.size == 60_000
    assert (sizes <= 4).mean() > 0.8
    assert (sizes == 0).mean() > 0.5


def test_one_planted_record_tells_next_to_nothing(curve):
    assert curve[1].gain < 10
    assert curve[1].sure == 0


def test_a_year_of_quarterly_releases_stays_within_the_limit(curve):
    assert curve[4].gain == pytest.approx(15, abs=3)
    assert curve[4].gain <= LIMIT["H"]
    assert curve[4].sure <= MOST_SURE


def test_two_years_and_more_do_not_as_the_documents_say(curve):
    assert curve[8].gain == pytest.approx(22, abs=3)
    assert curve[8].sure <= MOST_SURE
    assert curve[20].gain == pytest.approx(38, abs=3)
    assert curve[20].sure == pytest.approx(0.016, abs=0.01)


def test_who_plants_beside_the_cell_as_well_learns_faster(sizes, curve):
    both = learnt(sizes, Insider(beside=True), releases=QUARTERLY)

    assert both[4].gain <= LIMIT["H"]
    assert both[20].gain > curve[20].gain + 3
    assert both[20].sure > curve[20].sure


def test_noise_that_is_kept_would_end_the_averaging_and_open_the_difference(sizes):
    some = sizes[:4_000]
    kept = learnt(some, Insider(kept=0.25), releases=(20,))[20]
    opened = [newer_difference(sizes, kept=share).gain for share in (0.0, 0.25, 0.75)]

    assert kept.gain <= LIMIT["H"]
    assert kept.sure <= MOST_SURE
    assert opened[0] <= LIMIT["C"] < opened[2]
    assert opened[0] < opened[1] < opened[2]

"""Limits of protected medians and means hold the truth, early, late or at one hazard."""

import pytest

from tests.synthetic.protected_means import SCENARIOS, Wear, study


@pytest.mark.parametrize("wear", SCENARIOS, ids=lambda wear: wear.name)
def test_limits_hold_the_truth(wear: Wear) -> None:
    found = study(wear, range(1, 61))

    assert found.means > 50
    assert found.held_mean / found.means >= 0.95
    assert abs(found.error / found.means) < 1
    assert found.medians > 50
    assert found.held_median / found.medians >= 0.95

"""Sites report events at once and follow up in rounds: the larger study is `study.py`'s."""

from pathlib import Path

import pytest

from tests.synthetic.delayed_follow_up import recovered


@pytest.mark.parametrize("longest", [12.0, 24.0])
def test_rates_are_true_however_long_ago_the_last_rounds_were(
    tmp_path: Path, longest: float
) -> None:
    found = recovered(tmp_path, catheters=8000, longest=longest, seed=1)

    assert found.pooled == pytest.approx(1, abs=0.07)  # some 700 events: two standard errors
    assert found.last_year == pytest.approx(1, abs=3.5 / found.events_last_year**0.5)


def test_without_rounds_devices_with_events_stretch_and_rates_come_out_too_high(
    tmp_path: Path,
) -> None:
    found = recovered(tmp_path, catheters=8000, longest=12.0, seed=1, rounds=False)

    assert found.pooled > 1.05
    assert found.last_year > 1.6

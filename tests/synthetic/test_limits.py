"""Limits hold a known truth about as often as they say: the short form of two studies."""

import pytest

from tests.synthetic.limits import METHODS, coverage
from tests.synthetic.procedures import study


@pytest.mark.parametrize("name", METHODS)
def test_limits_hold_the_truth(name: str) -> None:
    assert 0.91 <= coverage(name, draws=300) <= 0.995


def test_rates_per_procedure_find_the_truth_by_year_and_by_window() -> None:
    found = study(range(1, 6), pumps=500)

    assert list(found) == [
        "all",
        *(f"year {year}" for year in range(2016, 2021)),
        *("months 0-3", "months 4-12", "months 13-"),
    ]
    assert 0.9 <= found["all"].ratio <= 1.1
    assert all(0.6 <= row.ratio <= 1.5 for row in found.values())
    held = [each for row in found.values() for each in row.held]
    assert sum(held) / len(held) >= 0.85

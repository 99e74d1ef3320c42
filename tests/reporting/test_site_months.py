"""Sites by months are what the life tables of the single sites say."""

import numpy as np
import pytest

from registry.reporting.estimating.curve_groups import counts_of
from registry.reporting.estimating.site_months import LivesBySite
from registry.snapshot.lives import BY_EVENT, ENTERED, LEFT, Lives

CAUSES = np.array([0, 2, 0, 3])
"""Of four exit statuses: two censor, and two compete."""


def some_lives(draw: np.random.Generator, devices: int) -> Lives:
    """Devices, some of which enter late; an end by an event stands in lines of its own."""
    entry = np.where(draw.random(devices) < 0.6, 0, draw.integers(0, 12, devices))
    end = entry + draw.integers(1, 15, devices)
    end[0] = entry[0] = 0  # at risk in month 0 alone
    what = np.where(draw.random(devices) < 0.3, BY_EVENT, LEFT)
    lines = np.concatenate([np.full(devices, ENTERED), what])
    sums = np.ones((2 * devices, 1), dtype=np.int64)
    why = np.concatenate([np.zeros(devices, dtype=np.int64), draw.integers(0, 4, devices)])
    return Lives(lines, why, np.concatenate([entry, end]), sums, sums)


@pytest.mark.parametrize("incidence", [False, True])
@pytest.mark.parametrize("span", [(0, 0), (0, 9), (3, 20), (5, 40)])
def test_each_site_is_as_its_life_table_says(incidence: bool, span: tuple[int, int]) -> None:
    draw = np.random.default_rng(7)
    sites = [some_lives(draw, devices) for devices in (1, 30, 200)]

    found = LivesBySite.of([*sites, Lives.none()], CAUSES).months(span, incidence=incidence)

    months = np.arange(span[0], span[1] + 1)
    assert found.at_risk.shape == found.events.shape == found.others.shape == (4, months.size)
    for place, lives in enumerate(sites):
        table = counts_of(lives, CAUSES)
        own = np.searchsorted(table.times, months)
        is_time = np.isin(months, table.times)

        def ended(cause: int) -> list[int]:
            counts = np.append(table.ended_of(cause), 0)  # noqa: B023 - called in this turn
            return np.where(is_time, counts[own], 0).tolist()  # noqa: B023

        assert found.at_risk[place].tolist() == table.at_risk(months).tolist()
        assert found.events[place].tolist() == ended(1)
        competing = np.add(ended(2), ended(3)) if incidence else np.zeros(months.size)
        assert found.others[place].tolist() == competing.tolist()
    assert not found.at_risk[3].any()
    assert found.events.sum() + found.others.sum() > 0 or span == (0, 0)

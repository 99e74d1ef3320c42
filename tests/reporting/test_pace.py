"""Protected answers take whole ticks: time does not tell an empty cell from a small one."""

from typing import Any

import pytest

from registry.reporting.protected import pace
from registry.reporting.protected.pace import at_full_ticks


class Clock:
    """A clock that stands still but for work and sleep."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def taken(clock: Clock, seconds: float) -> float:
    def work() -> str:
        clock.now += seconds
        return "answer"

    began = clock.now
    assert at_full_ticks(work) == "answer"
    return clock.now - began


@pytest.mark.parametrize(
    ("works", "takes"), [(0.0, 0.05), (0.009, 0.05), (0.010, 0.05), (0.049, 0.05), (0.051, 0.1)]
)
def test_answer_takes_whole_ticks(settings: Any, clock: Clock, works: float, takes: float) -> None:
    settings.REGISTRY_ANSWER_TICK_MS = 50

    assert taken(clock, works) == pytest.approx(takes)


def test_no_tick_waits_for_nothing(settings: Any, clock: Clock) -> None:
    settings.REGISTRY_ANSWER_TICK_MS = 0

    assert taken(clock, 0.009) == pytest.approx(0.009)


def test_refusal_does_not_wait(settings: Any, clock: Clock) -> None:
    settings.REGISTRY_ANSWER_TICK_MS = 50

    def refused() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        at_full_ticks(refused)
    assert clock.now == 100.0

"""What came of all attacks on one registry; knows no database, so that a report can read it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.utility import Usefulness
from tests.disclosure.attack.yardstick import Hazards


@dataclass(slots=True)
class Record:
    """What came of it: findings to be judged, and counts of what must not happen at all."""

    implants: int = 0
    requests: int = 0
    offered: tuple[str, ...] = ()
    universe: int = 0
    universe_refused: int = 0
    universe_asked: int = 0
    findings: dict[str, Findings] = field(default_factory=dict)
    naive: dict[str, Findings] = field(default_factory=dict)
    insider: list[Findings] = field(default_factory=list)
    naive_insider: list[Findings] = field(default_factory=list)
    questions: int = 0
    spellings: int = 0
    unequal: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    slower: float = 0.5
    shown: int = 0
    shown_small: int = 0
    shown_empty: int = 0
    device_pairs: list[tuple[float, float]] = field(default_factory=list)
    naive_device_pairs: list[tuple[float, float]] = field(default_factory=list)
    usefulness: Usefulness = field(default_factory=Usefulness)
    hazards: Hazards | None = None


def within_a_month(pairs: Sequence[tuple[float, float]]) -> float:
    """The share of differences that give the follow-up within a month."""
    return float(np.mean([abs(said - true) <= 1 for said, true in pairs])) if pairs else 0.0

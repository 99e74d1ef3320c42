"""Whether events run ahead of what the earlier years let expect."""

from collections.abc import Mapping, Sequence
from typing import Any

from registry.records import Cell
from registry.statistics.cusum import in_control_limit
from registry.statistics.trend import poisson_cusum

RATIO = 2.0
"""The rise that the CUSUM looks for."""

FALSE_ALARMS = 0.05
"""The share of series at the baseline's rate that may alarm in any of the years under test."""

FEWEST_YEARS = 3
FEWEST_EVENTS = 5
"""What the rate of the earlier years has to rest on, at least."""


def cusum_of(
    years: Sequence[int], events: Sequence[float], exposure: Sequence[float], *, per: float
) -> tuple[Mapping[int, Mapping[str, Cell]], Mapping[str, Any]]:
    """The CUSUM of the later half of the years against the rate of the earlier, and its metadata.

    years: in order, with their events and exposure. The middle one of an odd number belongs to the
    earlier. Without enough years or events there is a reason instead.
    """
    counted = [at for at, time in enumerate(exposure) if time > 0]
    earlier = counted[: max(FEWEST_YEARS, (len(counted) + 1) // 2)]
    later = counted[len(earlier) :]
    before = sum(events[at] for at in earlier)
    if not later:
        return {}, {"reason": f"A CUSUM needs over {FEWEST_YEARS} years with exposure."}
    first, last = years[earlier[0]], years[earlier[-1]]
    if before < FEWEST_EVENTS:
        reason = f"The years {first} to {last} have under {FEWEST_EVENTS} events to compare with."
        return {}, {"reason": reason, "baseline": [first, last]}
    rate = before / sum(exposure[at] for at in earlier)
    expected = [rate * exposure[at] for at in later]
    h = in_control_limit(expected, baseline_events=before, ratio=RATIO, false_alarms=FALSE_ALARMS)
    found = poisson_cusum([events[at] for at in later], expected, ratio=RATIO, h=h)
    steps = zip(later, found.statistic.tolist(), found.alarms.tolist(), strict=True)
    return {years[at]: {"cusum": sum_, "alarm": bool(alarm)} for at, sum_, alarm in steps}, {
        "ratio": RATIO,
        "h": h,
        "baseline": [first, last],
        "baseline_rate": per * rate,
        "baseline_events": before,
        "false_alarms": FALSE_ALARMS,
        "reason": None,
        "in_words": (
            f"Sum of events above those expected at the rate of {first} to {last}, whatever the "
            f"age of devices (Lucas 1985); the reference value is set for a rise to {RATIO:g} "
            f"times that rate. {h:g} events in excess alarm: at most {100 * FALSE_ALARMS:g} % of "
            "simulated series without a rise ever reach that, the uncertainty of the earlier rate "
            "in it."
        ),
    }

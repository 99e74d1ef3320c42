"""Counts of entries and ends by time, from which survival curves and tests are computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from registry.statistics.arguments import Numbers, equally_long, row, whole, whole_row
from registry.statistics.results import FloatArray, IntArray

CENSORED = 0
HALF_A_MONTH = 0.5


@dataclass(frozen=True, eq=False)
class LifeCounts:
    """How many devices entered and ended at each time: a life table before any estimate.

    times: ascending and distinct, since implantation, in any one unit; times without entries or
    ends are allowed. One entry per time in each of the other arrays.
    entered: how many devices came under observation at that time. They are at risk at every later
    time up to and including their end (entry < t <= end); those that entered at time 0 are at risk
    at time 0 too.
    ended: keyed by cause, how many ended at that time. Causes are whole numbers, 0 is censored and
    1 by convention the event; a cause may have only zeros. Every device that entered has one end.
    never_at_risk: devices that entered, after time 0, at the moment of leaving. They are in no
    array; the number distinguishes a group of such devices from an empty one. Tables of groups that
    share no device add up time by time. Raises ValueError on counts that are negative, missing or
    not whole, on arrays of different length, on times that do not ascend, on more ends than devices
    at risk, and on devices without an end.
    """

    times: FloatArray
    entered: IntArray
    ended: Mapping[int, IntArray]
    never_at_risk: int = 0

    def __post_init__(self) -> None:
        times, entered = row("times", self.times), whole_row("entered", self.entered)
        ended = {
            whole("ended", cause): whole_row("ended", counts)
            for cause, counts in sorted(self.ended.items())
        }
        equally_long(times=times, entered=entered)
        for counts in ended.values():
            equally_long(times=times, ended=counts)
        if (np.diff(times) <= 0).any():
            raise ValueError("times: these must ascend without repeats.")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "entered", entered)
        object.__setattr__(self, "ended", ended)
        object.__setattr__(self, "never_at_risk", whole("never_at_risk", self.never_at_risk))
        left = self.left()
        at_risk = np.cumsum(entered - left) - entered + left
        at_risk += np.where(times == 0, entered, 0)
        if (left > at_risk).any():
            raise ValueError(
                "ended: more end at a time than are at risk; leave out devices that enter at the "
                "moment of leaving."
            )
        if left.sum() != entered.sum():
            raise ValueError("ended: a device that entered has no end; count it as censored (0).")

    @classmethod
    def of(
        cls, durations: Numbers, causes: Numbers, entries: Numbers | None = None
    ) -> "LifeCounts":
        """The table of individual devices.

        durations, causes, entries: one entry per device; cause 0 is censored, entry 0 from the
        start. Raises ValueError on negative or missing values, on causes that are not whole, on
        lengths that differ and on an entry after the end.
        """
        ends, starts = spans(durations, entries)
        cause = whole_row("causes", causes)
        equally_long(durations=ends, causes=cause)
        return cls.of_spans(ends, starts, cause)

    @classmethod
    def of_spans(cls, ends: FloatArray, starts: FloatArray, cause: IntArray) -> "LifeCounts":
        """The table of devices whose ends and starts `spans` has checked."""
        seen = (starts < ends) | (starts == 0)
        times = np.unique(np.concatenate((starts[seen], ends[seen])))
        return cls(
            times=times,
            entered=_tally(times, starts[seen]),
            ended={
                each: _tally(times, ends[seen & (cause == each)])
                for each in np.unique(cause).tolist()
            },
            never_at_risk=int((~seen).sum()),
        )

    @property
    def devices(self) -> int:
        """How many devices there are, those that were never at risk with them."""
        return int(self.entered.sum()) + self.never_at_risk

    def left(self) -> IntArray:
        """How many ended at each of the times, of any cause or censored."""
        return sum(self.ended.values(), np.zeros(self.times.size, dtype=np.int64))

    def ended_of(self, cause: int) -> IntArray:
        """How many ended of one cause at each of the times; zeros where no device did."""
        return self.ended.get(cause, np.zeros(self.times.size, dtype=np.int64))

    def at_risk(self, times: Numbers) -> IntArray:
        """How many were at risk at each of any times, in the unit of the table."""
        when = row("times", times)
        present = np.concatenate(([0], np.cumsum(self.entered - self.left())))
        from_start = self.entered[self.times == 0].sum()
        before = np.searchsorted(self.times, when, side="left")
        return present[before] + np.where(when == 0, from_start, 0)

    def at_risk_by_month(self) -> IntArray:
        """How many were at risk in each month from 0 to that of the last end; empty if nobody was.

        The table's unit is the month; entry i of the array is month i.
        """
        ends = self.times[self.left() > 0]
        return self.at_risk(np.arange(np.floor(ends[-1]) + 1 if ends.size else 0.0))

    def between(self, first: int, last: int) -> "LifeCounts":
        """The table restricted to months `first` to `last`, both included.

        Devices at risk in month `first` that had entered before it enter at first - 0.5, later
        ones when they did; ends after month `last` are censored in it; causes without an end in
        these months are dropped. Devices never at risk in these months are not counted. Raises
        ValueError where a time of the table is not whole, and on months that are not whole,
        negative or in descending order.
        """
        start, stop = whole("first", first), whole("last", last)
        if stop < start:
            raise ValueError("last: this month lies before the first.")
        if (self.times != np.floor(self.times)).any():
            raise ValueError("times: only a table in whole months can be restricted to months.")
        inside = (self.times >= start) & (self.times <= stop)
        opening = [start - HALF_A_MONTH] if start else []
        times = np.unique(np.concatenate((opening, self.times[inside], [stop])))
        places = np.searchsorted(times, self.times[inside])

        def placed(counts: IntArray) -> IntArray:
            moved = np.zeros(times.size, dtype=np.int64)
            moved[places] = counts[inside]
            return moved

        entered = placed(np.where(self.times < max(stop, 1), self.entered, 0))
        if start:
            early = self.times < start
            entered[0] = (self.entered - self.left())[early].sum()
        ended = {cause: placed(counts) for cause, counts in self.ended.items()}
        ended = {cause: counts for cause, counts in ended.items() if counts.any()}
        still_there = entered.sum() - sum(counts.sum() for counts in ended.values())
        censored = ended.pop(CENSORED, np.zeros(times.size, dtype=np.int64))
        censored[-1] += still_there
        return LifeCounts(times, entered, {CENSORED: censored, **ended})


def spans(durations: Numbers, entries: Numbers | None) -> tuple[FloatArray, FloatArray]:
    """When each device leaves and when it enters, checked; without entries all from the start."""
    ends = row("durations", durations)
    starts = np.zeros_like(ends) if entries is None else row("entries", entries)
    equally_long(durations=ends, entries=starts)
    if (starts > ends).any():
        raise ValueError("entries: an entry lies after the end of its duration.")
    return ends, starts


def _tally(times: FloatArray, moments: FloatArray) -> IntArray:
    """How many of `moments` fall on each of the ascending `times`; every moment is one of them."""
    return np.bincount(np.searchsorted(times, moments), minlength=times.size).astype(np.int64)

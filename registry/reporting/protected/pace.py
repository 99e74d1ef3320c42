"""Gives protected answers at full ticks of the clock, so that their time tells nothing."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

Answer = TypeVar("Answer")


def at_full_ticks(work: Callable[[], Answer]) -> Answer:
    """Do some work, and wait until whole ticks of REGISTRY_ANSWER_TICK_MS have gone by since.

    A cell that is truly empty is worked out a little faster than one of a few patients, since the
    database sees at once that there is nothing to add up: measured, a millisecond in ten. Both are
    hidden, so both must take as long. Work that takes one tick and a little more than another may
    still be told from it, but only where the difference spans the tick. 0 waits for nothing.
    """
    began = time.monotonic()
    done = work()
    tick = settings.REGISTRY_ANSWER_TICK_MS / 1000
    if tick > 0:
        time.sleep(tick - (time.monotonic() - began) % tick)
    return done

"""The even months at which curves are told and pictures have ticks."""

STEPS = (1, 2, 3, 6, 12, 24, 36, 60, 120)
MOST_STEPS = 10


def even_months(last: int) -> range:
    """The months from 0 to `last`, the end of an answer's longest curve, at most eleven of them."""
    step = next((each for each in STEPS if last <= each * MOST_STEPS), STEPS[-1])
    return range(0, last + 1, step)

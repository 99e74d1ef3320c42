"""How complete follow-up is."""


def follow_up_completeness(observed: float, possible: float) -> float | None:
    """The share of possible follow-up that was observed, C (Clark, Altman and De Stavola, 2002).

    observed, possible: device time, both in one unit. Possible is what would have been observed had
    nobody been lost: up to the end of the device or, where that did not come, to the closing date.
    None where there is no possible time. Raises ValueError where more was observed than possible,
    and on negative time.
    """
    if observed < 0 or observed > possible:
        raise ValueError("observed: this lies between 0 and the possible time.")
    return observed / possible if possible else None

"""Whole numbers as pandas and R write them."""

import re

_WHOLE = re.compile(r"([0-9]+)[.,]0+")


def without_point_zero(text: str) -> str:
    """The digits of a whole number written as 12.0 or 12,0; any other text unchanged.

    pandas and R write these where a column of numbers has a blank. A real fraction is unchanged,
    and refused later.
    """
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text

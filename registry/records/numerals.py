"""Whole numbers as people's programs write them."""

import re

_WHOLE = re.compile(r"([0-9]+)[.,]0+")


def without_point_zero(text: str) -> str:
    """The digits of a whole number written as 12.0 or 12,0; any other text as it is.

    pandas and R write so once a column of numbers has a blank. A real fraction stays one, for the
    reader of the number to refuse.
    """
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text

"""Whole numbers as people and programs write them."""

import re
import unicodedata

_WHOLE = re.compile(r"([0-9]+)[.,]0+")
_EITHER = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_GROUPED = re.compile(
    r"([1-9][0-9]{0,2}(?P<mark>[.,'\N{RIGHT SINGLE QUOTATION MARK} \N{NO-BREAK SPACE}"
    r"\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}])[0-9]{3}(?:(?P=mark)[0-9]{3})*)([.,]0*)?"
)
_POWER = re.compile(r"([1-9])e\+0([1-9])")
"""As R and C write 100000: exact, where a spreadsheet's 1E+05 may have lost digits."""


def without_point_zero(text: str) -> str:
    """The digits of a whole number written as 12.0 or 12,0; any other text unchanged.

    pandas and R write these where a column of numbers has a blank. A real fraction is unchanged,
    and refused later, and so is 1,000, which may be one or a thousand.
    """
    match = _WHOLE.fullmatch(text)
    return match[1] if match and not may_be_thousands(text) else text


def may_be_thousands(text: str) -> bool:
    """Whether a text is a fraction or thousands, as its writer meant the point or comma: 1,000."""
    return _EITHER.fullmatch(text) is not None


def whole_number(text: str, least: int, most: int) -> str:
    """The digits of a whole number written in any way that has one meaning; others unchanged.

    Thousands apart (1'000, 1 000, 1,000,000, 1.000,00), digits of other scripts, a plus, a point
    that nothing follows, R's 1e+05. least, most: the range, in which 1,000 may have one meaning.
    """
    plain = "".join(str(unicodedata.decimal(mark, mark)) for mark in text).removeprefix("+")
    power = _POWER.fullmatch(plain)
    if power is not None:
        return power[1] + "0" * int(power[2])
    grouped = _GROUPED.fullmatch(plain)
    if grouped is None:
        found = without_point_zero(plain.removesuffix(".").removesuffix(","))
        return found if found.isdecimal() else text
    groups, mark, rest = grouped.groups()
    digits = groups.replace(mark, "")
    if mark not in ".," or groups.count(mark) > 1 or (rest and rest[0] != mark):
        return digits
    if rest:
        return text
    before, behind = groups.split(mark)
    is_fraction = least <= float(f"{before}.{behind}") <= most
    is_thousands = least <= int(digits) <= most
    if is_fraction == is_thousands:
        return text
    if is_thousands:
        return digits
    return before if behind == "000" else text

"""Numbers for readers: grouped, to three figures, proportions in per cent."""

from collections.abc import Mapping

from registry.records import Cell
from registry.vocabulary import LEAST_SHOWN

FEW = f"<{LEAST_SHOWN}"
"""The text for a hidden count, the same for every hidden count."""

HIDDEN = "hidden"
"""The text for a number from which a hidden count could be derived."""


def written(value: Cell) -> str:
    """A number for readers: whole numbers grouped, others to three figures or more."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(share: float) -> str:
    """A proportion in per cent, without the sign: two decimals, under 1 % three figures."""
    text = f"{100 * share:.2f}" if 100 * share >= 1 or not share else f"{100 * share:.3g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_percent(share: Cell) -> str:
    """A proportion with its sign, as in `8.5 %`."""
    return f"{percent(_number(share))} %"


def range_in_percent(lower: Cell, upper: Cell) -> str:
    """The limits of a proportion, as in `6.15 to 11.64 %`."""
    return f"{percent(_number(lower))} to {percent(_number(upper))} %"


def range_of(lower: Cell, upper: Cell) -> str:
    """The limits of a rate, as in `0.388 to 11.6`."""
    return f"{written(lower)} to {written(upper)}"


def value_of(row: Mapping[str, Cell]) -> float | None:
    """The share or the rate of a row; None where it is hidden or undefined."""
    value = row.get("proportion", row.get("rate"))
    return float(value) if isinstance(value, int | float) else None


def limits_of(lower: Cell, upper: Cell, *, shares: bool = False) -> str:
    """The limits of a rate or of a proportion; nothing where one is missing."""
    if lower is None or upper is None:
        return ""
    return (range_in_percent if shares else range_of)(lower, upper)


def in_brackets(words: str) -> str:
    """Limits behind a number, as in ` (0.388 to 11.6)`; nothing for none."""
    return f" ({words})" if words else ""


def _number(value: Cell) -> float:
    if isinstance(value, str) or value is None:
        raise TypeError("A number is wanted here.")
    return float(value)

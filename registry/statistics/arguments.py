"""Checks of the statistics' arguments; errors name argument and fix, and repeat no value."""

from collections.abc import Sequence
from math import inf
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from registry.statistics.results import BoolArray, FloatArray, IntArray

Numbers: TypeAlias = Sequence[float] | NDArray[Any]

_BELOW_ZERO = "{name}: a value is negative; counts and times start at 0."


def finite(name: str, value: object) -> FloatArray:
    """Numbers of any shape as floats; refuses NaN, infinity and what is not a number."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"{name}: numbers are needed, as one scalar or one rectangular array."
        raise ValueError(message) from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: a value is missing or infinite; leave such rows out.")
    return array


def non_negative(name: str, value: object) -> FloatArray:
    """Counts or times of any shape; they need not be whole, but none is below 0."""
    array = finite(name, value)
    if (array < 0).any():
        raise ValueError(_BELOW_ZERO.format(name=name))
    return array


def scalar(name: str, value: object) -> float:
    """One count or time, not below 0."""
    if isinstance(value, float) and 0 <= value < inf:  # at once: there are many of these
        return float(value)
    array = non_negative(name, value)
    if array.ndim:
        raise ValueError(f"{name}: one number is needed, not an array.")
    return float(array)


def whole(name: str, value: object) -> int:
    """One whole number, not below 0."""
    number = scalar(name, value)
    if not number.is_integer():
        raise ValueError(f"{name}: a whole number is needed.")
    return int(number)


def positive(name: str, value: object) -> float:
    """One number above 0."""
    number = scalar(name, value)
    if number == 0:
        raise ValueError(f"{name}: must be above 0.")
    return number


def tail(level: object) -> float:
    """The probability left in each tail by a two-sided level, such as 0.025 for 0.95."""
    if isinstance(level, float) and 0 < level < 1:
        return (1 - float(level)) / 2
    number = finite("level", level)
    if number.ndim or not 0 < number < 1:
        raise ValueError("level: one number between 0 and 1 is needed, such as 0.95.")
    return float(1 - number) / 2


def finite_row(name: str, value: object) -> FloatArray:
    """A one-dimensional array of finite numbers."""
    array = finite(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name}: a one-dimensional array is needed.")
    return array


def row(name: str, value: object) -> FloatArray:
    """A one-dimensional array of finite numbers, none below 0."""
    return finite_row(name, non_negative(name, value))


def whole_row(name: str, value: object) -> IntArray:
    """A one-dimensional array of whole numbers, none below 0."""
    if isinstance(value, np.ndarray) and value.dtype == np.int64 and value.ndim == 1:
        if (value < 0).any():
            raise ValueError(_BELOW_ZERO.format(name=name))
        return value.copy()
    array = row(name, value)
    if (array != np.floor(array)).any():
        raise ValueError(f"{name}: whole numbers are needed.")
    return array.astype(np.int64)


def flags(name: str, value: object) -> BoolArray:
    """A one-dimensional array of True and False, or 1 and 0."""
    array = finite_row(name, value)
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name}: only True and False (or 1 and 0) are allowed.")
    return array.astype(np.bool_)


def labels(name: str, value: object) -> NDArray[Any]:
    """A one-dimensional array of labels of one kind, such as texts or numbers, none missing."""
    array = np.asarray(value)
    if array.ndim != 1:
        raise ValueError(f"{name}: a one-dimensional array is needed.")
    missing = [label is None or label != label for label in array.tolist()]
    if any(missing):
        raise ValueError(f"{name}: a label is missing; leave such rows out.")
    return array


def equally_long(**arrays: NDArray[Any]) -> None:
    """Refuses one-dimensional arrays of different lengths."""
    if len({array.size for array in arrays.values()}) > 1:
        raise ValueError(f"{', '.join(arrays)}: these need the same length.")


def broadcast(**arrays: FloatArray) -> tuple[FloatArray, ...]:
    """The arrays broadcast to one shape."""
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        message = f"{', '.join(arrays)}: these shapes do not broadcast together."
        raise ValueError(message) from None

"""Whether two forms of an answer are the same, row by row."""

from collections.abc import Collection, Iterator
from math import isclose

from tests.benchmarks.eight_questions import Rows

RELATIVE = 1e-9
SHOWN = 5


def differences(one: Rows, other: Rows, *, but: Collection[int] = ()) -> Iterator[str]:
    """Each row that one form lacks, or that has other numbers in the other.

    but: places in the rows whose numbers may differ.
    """
    for key in sorted({*one, *other}, key=str):
        mine, theirs = one.get(key), other.get(key)
        if mine is None or theirs is None or not _alike(_without(mine, but), _without(theirs, but)):
            yield f"{key}: {mine} and {theirs}"


def _without(row: tuple[object, ...], but: Collection[int]) -> tuple[object, ...]:
    return tuple(value for place, value in enumerate(row) if place not in but)


def _alike(mine: tuple[object, ...], theirs: tuple[object, ...]) -> bool:
    return len(mine) == len(theirs) and all(map(_same, mine, theirs))


def _same(one: object, other: object) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return isclose(one, other, rel_tol=RELATIVE) if numbers else one == other  # type: ignore[arg-type]

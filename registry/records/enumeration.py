"""Several words in one sentence."""

from collections.abc import Iterable


def enumerated(words: Iterable[str], *, last: str) -> str:
    """Words in a row, the last after a word of its own: `one, two or three`; at least one word."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end

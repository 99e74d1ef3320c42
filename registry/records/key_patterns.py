"""A site's own pattern of keys: a prefix, and a number of digits behind it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_DIGITS = 5
"""Six digits in a row are refused as a record number, whatever a site declares."""

LONGEST_PREFIX = 20
PREFIX = rf"[A-Za-z0-9._-]{{0,{LONGEST_PREFIX - 1}}}[A-Za-z._-]"
"""The form of a prefix: no digit at its end, so that a pattern is read in one way."""

_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class KeyPattern:
    """The keys that a site declared its own to be: the prefix as it is, and so many digits."""

    prefix: str
    digits: int

    @property
    def example(self) -> str:
        """The first key of the pattern."""
        return f"{self.prefix}{1:0{self.digits}}"

    def has(self, key: str) -> bool:
        """Whether a key is of the pattern."""
        number = key.removeprefix(self.prefix)
        begins = key.startswith(self.prefix) and len(number) == self.digits
        return begins and _NUMBER.fullmatch(number) is not None

    def kinds(self) -> Iterator[str]:
        """Keys of the pattern, as many as the rules for what identifies tell apart.

        Five digits in a row are no day, month or year: one key stands for all of them.
        """
        count = 1 if self.digits == MOST_DIGITS else 10**self.digits
        return (f"{self.prefix}{number:0{self.digits}}" for number in range(count))

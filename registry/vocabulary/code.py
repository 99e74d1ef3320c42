"""What a code is: a stable value, a label for forms, and a definition for coders."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Self

NOT_RECORDED = "not-recorded"
"""Selects blanks in a filter and names them in a breakdown; never stored, never in a list."""


class Described(Enum):
    """The interface every code list offers, whether its values are words or numbers."""

    label: str
    definition: str
    verified: bool
    bit: int
    """Position in declaration order from 0: its bit where several values are stored.

    Lists stored as bit sets only ever grow at the end: see BIT_SETS and its frozen test.
    """

    def describe(self, label: str, definition: str) -> None:
        """Set label, definition and position; the member is verified unless marked otherwise."""
        self.bit = len(type(self).__members__)
        self.label = label
        self.definition = definition
        self.verified = True

    def mark_unverified(self) -> None:
        """Mark the entry, and its label, as not verified in a source."""
        self.label = f"{self.label} (unverified)"
        self.verified = False

    @classmethod
    def choices(cls) -> list[tuple[Any, str]]:
        """Pairs of stored value and label in declaration order, as a Django field takes them."""
        return [(member.value, member.label) for member in cls]

    @classmethod
    def codes(cls) -> tuple[Any, ...]:
        """The stored values in declaration order, as plain strings or numbers."""
        return tuple(member.value for member in cls)

    @classmethod
    def pack(cls, members: Iterable[Self]) -> int:
        """Pack several codes into one whole number; no code is 0, which differs from "not
        recorded"."""
        bits = 0
        for member in members:
            bits |= 1 << member.bit
        return bits

    @classmethod
    def unpack(cls, bits: int) -> tuple[Self, ...]:
        """Unpack a number from `pack`, in declaration order.

        Raises ValueError where a bit belongs to no code of the list.
        """
        if bits < 0 or bits >> len(cls):
            raise ValueError(f"{cls.__name__} has {len(cls)} codes; the bit set holds others.")
        return tuple(member for member in cls if bits >> member.bit & 1)


class Code(Described, StrEnum):
    """One entry of a code list, declared as `NAME = "code", "Label", "Definition."`.

    A member equals its code as a string. Further arguments go to the `__init__` of lists whose
    members refer to others (a model to its manufacturer).
    """

    def __new__(cls, code: str, label: str, definition: str, *_relations: object) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.describe(label, definition)
        return member

    @classmethod
    def of(cls, code: str) -> Self:
        """The entry of this code; ValueError where the list has none."""
        found: Self | None = _by_code(cls).get(code)
        if found is None:
            raise ValueError(f"{cls.__name__} has no such code.")
        return found


@cache
def _by_code(codes: type[Any]) -> dict[str, Any]:
    return {member.value: member for member in codes}

"""The catalogue as it stood when a snapshot was frozen, so that old answers stay repeatable."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Term:
    """One complication, as far as counting needs it."""

    code: str
    name: str
    category: str
    clock: str
    natural_denominator: str
    in_totals: bool
    retired: bool = False
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class TermGroup:
    """One category and what a rate of it divides by."""

    code: str
    name: str
    natural_denominator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Complications and categories in the catalogue's order, and the country of each site."""

    version: str
    complications: tuple[Term, ...]
    categories: tuple[TermGroup, ...]
    sites: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Write the terms as the manifest keeps them."""
        return asdict(self) | {"sites": dict(sorted(self.sites.items()))}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read the terms back from a manifest."""
        return cls(
            version=kept["version"],
            complications=tuple(Term(**term) for term in kept["complications"]),
            categories=tuple(TermGroup(**group) for group in kept["categories"]),
            sites=kept["sites"],
        )

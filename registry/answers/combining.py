"""What protected answers cannot combine with what a question names already, with the reason.

From the code lists and the policy alone, so that a form can say it before a question is asked.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.records import DIMENSIONS
from registry.records.enumeration import enumerated

NOT_BESIDE = "not together with {} in protected numbers"
YEARS = {"year_min": "year", "year_max": "year"}
"""Parameters that restrict a dimension under another name."""


@dataclass(frozen=True)
class Combining:
    """Which dimensions stand together. known: `reporting.dimensions` of a protected reader.

    Nothing is blocked where nothing is known, as for exact readers.
    """

    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def why_not(self, name: str, used: Iterable[str]) -> str:
        """Why a dimension cannot be asked beside those that are used; empty where it can."""
        if not self._offers(name):
            return ""
        against = [
            other
            for other in dict.fromkeys(YEARS.get(each, each) for each in used)
            if self._offers(other)
            and not self._is_kin(name, other)
            and name not in self._beside(other)
        ]
        if not against:
            return ""
        titles = [DIMENSIONS[each].title.lower() for each in against]
        return NOT_BESIDE.format(enumerated(titles, last="and"))

    def as_data(self) -> dict[str, Any]:
        """For the page's script: what each dimension may stand beside, its title and its kin."""
        names = [name for name in self.known if self._offers(name)]
        return {
            name: {
                "title": DIMENSIONS[name].title.lower(),
                "beside": [*self._beside(name)],
                "kin": [other for other in names if self._is_kin(name, other)],
            }
            for name in names
        }

    def _offers(self, name: str) -> bool:
        return bool(self.known.get(name, {}).get("protected"))

    def _beside(self, name: str) -> Collection[str]:
        beside: Collection[str] = self.known[name]["protected"]["combined_with"]
        return beside

    def _is_kin(self, one: str, other: str) -> bool:
        """Whether they are one dimension at two levels, such as a drug and its class."""
        levels = self.known[one]["protected"]["levels"], self.known[other]["protected"]["levels"]
        return one == other or other in levels[0] or one in levels[1]

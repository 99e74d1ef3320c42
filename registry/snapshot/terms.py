"""The catalogue as it stood when a snapshot was frozen, so that old answers stay repeatable."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from registry.vocabulary import StudiedAges, Therapy


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
class Published:
    """A figure of the literature that may be shown; about a complication, a category, or all.

    numerator, denominator: in units, None where the source does not print them.
    """

    rate_id: str
    complication: str
    category: str
    metric: str
    measure_type: str
    numerator: float | None
    denominator: float | None
    unit: str
    population: str
    source: str
    confidence: str
    note: str
    therapy: str = Therapy.NOT_STATED.value
    age_group: str = StudiedAges.NOT_STATED.value

    def leaves_out(self, name: str) -> bool:
        """Whether a field is one of those that may be left unsaid, and is."""
        unsaid = {"therapy": Therapy.NOT_STATED, "age_group": StudiedAges.NOT_STATED}
        return name in unsaid and getattr(self, name) == unsaid[name]

    @property
    def counts(self) -> bool:
        """Whether the source prints what its figure was worked out from."""
        return self.numerator is not None and bool(self.denominator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Complications, categories and the literature in the catalogue's order; sites' countries.

    implants_from: for a site and a component, the year from which on the site's implants count,
    where it says one; the exposure that it declared counts before.
    """

    version: str
    complications: tuple[Term, ...]
    categories: tuple[TermGroup, ...]
    sites: Mapping[str, str]
    published: tuple[Published, ...] = ()
    implants_from: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Write the terms as the manifest keeps them.

        What a source does not state is left out, as it was when nothing was kept of it: the same
        rows and the same catalogue make the same snapshot.
        """
        published = [
            {name: value for name, value in _kept(each).items() if not each.leaves_out(name)}
            for each in self.published
        ]
        return {
            "version": self.version,
            "complications": [_kept(term) for term in self.complications],
            "categories": [_kept(group) for group in self.categories],
            "sites": dict(sorted(self.sites.items())),
            "published": published,
            **({"implants_from": _in_order(self.implants_from)} if self.implants_from else {}),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read the terms back from a manifest."""
        return cls(
            version=kept["version"],
            complications=tuple(Term(**term) for term in kept["complications"]),
            categories=tuple(TermGroup(**group) for group in kept["categories"]),
            sites=kept["sites"],
            published=tuple(Published(**figure) for figure in kept.get("published", ())),
            implants_from=kept.get("implants_from", {}),
        )


def _in_order(words: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {site: dict(sorted(years.items())) for site, years in sorted(words.items())}


def _kept(each: Term | TermGroup | Published) -> dict[str, Any]:
    """The fields of one that holds plain values only, which `asdict` would copy in depth."""
    return {named.name: getattr(each, named.name) for named in fields(each)}

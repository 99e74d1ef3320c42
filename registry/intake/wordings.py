"""The words of a site: kept with the site, and applied to the files of its members."""

from collections.abc import Iterable

from registry.intake.row_reading import Wording
from registry.intake.writers import require
from registry.interchange.site_words import SiteWords, codes_of_terms, site_words, site_words_of
from registry.models import Complication, Site, User, sealed
from registry.records import Refusal
from registry.records.spelling import folded
from registry.vocabulary import Right

__all__ = ["keep_words", "may_keep_words", "wording_of"]


def wording_of(by: User, *, mapping: bytes | None = None, blank: str = "") -> Wording:
    """How a sender's files are read: a mapping over the words of the own sites, and empty words.

    mapping: JSON, see `site_words`. Words on which two own sites differ are not applied.
    blank: words taken as empty, separated by commas.

    Raises Refusal for a mapping with faults.
    """
    said = _read(mapping) if mapping is not None else SiteWords()
    kept = [site_words_of(words) for words in _kept(by) if words]
    words = dict.fromkeys(word.strip() for word in blank.split(",") if word.strip())
    return Wording(said.over(_agreed(kept)), tuple(words))


def keep_words(site: Site, *, mapping: bytes, by: User) -> Site:
    """Keeps a mapping of headings and words with a site, in place of the one before.

    For leads of the site and data managers. An empty mapping removes it.

    Raises NotPermitted, and Refusal for a mapping with faults.
    """
    require(may_keep_words(site, by=by), "keep the words of this site")
    words = _read(mapping).as_json()
    with sealed(by=by, action="keep-words") as seal:
        stored = Site.objects.get(pk=site.pk)
        if stored.words != words:
            stored.words = words
            seal.save(stored)
    return stored


def may_keep_words(site: Site, *, by: User) -> bool:
    """Whether the writer may keep a site's words: its lead, or a data manager."""
    return site.active and (by.may(Right.RUN_REGISTRY) or by.leads(site))


def _read(mapping: bytes) -> SiteWords:
    """A mapping whose complications are of the catalogue. One query."""
    words = site_words(mapping)
    codes = set(Complication.objects.current().values_list("code", flat=True))
    faults = list(codes_of_terms(words, {folded(code) for code in codes}))
    if faults:
        raise Refusal(faults)
    return words


def _kept(by: User) -> Iterable[dict[str, object]]:
    return by.sites().values_list("words", flat=True)


def _agreed(kept: Iterable[SiteWords]) -> SiteWords:
    """The words of several sites, without those that mean different things at them."""
    headings: dict[str, set[str]] = {}
    words: dict[str, dict[str, set[str]]] = {}
    for each in kept:
        for heading, column in each.headings.items():
            headings.setdefault(heading, set()).add(column)
        for column, meanings in each.words.items():
            for word, code in meanings.items():
                words.setdefault(column, {}).setdefault(word, set()).add(code)
    return SiteWords(
        {heading: next(iter(meant)) for heading, meant in headings.items() if len(meant) == 1},
        {
            column: {word: next(iter(meant)) for word, meant in of.items() if len(meant) == 1}
            for column, of in words.items()
        },
    )

"""Finds complications by what a nurse types, the best match first."""

import math
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from registry.catalogue.search.folding import words_of
from registry.catalogue.search.likeness import CONCEPT, EXACT, HEARD, STEM, likeness
from registry.catalogue.search.reading import Unit, readings

FITS = 0.5
"""The least fit of a complication that answers the search; below it stand the nearest."""

NEAREST = 5
"""How many are shown where nothing fits."""

ALWAYS = 3
"""How many are shown at least, where these are half as good as one that fits."""

_SMALL_WORD = 0.12
_OF_KNOWN_WORDS = 0.7
"""Known words are seldom slips of others: "leak" is not "weak"."""
_OWN_NAME, _CODE_AS_WORDS, _DEFINITION = 1.0, 0.95, 0.55
_TERM, _RELATED_TERM = 0.5, 0.3
_TYPED_SHARE, _NAME_SHARE = 0.6, 0.4
_MANY_NAMES = 0.1
_CATCH_ALL = 0.9
_IMDRF_CODE = re.compile(r"[AE]\d{2,8}")


@dataclass(frozen=True, slots=True)
class ImdrfName:
    """A code of the IMDRF terminologies, its term, and how closely it relates, from 0 to 1."""

    code: str
    term: str
    closeness: float


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """What is searched of one complication.

    names: its name first, then other names in any language. catch_all: whether it is for what no
    other entry describes.
    """

    code: str
    names: tuple[str, ...]
    definition: str = ""
    imdrf: tuple[ImdrfName, ...] = ()
    catch_all: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A complication that was found, how well it fits, and by which of its names.

    fit: about 1 where a name was typed as it stands; an order, not a probability.
    """

    code: str
    fit: float
    by: str


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search found, best first. nearest: nothing fits, and these are only near."""

    hits: tuple[Hit, ...]
    nearest: bool = False

    @property
    def codes(self) -> tuple[str, ...]:
        """The complications in their order."""
        return tuple(hit.code for hit in self.hits)


@dataclass(frozen=True, slots=True)
class _Name:
    """One reading of one name of an entry.

    units: the places of its units in the vocabulary; weights: the weight of each.
    """

    entry: int
    text: str
    scale: float
    units: tuple[int, ...]
    weights: tuple[float, ...]


class SearchIndex:
    """Entries that can be searched. A search among 94 entries takes some milliseconds."""

    def __init__(self, entries: Sequence[SearchEntry]) -> None:
        self.entries = tuple(entries)
        read = [
            (number, text, scale, reading)
            for number, entry in enumerate(self.entries)
            for text, scale in _texts_of(entry)
            for reading in readings(text)
        ]
        places = {
            unit: place
            for place, unit in enumerate(dict.fromkeys(unit for *_, each in read for unit in each))
        }
        self._vocabulary = tuple(places)
        holders: dict[str, set[int]] = defaultdict(set)
        for number, _text, scale, reading in read:
            for unit in reading if scale > _DEFINITION else ():
                for key in (unit.stem, *unit.means):
                    holders[key].add(number)
        self._held = {key: len(found) for key, found in holders.items()}
        weights = [self._weight(unit) for unit in self._vocabulary]
        self._names: list[_Name] = []
        self._named: list[list[int]] = [[] for _ in self._vocabulary]
        for place, (number, text, scale, reading) in enumerate(read):
            own = tuple(places[unit] for unit in reading)
            self._names.append(
                _Name(number, text, scale, own, tuple(weights[each] for each in own))
            )
            for each in set(own):
                self._named[each].append(place)

    def search(self, text: str, *, within: Container[str] | None = None) -> Matches:
        """The complications that a text may mean, best first; an IMDRF code finds its own.

        within: the codes to choose from, all where None.
        """
        code = re.sub(r"[\s.]", "", text).upper()
        if _IMDRF_CODE.fullmatch(code) and (coded := _among(self._by_imdrf_code(code), within)):
            return Matches(coded)
        hits = _among(self._by_words(text), within)
        if not any(hit.fit >= FITS for hit in hits):
            return Matches((hits or _among(self._by_letters(text), within))[:NEAREST], nearest=True)
        least = min(FITS, hits[min(len(hits), ALWAYS) - 1].fit)
        return Matches(tuple(hit for hit in hits if hit.fit >= max(least, FITS / 2)))

    def _by_words(self, text: str) -> list[Hit]:
        """Every entry that shares anything with the text."""
        alike: dict[Unit, Mapping[int, float]] = {}
        best: dict[int, tuple[float, str]] = {}
        support: dict[int, float] = defaultdict(float)
        for asked in readings(text):
            for unit in asked:
                if unit not in alike:
                    alike[unit] = self._alike(unit)
            weights = [self._weight_typed(unit, alike[unit]) for unit in asked]
            rows = [(weight, alike[unit]) for weight, unit in zip(weights, asked, strict=True)]
            found = {place for _, own in rows for unit in own for place in self._named[unit]}
            for name in (self._names[place] for place in sorted(found)):
                fit = _fit(rows, name) / sum(weights)
                if not fit:
                    continue
                support[name.entry] += fit**3
                if fit > best.get(name.entry, (0.0, ""))[0]:
                    best[name.entry] = (fit, name.text)
        hits = []
        for number, (fit, by) in best.items():
            entry = self.entries[number]
            fit += _MANY_NAMES * math.log1p(support[number])
            hits.append(Hit(entry.code, fit * (_CATCH_ALL if entry.catch_all else 1), by))
        return _ordered(hits)

    def _by_imdrf_code(self, code: str) -> list[Hit]:
        """The entries with a code or one below it, the closest first."""
        best: dict[str, Hit] = {}
        for entry in self.entries:
            for name in entry.imdrf:
                fit = name.closeness + (name.code == code)
                if name.code.startswith(code) and fit > best.get(entry.code, _NOTHING).fit:
                    best[entry.code] = Hit(entry.code, fit, f"{name.code} {name.term}")
        return _ordered(best.values())

    def _by_letters(self, text: str) -> list[Hit]:
        """The entries with a name that shares triples of letters with the text."""
        asked = _triples(text)
        best: dict[int, Hit] = {}
        for name in self._names:
            own = _triples(name.text)
            shared = len(asked & own) / (len(asked | own) or 1)
            if shared > best.get(name.entry, _NOTHING).fit:
                best[name.entry] = Hit(self.entries[name.entry].code, shared, name.text)
        return _ordered(best.values())

    def _alike(self, typed: Unit) -> dict[int, float]:
        """Every unit of the catalogue, by its place, that is like a typed one, and how much."""
        doubt = _OF_KNOWN_WORDS if typed.stem in self._held or typed.means else 1.0
        found = {}
        for place, unit in enumerate(self._vocabulary):
            if like := _like(typed, unit, doubt):
                found[place] = like
        return found

    def _weight(self, unit: Unit) -> float:
        """How much a unit tells: the fewer entries hold it, the more. At most 1."""
        if unit.small:
            return _SMALL_WORD
        held = max(self._held.get(key, 1) for key in (unit.stem, *unit.means))
        return math.log(1 + len(self.entries) / held) / math.log(1 + len(self.entries))

    def _weight_typed(self, unit: Unit, alike: Mapping[int, float]) -> float:
        """The same; an unknown word weighs as much as the known one that it is most like."""
        known = any(key in self._held for key in (unit.stem, *unit.means))
        if known or unit.small or not alike:
            return self._weight(unit)
        return self._weight(self._vocabulary[max(alike, key=lambda one: alike[one])])


_NOTHING = Hit("", 0.0, "")


@lru_cache(maxsize=4)
def index_of(entries: tuple[SearchEntry, ...]) -> SearchIndex:
    """The index of entries, made anew only where one of them changed."""
    return SearchIndex(entries)


def _texts_of(entry: SearchEntry) -> Iterable[tuple[str, float]]:
    """Every text that finds an entry, with how much it counts."""
    yield from ((name, _OWN_NAME) for name in entry.names)
    yield entry.code.replace("-", " "), _CODE_AS_WORDS
    yield from ((one.term, _TERM + _RELATED_TERM * one.closeness) for one in entry.imdrf)
    yield entry.definition, _DEFINITION


def _like(typed: Unit, unit: Unit, doubt: float) -> float:
    if unit.typed == typed.typed:
        return EXACT
    if unit.heard == typed.heard:
        return HEARD
    if unit.stem == typed.stem:
        return STEM
    if unit.means & typed.means:
        return CONCEPT
    if typed.small or unit.small or " " in unit.heard or " " in typed.heard:
        return 0.0
    return likeness(typed.heard, unit.heard) * doubt


def _fit(asked: Sequence[tuple[float, Mapping[int, float]]], name: _Name) -> float:
    """How well a name answers what was asked, times the weight of what was asked.

    All that was typed should stand in the name; how much of the name was typed counts less.
    """
    answered = 0.0
    used = [0.0] * len(name.units)
    for weight, alike in asked:
        best = 0.0
        for place, unit in enumerate(name.units):
            like = alike.get(unit, 0.0)
            used[place] = max(used[place], like)
            best = max(best, like)
        answered += weight * best
    if not answered:
        return 0.0
    said = sum(weight * like for weight, like in zip(name.weights, used, strict=True))
    return answered * (_TYPED_SHARE + _NAME_SHARE * said / sum(name.weights)) * name.scale


def _triples(text: str) -> set[str]:
    return {
        padded[at : at + 3]
        for padded in (f" {word} " for word in words_of(text))
        for at in range(len(padded) - 2)
    }


def _among(hits: Iterable[Hit], within: Container[str] | None) -> tuple[Hit, ...]:
    return tuple(hit for hit in hits if within is None or hit.code in within)


def _ordered(hits: Iterable[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.fit, hit.code))

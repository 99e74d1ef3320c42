"""A text as units that can be compared: words, parts of compounds, and phrases."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from registry.catalogue.search.folding import (
    MOST_WORDS,
    SMALL_WORDS,
    sound,
    stem,
    umlauts_dropped,
    words_of,
)
from registry.catalogue.search.thesaurus import concepts, longest_phrase

_LINKS = ("", "s", "n", "en", "es", "e", "er")
"""What German and Dutch put between the parts of a compound."""
_SHORTEST_PART = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or phrase: as typed, as heard, its stem, and what it means."""

    typed: str
    heard: str
    stem: str
    means: frozenset[str]
    small: bool


Reading = tuple[Unit, ...]


@lru_cache(maxsize=MOST_WORDS)
def readings(text: str) -> tuple[Reading, ...]:
    """The ways to read a text: word by word, with compounds parted, and with phrases joined."""
    found: dict[Reading, None] = {}
    for words in dict.fromkeys((tuple(words_of(text)), tuple(umlauts_dropped(text)))):
        parted = tuple(part for word in words for part in parts_of(word))
        for each in dict.fromkeys((words, parted)):
            found[tuple(map(unit, each))] = None
            found[tuple(_joined(each))] = None
    found.pop((), None)
    return tuple(found)


@lru_cache(maxsize=MOST_WORDS)
def unit(word: str) -> Unit:
    """One folded word."""
    heard = sound(word)
    rest = stem(heard)
    return Unit(word, heard, rest, concepts().get((rest,), frozenset()), word in SMALL_WORDS)


def _joined(words: tuple[str, ...]) -> Iterator[Unit]:
    """The words with phrases of the thesaurus as one unit each, the longest first."""
    stems = tuple(unit(word).stem for word in words)
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + longest_phrase()), start + 1, -1):
            means = concepts().get(stems[start:end])
            if means is not None:
                typed = " ".join(words[start:end])
                yield Unit(typed, sound(typed), " ".join(stems[start:end]), means, False)
                start = end
                break
        else:
            yield unit(words[start])
            start += 1


@lru_cache(maxsize=MOST_WORDS)
def parts_of(word: str) -> tuple[str, ...]:
    """The known words that a compound is made of; the word itself where it is none.

    Takes the fewest parts: pumpentascheninfektion is pumpentasche and infektion.
    """
    if len(word) < 2 * _SHORTEST_PART or unit(word).means:
        return (word,)
    return _parted(word) or (word,)


@lru_cache(maxsize=MOST_WORDS)
def _parted(word: str) -> tuple[str, ...]:
    if unit(word).means:
        return (word,)
    best: tuple[str, ...] = ()
    for end in range(len(word) - 3, _SHORTEST_PART - 1, -1):
        first = word[:end]
        if not unit(first).means:
            continue
        for link in _LINKS:
            if word.startswith(link, end) and len(word) - end - len(link) >= 3:
                rest = _parted(word[end + len(link) :])
                if rest and (not best or len(rest) + 1 < len(best)):
                    best = (first, *rest)
    return best

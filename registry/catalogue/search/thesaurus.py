"""Words that mean the same in the four languages of the catalogue, and the parts of compounds."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from registry.catalogue.search.folding import sound, stem, umlauts_dropped, words_of

FILE = Path(__file__).parent / "thesaurus.csv"
Stems = tuple[str, ...]


@cache
def concepts() -> Mapping[Stems, frozenset[str]]:
    """The concepts of each word or phrase, by the stems of its words."""
    found: dict[Stems, set[str]] = defaultdict(set)
    with FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for phrase in row["words"].split(";"):
                for words in (words_of(phrase), umlauts_dropped(phrase)):
                    found[tuple(stem(sound(word)) for word in words)].add(row["concept"])
    return MappingProxyType({stems: frozenset(names) for stems, names in found.items()})


@cache
def longest_phrase() -> int:
    """The number of words of the longest phrase."""
    return max(map(len, concepts()))

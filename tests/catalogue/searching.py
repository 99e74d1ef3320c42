"""The search over the shipped catalogue, and the cases that it is held to."""

import csv
import random
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from registry.catalogue import read_catalogue
from registry.catalogue.search import ImdrfName, SearchEntry, SearchIndex

CLOSENESS = {"exact": 1.0, "narrower": 0.8, "broader": 0.4, "sign": 0.2}
NEIGHBOURS = {"a": "s", "e": "r", "i": "o", "o": "i", "t": "r", "r": "t", "n": "m", "s": "d"}

Case = tuple[str, frozenset[str]]


@cache
def shipped_entries() -> tuple[SearchEntry, ...]:
    """The shipped complications as search reads them, without a database."""
    catalogue = read_catalogue()
    entries = []
    for term in catalogue.complications:
        elsewhere = (one.term for one in catalogue.synonyms if one.complication == term.code)
        codes = (
            ImdrfName(one.code, one.term, CLOSENESS[one.relation.value])
            for one in catalogue.imdrf_codes
            if one.complication == term.code
        )
        names = tuple(dict.fromkeys([term.name, *term.synonyms, *elsewhere]))
        catch_all = term.code.startswith("other-")
        entries.append(SearchEntry(term.code, names, term.definition, tuple(codes), catch_all))
    return tuple(entries)


@cache
def shipped_index() -> SearchIndex:
    """The index of the shipped catalogue."""
    return SearchIndex(shipped_entries())


def cases(name: str) -> list[Case]:
    """What is typed and which complications may come first, of one file beside this one."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return [
            (row["query"], frozenset(row["expected_code"].split("; ")))
            for row in csv.DictReader(lines)
        ]


def shares(tried: Sequence[Case], index: SearchIndex) -> tuple[float, float]:
    """The shares of cases whose complication comes first, and among the first three."""
    found = [(index.search(text).codes[:3], expected) for text, expected in tried]
    first = sum(bool(codes) and codes[0] in expected for codes, expected in found)
    third = sum(not expected.isdisjoint(codes) for codes, expected in found)
    return first / len(found), third / len(found)


def slipped(names: Iterable[tuple[str, str]], dice: random.Random) -> list[Case]:
    """Names with one slip in their longest word: a letter lost, doubled, swapped or replaced."""
    made = []
    for name, code in names:
        words = name.split()
        longest = max(range(len(words)), key=lambda place: len(words[place]))
        word = words[longest]
        if len(word) < 5:
            continue
        at = dice.randrange(1, len(word) - 1)
        words[longest] = dice.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + NEIGHBOURS.get(word[at].lower(), word[at]) + word[at + 1 :],
            )
        )
        made.append((" ".join(words), frozenset({code})))
    return made

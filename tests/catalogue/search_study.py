"""Prints how often the search finds what was meant: `python -m tests.catalogue.search_study`.

Figures only; tests/catalogue/test_search.py holds the limits.
"""

import random
import time
from dataclasses import replace

from registry.catalogue import read_catalogue
from registry.catalogue.search import SearchIndex
from registry.vocabulary import TermLanguage
from tests.catalogue.searching import (
    Case,
    cases,
    shares,
    shipped_entries,
    shipped_index,
    slipped,
)


def without(code: str, name: str) -> SearchIndex:
    """The index of the catalogue without one name of one complication."""
    return SearchIndex(
        [
            replace(entry, names=tuple(each for each in entry.names if each != name))
            if entry.code == code
            else entry
            for entry in shipped_entries()
        ]
    )


def told(title: str, count: int, first: float, third: float) -> None:
    """Prints one row of the table."""
    print(f"| {title} | {count} | {first:.1%} | {third:.1%} |")


def main() -> None:
    """Measures given cases, cases of our own, slips, and names taken out of the catalogue."""
    index = shipped_index()
    given = cases("search_cases")
    random.Random(7).shuffle(given)
    further = cases("further_search_cases")
    halves: list[tuple[str, list[Case]]] = [
        ("given cases, half looked at while designing", given[:48]),
        ("given cases, half held out", given[48:]),
        ("further cases, written for this search", further),
    ]
    synonyms = read_catalogue().synonyms
    names = [(one.term, one.complication) for one in synonyms]
    halves.append(("other names with one slip", slipped(names, random.Random(5))))
    print("| what is typed | cases | first | among the first three |\n|---|---|---|---|")
    started = time.perf_counter()
    for title, tried in halves:
        told(title, len(tried), *shares(tried, index))
    took = (time.perf_counter() - started) / sum(len(tried) for _title, tried in halves)
    for language in TermLanguage:
        taken = [one for one in synonyms if one.language is language]
        taken = random.Random(3).sample(taken, min(len(taken), 120))
        rows = [
            shares([(one.term, frozenset({one.complication}))], without(one.complication, one.term))
            for one in taken
        ]
        first, third = (sum(each) / len(rows) for each in zip(*rows, strict=True))
        told(f"a name in {language.label} that the catalogue has not", len(rows), first, third)
    print(f"\n{took * 1000:.0f} ms a search")


if __name__ == "__main__":
    main()

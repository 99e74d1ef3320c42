"""The pages about words keep pace with the words."""

import re
from pathlib import Path

from registry.vocabulary import CODELISTS, Outcome

DOCS = Path(__file__).parents[2] / "docs"


def rows_of(page: str) -> list[list[str]]:
    """Cells of every table row of a page."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return [line.strip("|").split("|") for line in lines if line.startswith("|")]


def test_vocabularies_page_names_every_code_list_once():
    named = [
        match[1] for row in rows_of("vocabularies.md") if (match := re.match(r" `(.+)` ", row[0]))
    ]

    assert sorted(named) == sorted(CODELISTS)


def test_vocabularies_page_prints_the_numbers_of_the_outcomes():
    printed = {
        row[0].split()[0]: row[1].strip() for row in rows_of("vocabularies.md") if len(row) == 2
    }

    for outcome in Outcome:
        number = "none" if outcome.e2b_code is None else str(outcome.e2b_code)
        assert printed[outcome.value] == number


def test_glossary_is_alphabetical_and_says_each_term_once():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = [
        term.casefold() for term in re.findall(r"^\*\*(.+?)\*\* - \S", text, flags=re.MULTILINE)
    ]

    assert len(terms) > 50
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


def test_glossary_refers_only_to_terms_it_has():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = {term.casefold() for term in re.findall(r"^\*\*(.+?)\*\* - ", text, flags=re.MULTILINE)}
    referred = {word.casefold() for word in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text)}

    assert referred
    assert referred <= terms

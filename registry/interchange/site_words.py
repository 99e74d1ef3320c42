"""A site's own headings and words, and the columns and codes of ours that they mean."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.records import Fault, Refusal
from registry.records.columns import DECLARED, OF_PATIENTS, names_a_person_or_device
from registry.records.declared import Holds, RowColumn
from registry.records.spelling import american, folded, folded_heading
from registry.vocabulary import YesNoUnknown

MOST_WORDS = 2_000
LONGEST_WORD = 80
_HEADINGS = "columns"

_CODING = re.compile(r"(https?://|urn:)[A-Za-z0-9._/:-]{3,60}\|[A-Za-z0-9.-]{1,18}")
"""A code of another terminology with its system, as FHIR writes both: `system|code`."""

COLUMNS_OF_ALL: Mapping[str, RowColumn] = {
    **OF_PATIENTS,
    **{name: column for columns in DECLARED.values() for name, column in columns.items()},
}
"""Every column of every kind by name; a name has the same code list in each."""


@dataclass(frozen=True, slots=True)
class SiteWords:
    """What a site's headings and words mean.

    headings: heading -> column, or an empty text for a column that is left out. words: column ->
    {word: code, or an empty text for "not recorded"}.
    """

    headings: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is translated."""
        return bool(self.headings or self.words)

    def over(self, other: "SiteWords") -> "SiteWords":
        """Both together; where both say something, this one holds."""
        words = {
            column: {**other.words.get(column, {}), **self.words.get(column, {})}
            for column in {**other.words, **self.words}
        }
        return SiteWords({**other.headings, **self.headings}, words)

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept and sent."""
        return {
            **({_HEADINGS: dict(self.headings)} if self.headings else {}),
            **{column: dict(words) for column, words in self.words.items()},
        }


def plain_word(text: str) -> str:
    """A word of a mapping as it is compared: without regard to case and runs of blanks."""
    return " ".join(text.split()).casefold()


def site_words(text: str | bytes) -> SiteWords:
    """Reads a mapping from JSON: column -> {word: code}, and "columns" -> {heading: column}.

    A heading may stand at the top too, with the column as its text. An empty text means "not
    recorded", or for a heading that its column is left out.

    Raises Refusal with every fault, without a word of the file.
    """
    try:
        said = json.loads(text, object_pairs_hook=_once_each)
    except _SaidTwice:
        detail = "a name stands twice in it, so that one of both would be lost; leave one out"
        raise Refusal(Fault("mapping", "bad-mapping", detail)) from None
    except ValueError:
        detail = "this is no JSON; write {column: {your word: our code}}"
        raise Refusal(Fault("mapping", "bad-mapping", detail)) from None
    words = site_words_of(said)
    if faults := tuple(_two_meanings(words)):
        raise Refusal(faults)
    return words


class _SaidTwice(ValueError):
    """An object of JSON that has a name twice."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _SaidTwice
    return found


def _two_meanings(said: SiteWords) -> Iterator[Fault]:
    """A fault for each column with words, and for headings, that read the same and mean two."""
    read: list[tuple[str, list[tuple[str, str]]]] = [
        (name, [(plain_word(word), folded(code)) for word, code in meanings.items()])
        for name, meanings in said.words.items()
    ]
    headings = [(folded_heading(heading), column) for heading, column in said.headings.items()]
    for name, pairs in (*read, ("mapping", headings)):
        if len(set(pairs)) > len({word for word, _meant in pairs}):
            detail = "two words or headings that read the same mean two things; leave one out"
            yield Fault(name, "bad-mapping", detail)


def site_words_of(said: Any) -> SiteWords:
    """Reads a mapping that is parsed already; see `site_words`."""
    if not isinstance(said, dict):
        detail = "write {column: {your word: our code}}"
        raise Refusal(Fault("mapping", "bad-mapping", detail))
    headings: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    faults: list[Fault] = []
    for name, meant in said.items():
        if isinstance(meant, str):
            headings[name] = meant
        elif not _all_texts(meant):
            detail = "each word is a text, and so is the code that it means"
            faults.append(Fault("mapping", "bad-mapping", detail))
        elif name == _HEADINGS:
            headings.update(meant)
        elif name in COLUMNS_OF_ALL:
            words[name] = meant
        else:
            detail = "a mapping names our columns, and headings under columns; one is neither"
            faults.append(Fault("mapping", "unknown-column", detail))
    faults += _heading_faults(headings)
    for column, meanings in words.items():
        faults += _word_faults(COLUMNS_OF_ALL[column], meanings)
    if len(headings) + sum(map(len, words.values())) > MOST_WORDS:
        faults.append(Fault("mapping", "too-many-words", f"a mapping has at most {MOST_WORDS}"))
    if faults:
        raise Refusal(dict.fromkeys(faults))
    return SiteWords(headings, words)


def _all_texts(meant: Any) -> bool:
    return isinstance(meant, dict) and all(isinstance(each, str) for each in meant.values())


def _heading_faults(headings: Mapping[str, str]) -> Iterator[Fault]:
    for heading, column in headings.items():
        if names_a_person_or_device(heading):
            detail = "a heading of the mapping identifies a person or a device; take it out"
            yield Fault("mapping", "identifier-found", detail)
        elif column and column not in COLUMNS_OF_ALL:
            detail = "a heading of the mapping means no column of ours"
            yield Fault("mapping", "unknown-column", detail)


def _word_faults(column: RowColumn, meanings: Mapping[str, str]) -> Iterator[Fault]:
    if column.holds in (Holds.SITE, Holds.KEY, Holds.YEAR, Holds.NUMBER):
        detail = "this column has no codes, so that a mapping has no words of it"
        yield Fault(column.name, "bad-mapping", detail)
        return
    known = set(codes_of(column))
    for word, code in meanings.items():
        is_coding = _CODING.fullmatch(word) is not None
        numbered = not is_coding and sum(mark.isdigit() for mark in word) > 5
        if numbered or len(word) > LONGEST_WORD:
            detail = "a word of the mapping looks like a number of a record; take it out"
            yield Fault(column.name, "identifier-found", detail)
        if code and column.holds is not Holds.TERM and folded(code) not in known:
            detail = "a word of the mapping means no code of this column's list"
            yield Fault(column.name, "unknown-code", detail)


def codes_of_terms(words: SiteWords, known: Collection[str]) -> Iterator[Fault]:
    """The faults of words that mean no complication; known: the folded codes of the catalogue."""
    for column, meanings in words.words.items():
        if COLUMNS_OF_ALL[column].holds is Holds.TERM and any(
            code and folded(code) not in known for code in meanings.values()
        ):
            detail = "a word of the mapping means no complication of the catalogue"
            yield Fault(column, "unknown-code", detail)


def codes_of(column: RowColumn) -> dict[str, str]:
    """The codes of a column by every folded spelling: code, label, both, true for yes.

    A label that two codes share stands for neither.
    """
    return with_american(dict(_codes_of(column)))


def with_american(codes: Mapping[str, str]) -> dict[str, str]:
    """Codes by their folded spellings, and by those of the United States."""
    return {**{american(spelling): code for spelling, code in codes.items()}, **codes}


def _codes_of(column: RowColumn) -> Iterator[tuple[str, str]]:
    spelled: dict[str, set[str]] = {}
    members = list(column.members)
    for member in members:
        code = str(member.value)
        label = member.label.removesuffix(" (unverified)")
        both = (f"{code} {label}", f"{label} {code}") if folded(label) != folded(code) else ()
        for spelling in (label, member.label, *both):
            spelled.setdefault(folded(spelling), set()).add(code)
        if column.holds is Holds.GRADE:
            spelled.setdefault(folded(f"grade {code}"), set()).add(code)
    for spelling, codes in spelled.items():
        if len(codes) == 1:
            yield spelling, next(iter(codes))
    if column.codes is YesNoUnknown:  # what a cell of a workbook says is TRUE in its CSV
        yield from {"true": "yes", "false": "no"}.items()
    for member in members:
        yield folded(str(member.value)), str(member.value)

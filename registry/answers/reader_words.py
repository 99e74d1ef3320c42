"""Sentences of the API in a page reader's words: titles in place of the names of parameters."""

import re
from collections.abc import Mapping

from registry.filters import EventFilterSet
from registry.records import DIMENSIONS
from registry.vocabulary import Denominator

OWN: Mapping[str, str] = {"group_by": "One row for each", "measure": "Measure"}
"""Titles of boxes that are no filter's."""
VALUES: Mapping[str, Mapping[str, str]] = {
    "unit": {each.value: each.label.lower() for each in Denominator}
}
GIVEN = re.compile(r"\b([a-z]+(?:_[a-z]+)*)=([a-z0-9-]+)")
QUOTED = "\N{LEFT DOUBLE QUOTATION MARK}{}\N{RIGHT DOUBLE QUOTATION MARK}"
NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def title_of(name: str) -> str:
    """The title that forms give a parameter; the name where no form has it."""
    if name in OWN:
        return OWN[name]
    if name in DIMENSIONS:
        return DIMENSIONS[name].title
    filters = EventFilterSet.base_filters
    return str(filters[name].label) if name in filters else name


def in_reader_words(text: str) -> str:
    """A sentence with `unit=pump-months` and `group_by` replaced by what forms call them."""
    return NAME.sub(_quoted, GIVEN.sub(_given, text))


def _quoted(found: re.Match[str]) -> str:
    title = title_of(found[0])
    return title if title == found[0] else QUOTED.format(title)


def _given(found: re.Match[str]) -> str:
    name, value = found[1], found[2]
    title = title_of(name)
    if title == name:
        return found[0]
    return QUOTED.format(f"{title}: {VALUES.get(name, {}).get(value, value)}")

"""What was typed on the page of follow-up and reads as an answer, to keep it on its way."""

import re
from collections.abc import Container, Iterable
from itertools import islice
from uuid import UUID

from django.http import QueryDict

from registry.answers.unsaved import Sent

MOST_LINES = 1_000
"""Lines that are read of what was sent: at most two pages."""

_MONTHS = re.compile(r"[0-9]{1,4}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_A_LINE = re.compile(r"(months|ended)-([0-9a-f-]{36})")


def versions_in(rows: Iterable[str]) -> dict[UUID, int]:
    """The implants on the submitted page with their versions; at most two pages."""
    found: dict[UUID, int] = {}
    for row in islice(rows, MOST_LINES):
        key, _, version = row.partition(":")
        try:
            found[UUID(key)] = int(version)
        except ValueError:
            continue
    return found


def lines_named(sent: QueryDict) -> set[UUID]:
    """The implants that the answers name: ticked, or with an answer of their own."""
    named = [*sent.getlist("tick"), *(name.partition("-")[2] for name in sent)]
    found = {UUID(text) for text in named if _ID.fullmatch(text)}
    return set(sorted(found)[:MOST_LINES])


def followed_so_far(
    sent: QueryDict, known: Iterable[UUID], *, ends: Container[str], rules: Container[str]
) -> Sent:
    """The answers for implants that are known, months as whole numbers and ends as codes.

    known: the implants that the caller may follow up. rules: what may hold for every ticked one.
    """
    keys = {str(key) for key in known}
    kept: list[tuple[str, list[str]]] = []
    if ticked := [key for key in sent.getlist("tick") if key in keys]:
        kept.append(("tick", ticked))
    if (rule := str(sent.get("rule", ""))) in rules:
        kept.append(("rule", [rule]))
    if _MONTHS.fullmatch(months := str(sent.get("months", "")).strip()):
        kept.append(("months", [months]))
    for name in sent:
        line = _OF_A_LINE.fullmatch(name)
        if line is None or line[2] not in keys:
            continue
        given = str(sent[name]).strip()
        if given in ends if line[1] == "ended" else _MONTHS.fullmatch(given):
            kept.append((name, [given]))
    return kept

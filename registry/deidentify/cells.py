"""Reads one cell or refuses it; never echoes a refused text."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from registry.deidentify.identifiers import rule_against
from registry.records.numerals import may_be_thousands, without_point_zero
from registry.records.spelling import SITE_CODE
from registry.vocabulary import CatheterModel, Code, Component, PumpModel, Severity

Reader = Callable[[str], Any]

IDENTIFIER = "identifier-found"
"""The fault code of a cell that looks like an identifier of a person or a device."""

_SOURCE_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_COMPLICATION = re.compile(r"[a-z0-9-]{1,40}")
_LOOKS_LIKE_A_DATE = re.compile(
    r"[0-9]{1,4}[./-][0-9]{1,2}(?:[./-][0-9]{1,4})?(?:[ T].*)?|[0-9]{6,8}"
)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}")

_RANGE = re.compile(r"[0-9]+-[0-9]+")
_NUMBER = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{1,2})?")

_FRACTION = re.compile(r"[0-9]*[.,][0-9]*[1-9][0-9]*")

_MIDNIGHT = " 00:00:00"
_FEW_CODES = 9
"""A list of no more codes is named whole in messages."""


class Unreadable(Exception):
    """A refused cell: the fault's code, and how to correct it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def source_id(text: str, site: str = "") -> str:
    """Reads a key; refuses one that identifies, naming the rule (`identifiers`).

    site: the code of its site, which the key may begin with.
    """
    rule = rule_against(text, site=site)
    if rule is not None:
        raise Unreadable(IDENTIFIER, rule.detail)
    if _SOURCE_ID.fullmatch(text) is None:
        raise Unreadable(
            "bad-source-id", "use 1 to 40 letters, digits, dots, underscores and hyphens"
        )
    return text


def site(text: str) -> str:
    """Reads a site's code."""
    if SITE_CODE.fullmatch(text) is None:
        raise Unreadable("bad-site", "a site is 2 to 20 capital letters, digits and hyphens")
    return text


def complication(text: str) -> str:
    """Reads a complication's code by its form; intake looks it up in the catalogue."""
    if _COMPLICATION.fullmatch(text) is None:
        raise Unreadable("unknown-code", "use a code of the catalogue of complications")
    return text


def year(text: str) -> int:
    """Reads a year of four digits; refuses a date as finer than the registry keeps."""
    text = without_point_zero(text)
    if len(text) == 4 and text.isascii() and text.isdigit():
        return int(text)
    if _FRACTION.fullmatch(text) is not None and text[:4].isdigit():
        detail = "this is a fraction; give the year only, as four digits"
        raise Unreadable("not-a-year", detail)
    if _LOOKS_LIKE_A_DATE.fullmatch(text) is not None:
        detail = "give the year only, as four digits; no full date is kept"
        if text.endswith(_MIDNIGHT):  # of a workbook's cell, which may show its year alone
            detail += ", and this cell holds one, whatever it shows"
        raise Unreadable(IDENTIFIER, detail)
    raise Unreadable("not-a-year", "give the year only, as four digits")


def whole(what: str, lowest: int, highest: int) -> Reader:
    """Makes the reader of a whole number; `what` names it with its unit in the message."""

    def read(text: str) -> int:
        text = without_point_zero(text)
        if text.isascii() and text.isdigit() and len(text) <= 9:
            number = int(text)
            if lowest <= number <= highest:
                return number
        if _DATE.fullmatch(text) is not None:
            detail = (
                "this is a date, as a spreadsheet makes of a number; format the column as numbers "
                f"and give {what}, {lowest} to {highest}"
            )
            raise Unreadable("out-of-range", detail)
        if may_be_thousands(text):
            detail = (
                "this may be a fraction or thousands; "
                f"give {what} as a whole number, {lowest} to {highest}, in digits alone"
            )
            raise Unreadable("out-of-range", detail)
        if _FRACTION.fullmatch(text) is not None:
            detail = f"this is a fraction; give {what} as a whole number, {lowest} to {highest}"
            raise Unreadable("out-of-range", detail)
        raise Unreadable("out-of-range", f"give {what} as a whole number, {lowest} to {highest}")

    return read


def _named(members: Iterable[str]) -> str:
    """The codes of a short list, as the end of a message; nothing for a long one."""
    codes = list(members)
    return f": {', '.join(codes)}" if len(codes) <= _FEW_CODES else ""


def code(codelist: type[Code], named: str) -> Reader:
    """Makes the reader of a cell that holds one code of a list."""
    members = {member.value: member for member in codelist}
    named_codes = _named(members)
    has_ranges = any(map(_RANGE.fullmatch, members))

    def read(text: str) -> Code:
        member = members.get(text)
        if member is None:
            if has_ranges and _NUMBER.fullmatch(text) is not None:
                detail = f"this is a number; give the range that it lies in{named_codes}"
                raise Unreadable("unknown-code", detail)
            raise Unreadable("unknown-code", f"use a code of the list {named}{named_codes}")
        return member

    return read


def codes(codelist: type[Code], named: str) -> Reader:
    """Makes the reader of a cell that holds several codes, separated by semicolons."""
    members = {member.value: member for member in codelist}
    seen: dict[str, frozenset[Code]] = {}
    named_codes = _named(members)

    def read(text: str) -> frozenset[Code]:
        known = seen.get(text)
        if known is not None:
            return known
        try:
            answer = frozenset(members[part.strip()] for part in text.split(";"))
        except KeyError:
            raise Unreadable(
                "unknown-code",
                f"use codes of the list {named}, separated by semicolons{named_codes}",
            ) from None
        if len(seen) < 4096:
            seen[text] = answer
        return answer

    return read


def severity(text: str) -> Severity:
    """Reads a grade."""
    try:
        return _GRADES[without_point_zero(text)]
    except KeyError:
        if _FRACTION.fullmatch(text) is not None:
            detail = "this is a fraction; severity is a whole grade from 1 to 5"
            raise Unreadable("unknown-code", detail) from None
        raise Unreadable("unknown-code", "severity is a grade from 1 to 5") from None


_GRADES = {str(grade.value): grade for grade in Severity}


def device_model(component: Component | None) -> Reader:
    """Makes the reader of a model's code, of one component or of either.

    `unknown` is in both lists: without a component it is read as a pump's, until the component
    is known.
    """
    lists: dict[Component | None, tuple[type[PumpModel] | type[CatheterModel], ...]] = {
        Component.PUMP: (PumpModel,),
        Component.CATHETER: (CatheterModel,),
        None: (CatheterModel, PumpModel),
    }
    members = {member.value: member for models in lists[component] for member in models}
    named = {
        Component.PUMP: "the list pump-model for a pump",
        Component.CATHETER: "the list catheter-model for a catheter",
        None: "the lists pump-model and catheter-model",
    }[component]

    def read(text: str) -> PumpModel | CatheterModel:
        member = members.get(text)
        if member is None:
            raise Unreadable("unknown-code", f"use a code of {named}")
        return member

    return read

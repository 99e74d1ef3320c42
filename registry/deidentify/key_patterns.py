"""Judges new keys by the pattern of their site, and patterns by the rules for what identifies."""

import re

from registry.deidentify.cells import IDENTIFIER
from registry.deidentify.identifiers import is_made, rule_against
from registry.records import Fault
from registry.records.key_patterns import LONGEST_PREFIX, MOST_DIGITS, PREFIX, KeyPattern

UNLIKE = "unlike-the-pattern"
"""The fault code of a new key that is not of its site's pattern."""

_PREFIX = re.compile(PREFIX)


def faults_against(pattern: KeyPattern | None, key: str, column: str) -> tuple[Fault, ...]:
    """The fault of a new key that is not of its site's pattern; a site without one takes all.

    Names the pattern, which the site's own staff see, and never the key. An empty key has none,
    and neither has one that the registry makes.
    """
    if pattern is None or not key or pattern.has(key) or is_made(key):
        return ()
    digits = f"{pattern.digits} digit{'s' if pattern.digits > 1 else ''}"
    detail = (
        f"new keys of this site are {pattern.prefix} and {digits}, such as {pattern.example}, or "
        "made by the registry; give one of these"
    )
    return (Fault(column, UNLIKE, detail),)


def pattern_faults(prefix: str, digits: int, *, site: str) -> tuple[Fault, ...]:
    """The faults of a pattern that a site would declare: no key of it may identify.

    site: its code, which the prefix may begin with.
    """
    faults: list[Fault] = []
    if _PREFIX.fullmatch(prefix) is None:
        detail = (
            f"use 1 to {LONGEST_PREFIX} letters, digits, dots, underscores and hyphens, with no "
            "digit at the end"
        )
        faults.append(Fault("key_prefix", "bad-prefix", detail))
    if not 1 <= digits <= MOST_DIGITS:
        detail = f"give a whole number from 1 to {MOST_DIGITS}"
        faults.append(Fault("key_digits", "out-of-range", detail))
    if faults:
        return tuple(faults)
    judged = (rule_against(key, site=site) for key in KeyPattern(prefix, digits).kinds())
    rule = rule_against(prefix, site=site) or next(filter(None, judged), None)
    if rule is None:
        return ()
    detail = (
        f"with this prefix a key looks like {rule.looks} (rule: {rule.name}); use another, such as "
        "the code of the site and a hyphen"
    )
    return (Fault("key_prefix", IDENTIFIER, detail),)

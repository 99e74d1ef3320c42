"""The roles: what each may do, and what it may open in the admin. The only place that says so.

A right is asked for by name (`user.may(Right.JUDGE_EVENTS)`); nothing else compares roles. Rows are
narrowed further, to the user's own sites where a role does not see all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.vocabulary.code import Code


class Right(StrEnum):
    """What a role may do."""

    WORK_AT_SITE = "work-at-site"
    """Has rows of own sites to see and to enter."""
    ENTER_ROWS = "enter-rows"
    SEE_ALL_ROWS = "see-all-rows"
    JUDGE_EVENTS = "judge-events"
    """Accepts and rejects events of sites that the user is no member of."""
    RUN_REGISTRY = "run-registry"
    """Sites, people, imports, and at every site what its lead may do."""
    READ_AUDIT = "read-audit"
    """History, seals and the access log, of every site."""
    ASK_PROTECTED = "ask-protected"
    ASK_EXACT = "ask-exact"
    """Exact statistics of all sites."""
    ASK_EXACT_BY_AGREEMENT = "ask-exact-by-agreement"
    """The same, while a data-use agreement of the user is current."""
    ASK_FOR_AGREEMENT = "ask-for-agreement"
    """Asks for a data-use agreement of one's own; data managers decide."""


class Role(Code):
    """A group of users; what it may see and do is the same at every site."""

    SITE_STAFF = "site staff", "Site staff", "Members of a site: they see and enter its rows."
    REVIEWER = "reviewer", "Reviewer", "Judges submitted events of other sites."
    DATA_MANAGER = "data manager", "Data manager", "Runs the registry: sites, people, imports."
    AUDITOR = "auditor", "Auditor", "Reads history, seals and the access log."
    RESEARCHER = "researcher", "Researcher", "Asks for protected statistics of all sites."
    ANALYST = "analyst", "Analyst", "Under a data-use agreement, asks for exact statistics."


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a role brings.

    permissions: Django's own codenames on the registry's models, and `*` for a model of history.
    """

    rights: frozenset[Right]
    permissions: frozenset[str] = frozenset()


CATALOGUE = ("category", "complication", "publishedrate")
CLINICAL = ("patient", "implant", "exposure", "event")

_VIEW_CATALOGUE = {f"view_{model}" for model in CATALOGUE}
_VIEW_CLINICAL = {f"view_{model}" for model in (*CLINICAL, "site")}
_ENTER = {f"{verb}_{model}" for verb in ("add", "change") for model in CLINICAL}
_RUN = {
    f"{verb}_{model}"
    for verb in ("view", "add", "change")
    for model in ("site", "membership", "user", "agreement")
} | {"view_roleproposal"}
HISTORY = "view_historical*"
"""Stands for viewing the history of every table."""

ROLES: Mapping[Role, Granted] = {
    Role.DATA_MANAGER: Granted(
        rights=frozenset(
            {
                Right.ENTER_ROWS,
                Right.SEE_ALL_ROWS,
                Right.JUDGE_EVENTS,
                Right.RUN_REGISTRY,
                Right.ASK_EXACT,
            }
        ),
        permissions=frozenset(
            {
                *_VIEW_CATALOGUE,
                *_VIEW_CLINICAL,
                *_ENTER,
                *_RUN,
                "add_complication",
                "change_complication",
                "view_catalogueversion",
                "view_snapshot",
            }
        ),
    ),
    Role.REVIEWER: Granted(
        rights=frozenset(
            {
                Right.SEE_ALL_ROWS,
                Right.JUDGE_EVENTS,
                Right.ASK_EXACT,
            }
        ),
        permissions=frozenset({*_VIEW_CATALOGUE, *_VIEW_CLINICAL, "change_event"}),
    ),
    Role.ANALYST: Granted(
        rights=frozenset(
            {Right.ASK_PROTECTED, Right.ASK_EXACT_BY_AGREEMENT, Right.ASK_FOR_AGREEMENT}
        ),
    ),
    Role.SITE_STAFF: Granted(
        rights=frozenset({Right.WORK_AT_SITE, Right.ENTER_ROWS}),
        permissions=frozenset({*_VIEW_CATALOGUE, *_VIEW_CLINICAL, *_ENTER, "view_membership"}),
    ),
    Role.RESEARCHER: Granted(rights=frozenset({Right.ASK_PROTECTED, Right.ASK_FOR_AGREEMENT})),
    Role.AUDITOR: Granted(
        rights=frozenset({Right.READ_AUDIT}),
        permissions=frozenset({"view_seal", "view_accesslog", HISTORY}),
    ),
}
"""Each role, the one of widest reach first: by it a caller is named in the access log.

Nobody may delete. The rows that site staff see or change are those of their own sites.
"""

RUNS_ALL = Role.DATA_MANAGER
"""The role whose rights an active superuser has without a group."""


APART = frozenset({Right.RUN_REGISTRY, Right.READ_AUDIT})
"""Rights that nobody has together: who runs the registry does not audit it."""

KEPT_APART = (
    "A data manager, or a superuser, is no auditor: who runs the registry does not audit it. Give "
    "one of the roles to another person."
)


def joins_what_is_apart(names: Iterable[str], *, superuser: bool) -> bool:
    """Whether somebody with these roles would have all rights that are kept apart."""
    held = held_roles(frozenset(names), superuser=superuser)
    return {right for role in held for right in ROLES[role].rights} >= APART


OF_ALL_SITES = frozenset({Right.SEE_ALL_ROWS, Right.READ_AUDIT})
"""Rights whose roles see what every site has entered, as rows or as their history."""


def sees_all_sites(role: Role) -> bool:
    """Whether a role sees the rows of all sites: data manager, reviewer and auditor do."""
    return not OF_ALL_SITES.isdisjoint(ROLES[role].rights)


def held_roles(names: frozenset[str], *, superuser: bool) -> tuple[Role, ...]:
    """The roles whose rights a user has, the one of widest reach first."""
    return tuple(role for role in ROLES if role in names or (superuser and role is RUNS_ALL))

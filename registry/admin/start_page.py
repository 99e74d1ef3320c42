"""The admin's start page: the user's roles, waiting work, and first tasks."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django_otp import user_has_device

from registry.admin.naming import name_of
from registry.admin.queries import why_it_came_back
from registry.admin.queues import (
    answered,
    came_back,
    count_without_exposure,
    drafts_of,
    drafts_of_sites,
    queried,
    rejected_of_sites,
    to_review,
    under_review,
    without_follow_up,
)
from registry.admin.rows import address_of
from registry.intake import RoundStanding, standings_of
from registry.models import Agreement
from registry.vocabulary import MembershipRole, Right, Role, State

_FROM_REVIEWERS = (
    ("came-back", came_back, "returned with a question"),
    ("rejected", rejected_of_sites, "rejected, with the reason"),
    ("queried", queried, "with an open query"),
)
"""What comes back to a site: its queue, its events, and its words."""

MOST_TOLD = 5
"""Events that came back of which the start page says why."""


@dataclass(frozen=True, slots=True)
class CameBack:
    """One event that came back: its name and state, why, and the address of its page."""

    name: str
    state: str
    why: str
    address: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue of the user: how many rows wait, their kind, and the address of their list."""

    number: int
    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Door:
    """One task of the user's role, and its address."""

    words: str
    address: str


def start_page(request: HttpRequest) -> TemplateResponse:
    """The admin's index for the user's roles; the number of queries does not depend on the data."""
    user: Any = request.user
    leads = leads_a_site(user)
    greeting = {
        "roles_words": roles_in_words(user, leads=leads),
        "waiting": waiting_for(user, leads=leads),
        "came_back": told_of(user),
        "doors": doors_of(user),
        "without_code": not user_has_device(user),
    }
    return admin.site.index(request, greeting)


def roles_in_words(user: Any, *, leads: bool) -> str:
    """The roles of a user; marks leads, and shows a superuser as data manager."""
    held = [role.label.lower() for role in Role if role in user.roles]
    if user.may(Right.RUN_REGISTRY) and Role.DATA_MANAGER not in user.roles:
        held.append(Role.DATA_MANAGER.label.lower())
    if leads:
        held = [f"{Role.SITE_STAFF.label.lower()} (lead)" if r == "site staff" else r for r in held]
    return " and ".join(held)


def leads_a_site(user: Any) -> bool:
    """Whether the user leads any site. One query for site staff."""
    led = user.memberships.filter(active=True, role=MembershipRole.LEAD)
    return user.may(Right.WORK_AT_SITE) and led.exists()


def waiting_for(user: Any, *, leads: bool) -> list[Waiting]:
    """The waiting work of a user, among the rows that the user may see.

    Members see their own sites' work; reviewers and data managers the events that they may judge,
    never of their own sites; leads and data managers device time to declare.
    """
    events = reverse("admin:registry_event_changelist")
    waiting = []
    if user.may(Right.SEE_ALL_ROWS):
        n = to_review(user).count()
        waiting.append(Waiting(n, plural(n, "event", "to review"), f"{events}?queue=to-review"))
        n = answered(user).count()
        words = plural(n, "event", "with an answered query")
        waiting.append(Waiting(n, words, f"{events}?queue=answered"))
    if user.may(Right.ENTER_ROWS):
        n = drafts_of(user).count()
        waiting.append(Waiting(n, plural(n, "draft", "of yours"), f"{events}?queue=my-drafts"))
    if user.may(Right.WORK_AT_SITE):
        for queue, rows, rest in _FROM_REVIEWERS:
            n = rows(user).count()
            waiting.append(Waiting(n, plural(n, "event", rest), f"{events}?queue={queue}"))
        n = drafts_of_sites(user).count()
        waiting.append(Waiting(n, plural(n, "draft", "of your site"), f"{events}?state=draft"))
        n = under_review(user).count()
        words = plural(n, "event", "of your site under review")
        waiting.append(Waiting(n, words, f"{events}?state=submitted"))
    if user.may(Right.ENTER_ROWS):
        n = without_follow_up(user).count()
        words = plural(n, "implant", "without follow-up for a year")
        waiting.append(Waiting(n, words, reverse("admin:registry_implant_follow_up")))
    if user.may(Right.WORK_AT_SITE):
        waiting += [open_round(each) for each in standings_of(user.sites())]
    if user.may(Right.RUN_REGISTRY) or leads:
        n = count_without_exposure(user)
        words = plural(n, "year", "of a component without device time")
        waiting.append(Waiting(n, words, reverse("admin:registry_exposure_by_year")))
    if user.may(Right.RUN_REGISTRY):
        n = Agreement.objects.decidable_by(user).count()
        address = reverse("admin:registry_agreement_changelist") + "?standing=waiting"
        waiting.append(Waiting(n, plural(n, "request", "for an agreement"), address))
    return waiting


def open_round(standing: RoundStanding) -> Waiting:
    """The open follow-up round of a site: how many implants keep it open, and its page."""
    rest = f"behind in round {standing.number} of {standing.site}"
    words = f"{plural(standing.behind, 'implant', rest)}"
    page = reverse("admin:registry_implant_follow_up")
    return Waiting(standing.behind, words, f"{page}?site={standing.site}&behind=on")


def told_of(user: Any) -> list[CameBack]:
    """The last events that came back to the user's sites, and why. Two queries."""
    if not user.may(Right.WORK_AT_SITE):
        return []
    rows = (came_back(user) | rejected_of_sites(user)).distinct().order_by("-seal_id")
    return [
        CameBack(
            name_of(event),
            "returned" if event.state == State.DRAFT else "rejected",
            str(why_it_came_back(event)),
            address_of(event),
        )
        for event in rows.prefetch_related("queries")[:MOST_TOLD]
    ]


def doors_of(user: Any) -> list[Door]:
    """The first tasks of the user's roles."""
    doors = []
    if user.may(Right.WORK_AT_SITE):
        doors.append(Door("Enter an event", reverse("admin:registry_event_add")))
        follow_up = reverse("admin:registry_implant_follow_up")
        doors.append(Door("Follow up implants", follow_up))
    if user.may(Right.ENTER_ROWS):
        doors.append(Door("Upload files", reverse("upload")))
    if user.may(Right.READ_AUDIT):
        doors.append(Door("Read the history", reverse("history")))
        doors.append(Door("Read the access log", reverse("admin:registry_accesslog_changelist")))
        doors.append(Door("Read the seals", reverse("admin:registry_seal_changelist")))
    else:
        doors.append(Door("Statistics", reverse("dashboard")))
    return doors


def plural(n: int, what: str, rest: str) -> str:
    """`1 draft of your site`, `2 drafts of your site`, without the number."""
    return f"{what}{'' if n == 1 else 's'} {rest}"

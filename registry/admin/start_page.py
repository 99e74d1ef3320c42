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
from registry.admin.rows import address_of
from registry.answers.waiting import waiting_for
from registry.intake.waiting import came_back, leads_a_site, rejected_of_sites
from registry.vocabulary import Right, Role, State

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
        "doors": doors_of(user, leads=leads),
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


def doors_of(user: Any, *, leads: bool) -> list[Door]:
    """The first tasks of the user's roles; leads: whether the user leads a site."""
    doors = []
    if user.may(Right.WORK_AT_SITE):
        doors.append(Door("Enter an event", reverse("admin:registry_event_add")))
        follow_up = reverse("admin:registry_implant_follow_up")
        doors.append(Door("Follow up implants", follow_up))
    if user.may(Right.ENTER_ROWS):
        doors.append(Door("Upload files", reverse("upload")))
    if leads or user.may(Right.RUN_REGISTRY):
        doors.append(Door("Completeness", reverse("completeness")))
    if user.may(Right.READ_AUDIT):
        doors.append(Door("Read the history", reverse("history")))
        doors.append(Door("Read the access log", reverse("admin:registry_accesslog_changelist")))
        doors.append(Door("Read the seals", reverse("admin:registry_seal_changelist")))
    else:
        doors.append(Door("Statistics", reverse("dashboard")))
    return doors

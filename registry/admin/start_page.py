"""The admin's start page: whose it is, and what waits for its reader."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from registry.models import Event, Role
from registry.vocabulary import State


def start_page(request: HttpRequest) -> TemplateResponse:
    """The admin's index with a greeting: four queries for it, however much waits."""
    user: Any = request.user
    greeting = {"roles_words": roles_in_words(user), "waiting": waiting_for(user)}
    return admin.site.index(request, greeting)


def roles_in_words(user: Any) -> str:
    """The roles that a person holds; the first superuser is a data manager without a group."""
    held = [role.label.lower() for role in Role if role in user.roles]
    if user.is_data_manager and Role.DATA_MANAGER not in user.roles:
        held.append(Role.DATA_MANAGER.label.lower())
    return " and ".join(held)


def waiting_for(user: Any) -> list[tuple[int, str, str]]:
    """How many events wait for a person, as (number, what they are, where they are listed).

    Members see their own sites' drafts and what is under review; reviewers and data managers what
    they may judge: never an event of a site that they belong to.
    """
    events = reverse("admin:registry_event_changelist")
    waiting = []
    if user.is_site_staff:
        own = Event.objects.filter(site__in=user.sites())
        drafts = own.filter(state=State.DRAFT).count()
        sent = own.filter(state=State.SUBMITTED).count()
        waiting.append((drafts, plural(drafts, "draft", "of your site"), f"{events}?state=draft"))
        waiting.append(
            (sent, plural(sent, "event", "of your site under review"), f"{events}?state=submitted")
        )
    if user.sees_all_rows:
        others = Event.objects.filter(state=State.SUBMITTED).exclude(site__in=user.sites())
        n = others.count()
        waiting.append((n, plural(n, "event", "to review"), f"{events}?state=submitted"))
    return waiting


def plural(n: int, what: str, rest: str) -> str:
    """`1 draft of your site`, `2 drafts of your site`, without the number."""
    return f"{what}{'' if n == 1 else 's'} {rest}"

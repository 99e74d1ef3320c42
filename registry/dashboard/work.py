"""What each role does first, and where signing in leads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that a person comes for, and where it is done."""

    words: str
    address: str


def tasks_of(user: Any) -> list[Task]:
    """What a signed-in person does first, by role; nothing without one. One query at the most."""
    return [
        Task(words, address())
        for holds, tasks in BY_ROLE
        if holds(user)
        for words, address in tasks
    ]


def first_place(user: Any) -> str:
    """Where a person lands after signing in: the place of the first role that he or she holds."""
    if user.is_data_manager or user.is_reviewer or user.is_site_staff:
        return reverse("admin:index")
    if user.is_auditor:
        return reverse("admin:registry_seal_changelist")
    if user.is_researcher or user.is_analyst:
        return reverse("dashboard")
    return reverse("home")


def listed(model: str, query: str = "") -> Callable[[], str]:
    """The address of a list in the admin, found when it is needed."""
    return lambda: reverse(f"admin:registry_{model}_changelist") + query


ASKING: tuple[tuple[str, Callable[[], str]], ...] = (
    ("See how often complications happen", lambda: reverse("dashboard")),
    ("Explore rates, counts and proportions", lambda: reverse("explore")),
    ("Make a token for scripts", lambda: reverse("tokens")),
)

BY_ROLE: tuple[tuple[Callable[[Any], bool], tuple[tuple[str, Callable[[], str]], ...]], ...] = (
    (
        lambda user: user.is_site_staff,
        (
            ("Enter an event", lambda: reverse("admin:registry_event_add")),
            ("Drafts of your site", listed("event", "?state=draft")),
            ("Implants of your site", listed("implant")),
        ),
    ),
    (
        lambda user: user.is_reviewer or user.is_data_manager,
        (("Events to review", listed("event", "?state=submitted")),),
    ),
    (
        lambda user: user.is_data_manager,
        (("People", listed("user")), ("Sites", listed("site"))),
    ),
    (
        lambda user: user.is_auditor,
        (("Seals", listed("seal")), ("Who looked at what", listed("accesslog"))),
    ),
    (lambda user: user.is_researcher or user.is_analyst, ASKING),
)
"""Who does what first: a test of the person, and the tasks as (words, address)."""

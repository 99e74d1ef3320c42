"""The first tasks of each role, and the page after signing in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from registry.vocabulary import Right


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a person, and its address."""

    words: str
    address: str


def tasks_of(user: Any) -> list[Task]:
    """The first tasks of a signed-in person, by role; none without a role. At most one query."""
    return [
        Task(words, address())
        for holds, tasks in BY_ROLE
        if holds(user)
        for words, address in tasks
    ]


def first_place(user: Any) -> str:
    """The page after signing in: that of the first role that the person holds."""
    if user.may(Right.JUDGE_EVENTS) or user.may(Right.WORK_AT_SITE):
        return reverse("admin:index")
    if user.may(Right.READ_AUDIT):
        return reverse("admin:registry_seal_changelist")
    if user.may(Right.ASK_PROTECTED):
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
        lambda user: user.may(Right.WORK_AT_SITE),
        (
            ("Enter an event", lambda: reverse("admin:registry_event_add")),
            ("Drafts of your site", listed("event", "?state=draft")),
            ("Implants of your site", listed("implant")),
        ),
    ),
    (
        lambda user: user.may(Right.JUDGE_EVENTS),
        (("Events to review", listed("event", "?state=submitted")),),
    ),
    (
        lambda user: user.may(Right.RUN_REGISTRY),
        (("People", listed("user")), ("Sites", listed("site"))),
    ),
    (
        lambda user: user.may(Right.READ_AUDIT),
        (("Seals", listed("seal")), ("Who looked at what", listed("accesslog"))),
    ),
    (lambda user: user.may(Right.ASK_PROTECTED), ASKING),
    (
        lambda user: user.may(Right.ASK_FOR_AGREEMENT),
        (("Exact numbers under an agreement", lambda: reverse("agreement")),),
    ),
)
"""The tasks of each role: a test of the person, and (words, address) of each task."""

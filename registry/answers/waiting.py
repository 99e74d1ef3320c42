"""What waits for a user in numbers, words and addresses: for the start page and the digest."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from registry.intake import RoundStanding, standings_of
from registry.intake.waiting import (
    agreements_to_decide,
    answered,
    came_back,
    count_without_exposure,
    drafts_of,
    drafts_of_sites,
    queried,
    queried_implants,
    rejected_of_sites,
    to_review,
    under_review,
    without_follow_up,
)
from registry.vocabulary import Right

_FROM_REVIEWERS = (
    ("came-back", came_back, "returned with a question"),
    ("rejected", rejected_of_sites, "rejected, with the reason"),
    ("queried", queried, "with an open query"),
)
"""What comes back to a site: its queue, its events, and its words."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue of the user: how many rows wait, their kind, and the address of their list."""

    number: int
    words: str
    address: str


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
    if user.may(Right.WORK_AT_SITE):
        n = queried_implants(user).count()
        implants = reverse("admin:registry_implant_changelist")
        words = plural(n, "implant", "with an open query")
        waiting.append(Waiting(n, words, f"{implants}?queried=yes"))
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
        n = agreements_to_decide(user).count()
        address = reverse("admin:registry_agreement_changelist") + "?standing=waiting"
        waiting.append(Waiting(n, plural(n, "request", "for an agreement"), address))
    return waiting


def open_round(standing: RoundStanding) -> Waiting:
    """The open follow-up round of a site: how many implants keep it open, and its page."""
    rest = f"behind in round {standing.number} of {standing.site}"
    words = f"{plural(standing.behind, 'implant', rest)}"
    page = reverse("admin:registry_implant_follow_up")
    return Waiting(standing.behind, words, f"{page}?site={standing.site}&behind=on")


def plural(n: int, what: str, rest: str) -> str:
    """`1 draft of your site`, `2 drafts of your site`, without the number."""
    return f"{what}{'' if n == 1 else 's'} {rest}"

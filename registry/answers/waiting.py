"""What waits for a user in numbers, words and addresses: for the start page and the digest."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from registry.filters.lists import MOST_COUNTED, bounded_count
from registry.intake import RoundStanding, standings_of
from registry.intake.waiting import (
    QUEUES,
    agreements_to_decide,
    count_without_exposure,
    count_without_follow_up,
    drafts_of_sites,
    queried_implants,
    roles_to_confirm,
    under_review,
)
from registry.vocabulary import Right

_IN_WORDS = {
    "to-review": ("event", "to review"),
    "answered": ("event", "with an answered query"),
    "my-drafts": ("draft", "of yours"),
    "came-back": ("event", "returned with a question"),
    "rejected": ("event", "rejected, with the reason"),
    "queried": ("event", "with an open query"),
}
"""The queues of events in words, in the order told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue of the user: how many rows wait, their kind, and the address of their list.

    Where more than MOST_COUNTED rows wait, number is one more than that.
    """

    number: int
    words: str
    address: str

    @property
    def counted(self) -> str:
        """How many rows wait, in words: `12`, `more than 1,000`."""
        return f"{self.number:,}" if self.number <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"


def waiting_for(user: Any, *, leads: bool) -> list[Waiting]:
    """The waiting work of a user, among the rows that the user may see.

    Members see their own sites' work; reviewers and data managers the events that they may judge,
    never of their own sites; leads and data managers device time to declare.
    """
    events = reverse("admin:registry_event_changelist")
    implants = reverse("admin:registry_implant_changelist")
    waiting: list[Waiting] = []

    def tell(n: int, what: str, rest: str, address: str) -> None:
        waiting.append(Waiting(n, plural(n, what, rest), address))

    for name, (what, rest) in _IN_WORDS.items():
        queue = QUEUES[name]
        if queue.is_for(user):
            tell(bounded_count(queue.events(user)), what, rest, f"{events}?queue={name}")
    if user.may(Right.WORK_AT_SITE):
        n = bounded_count(drafts_of_sites(user))
        tell(n, "draft", "of your site", f"{events}?state=draft")
        n = bounded_count(under_review(user))
        tell(n, "event", "of your site under review", f"{events}?state=submitted")
        n = bounded_count(queried_implants(user))
        tell(n, "implant", "with an open query", f"{implants}?queried=yes")
    if user.may(Right.ENTER_ROWS):
        n = count_without_follow_up(user)
        follow_up = reverse("admin:registry_implant_follow_up")
        tell(n, "implant", "without follow-up for a year", follow_up)
    if user.may(Right.WORK_AT_SITE):
        waiting += [open_round(each) for each in standings_of(user.sites())]
    if user.may(Right.RUN_REGISTRY) or leads:
        n = count_without_exposure(user)
        by_year = reverse("admin:registry_exposure_by_year")
        tell(n, "year", "of a component without device time", by_year)
    if user.may(Right.RUN_REGISTRY):
        n = bounded_count(agreements_to_decide(user))
        agreements = reverse("admin:registry_agreement_changelist")
        tell(n, "request", "for an agreement", f"{agreements}?standing=waiting")
        n = bounded_count(roles_to_confirm(user))
        proposals = reverse("admin:registry_roleproposal_changelist")
        tell(n, "proposed role", "to confirm", f"{proposals}?standing=mine")
    return waiting


def open_round(standing: RoundStanding) -> Waiting:
    """The open follow-up round of a site: how many implants keep it open, and its page."""
    rest = f"behind in round {standing.number} of {standing.site}"
    words = plural(standing.behind, "implant", rest)
    page = reverse("admin:registry_implant_follow_up")
    return Waiting(standing.behind, words, f"{page}?site={standing.site}&behind=on")


def plural(n: int, what: str, rest: str) -> str:
    """`1 draft of your site`, `2 drafts of your site`, without the number."""
    return f"{what}{'' if n == 1 else 's'} {rest}"

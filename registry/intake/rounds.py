"""Follow-up rounds: a site's follow-up is complete up to the round that it closed last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from registry.intake.kept_by_site import kept_by_site
from registry.intake.writers import may_write, not_permitted, not_your_site
from registry.models import Implant, Sealing, Site, User, sealed
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import Fault, NotPermitted, NotYourSite, StateConflict
from registry.vocabulary import Right

DAYS_A_MONTH = 30.4375
_OF_ROUND = ("round_number", "months_at_round", "followed_at_round")


@dataclass(frozen=True, slots=True)
class RoundStanding:
    """The open follow-up round of a site: its number, and how far its implants are.

    in_follow_up: implants without an end; behind: those that keep the round from being closed.
    """

    site: Site
    in_follow_up: int
    behind: int

    @property
    def number(self) -> int:
        """The number of the open round: one more than the last that was closed."""
        return (self.site.round_number or 0) + 1


def standings_of(sites: Iterable[Site]) -> list[RoundStanding]:
    """The open round of each site, kept for the day until its implants change. Three queries."""
    listed = Site.objects.filter(pk__in=[site.pk for site in sites]).select_related("round_seal")
    counts = kept_by_site(f"round-standing-{timezone.now():%Y-%m-%d}", listed, _counts)
    return [RoundStanding(site, *counts[site.pk]) for site in listed]


def _counts(sites: QuerySet[Site]) -> dict[int, tuple[int, int]]:
    """How many implants of each site are in follow-up, and how many of them are behind."""
    listed = list(sites.select_related("round_seal"))
    rows = Implant.objects.in_follow_up().filter(site__in=[site.pk for site in listed])
    counted = (
        rows.order_by()
        .values_list("site")
        .annotate(n=Count("pk"), late=Count("pk", filter=behind_round(listed)))
    )
    found = {pk: (n, late) for pk, n, late in counted}
    return {site.pk: found.get(site.pk, (0, 0)) for site in listed}


def behind_round(sites: Iterable[Site], *, at: datetime | None = None) -> Q:
    """Implants in follow-up that keep their site's open round from being closed.

    Fewer months are on file than have passed with certainty since the year of implant, or since
    the last closed round, on the implant's own clock; a month less is allowed, for rounding.
    sites: with their round_seal.
    """
    now = timezone.now() if at is None else at
    since_implant = Implant.objects.months_certain(year=now.year, month=now.month)
    behind = Q(months_followed__lt=since_implant)
    for site in sites:
        if site.round_seal is not None:
            months = int((now - site.round_seal.at).days / DAYS_A_MONTH) - 1
            behind |= Q(
                site=site,
                followed_at_round=True,
                months_followed__lt=F("months_at_round") + max(months, 0),
            )
    return Q(exit_status__in=IN_FOLLOW_UP) & behind


def close_round(code: str, *, by: User) -> Site:
    """Closes the open follow-up round of a site: what is on file is complete up to now.

    For leads of the site and data managers. Every implant keeps its months at this round, up to
    which it counts with its events until the next round is closed.
    Raises NotYourSite, NotPermitted, and StateConflict while implants in follow-up are behind.
    """
    with sealed(by=by, action="close-round") as seal:
        return round_closed(site_to_close(code, by=by), seal)


def site_to_close(code: str, *, by: User) -> Site:
    """The site whose round the caller may close. Raises NotYourSite, NotPermitted."""
    site = Site.objects.select_related("round_seal").filter(code=code).first()
    if site is None or not may_write(site, by=by):
        raise NotYourSite(not_your_site())
    if not may_close(site, by=by):
        raise NotPermitted(
            not_permitted("close a follow-up round; its leads and data managers may")
        )
    return site


def may_close(site: Site, *, by: User) -> bool:
    """Whether the caller may close the site's round: a lead of it, or a data manager."""
    return by.may(Right.RUN_REGISTRY) or by.leads(site)


def round_closed(site: Site, seal: Sealing) -> Site:
    """Closes the site's open round under an open seal. Raises StateConflict where it is behind.

    Implants whose end was in an earlier round already are not written again.
    """
    late = Implant.objects.filter(behind_round([site]), site=site).count()
    if late:
        detail = (
            f"{late} of the site's implants in follow-up have fewer months on file than have "
            "passed: follow them up or enter their end, then close the round"
        )
        raise StateConflict(Fault("site", "follow-up-behind", detail))
    number = (site.round_number or 0) + 1
    rows = Implant.objects.filter(site=site).exclude(
        ~Q(exit_status__in=IN_FOLLOW_UP),
        round_number__isnull=False,
        followed_at_round=False,
        months_at_round=F("months_followed"),
    )
    columns = rows.order_by("pk").values_list("pk", "months_followed", "exit_status")
    seal.bulk_update(
        Implant,
        [
            Implant(
                pk=pk,
                round_number=number,
                months_at_round=months,
                followed_at_round=status in IN_FOLLOW_UP,
            )
            for pk, months, status in columns
        ],
        _OF_ROUND,
    )
    site.round_number, site.round_seal_id = number, seal.number
    seal.save(site)
    return site

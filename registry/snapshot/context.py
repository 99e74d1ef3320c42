"""What the database's rows are frozen with: catalogue, sites, hands, and the days of rounds."""

from collections.abc import Callable, Collection, Iterable, Mapping

from django.db import DEFAULT_DB_ALIAS

from registry.models import (
    CatalogueVersion,
    Category,
    Complication,
    Membership,
    PublishedRate,
    Site,
)
from registry.models.access import IMPLANTS_FROM
from registry.snapshot.terms import Published, Term, TermGroup, Terms
from registry.vocabulary import StudiedAges, Therapy

HandsOf = Callable[[Iterable[str], Iterable[Collection[str]]], Mapping[str, int]]


def terms_now(*, using: str = DEFAULT_DB_ALIAS) -> Terms:
    """The catalogue, the literature that is shown, and the sites."""
    version = CatalogueVersion.objects.using(using).order_by("-pk").first()
    return Terms(
        version=version.version if version else "",
        complications=tuple(
            Term(
                code=each.code,
                name=each.name,
                category=each.category_id,
                clock=each.clock,
                natural_denominator=each.natural_denominator,
                in_totals=each.in_totals,
                retired=each.retired,
                replaced_by=each.replaced_by_id or "",
            )
            for each in Complication.objects.using(using).order_by("category__sort_order", "code")
        ),
        categories=tuple(
            TermGroup(each.code, each.name, each.natural_denominator)
            for each in Category.objects.using(using).order_by("sort_order")
        ),
        sites=dict(Site.objects.using(using).values_list("code", "country")),
        published=tuple(map(_published, PublishedRate.objects.using(using).filter(shown=True))),
        implants_from=_implants_from(using),
    )


def _implants_from(using: str) -> dict[str, dict[str, int]]:
    """The year from which on implants count, of each site and component with a word of it."""
    words: dict[str, dict[str, int]] = {}
    for component, column in IMPLANTS_FROM.items():
        said = Site.objects.using(using).exclude(**{column: None}).values_list("code", column)
        for code, year in said:
            words.setdefault(code, {})[component.value] = year
    return words


def hands_now(hands_of: HandsOf, *, using: str = DEFAULT_DB_ALIAS) -> Mapping[str, int]:
    """The hand of each site: who is an active member of two sites makes them one. Two queries."""
    sites = Site.objects.using(using).values_list("code", flat=True)
    members = Membership.objects.using(using).filter(active=True, user__is_active=True)
    shared: dict[int, list[str]] = {}
    for user, site in members.values_list("user_id", "site__code"):
        shared.setdefault(user, []).append(site)
    return hands_of(sites, shared.values())


def rounds_closed_on(*, using: str = DEFAULT_DB_ALIAS) -> Mapping[str, str]:
    """The day on which each site closed its last follow-up round; one query."""
    closed = Site.objects.using(using).filter(round_seal__isnull=False)
    return {
        code: at.date().isoformat() for code, at in closed.values_list("code", "round_seal__at")
    }


def _published(rate: PublishedRate) -> Published:
    return Published(
        rate_id=rate.rate_id,
        complication=rate.complication_id or "",
        category=rate.category_id or "",
        metric=rate.metric,
        measure_type=rate.measure_type,
        numerator=None if rate.numerator is None else float(rate.numerator),
        denominator=None if rate.denominator is None else float(rate.denominator),
        unit=rate.unit,
        population=rate.population,
        source=rate.source,
        confidence=rate.confidence,
        note=rate.note,
        therapy=rate.therapy or Therapy.NOT_STATED.value,
        age_group=rate.age_group or StudiedAges.NOT_STATED.value,
    )

"""A site's device time year by year: declared, given by implants, given twice, or missing.

Which of the two counts is the site's word, by component: implants from a year on, what it declared
before; without a word, implants after the last year that it declared.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, QuerySet
from django.db.models.functions import Cast

from registry.intake.kept_by_site import kept_by_site
from registry.models import Exposure, Implant, Site
from registry.vocabulary import Component, ExitStatus

MISSING, OPEN, DECLARED, IMPLANTS, TWICE, OVERLAPPING, UNCOUNTED = (
    "missing",
    "open",
    "declared",
    "implants",
    "twice",
    "overlapping",
    "uncounted",
)


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """A site's device time of one component in one year.

    implants: how many have device time in it, each taken as implanted in the middle of its year.
    implants_from: the year from which on implants count, if what was declared counts before it.
    """

    year: int
    component: Component
    declared: tuple[Exposure, ...]
    implants: int
    is_over: bool
    implants_from: int | None = None

    @property
    def declared_counts(self) -> bool:
        """Whether what is declared of the year counts, and not implants."""
        return self.implants_from is not None and self.year < self.implants_from

    @property
    def state(self) -> str:
        """The state of the year: the first that applies."""
        if self.declared and self.implants:
            return TWICE
        if bool(self.declared) is not self.declared_counts and (self.declared or self.implants):
            return UNCOUNTED
        if len({bool(row.model) for row in self.declared}) > 1:
            return OVERLAPPING
        if self.declared:
            return DECLARED
        if self.implants:
            return IMPLANTS
        return MISSING if self.is_over else OPEN

    @property
    def is_without(self) -> bool:
        """Whether the year is over, and events of it are in no rate."""
        return self.is_over and self.state in (MISSING, UNCOUNTED)

    @property
    def devices(self) -> int:
        """The devices that were declared."""
        return sum(row.devices for row in self.declared)

    @property
    def months(self) -> int:
        """The component-months that were declared."""
        return sum(row.component_months for row in self.declared)


def flat(years: list[list[DeviceTime]]) -> list[DeviceTime]:
    """Every cell of the table."""
    return [cell for line in years for cell in line]


def device_time(site: Site, *, present: int) -> list[list[DeviceTime]]:
    """A site's years, newest first, each with its components. Five queries.

    From the first year with anything on file to the current one, which is not over yet; last year
    and this for a site without anything.
    """
    return device_times(Site.objects.filter(pk=site.pk), present=present)[site.code]


def device_times(sites: QuerySet[Site], *, present: int) -> dict[str, list[list[DeviceTime]]]:
    """The years of each site by its code, as `device_time` gives them. Five queries in all.

    The implants of each year are kept until those of the site change.
    """
    declared: dict[tuple[str, int, str], list[Exposure]] = defaultdict(list)
    rows = Exposure.objects.filter(site__in=sites).select_related("site")
    for row in rows.order_by("pump_model", "catheter_model", "pk"):
        declared[row.site.code, row.year, row.component].append(row)
    listed = list(sites.order_by("code"))
    codes = {site.pk: site.code for site in listed}
    last: dict[tuple[str, str], int] = {}
    for code, year, name in declared:
        last[code, name] = max(year, last.get((code, name), year))
    since = {
        (site.code, component): counted_from(
            site.implants_from(component), last.get((site.code, component.value))
        )
        for site in listed
        for component in Component
    }

    def by_year(some: QuerySet[Site]) -> dict[int, Counter[tuple[int, str]]]:
        return _implants_by_year(some, present=present)

    kept = kept_by_site(f"implants-by-year-{present}", sites, by_year)
    implants: Counter[tuple[str, int, str]] = Counter(
        {(codes[pk], *cell): n for pk, cells in kept.items() for cell, n in cells.items()}
    )
    began: dict[str, int] = {}
    for code, year, _component in (*declared, *implants):
        began[code] = min(year, began.get(code, present - 1))
    return {
        code: [
            [
                DeviceTime(
                    year,
                    component,
                    tuple(declared.get((code, year, component.value), ())),
                    implants[code, year, component.value],
                    is_over=year < present,
                    implants_from=since[code, component],
                )
                for component in Component
            ]
            for year in range(present, began.get(code, present - 1) - 1, -1)
        ]
        for code in codes.values()
    }


def _implants_by_year(
    sites: QuerySet[Site], *, present: int
) -> dict[int, Counter[tuple[int, str]]]:
    """How many implants of each site have device time in each year and component. Two queries."""
    pks = {code: pk for pk, code in sites.values_list("pk", "code")}
    found: dict[int, Counter[tuple[int, str]]] = {pk: Counter() for pk in pks.values()}
    rows = Implant.objects.filter(site__in=list(pks.values()))
    for code, component, first, last, number in spans(rows):
        for year in range(first, min(last, present) + 1):
            found[pks[code]][year, component] += number
    return found


def counted_from(word: int | None, last: int | None) -> int | None:
    """From which year on implants count: the site's word, else after the last declared year."""
    return last + 1 if word is None and last is not None else word


def implants_until(exposure: Exposure) -> int:
    """How many implants have time up to the year of a declaration. One query."""
    rows = Implant.objects.filter(site=exposure.site_id, component=exposure.component)
    return sum(n for _, _, first, _last, n in spans(rows) if first <= exposure.year)


def spans(rows: QuerySet[Implant]) -> QuerySet[Any, tuple[str, str, int, int, int]]:
    """The first and the last year in which implants of each site have device time, and how many.

    As in statistics: the year of implant counts from its middle, follow-up from entry to its end,
    and implants excluded as ineligible have no time.
    """
    year = Cast("implant_year", IntegerField())
    return (
        rows.exclude(exit_status=ExitStatus.ELIGIBILITY_NOT_MET)
        .annotate(
            first=year + (Cast("months_to_entry", IntegerField()) + 6) / 12,
            last=year + (Cast("months_followed", IntegerField()) + 5) / 12,
        )
        .order_by()
        .values_list("site__code", "component", "first", "last")
        .annotate(number=Count("pk"))
    )

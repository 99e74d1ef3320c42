"""The eight questions through Django's ORM: few queries, grouped in the database where it can."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Case, Count, F, Max, Min, When

from registry.models import Exposure
from tests.benchmarks.eight_questions import Key, Rows
from tests.benchmarks.estimates import count_row
from tests.benchmarks.orm_device_time import (
    all_events_by_year,
    first_events_by_model_and_year,
    survival_by_model,
)
from tests.benchmarks.orm_rows import (
    BLANK,
    counted,
    dated,
    eligible,
    in_totals,
    of_system,
    year_or_blank,
)


def answer_of(number: int) -> Rows:
    """The answer to one of the eight questions."""
    return FORMS[number]()


def by_complication() -> Rows:
    """One query."""
    found = (
        counted()
        .filter(of_system("drug", "baclofen", implant="implant__drug"))
        .filter(of_system("sex", "female", implant="patient__sex"))
        .serious()
        .values_list("complication_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return {(code,): count_row(n) for code, n in found}


def by_site_and_period() -> Rows:
    """Three queries; a site's period with devices and without events has a row of zero."""
    found = (
        in_totals()
        .values_list("site__code", F("year") - F("year") % 5)
        .annotate(n=Count("pk"))
        .order_by()
    )
    rows = {(site, _period(start)): n for site, start, n in found}
    present = {(site, _period(year - year % 5)) for site, year in _years_with_time("site__code")}
    declared = Exposure.objects.values_list("site__code", "year").distinct().order_by()
    present |= {(site, _period(year - year % 5)) for site, year in declared}
    return {key: count_row(rows.get(key, 0)) for key in {*rows, *present}}


def by_category_severity_and_sex() -> Rows:
    """Two queries; what happened to one sex has a row for the other, where it has devices."""
    found = (
        in_totals()
        .filter(of_system("drug", "morphine", implant="implant__drug"), year__gte=2015)
        .values_list("complication__category_id", "severity", sex())
        .annotate(n=Count("pk"))
        .order_by()
    )
    rows = {
        (category, BLANK if grade is None else grade, sex or BLANK): n
        for category, grade, sex, n in found
    }
    sexes = {
        sex or BLANK
        for sex, year in _years_with_time("patient__sex", drug="morphine")
        if year >= 2015
    }
    present = {(category, grade, sex) for category, grade, _ in rows for sex in sexes}
    return {key: count_row(rows.get(key, 0)) for key in {*rows, *present}}


def by_year() -> Rows:
    """Three queries; a year with devices and without events has a row of zero."""
    found = (
        counted()
        .filter(complication="catheter-migration")
        .values_list("year")
        .annotate(n=Count("pk"))
        .order_by()
    )
    rows: dict[Key, int] = {(year_or_blank(year),): n for year, n in found}
    present = {(year,) for _, year in _years_with_time("component")}
    present |= set(Exposure.objects.values_list("year").distinct().order_by())
    return {key: count_row(rows.get(key, 0)) for key in {*rows, *present}}


def total() -> Rows:
    """One query."""
    found = (
        in_totals()
        .filter(of_system("drug", "morphine", implant="implant__drug"))
        .filter(of_system("sex", "female", implant="patient__sex"))
        .filter(complication__category="catheter", year__gte=2012)
        .filter(site__code__in=("SITE-01", "SITE-02", "SITE-03"))
        .serious()
        .count()
    )
    return {(): count_row(found)}


def sex() -> Case:
    return Case(When(implant__isnull=True, then="sex"), default="patient__sex")


def _period(start: int | None) -> str:
    return BLANK if start is None else f"{start}-{start + 4}"


def _years_with_time(name: str, **where: object) -> set[tuple[Any, int]]:
    """The calendar years in which devices were followed, by one of their properties; one query.

    From the first entry to the last end of each year of implant: no year between is empty.
    """
    found = (
        dated(eligible().filter(**where))
        .values_list(name, "implant_year")
        .annotate(first=Min("months_to_entry"), last=Max("months_followed"))
        .order_by()
    )
    return {
        (value, year)
        for value, implanted, first, last in found
        for year in range(
            (12 * implanted + 6 + first) // 12, (12 * implanted + 6 + last - 1) // 12 + 1
        )
    }


FORMS: Mapping[int, Callable[[], Rows]] = {
    1: by_complication,
    2: by_site_and_period,
    3: by_category_severity_and_sex,
    4: by_year,
    5: total,
    6: first_events_by_model_and_year,
    7: all_events_by_year,
    8: survival_by_model,
}

"""FHIR's search parameters of events: tokens and dates as conditions of a queryset."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from registry.filters.codes import nearest
from registry.filters.lists import stray_parameters
from registry.interchange.fhir import CATEGORIES, COMPLICATIONS, IMDRF, FhirVersion
from registry.interchange.fhir_statements import search_parameters
from registry.models import Category, Complication, Event
from registry.records import BadQuery, Fault

DEFAULT_COUNT, LARGEST_COUNT = 100, 500
ONCE = ("_count", "cursor", "_format")
"""Parameters that are no conditions."""

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_DATE = re.compile(
    rf"(?P<prefix>{'|'.join(_PREFIXES)})?"
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)(\.[0-9]{1,9})?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_DATE_MEND = (
    "Write a year, a month such as 2023-04, a day or an instant, behind one of the prefixes "
    f"{', '.join(_PREFIXES)} or none."
)


def search(rows: QuerySet[Event], params: QueryDict, version: FhirVersion) -> QuerySet[Event]:
    """The events that match every parameter; values separated by commas are alternatives.

    A parameter that is repeated holds each time. Raises BadQuery with every fault: an unknown
    parameter, a malformed value, or a code that the catalogue does not have. At most one query
    for each parameter with codes.
    """
    named = search_parameters(version)
    faults = stray_parameters(params, (*named, *ONCE), several=set(named) - set(ONCE))
    for name in named:
        for text in params.getlist(name):
            try:
                rows = rows.filter(_any_of(name, text))
            except _BadValue as bad:
                faults.append(Fault(name, bad.code, bad.mend))
    if faults:
        raise BadQuery(faults)
    return rows


def count_of(params: QueryDict) -> int:
    """How many events a page holds: `_count`, at most 500; 0 asks for the total alone."""
    text = params.get("_count", str(DEFAULT_COUNT))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadQuery(Fault("_count", "bad-range", "Give a whole number of 0 or more."))
    return min(int(text), LARGEST_COUNT)


class _BadValue(ValueError):
    """A value that a parameter does not take, with its mend."""

    def __init__(self, code: str, mend: str) -> None:
        self.code, self.mend = code, mend
        super().__init__(mend)


def _any_of(name: str, text: str) -> Q:
    condition = _CONDITIONS[name]
    return reduce(or_, [condition(value.strip()) for value in text.split(",")])


def _by_id(value: str) -> Q:
    try:
        return Q(public_id=UUID(value))
    except ValueError:
        raise _BadValue("bad-value", "An id is a UUID, as a resource has it.") from None


def _by_category(value: str) -> Q:
    _system, code = _token(value, (CATEGORIES,))
    _among(code, list(Category.objects.values_list("code", flat=True)))
    return Q(complication__category=code)


def _by_complication(value: str) -> Q:
    """A code of the catalogue, or IMDRF's code of a complication."""
    system, code = _token(value, (COMPLICATIONS, *IMDRF.values()))
    kept = list(Complication.objects.values_list("code", "imdrf_annex_a", "imdrf_annex_e"))
    ours, in_a, in_e = ({row[at] for row in kept} - {""} for at in range(3))
    if system == COMPLICATIONS or (system is None and code in ours):
        _among(code, sorted(ours))
        return Q(complication=code)
    terms = {IMDRF["A"]: in_a, IMDRF["E"]: in_e}.get(system or "", in_a | in_e)
    if code not in terms:
        _among(code, sorted(ours | terms if system is None else terms))
    return Q(complication__imdrf_annex_a=code) | Q(complication__imdrf_annex_e=code)


def _token(value: str, systems: tuple[str, ...]) -> tuple[str | None, str]:
    """A token as its system, None where it has none, and its code."""
    system, bar, code = value.rpartition("|")
    if not bar or (system in systems and code):
        return system or None, code
    raise _BadValue("unknown-system", f"Give a code, or one of these with it: {' '.join(systems)}")


def _among(code: str, known: list[str]) -> None:
    if code not in known:
        said = f"There is no such code. The nearest is {nearest(code, tuple(known))}."
        raise _BadValue("unknown-code", said)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A date as asked: the prefix, and the span that it names, in UTC; the end is not in it."""

    prefix: str
    start: datetime.datetime
    end: datetime.datetime


def _date(value: str) -> _Asked:
    # A space is a plus sign that was not encoded.
    found = _DATE.fullmatch(value.replace(" ", "+"))
    if found is None:
        raise _BadValue("bad-value", _DATE_MEND)
    try:
        return _Asked(found["prefix"] or "eq", *_span(found))
    except (ValueError, OverflowError):
        raise _BadValue("bad-value", _DATE_MEND) from None


def _span(found: re.Match[str]) -> tuple[datetime.datetime, datetime.datetime]:
    year, month = int(found["year"]), int(found["month"] or 1)
    start = datetime.datetime(year, month, int(found["day"] or 1), tzinfo=datetime.UTC)
    if found["month"] is None:
        return start, start.replace(year=year + 1)
    if found["day"] is None:
        return start, (start + datetime.timedelta(days=31)).replace(day=1)
    if found["time"] is None:
        return start, start + datetime.timedelta(days=1)
    zone = (found["zone"] or "Z").replace("Z", "+00:00")
    start = datetime.datetime.fromisoformat(f"{start:%Y-%m-%d}T{found['time']}{zone}")
    start = start.astimezone(datetime.UTC)
    is_to_the_minute = len(found["time"]) == len("00:00")
    return start, start + datetime.timedelta(seconds=60 if is_to_the_minute else 1)


def _by_change(value: str) -> Q:
    asked = _date(value)
    within = Q(seal__at__gte=asked.start, seal__at__lt=asked.end)
    before, after = Q(seal__at__lt=asked.start), Q(seal__at__gte=asked.end)
    return _by_prefix(asked.prefix, within, before=before, after=after, ends=before, starts=after)


def _by_date(value: str) -> Q:
    """The year or month of an event, which is itself a span; unknown dates never match."""
    asked = _date(value)
    starts, ends = _starts_from(asked.start), _ends_after(asked.end)
    within = starts & ~ends
    found = _by_prefix(
        asked.prefix,
        within,
        before=~starts,
        after=ends,
        ends=~_ends_after(asked.start),
        starts=_starts_from(asked.end),
    )
    return Q(year__isnull=False) & found


def _by_prefix(prefix: str, within: Q, *, before: Q, after: Q, ends: Q, starts: Q) -> Q:
    """The condition of a prefix (FHIR, search, 3.2.1.5.6).

    before, after: something of the row lies before or after the span. ends, starts: all of it.
    """
    return {
        "eq": within,
        "ne": ~within,
        "lt": before,
        "gt": after,
        "le": before | within,
        "ge": after | within,
        "eb": ends,
        "sa": starts,
    }[prefix]


def _starts_from(at: datetime.datetime) -> Q:
    """The event's year or month starts at the instant or later."""
    starts_month = at == at.replace(day=1, hour=0, minute=0, second=0)
    starts_year = starts_month and at.month == 1
    by_year = Q(month__isnull=True, year__gte=at.year if starts_year else at.year + 1)
    first = at.month if starts_month else at.month + 1
    return by_year | _month_from(at.year, first)


def _ends_after(at: datetime.datetime) -> Q:
    """The event's year or month ends later than the instant."""
    return Q(month__isnull=True, year__gte=at.year) | _month_from(at.year, at.month)


def _month_from(year: int, month: int) -> Q:
    return Q(month__isnull=False) & (Q(year__gt=year) | Q(year=year, month__gte=month))


_CONDITIONS: dict[str, Callable[[str], Q]] = {
    "_id": _by_id,
    "_lastUpdated": _by_change,
    "date": _by_date,
    "category": _by_category,
    "event": _by_complication,
    "code": _by_complication,
}

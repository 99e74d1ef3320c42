"""Codes that a spreadsheet has turned into dates: `8-30` becomes `30-Aug`, `30. Aug` or 45168."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from registry.records.spelling import folded

_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan jaen janv ene gen",
            "feb fev fevr febb",
            "mar mrz maerz mars mrt marz",
            "apr avr abr",
            "may mai mei mag maj",
            "jun juin giu",
            "jul juil lug",
            "aug aou aout ago",
            "sep sept set",
            "oct okt ott out",
            "nov",
            "dec dez dic",
        ),
        1,
    )
    for name in names.split()
}
"""Short names of months in English, German, French, Spanish, Italian, Dutch and Portuguese."""

_FIRST_SERIAL, _LAST_SERIAL = 10_000, 60_000
"""Serial numbers of days that a spreadsheet shows as dates of 1927 to 2064."""

_FIRST_DAY = date(1899, 12, 30)
_EARLIEST_TYPED = 2005
"""A day of the year in which somebody typed a code; earlier ones may be dates of birth."""

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ T][0-9:.]*)?")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})(?:[ T][0-9:.]*)?")
_TWO_NUMBERS = re.compile(r"([0-9]{1,2})[./]([0-9]{1,2})\.?|(?=0|[0-9]+-0)([0-9]{2})-([0-9]{2})")
"""With a hyphen only where one has a zero before it: `08-30` is a date, `8-31` a wrong code."""

_TIME = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9.]+)?$")
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]0+)?")
_WITH_NAME = re.compile(r"(?:([0-9]{1,4})-)?([a-z]{3,10})(?:-([0-9]{1,4}))?(?:-([0-9]{1,4}))?")

Pair = tuple[int, int]


def ranges_of(codes: Iterable[str]) -> dict[Pair, str]:
    """The codes of a list that are a range of two numbers, which a spreadsheet takes for a date."""
    found = {}
    for code in codes:
        match = _RANGE.fullmatch(code)
        if match is not None:
            found[int(match[1]), int(match[2])] = code
    return found


def looks_turned(text: str) -> bool:
    """Whether a text is a date, a day or a month as spreadsheets write them, or their number."""
    return bool(_pairs(text))


def turned_back(text: str, ranges: Mapping[Pair, str]) -> str | None:
    """The one code that a spreadsheet may have turned into this date, or None."""
    meant = {ranges[pair] for pair in _pairs(text) if pair in ranges}
    return meant.pop() if len(meant) == 1 else None


def _pairs(text: str) -> set[Pair]:
    """The pairs of numbers that could have been typed for a text to become this date."""
    text = _TIME.sub("", text.strip())
    serial = _SERIAL.fullmatch(text)
    if serial is not None and _FIRST_SERIAL <= int(serial[1]) <= _LAST_SERIAL:
        return set(_of_day(_FIRST_DAY + timedelta(days=int(serial[1]))))
    iso = _ISO.fullmatch(text)
    if iso is not None:
        return _of_numbers(int(iso[1]), int(iso[2]), int(iso[3]))
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first is not None:
        first, second, year = (int(part) for part in day_first.groups())
        year = year if year > 99 else _full_year(year)
        return _of_numbers(year, second, first) | _of_numbers(year, first, second)
    two = _TWO_NUMBERS.fullmatch(text)
    if two is not None:
        return _both(int(two[1] or two[3]), int(two[2] or two[4]))
    return _of_name(folded(text))


def _of_name(text: str) -> set[Pair]:
    """Of 30-Aug, Aug 30, 06. Nov, Dez 17 and 17-Dec-2023."""
    match = _WITH_NAME.fullmatch(text)
    month = _month(match[2]) if match is not None else None
    if match is None or month is None:
        return set()
    numbers = [int(part) for part in (match[1], match[3], match[4]) if part]
    if len(numbers) == 1:
        return _both(month, numbers[0] % 100 if numbers[0] > 99 else numbers[0])
    if len(numbers) == 2:
        day, year = numbers if numbers[0] <= 31 else (numbers[1], numbers[0])
        return _of_numbers(year if year > 99 else _full_year(year), month, day)
    return set()


def _month(name: str) -> int | None:
    for length in (len(name), 5, 4, 3):
        if length >= 3 and name[:length] in _MONTHS:
            return _MONTHS[name[:length]]
    return None


def _of_numbers(year: int, month: int, day: int) -> set[Pair]:
    try:
        return set(_of_day(date(year, month, day)))
    except ValueError:
        return set()


def _of_day(day: date) -> Iterator[Pair]:
    """The pairs typed as day and month; and as month and year, which become a month's first day."""
    if day.year >= _EARLIEST_TYPED:
        yield from _both(day.month, day.day)
    if day.day == 1:
        yield from _both(day.month, day.year % 100)
    if day.year < _EARLIEST_TYPED and day.day != 1:
        yield (0, 0)


def _both(first: int, second: int) -> set[Pair]:
    return {(first, second), (second, first)}


def _full_year(two_digits: int) -> int:
    """A year of two digits as spreadsheets take it: up to 29 in this century."""
    return two_digits + (2000 if two_digits < 30 else 1900)

"""Coarser questions to offer in place of one that is too detailed to be answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from registry import reporting
from registry.answers.asking import with_set
from registry.answers.fitting import fitted_to
from registry.answers.page_question import FIRST_MEASURE, is_answered
from registry.filters.codes import periods
from registry.records import DIMENSIONS, Viewer
from registry.records.enumeration import enumerated
from registry.vocabulary import Denominator

MOST = 5
"""The largest number of alternatives offered."""

BASES = frozenset({"category", "complication"})
"""What the other dimensions stand beside."""

OPTIONS = {
    "adjust": "without adjustment",
    "standardise": "without standardisation",
    "cluster": "with the usual limits",
    "counting": "counted as usual",
    "unit": "by each row's own denominator",
    "ci": "with the usual limits",
}
"""Options that can be left out, with the words for a question without each."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A question close to a refused one: in words, and as a page's parameters.

    told: how many of its rows are told; empty where that is not known beforehand.
    """

    words: str
    params: str
    told: str = ""


def alternatives(params: QueryDict, viewer: Viewer) -> list[Alternative]:
    """Answerable questions one step coarser, the closest first; at most five.

    Uses the question and the code lists only, so it discloses nothing about the data.
    """
    found: list[Alternative] = []
    for words, other in _coarser(params, viewer):
        if len(found) == MOST:
            break
        address = other.urlencode(safe=",")
        if address not in {each.params for each in found} and is_answered(other, viewer):
            found.append(Alternative(words, address))
    return found


def with_device_time(params: QueryDict, viewer: Viewer) -> list[Alternative]:
    """The same question per device month, for an answer without any denominator."""
    found = []
    for unit in (Denominator.PUMP_MONTHS, Denominator.CATHETER_MONTHS):
        other = with_set(params, unit=unit.value)
        if params.get("unit") != unit.value and is_answered(other, viewer):
            address = other.urlencode(safe=",")
            found.append(Alternative(f"the same per {unit.label.lower()}", address))
    return found


def _coarser(params: QueryDict, viewer: Viewer) -> Iterator[tuple[str, QueryDict]]:
    """Questions one step coarser, then the same in other measures, then the measure by category."""
    names = [name for text in params.getlist("group_by") for name in text.split(",") if name]
    yield from _keeping_one(params, names)
    yield from _other_groupings(params, names)
    yield from _other_filters(params)
    for name, words in OPTIONS.items():
        if name in params:
            yield words, with_set(params, **{name: ""})
    for offer in reporting.offers(viewer):
        if offer.measure.value != params.get("measure", FIRST_MEASURE):
            fitted = fitted_to(params, offer)
            without = f", without {', '.join(fitted.left_out)}" if fitted.left_out else ""
            yield f"{offer.measure.label.lower()} of the same selection{without}", fitted.params
    measure = params.get("measure", "")
    yield (
        "the same measure of everything, by category",
        QueryDict(f"measure={measure}&group_by=category" if measure else "group_by=category"),
    )


def _keeping_one(params: QueryDict, names: Sequence[str]) -> Iterator[tuple[str, QueryDict]]:
    """Of several dimensions beside a complication or a category each alone, groupings first."""
    used = dict.fromkeys([*names, *(name for name in params if name in DIMENSIONS)])
    beside = [name for name in used if name in DIMENSIONS and name not in BASES]
    if len(beside) < 2:
        return
    for kept in beside:
        dropped = [name for name in beside if name != kept]
        by = ",".join(name for name in names if name not in dropped)
        titles = [DIMENSIONS[name].title.lower() for name in dropped]
        without = {**dict.fromkeys(set(dropped) & set(params), ""), "group_by": by}
        yield f"without {enumerated(titles, last='and')}", with_set(params, **without)


def _other_groupings(params: QueryDict, names: Sequence[str]) -> Iterator[tuple[str, QueryDict]]:
    for name in names:
        if name not in DIMENSIONS:
            continue
        title, parent = DIMENSIONS[name].title.lower(), DIMENSIONS[name].parent
        others = [other for other in names if other != name]
        if parent and parent not in names:
            by = ",".join(parent if each == name else each for each in names)
            coarser = DIMENSIONS[parent].title.lower()
            yield f"by {coarser} instead of {title}", with_set(params, group_by=by)
        yield f"without the grouping by {title}", with_set(params, group_by=",".join(others))


def _other_filters(params: QueryDict) -> Iterator[tuple[str, QueryDict]]:
    for name in params:
        if name not in DIMENSIONS:
            continue
        title = DIMENSIONS[name].title.lower()
        values = [each for text in params.getlist(name) for each in text.split(",") if each]
        if len(values) > 1:
            for value in values[:3]:
                yield f"{title} {value} alone", with_set(params, **{name: value})
        yield f"without the filter {title}", with_set(params, **{name: ""})
    if {"year_min", "year_max"} & set(params):
        whole = with_set(params, year_min="", year_max="")
        for period in _within(params):
            yield f"the years {period}", with_set(whole, period=period)
        yield "of all years", whole


def _within(params: QueryDict) -> list[str]:
    """The five-year periods that overlap a closed range of years; at most the last three."""
    ends = [params.get(name, "") for name in ("year_min", "year_max")]
    if not all(end.isdigit() for end in ends):
        return []
    first, last = map(int, ends)
    return [each for each in periods() if int(each[5:]) >= first and int(each[:4]) <= last][-3:]

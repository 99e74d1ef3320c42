"""The core groups of complications: the registry's rates and shares beside published ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from registry.answers.asking import NAMED, Panel, with_set
from registry.answers.tables import UNITS
from registry.dashboard.literature import (
    PER,
    Beside,
    beside,
    counts_in_words,
    limits_in_words,
    remark_of,
    value_in_words,
)
from registry.dashboard.panels import Panels, codes_of, is_of_events
from registry.filters.catalogue import rates_shown_for
from registry.records import Cell
from registry.vocabulary import Measure

Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """The registry's number for one group. unit: what a rate divides by. remark: its status."""

    value: str
    limits: str
    counts: str
    unit: str = ""
    remark: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreRow:
    """One core group: its rate, its share of patients, and published figures.

    rate, share: None where the answer was refused. note: the coarser group shown in its place.
    """

    name: str
    note: str
    rate: GroupFigure | None
    share: GroupFigure | None
    published: Sequence[Beside]
    address: str


def core_rows(panels: Panels, params: QueryDict) -> list[CoreRow]:
    """The core groups of a question, in the catalogue's order. One query for the literature.

    Without published figures where the question filters events, for instance by severity.
    """
    where = [name for name, _values in panels.counts.query.where]
    if any(is_of_events(name) and name not in NAMED for name in where):
        return [core_row(name, terms, panels, (), params) for name, terms in panels.core]
    single = [terms[0].code for _name, terms in panels.core if len(terms) == 1]
    several = {terms[0].category_id for _name, terms in panels.core if len(terms) > 1}
    rates = rates_shown_for(complications=single, categories=several)
    return [core_row(name, terms, panels, rates, params) for name, terms in panels.core]


def core_row(
    name: str, terms: Sequence[Any], panels: Panels, rates: Sequence[Any], params: QueryDict
) -> CoreRow:
    """One group: its row of the breakdown for one term, the joint answer for several.

    Protected answers refuse several terms together: the row then shows, and names, their whole
    category.
    """
    category = terms[0].category
    note = ""
    if len(terms) == 1:
        code = terms[0].code
        about = [each for each in rates if each.complication_id == code]
        rate = figure(panels.by_complication, complication=code)
        share = figure(panels.shares_by_complication, complication=code)
    else:
        about = [each for each in rates if each.category_id == category.code]
        rate, share = (figure(panel) for panel in panels.joint[name])
        if rate is None and share is None:
            note = f"the whole category {category.name.lower()}"
            rate = figure(panels.by_category, category=category.code)
            share = figure(panels.shares_by_category, category=category.code)
    named = {"category": category.code} if note else {"complication": ",".join(codes_of(terms))}
    others = with_set(params, **dict.fromkeys(NAMED, ""))
    return CoreRow(
        name=name.capitalize(),
        note=note,
        rate=rate,
        share=share,
        published=beside(about, measure=Measure.PROPORTIONS, query=panels.counts.query),
        address=f"{reverse('explore')}?{with_set(others, **named).urlencode(safe=',')}",
    )


def figure(panel: Panel | None, **named: Cell) -> GroupFigure | None:
    """One cell of an answer in words; None where there is no answer."""
    if panel is None or panel.release is None:
        return None
    shares = panel.shares
    row = panel.row_of(**named)
    if row is None:
        return GroupFigure("none reported", "", "", hidden=True)
    unit = "" if shares or not row["unit"] else UNITS[str(row["unit"])].label.lower()
    return GroupFigure(
        value=value_in_words(row, shares=shares),
        limits=limits_in_words(row, shares=shares),
        counts=counts_in_words(row, shares=shares),
        unit=f"per {PER:,} {unit}" if unit else "",
        remark=remark_of(row),
        hidden=row["ci_lower"] is None,
    )

"""Published figures computed like the registry's own, so that both can be compared."""

import re
from collections.abc import Iterable

from registry.records import DIMENSIONS, Cell, EventQuery, Side
from registry.reporting.asking.populations import is_like
from registry.reporting.asking.question import natural_unit, selected_terms
from registry.reporting.asking.spec import Figure, Literature, Question
from registry.snapshot.terms import Published, Term, Terms
from registry.statistics.intervals import wilson_interval
from registry.statistics.rates import incidence_rate
from registry.vocabulary import CountingRule, Denominator, Evidence, PublishedMeasure

PATIENTS = "patients"
TIME_UNITS = {
    "pump-months": (Denominator.PUMP_MONTHS, 1),
    "pump-years": (Denominator.PUMP_MONTHS, 12),
    "catheter-months": (Denominator.CATHETER_MONTHS, 1),
    "catheter-years": (Denominator.CATHETER_MONTHS, 12),
}
"""Units of published rates that convert to the registry's, with the factor.

Not years of patients or of therapy: one patient can have two devices, and time without one.
"""
READ = {"source-seen": Evidence.SEEN, **{each.value: each for each in Evidence}}
"""The evidence of figures in the catalogue; any other value is unverified."""


def _rate(events: float, of: float, per: float, level: float) -> Figure:
    """A published rate with Garwood's limits."""
    rate = incidence_rate(events, of, per=per, level=level)
    return Figure(rate.rate, rate.lower, rate.upper)


def _share(events: float, of: float, per: float, level: float) -> Figure:
    """A published proportion with Wilson's limits."""
    lower, upper = wilson_interval(events, of, level=level)
    return Figure(events / of if of else None, lower, upper)


def _like_rate(measure_type: str, published_unit: str, unit: str | None) -> int | None:
    ours, times = TIME_UNITS.get(published_unit, (None, 0))
    same = measure_type == PublishedMeasure.RATE and ours is not None and ours == unit
    return times if same else None


def _like_share(measure_type: str, published_unit: str, unit: str | None) -> int | None:
    same = measure_type == PublishedMeasure.PROPORTION and published_unit == PATIENTS
    return 1 if same else None


BESIDE_RATES = Literature(figure=_rate, like=_like_rate, of_time=True)
BESIDE_SHARES = Literature(figure=_share, like=_like_share, of_time=False)


def literature_beside(
    question: Question, terms: Terms, *, per: int
) -> dict[str, list[dict[str, Cell]]]:
    """The published figures comparable with a rate or a proportion; none for other measures.

    In the catalogue's order: figures of a complication or a category of the answer's rows, of the
    same measure and unit, with their counts, from cohorts of the therapy and the ages that the
    question selects, if it does. Only where rows are by complication and category alone, and of
    all such events: a source's count is not of one grade or one cause. None for a share of
    devices, as sources count patients. Depends on the question and the snapshot's catalogue.
    """
    query = question.query
    beside = question.spec.literature
    if beside is None:
        return {}
    apart = set(query.group_by) - {"complication", "category"}
    if apart or question.counting is CountingRule.DEVICES or _of_some_events(query):
        return {"literature": []}
    units = dict(_subjects(question, terms))
    found = [
        _told(each, question, beside, terms, times=times, per=per)
        for each in terms.published
        if each.counts
        and is_like(query, therapy=each.therapy, age_group=each.age_group)
        and (each.complication, each.category) in units
        and (
            times := beside.like(
                each.measure_type, each.unit, units[each.complication, each.category]
            )
        )
    ]
    return {"literature": found}


def _of_some_events(query: EventQuery) -> bool:
    """Whether a filter keeps some events of a complication and leaves out others."""
    return any(
        DIMENSIONS[name].side is Side.EVENT and name not in {"complication", "category"}
        for name, _values in query.where
    )


Subject = tuple[str, str]
"""(complication, "") or ("", category), as sources name them."""


def _subjects(question: Question, terms: Terms) -> Iterable[tuple[Subject, str]]:
    """The complications or categories of the rows, each with its rate's unit."""
    query = question.query
    chosen = selected_terms(query, terms)
    components = query.values("component")

    def unit(members: list[Term]) -> str:
        return (query.unit or natural_unit(members, components, terms)).value

    named = bool(query.values("complication"))
    if "complication" in query.group_by or (named and len(chosen) == 1):
        for term in chosen:
            yield (term.code, ""), unit([term])
        return
    categories = {term.category for term in chosen}
    by_category = "category" in query.group_by or len(query.values("category")) == 1
    if by_category and not named:
        for category in categories:
            yield ("", category), unit([term for term in chosen if term.category == category])


def _told(
    published: Published,
    question: Question,
    beside: Literature,
    terms: Terms,
    *,
    times: int,
    per: int,
) -> dict[str, Cell]:
    events, of = float(published.numerator or 0), float(published.denominator or 0)
    figure = beside.figure(events, of * times, per, question.query.level)
    year = re.search(r"\b(?:19|20)\d{2}\b", published.source)
    names = {term.code: term.name for term in terms.complications} | {
        group.code: group.name for group in terms.categories
    }
    return {
        "rate_id": published.rate_id,
        "complication": published.complication or None,
        "category": published.category or None,
        "complication_label": names[published.complication or published.category],
        "metric": published.metric,
        "measure": question.spec.measure.value,
        "value": figure.value,
        "ci_lower": figure.lower,
        "ci_upper": figure.upper,
        "events": events,
        "of": of,
        "published_unit": published.unit,
        "unit": _ours(published.unit) if beside.of_time else published.unit,
        "per": per if beside.of_time else None,
        "population": published.population,
        "therapy": published.therapy,
        "age_group": published.age_group,
        "source": published.source,
        "year": int(year[0]) if year else None,
        "evidence": READ.get(published.confidence, Evidence.UNVERIFIED).value,
        "note": published.note,
    }


def _ours(published_unit: str) -> str:
    return TIME_UNITS[published_unit][0].value

"""The question in an address: as the API reads it, and fitted to what its measure takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from registry import reporting
from registry.answers.asking import with_set
from registry.answers.fitting import groupings_of, title_of
from registry.filters import parse_query
from registry.filters.fields import listed
from registry.records import BadQuery, EventQuery, Fault, Viewer
from registry.reporting import NOT_TAKEN, Offer
from registry.vocabulary import Measure

NO_FORMAT = "A page is read as it is: leave format out. Files of an answer stand below it."
FIRST_MEASURE = Measure.RATES
FIRST_QUESTION = "category"
"""What a page answers, and groups by, for whoever has not asked anything yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question of an address.

    params: those of the API, with labels beside codes unless something else was asked for.
    dropped: what the address holds that the measure has no use for, in words: a form sends the
    boxes of the measure before.
    """

    measure: Measure
    query: EventQuery
    params: QueryDict
    dropped: Sequence[str]


def measure_of(params: QueryDict, offers: Sequence[Offer]) -> Measure:
    """The measure that was asked for, rates by default; raises BadQuery naming those there are."""
    codes = {each.value: each for each in Measure}
    named = set(params.getlist("measure")) or {FIRST_MEASURE.value}
    if len(named) > 1 or not named <= set(codes):
        offered = ", ".join(each.measure.value for each in offers)
        raise BadQuery(Fault("measure", "unknown-code", f"Choose one of {offered}."))
    return codes[named.pop()]


def read_asked(params: QueryDict, viewer: Viewer) -> Asked:
    """What an address asks; without anything, rates by category. Raises BadQuery.

    An option that the measure does not take is refused here as in the API, and so is a format.
    """
    if "format" in params:
        raise BadQuery(Fault("format", NOT_TAKEN, NO_FORMAT))
    offers = reporting.offers(viewer)
    measure = measure_of(params, offers)
    question, dropped = fitted(params, measure, offers)
    return Asked(
        measure=measure,
        query=parse_query(question, measure=measure),
        params=question,
        dropped=dropped,
    )


def fitted(
    params: QueryDict, measure: Measure, offers: Sequence[Offer]
) -> tuple[QueryDict, list[str]]:
    """The parameters without the page's own and without groupings of another measure."""
    if not params:
        return QueryDict(f"group_by={FIRST_QUESTION}&labels=both"), []
    names = listed(params, "group_by")
    offer = next((each for each in offers if each.measure is measure), None)
    has_places = offer is not None and offer.groupings is not None
    kept = groupings_of(names, offer) if offer and has_places else names
    dropped = [f"the grouping by {title_of(name)}" for name in names if name not in kept]
    question = with_set(params, measure="", group_by=",".join(kept))
    question.setdefault("labels", "both")
    return question, dropped


def is_answered(params: QueryDict, viewer: Viewer) -> bool:
    """Whether a question would be answered, found without counting anything."""
    try:
        asked = read_asked(params, viewer)
    except BadQuery:
        return False
    return reporting.can_be_answered(asked.query, measure=asked.measure, viewer=viewer)


def api_address(measure: Measure, params: QueryDict) -> str:
    """Where the API answers the same question."""
    address = f"/api/v1/statistics/{measure.value}/"
    return f"{address}?{params.urlencode(safe=',')}" if params else address

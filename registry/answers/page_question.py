"""The question in the parameters of a page, fitted to what its measure takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from registry import reporting
from registry.answers.asking import with_set
from registry.answers.fitting import groupings_of, title_of
from registry.filters import parse_query
from registry.filters.codes import own_codes
from registry.filters.fields import listed
from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault, Viewer
from registry.records.reading import OTHERS
from registry.reporting import MEASURES, NOT_TAKEN, Offer
from registry.vocabulary import NOT_RECORDED, Measure

NO_FORMAT = "A page takes no format: leave format out. Links to an answer's files are below it."
FIRST_MEASURE = Measure.RATES
FIRST_GROUPING = "category"
"""The measure and grouping of a page without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuestion:
    """One question of a page.

    params: parameters for the API, with labels beside codes by default. dropped: in words, the
    parameters that the measure does not use: a form sends the boxes of the previous measure.
    """

    measure: Measure
    query: EventQuery
    params: QueryDict
    dropped: Sequence[str]


def measure_of(params: QueryDict, offers: Sequence[Offer]) -> Measure:
    """The measure that the parameters name, rates by default. Raises BadQuery naming the others."""
    codes = {each.value: each for each in Measure}
    named = set(params.getlist("measure")) or {FIRST_MEASURE.value}
    if len(named) > 1 or not named <= set(codes):
        offered = ", ".join(each.measure.value for each in offers)
        raise BadQuery(Fault("measure", "unknown-code", f"Choose one of {offered}."))
    return codes[named.pop()]


def read_page_question(params: QueryDict, viewer: Viewer) -> PageQuestion:
    """Reads the question in a page's parameters, rates by category by default. Raises BadQuery.

    Refuses a format, and like the API any option that the measure does not take.
    """
    if "format" in params:
        raise BadQuery(Fault("format", NOT_TAKEN, NO_FORMAT))
    offers = reporting.offers(viewer)
    measure = measure_of(params, offers)
    kept_params, dropped = fitted(params, measure, offers)
    return PageQuestion(
        measure=measure,
        query=parse_query(kept_params, measure=measure),
        params=kept_params,
        dropped=dropped,
    )


def fitted(
    params: QueryDict, measure: Measure, offers: Sequence[Offer]
) -> tuple[QueryDict, list[str]]:
    """The parameters for the API, and in words the groupings that the measure does not have."""
    if not params:
        return QueryDict(f"group_by={FIRST_GROUPING}&labels=both"), []
    names = listed(params, "group_by")
    offer = next((each for each in offers if each.measure is measure), None)
    has_places = offer is not None and offer.groupings is not None
    kept = groupings_of(names, offer) if offer and has_places else names
    dropped = [f"the grouping by {title_of(name)}" for name in names if name not in kept]
    kept_params = with_set(params, measure="", group_by=",".join(kept))
    if _compares_with_another_kind(kept_params, measure):
        kept_params = with_set(kept_params, reference="")
        dropped.append("the row to compare with")
    kept_params.setdefault("labels", "both")
    return kept_params, dropped


def _compares_with_another_kind(params: QueryDict, measure: Measure) -> bool:
    """Whether the row to compare with is none of the grouping's, as after a change of grouping."""
    spec, reference = MEASURES[measure], listed(params, "reference")
    if not reference or "reference" not in spec.takes:
        return False
    rows = spec.rows(listed(params, "group_by"))
    known = own_codes(rows[0]) if rows[0] in DIMENSIONS else ()
    return bool(known) and not {*reference} <= {*map(str, known), NOT_RECORDED, OTHERS}


def is_answered(params: QueryDict, viewer: Viewer) -> bool:
    """Whether the viewer would get an answer; counts nothing."""
    try:
        question = read_page_question(params, viewer)
    except BadQuery:
        return False
    return reporting.can_be_answered(question.query, measure=question.measure, viewer=viewer)


def api_address(measure: Measure, params: QueryDict) -> str:
    """Where the API answers the same question."""
    address = f"/api/v1/statistics/{measure.value}/"
    return f"{address}?{params.urlencode(safe=',')}" if params else address

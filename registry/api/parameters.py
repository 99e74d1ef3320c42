"""Parameters of addresses other than statistics, and their documentation in the schema."""

from collections.abc import Collection

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from registry.filters.lists import stray_parameters
from registry.records import DIMENSIONS, BadQuery, Fault
from registry.reporting import MEASURES
from registry.vocabulary import Measure

LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
    description="How many results one page holds.",
)
CURSOR = OpenApiParameter(
    "cursor", str, description="Where the page starts: taken unchanged from `next`."
)
PAGING = [LIMIT, CURSOR]

_OTHER_COMPONENT = (
    " Also finds the events of the patient's {other}: in statistics of those that were in place "
    "with this {own}, in the list of events of all that the patient ever had."
)
MORE_ABOUT = {
    "pump_model": _OTHER_COMPONENT.format(own="pump", other="catheters"),
    "catheter_model": _OTHER_COMPONENT.format(own="catheter", other="pumps"),
}
"""What the schema says of a filter beyond its title."""


FLAGS = {"true": True, "false": False}


def flag_of(request: Request, name: str, *, default: str = "false") -> bool:
    """A parameter that is true or false in any case; raises BadQuery for anything else."""
    value = request.query_params.get(name, default).lower()
    if value not in FLAGS:
        raise BadQuery(Fault(name, "bad-value", "Say true or false."))
    return FLAGS[value]


def refuse_unknown(request: Request, known: Collection[str] = ()) -> None:
    """Refuses every parameter that this address does not read, and repeated ones.

    Raises BadQuery with all of them; `format` is always allowed.
    """
    if faults := stray_parameters(request.query_params, (*known, "format")):
        raise BadQuery(faults)


def filter_parameters(measure: Measure | None = None) -> list[OpenApiParameter]:
    """Every filter of events for the schema, from records.DIMENSIONS.

    measure: leaves out the filters that it does not take.
    """
    without = MEASURES[measure].not_filtered_by if measure else ()
    several = "Several values: separated by commas. `not-recorded` selects blanks."
    described = [
        OpenApiParameter(
            name, str, description=f"{dimension.title}. {several}{MORE_ABOUT.get(name, '')}"
        )
        for name, dimension in DIMENSIONS.items()
    ]
    years = [
        OpenApiParameter(name, int, description=f"{words}, included.")
        for name, words in (("year_min", "First calendar year"), ("year_max", "Last calendar year"))
    ]
    return [each for each in described + years if each.name not in without]

"""Parameters of addresses other than statistics, and their documentation in the schema."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from registry.filters.lists import stray_parameters
from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.records import DIMENSIONS, BadQuery, Dimension, Fault, ValueKind
from registry.reporting import MEASURES
from registry.vocabulary import CODELISTS, NOT_RECORDED, Measure

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


Choice = TypeVar("Choice", bound=StrEnum)

FLAGS = {"true": True, "false": False}


def flag_of(request: Request, name: str, *, default: str = "false") -> bool:
    """A parameter that is true or false in any case; raises BadQuery for anything else."""
    value = request.query_params.get(name, default).lower()
    if value not in FLAGS:
        raise BadQuery(Fault(name, "bad-value", "Say true or false."))
    return FLAGS[value]


def choice_of(request: Request, name: str, choices: type[Choice]) -> Choice:
    """A parameter that is one of several words, by default the first; raises BadQuery."""
    first, *_others = choices
    try:
        return choices(request.query_params.get(name, first.value))
    except ValueError:
        said = f"Say {', '.join(choices)}."
        raise BadQuery(Fault(name, "unknown-code", said)) from None


def refuse_unknown(request: Request, known: Collection[str] = ()) -> None:
    """Refuses every parameter that this address does not read, and repeated ones.

    Raises BadQuery with all of them; `format` is always allowed.
    """
    if faults := stray_parameters(request.query_params, (*known, "format")):
        raise BadQuery(faults)


_FORMS: Mapping[ValueKind, str] = {
    ValueKind.YEAR: rf"(19[89][0-9]|20[0-9]{{2}}|2100)(-[0-9]{{4}})?|{NOT_RECORDED}",
    ValueKind.PERIOD: rf"[0-9]{{4}}-[0-9]{{4}}|{NOT_RECORDED}",
    ValueKind.WINDOW: rf"[0-9]{{1,4}}-([0-9]{{1,4}})?|{NOT_RECORDED}",
}
"""The form of a value of each kind of dimension that has no list."""


NO_FILTER = ""
"""The value of a parameter that was left empty, as a form or a dashboard sends it."""


def _values_of(dimension: Dimension) -> Any:
    """The values of a filter: codes of its list and of its groups, or a form.

    Those of the catalogue, of sites and of countries are text: their lists grow.
    """
    if dimension.kind in _FORMS:
        return _several({"type": "string", "pattern": f"^({_FORMS[dimension.kind]})?$"})
    if dimension.kind is ValueKind.FLAG:
        flags = ["yes", "no", "true", "false", NOT_RECORDED, NO_FILTER]
        return _several({"type": "string", "enum": flags})
    group = DIMENSIONS[dimension.parent] if dimension.parent else None
    lists = [each.codelist for each in (dimension, group) if each is not None]
    if not all(name in CODELISTS for name in lists):
        return str
    codes = [str(member.value) for name in lists if name for member in CODELISTS[name]]
    return _several({"type": "string", "enum": [*dict.fromkeys(codes), NOT_RECORDED, NO_FILTER]})


def _several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def filter_parameters(measure: Measure | None = None) -> list[OpenApiParameter]:
    """Every filter of events for the schema, from records.DIMENSIONS.

    measure: leaves out the filters that it does not take.
    """
    without = MEASURES[measure].not_filtered_by if measure else ()
    several = "Several values: separated by commas. `not-recorded` selects blanks."
    described = [
        OpenApiParameter(
            name,
            _values_of(dimension),
            description=f"{dimension.title}. {several}{MORE_ABOUT.get(name, '')}",
            style="form",
            explode=False,
        )
        for name, dimension in DIMENSIONS.items()
    ]
    bounds = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
    years = [
        OpenApiParameter(name, bounds, description=f"{words}, included.")
        for name, words in (("year_min", "First calendar year"), ("year_max", "Last calendar year"))
    ]
    return [each for each in described + years if each.name not in without]

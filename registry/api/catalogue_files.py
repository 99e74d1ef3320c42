"""The catalogue and the code lists as CSV files."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.codelists import NAMES, entries
from registry.api.described import OPEN, problems
from registry.api.parameters import refuse_unknown
from registry.api.renderers import CsvFile, csv_file
from registry.models import Complication

_OF_A_COMPLICATION = (
    *("code", "name", "category", "definition", "synonyms", "origin", "clock"),
    *("natural_denominator", "in_totals", "imdrf_annex_a", "imdrf_annex_e", "evidence"),
    *("core_group", "retired", "replaced_by", "citations"),
)
NAME = OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH)
_OF_A_CODE = ("id", "label", "definition", "verified")


class OpenFile(CsvFile):
    """A file that is open to all."""

    permission_classes = [AllowAny]


def _described(operation_id: str, *parameters: OpenApiParameter, statuses: tuple[int, ...]) -> Any:
    """Describes the address of such a file for the schema."""
    return extend_schema(
        operation_id=operation_id,
        tags=["catalogue"],
        parameters=list(parameters),
        responses={(200, "text/csv"): str, **problems(*statuses)},
    )


class CatalogueFile(OpenFile):
    """The catalogue of complications as a file."""

    @_described("complications_file", statuses=OPEN)
    def get(self, request: Request) -> Response:
        """List every complication with its definition and codes; open to all."""
        refuse_unknown(request)
        attributes = {"category": "category_id", "replaced_by": "replaced_by_id"}
        rows = [
            {name: getattr(row, attributes.get(name, name)) for name in _OF_A_COMPLICATION}
            for row in Complication.objects.order_by("category__sort_order", "code")
        ]
        return csv_file("complications.csv", _OF_A_COMPLICATION, rows)


class CodelistsFile(OpenFile):
    """Every code list in one file."""

    @_described("codelists_file", statuses=OPEN)
    def get(self, request: Request) -> Response:
        """List the codes of every list, list by list; open to all."""
        refuse_unknown(request)
        rows = [{"list": name, **entry} for name in NAMES for entry in entries(name)]
        return csv_file("codelists.csv", ("list", *_OF_A_CODE), rows)


class CodelistFile(OpenFile):
    """One code list as a file."""

    @_described("codelists_list_file", NAME, statuses=(*OPEN, 404))
    def get(self, request: Request, name: str) -> Response:
        """List the codes of one list in its own order; open to all."""
        refuse_unknown(request)
        return csv_file(f"{name}.csv", _OF_A_CODE, entries(name))

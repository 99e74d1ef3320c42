"""Lists of rows: the fields that are asked for, as JSON or as CSV, page by page."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.described import listing
from registry.api.pagination import Page
from registry.api.parameters import NO_FILTER
from registry.api.renderers import CsvRenderer, csv_file
from registry.filters.codes import nearest
from registry.records import BadQuery, Fault


class ListsRows(APIView):
    """Part of a view that lists rows as JSON or CSV; what it writes is answered as JSON alone."""

    def get_renderers(self) -> list[BaseRenderer]:
        """The formats of the method: a write in another is refused before it writes."""
        if self.request.method in {"GET", "HEAD", "OPTIONS"}:
            return [JSONRenderer(), CsvRenderer()]
        return [JSONRenderer()]


FIELDS = "fields"


def fields_parameter(row: type[serializers.BaseSerializer[Any]]) -> OpenApiParameter:
    """The parameter that chooses fields of such rows, for the schema."""
    names = [*row().fields, NO_FILTER]  # type: ignore[attr-defined]
    return OpenApiParameter(
        FIELDS,
        {"type": "array", "items": {"type": "string", "enum": names}, "uniqueItems": True},
        description="Only these fields of each row, by commas; all by default, or where empty.",
        explode=False,
        style="form",
    )


def listed(name: str, row: type[serializers.BaseSerializer[Any]]) -> dict[Any, Any]:
    """The replies of a list of rows, for the schema: with `fields` any of them may be left out."""
    return {
        (200, "application/json"): listing(name, in_part(row)),
        (200, "text/csv"): str,
    }


def in_part(row: type[serializers.BaseSerializer[Any]]) -> Any:
    """The serializer of a row of which any field may be missing."""

    def get_fields(self: Any) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found: dict[str, Any] = super(made, self).get_fields()
        for each in found.values():
            each.required = False
            each.read_only = False
        return found

    doc = f"{row.__doc__}\n\nWith `{FIELDS}` only the fields that are asked for."
    made: Any = type(f"Listed{row.__name__}", (row,), {"get_fields": get_fields, "__doc__": doc})
    return made


def list_reply(
    request: Request,
    page: Page[Any],
    row: type[serializers.BaseSerializer[Any]],
    *,
    name: str,
    chosen: Sequence[str],
) -> Response:
    """One page of rows in these fields and the format that is asked for.

    The next page's address stands in `next`, and in the header Link (RFC 8288), which CSV has
    alone. name: that of the file.
    """
    shown: Any = row(page.rows, many=True, context={"request": request})
    every = shown.child.fields
    for left_out in set(every) - set(chosen):
        every.pop(left_out)
    if request.accepted_renderer.format == CsvRenderer.format:
        reply = csv_file(f"{name}.csv", chosen, [_flat(each) for each in shown.data])
    else:
        ordered = [{field: each[field] for field in chosen} for each in shown.data]
        reply = Response({"results": ordered, "next": page.next})
    if page.next:
        reply["Link"] = f'<{page.next}>; rel="next"'
    return reply


def chosen_fields(request: Request, row: type[serializers.BaseSerializer[Any]]) -> tuple[str, ...]:
    """The fields of such rows that are asked for, in the order of the request; all by default.

    Raises BadQuery for unknown fields.
    """
    every = tuple(row().fields)  # type: ignore[attr-defined]
    text = request.query_params.get(FIELDS, "")
    given = [name.strip() for name in text.split(",")]
    names = [name for name in given if name]
    faults = []
    if given.count("") > 1:
        faults.append(Fault(FIELDS, "repeated-name", "Name a field between two commas."))
    for name in dict.fromkeys(names):
        if name not in every:
            said = f"Rows have no such field. The nearest is {nearest(name, every)}."
            faults.append(Fault(FIELDS, "unknown-column", said))
        elif names.count(name) > 1:
            faults.append(Fault(FIELDS, "repeated-name", "Name each field once."))
    if faults:
        raise BadQuery(faults)
    return tuple(names) or every


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its lists as in files: codes separated by semicolons."""
    return {
        name: ";".join(map(str, value)) if isinstance(value, list) else value
        for name, value in row.items()
    }

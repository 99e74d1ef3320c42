"""Parts of the schema that addresses share: problems, and lists with a next page."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, inline_serializer
from rest_framework import serializers

from registry.api.problems import MEDIA_TYPE


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One fault: a parameter of the address, or a pointer into the body."""

    parameter = serializers.CharField(required=False)
    pointer = serializers.CharField(required=False)
    code = serializers.CharField()
    detail = serializers.CharField()
    line = serializers.IntegerField(required=False)


class FaultKindSerializer(serializers.Serializer[Any]):
    """Equal faults of many rows."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()
    rows = serializers.IntegerField(help_text="How many rows have it.")
    first = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="The first three of them: places in the list (the first is 0), or lines.",
    )


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457); never echoes the refused value."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    errors = ProblemErrorSerializer(many=True)  # type: ignore[assignment]
    existing = serializers.CharField(
        required=False, help_text="The id of the row that already has this source id."
    )
    total = serializers.IntegerField(
        required=False, help_text="Of many rows: the number of faults, listed or not."
    )
    kinds = FaultKindSerializer(
        many=True,
        required=False,
        help_text="Of many rows: all faults by kind, where `errors` lists the first 200 singly.",
    )
    agreement = serializers.CharField(
        required=False,
        help_text="Of a question that is too fine (422): the page where researchers ask for a "
        "data-use agreement, under which it is answered.",
    )


UNKNOWN_CODE = OpenApiExample(
    "An unknown code",
    value={
        "type": "urn:pump-registry:problem:unknown-code",
        "title": "The question is not understood",
        "status": 400,
        "code": "unknown-code",
        "detail": "drug: The value is not a code of drug. The nearest is baclofen.",
        "errors": [
            {
                "parameter": "drug",
                "code": "unknown-code",
                "detail": "The value is not a code of drug. The nearest is baclofen.",
            }
        ],
    },
    response_only=True,
    status_codes=["400"],
    media_type=MEDIA_TYPE,
)


OPEN = (400, 401, 406, 429)
READING = (*OPEN, 403)
WRITING = (*READING, 409, 413, 415, 503)
"""The refusals of what is open to all, of reading and of writing."""


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals that an address can answer with, for `extend_schema(responses=...)`."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(ProblemSerializer, HTTPStatus(status).phrase)
        for status in statuses
    }


def listing(name: str, row: Any, **beside: serializers.Field) -> Any:
    """The shape of a list of rows with the address of its next page, and what else it says."""
    return inline_serializer(
        name,
        {
            "results": row(many=True),
            "next": serializers.URLField(allow_null=True),
            **beside,
        },
    )

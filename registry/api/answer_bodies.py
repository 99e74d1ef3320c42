"""The shape of each measure's answer in the schema, from its spec."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry import reporting
from registry.reporting import MeasureSpec
from registry.vocabulary import CellStatus, Measure, Profile

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]


@extend_schema_field({"type": ["string", "integer"]})
class CodeOrNumberField(serializers.Field[Any, Any, Any, Any]):
    """A year or a grade, or its label, or `not-recorded`."""


_FIELD_OF = {
    "integer": serializers.IntegerField,
    "number": serializers.FloatField,
    "boolean": serializers.BooleanField,
    "string": serializers.CharField,
}


class AnsweredSnapshotSerializer(serializers.Serializer[Any]):
    """The snapshot behind an answer."""

    id = serializers.CharField()
    kind = serializers.CharField()
    label = serializers.CharField(allow_null=True, allow_blank=True)  # type: ignore[assignment]


class AcceptedSoFarSerializer(serializers.Serializer[Any]):
    """How much of a year that is over is likely to be on file."""

    year = serializers.IntegerField()
    accepted = serializers.FloatField(help_text="Share of its events, from 0 to 1.")
    ci_lower = serializers.FloatField(allow_null=True)
    ci_upper = serializers.FloatField(allow_null=True)


class ProvisionalYearsSerializer(serializers.Serializer[Any]):
    """Which years are provisional, and by which rule."""

    rule = serializers.ChoiceField(
        choices=["measured", "calendar"],
        help_text=(
            "measured: of a provisional year less than 95 % of events are likely to be accepted. "
            "calendar: the year that the data end in."
        ),
    )
    first_year = serializers.IntegerField(
        allow_null=True, help_text="It and all later ones are provisional; null: none is."
    )
    years = AcceptedSoFarSerializer(many=True)
    events = serializers.IntegerField(help_text="How many delays were measured.")
    within_months = serializers.IntegerField(
        allow_null=True,
        help_text="From the January of an event's year; shares are of events accepted by then.",
    )


class AnswerMetaSerializer(serializers.Serializer[Any]):
    """What was counted and how; a measure adds members of its own name."""

    title = serializers.CharField(allow_blank=True)
    measure = serializers.ChoiceField(choices=[(one.value, one.label) for one in Measure])
    snapshot = AnsweredSnapshotSerializer()
    data_as_of = serializers.DateTimeField(allow_null=True)
    catalogue_version = serializers.CharField()
    code_version = serializers.CharField()
    counting = serializers.CharField()
    counting_in_words = serializers.CharField()
    denominator = serializers.CharField(allow_null=True)
    per = serializers.IntegerField(allow_null=True)
    level = serializers.FloatField()
    method = serializers.CharField()
    profile = serializers.ChoiceField(choices=[(one.value, one.label) for one in Profile])
    provisional = ProvisionalYearsSerializer()
    warnings = serializers.ListField(child=serializers.CharField())
    receipt = serializers.CharField()


class ColumnSerializer(serializers.Serializer[Any]):
    """One column of an answer."""

    name = serializers.CharField()
    type = serializers.ChoiceField(choices=["string", "integer", "number", "boolean"])
    role = serializers.ChoiceField(choices=["dimension", "measure", "interval", "status"])
    unit = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_blank=True)


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer: metadata, columns and flat rows, never paged."""

    meta = AnswerMetaSerializer()
    columns = ColumnSerializer(many=True)
    rows = serializers.ListField(child=serializers.DictField())
    next = serializers.URLField(allow_null=True, help_text="Always null: answers are whole.")


def answer_of(spec: MeasureSpec) -> type[AnswerSerializer]:
    """The answer of a measure, with the columns that its rows may have."""
    name = spec.measure.value.title()
    members: dict[str, Any] = {
        column: _field(types, always=always)
        for column, (types, always) in reporting.columns_ever(spec).items()
    }
    members["status"] = serializers.ChoiceField(
        choices=CellStatus.choices(), help_text="Why a number is shown or hidden (null)."
    )
    said = f"A row of {spec.measure.label.lower()}, with the groupings that were asked for."
    row: Any = type(f"{name}RowSerializer", (serializers.Serializer,), {**members, "__doc__": said})
    answered: Any = type(
        f"{name}AnswerSerializer",
        (AnswerSerializer,),
        {"rows": row(many=True), "__doc__": f"{spec.measure.label}. {spec.about}"},
    )
    found: type[AnswerSerializer] = answered
    return found


def _field(types: frozenset[str], *, always: bool) -> serializers.Field[Any, Any, Any, Any]:
    if len(types) > 1:
        return CodeOrNumberField(required=always, allow_null=True)
    (kind,) = types
    return _FIELD_OF[kind](required=always, allow_null=True)

"""JSON of one event, in requests and replies."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from registry.api.bodies import CodedTextField, Fields, RowSerializer
from registry.api.rows import SiteRows
from registry.models import Event
from registry.records import Fault, RawReport, RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import Right

EVENT_FIELDS = Fields(RowKind.EVENT.value, DECLARED[RowKind.EVENT])
"""The fields of an event, named as in files."""

REPORT: Mapping[str, Any] = {
    "site": "CLINIC-A",
    "source_id": "ev-7f3k",
    "complication": "catheter-migration",
    "year": 2024,
    "severity": 3,
    "seriousness": ["hospitalisation", "intervention-to-prevent"],
    "outcome": "recovered",
    "interventions": ["catheter-revision"],
    "submit": True,
}
"""A report in the schema."""

SHOWN: Mapping[str, Any] = {
    "id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
    "state": "submitted",
    "reason": None,
    "version": 1,
    "seal": None,
    "reported_complication": "catheter-migration",
    "category": "catheter",
    "serious": True,
    "caused_by_id": None,
    **dict.fromkeys(EVENT_FIELDS.names),
    **{name: value for name, value in REPORT.items() if name != "submit"},
}
"""An event in the schema."""


class ReportSerializer(serializers.Serializer[Any]):
    """A new event; a field that is left out, null or empty is "not recorded"."""

    submit = serializers.BooleanField(
        default=False, help_text="Submit for review in the same call; else it is a draft."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The columns of a file, and `submit`."""
        return EVENT_FIELDS.described() | super().get_fields()


class ChangeSerializer(serializers.Serializer[Any]):
    """A change of an event: only the fields that are sent; null empties one."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The columns of a file, none of them required."""
        return EVENT_FIELDS.described(changing=True)


class EventSerializer(RowSerializer):
    """An event as its own site sees it; null is "not recorded"."""

    columns = EVENT_FIELDS

    id = serializers.UUIDField(source="public_id")
    state = serializers.CharField()
    reason = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    seal = serializers.SerializerMethodField()
    site = serializers.CharField(source="site.code")
    implant = CodedTextField(
        source="implant.source_id", allow_null=True, help_text="The site's own key of the implant."
    )
    complication = serializers.CharField(source="complication_id", help_text="As adjudicated.")
    reported_complication = serializers.CharField(source="reported_complication_id")
    category = serializers.CharField(source="complication.category_id")
    serious = serializers.BooleanField(source="is_serious", allow_null=True)
    caused_by = CodedTextField(
        source="caused_by.source_id",
        allow_null=True,
        help_text="The site's own key of the event that caused it.",
    )
    caused_by_id = serializers.SerializerMethodField()
    component_model = serializers.SerializerMethodField()

    def get_seal(self, event: Event) -> int | None:
        """The order of the last change; null for site staff: it shows how much others enter."""
        request = self.context.get("request")
        sees = request is not None and request.user.may(Right.SEE_ALL_ROWS)
        return event.seal_id if sees else None

    def get_reason(self, event: Event) -> str | None:
        """The reason for its state."""
        return event.reason or None

    def get_caused_by_id(self, event: Event) -> str | None:
        """The id of the event that caused it."""
        return str(event.caused_by.public_id) if event.caused_by else None

    def get_component_model(self, event: Event) -> str | None:
        """The model as reported, for an event without an implant."""
        return event.pump_model or event.catheter_model or None


EVENTS = SiteRows(
    noun="event",
    address="api:event",
    model=Event,
    serializer=EventSerializer,
    beside=("site", "implant", "complication", "caused_by"),
)
"""How the API finds and shows events."""


def read_report(body: Any, *, takes_submit: bool = True) -> tuple[RawReport, bool]:
    """Turns a JSON object into a raw report, and says whether to submit it.

    Raises RowRuleBroken for values that no file could hold, IdentifierFound for a field that names
    a person or a device. Intake validates the texts.
    """
    submit: object = False
    faults: list[Fault] = []
    if takes_submit and isinstance(body, Mapping):
        body = dict(body)
        submit = body.pop("submit", False)
        if not isinstance(submit, bool):
            faults.append(Fault("submit", "bad-type", "send true or false"))
    return RawReport(RowKind.EVENT, EVENT_FIELDS.texts(body, also=faults)), submit is True

"""One event as JSON: as it is sent, and as it is shown."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from registry.models import Event
from registry.records import Fault, IdentifierFound, RawReport, RowKind, RowRuleBroken
from registry.records.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS, column_faults
from registry.vocabulary import CODELISTS

COLUMNS = REQUIRED_COLUMNS[RowKind.EVENT] + OPTIONAL_COLUMNS[RowKind.EVENT]
"""The fields of an event, as files name them too."""

NUMBERS = ("year", "month", "months_since_implant", "severity")
LISTS = ("seriousness", "interventions")
CODED = {
    "outcome": "outcome",
    "root_cause": "root-cause",
    "detection": "detection",
    "days_since_procedure": "days-since-procedure",
    "days_since_refill": "days-since-refill",
    "actuality": "actuality",
    "mri_24h": "yes-no-unknown",
    "alarm": "yes-no-unknown",
    "volume_discrepancy": "volume-discrepancy",
    "organism": "organism",
    "drug": "drug",
    "indication": "indication",
    "age_band": "age-band",
    "sex": "sex",
    **{
        f"relatedness_{cause}": "relatedness"
        for cause in ("device", "procedure", "drug", "programming", "disease")
    },
}
"""Fields that hold one code, and the list it comes from."""


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
"""A report as the schema shows it."""

SHOWN: Mapping[str, Any] = {
    "id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
    "state": "submitted",
    "reason": None,
    "version": 1,
    "seal": None,
    "site": "CLINIC-A",
    "source_id": "ev-7f3k",
    "implant": None,
    "complication": "catheter-migration",
    "reported_complication": "catheter-migration",
    "category": "catheter",
    "year": 2024,
    "month": None,
    "months_since_implant": None,
    "severity": 3,
    "serious": True,
    "seriousness": ["hospitalisation", "intervention-to-prevent"],
    "interventions": ["catheter-revision"],
    "caused_by": None,
    "caused_by_id": None,
    "component_model": None,
    "outcome": "recovered",
    **dict.fromkeys(
        (
            "root_cause",
            "detection",
            "days_since_procedure",
            "days_since_refill",
            "actuality",
            "mri_24h",
            "alarm",
            "volume_discrepancy",
            "organism",
            "drug",
            "indication",
            "age_band",
            "sex",
            "relatedness_device",
            "relatedness_procedure",
            "relatedness_drug",
            "relatedness_programming",
            "relatedness_disease",
        )
    ),
}
"""An event as the schema shows it."""


def _field(name: str) -> serializers.Field[Any, Any, Any, Any]:
    """How the schema describes a field that is sent; null and an empty text are "not recorded"."""
    if name in NUMBERS:
        return serializers.IntegerField(required=False, allow_null=True)
    if name in LISTS:
        listed = "seriousness" if name == "seriousness" else "intervention"
        choice = serializers.ChoiceField(choices=CODELISTS[listed].choices())
        return serializers.ListField(child=choice, required=False, allow_null=True)
    if name in CODED:
        return serializers.ChoiceField(
            choices=CODELISTS[CODED[name]].choices(),
            required=False,
            allow_null=True,
            allow_blank=True,
        )
    asked = name in ("site", "complication")
    return serializers.CharField(
        required=asked, allow_null=not asked, allow_blank=not asked, max_length=40
    )


class ReportSerializer(serializers.Serializer[Any]):
    """An event on its way in; a field that is left out, null or empty is "not recorded"."""

    submit = serializers.BooleanField(
        default=False, help_text="Submit for review in the same call; else it is a draft."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The columns of a file, and `submit`."""
        return {name: _field(name) for name in COLUMNS} | super().get_fields()


class ChangeSerializer(serializers.Serializer[Any]):
    """What is to change of an event: only the fields that are sent; null empties one."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The columns of a file, none of them required."""
        fields = {name: _field(name) for name in COLUMNS}
        for field in fields.values():
            field.required = False
        return fields


class EventSerializer(serializers.Serializer[Event]):
    """An event as its own site sees it; null is "not recorded"."""

    id = serializers.UUIDField(source="public_id")
    state = serializers.CharField()
    reason = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    seal = serializers.SerializerMethodField()
    site = serializers.CharField(source="site.code")
    source_id = serializers.SerializerMethodField()
    implant = serializers.SerializerMethodField()
    complication = serializers.CharField(source="complication_id", help_text="As adjudicated.")
    reported_complication = serializers.CharField(source="reported_complication_id")
    category = serializers.CharField(source="complication.category_id")
    year = serializers.IntegerField(allow_null=True)
    month = serializers.IntegerField(allow_null=True)
    months_since_implant = serializers.IntegerField(allow_null=True)
    severity = serializers.IntegerField(allow_null=True)
    serious = serializers.BooleanField(source="is_serious", allow_null=True)
    seriousness = serializers.SerializerMethodField()
    interventions = serializers.SerializerMethodField()
    caused_by = serializers.SerializerMethodField()
    caused_by_id = serializers.SerializerMethodField()
    component_model = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields above, and every field that holds one code."""
        return super().get_fields() | {name: _CodeField(allow_null=True) for name in CODED}

    def get_seal(self, event: Event) -> int | None:
        """The order of the last change; null for site staff: it tells how much others enter."""
        request = self.context.get("request")
        sees = request is not None and request.user.sees_all_rows
        return event.seal_id if sees else None

    def get_reason(self, event: Event) -> str | None:
        """Why it was taken back or judged so."""
        return event.reason or None

    def get_source_id(self, event: Event) -> str | None:
        """The site's own random key."""
        return event.source_id or None

    def get_implant(self, event: Event) -> str | None:
        """The site's own random key of the implant."""
        return event.implant.source_id if event.implant else None

    def get_seriousness(self, event: Event) -> list[str] | None:
        """The criteria met, or `none`."""
        return None if event.seriousness is None else sorted(event.seriousness)

    def get_interventions(self, event: Event) -> list[str] | None:
        """What was done about it."""
        codes: Any = event.interventions
        return None if codes is None else sorted(codes)

    def get_caused_by(self, event: Event) -> str | None:
        """The site's own key of the event that brought it about."""
        return (event.caused_by.source_id or None) if event.caused_by else None

    def get_caused_by_id(self, event: Event) -> str | None:
        """The id of the event that brought it about."""
        return str(event.caused_by.public_id) if event.caused_by else None

    def get_component_model(self, event: Event) -> str | None:
        """The model as reported, without an implant."""
        return event.pump_model or event.catheter_model or None


class _CodeField(serializers.CharField):
    """A code, or null where the column is blank."""

    def to_representation(self, value: Any) -> Any:
        return str(value) if value else None


def read_report(body: Any, *, takes_submit: bool = True) -> tuple[RawReport, bool]:
    """Turn a JSON object into a raw report, and say whether it asks to be submitted.

    Lists become text with semicolons, numbers text, null an empty text: what a file would hold.
    Raises RowRuleBroken for what has no such text, IdentifierFound with a field that names a
    person or a device; what the texts mean is for intake to judge.
    """
    if not isinstance(body, Mapping):
        raise RowRuleBroken(Fault("", "not-an-object", "send one event as a JSON object"))
    values = dict(body)
    faults: list[Fault] = []
    submit = values.pop("submit", False) if takes_submit else False
    if not isinstance(submit, bool):
        faults.append(Fault("submit", "bad-type", "send true or false"))
    texts: dict[str, str] = {}
    for name, value in values.items():
        text = _text(value)
        if text is None:
            faults.append(Fault(name, "bad-type", _KIND_OF.get(name, "send text")))
        else:
            texts[name] = text
    if faults:
        known = [fault for fault in faults if fault.column in (*COLUMNS, "submit")]
        faults = [*column_faults(values, RowKind.EVENT), *known]
        found = any(fault.code == "identifier-found" for fault in faults)
        raise (IdentifierFound if found else RowRuleBroken)(faults)
    return RawReport(RowKind.EVENT, texts), submit is True


_KIND_OF = {
    **dict.fromkeys(NUMBERS, "send a whole number, or null"),
    **dict.fromkeys(LISTS, "send a list of codes, or null"),
}


def _text(value: object) -> str | None:
    """What a cell of a file would hold; None for what no cell holds."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) and each for each in value):
        return ";".join(value)
    return None

"""Patients, implants and declared device time as JSON: as they are sent, and as they are shown."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from registry.api.bodies import CodedTextField, Fields
from registry.api.rows import SiteRows
from registry.models import Exposure, Implant, Patient
from registry.records import RowKind
from registry.records.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS

PATIENT_FIELDS = Fields(
    what="patients",
    names=("site", "source_id", "sex", "indication"),
    required=("site", "source_id"),
    coded={"sex": "sex", "indication": "indication"},
)
IMPLANT_FIELDS = Fields(
    what=RowKind.IMPLANT.value,
    names=REQUIRED_COLUMNS[RowKind.IMPLANT] + OPTIONAL_COLUMNS[RowKind.IMPLANT],
    required=("site", "patient", "implant", "component", "implant_year", "months_followed"),
    numbers=("implant_year", "months_to_entry", "months_followed", "refills", "procedures"),
    lists={"adjuncts": "drug"},
    coded={
        "component": "component",
        "age_band": "age-band",
        "sex": "sex",
        "indication": "indication",
        "drug": "drug",
        "label_status": "label-status",
        "procedure": "procedure",
        "pump_site": "pump-site",
        "pump_plane": "pump-plane",
        "as_designed": "yes-no-unknown",
        "exit_status": "exit-status",
    },
)
EXPOSURE_FIELDS = Fields(
    what=RowKind.EXPOSURE.value,
    names=REQUIRED_COLUMNS[RowKind.EXPOSURE] + OPTIONAL_COLUMNS[RowKind.EXPOSURE],
    required=REQUIRED_COLUMNS[RowKind.EXPOSURE],
    numbers=("year", "devices", "component_months", "procedures", "refills"),
    coded={"component": "component"},
)
"""The fields of each kind, as files name them too."""

PATIENT: Mapping[str, Any] = {
    "site": "CLINIC-A",
    "source_id": "pt-4c9d",
    "sex": "female",
    "indication": "multiple-sclerosis",
}
IMPLANT: Mapping[str, Any] = {
    "site": "CLINIC-A",
    "patient": "pt-4c9d",
    "implant": "im-8x2q",
    "component": "catheter",
    "model": "ascenda",
    "implant_year": 2019,
    "age_band": "40-64",
    "sex": "female",
    "indication": "multiple-sclerosis",
    "drug": "baclofen",
    "adjuncts": ["clonidine"],
    "label_status": "off-label-admixture",
    "procedure": "primary-implant",
    "pump_site": None,
    "pump_plane": None,
    "as_designed": "yes",
    "months_to_entry": 0,
    "months_followed": 48,
    "exit_status": "active",
    "refills": None,
    "procedures": 1,
}
EXPOSURE: Mapping[str, Any] = {
    "site": "CLINIC-A",
    "year": 2023,
    "component": "pump",
    "model": None,
    "devices": 41,
    "component_months": 455,
    "procedures": 6,
    "refills": 160,
}
"""Rows as the schema shows them on their way in."""

IDS = {"id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f", "version": 1}
"""What every row has beside its fields once it is stored."""


class PatientSerializer(serializers.Serializer[Patient]):
    """A patient as his or her own site sees it; null is "not recorded"."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")
    source_id = serializers.CharField()
    sex = CodedTextField(allow_null=True)
    indication = CodedTextField(allow_null=True)


class ImplantSerializer(serializers.Serializer[Implant]):
    """An implanted component as its own site sees it; null is "not recorded"."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")
    patient = serializers.CharField(
        source="patient.source_id", help_text="The site's own key of the patient."
    )
    patient_id = serializers.UUIDField(source="patient.public_id")
    implant = serializers.CharField(source="source_id", help_text="The site's own key.")
    component = CodedTextField()
    model = CodedTextField(allow_null=True)
    implant_year = serializers.IntegerField()
    age_band = CodedTextField(allow_null=True)
    sex = CodedTextField(source="patient.sex", allow_null=True)
    indication = CodedTextField(source="patient.indication", allow_null=True)
    drug = CodedTextField(allow_null=True)
    adjuncts = serializers.SerializerMethodField()
    label_status = CodedTextField(allow_null=True)
    procedure = CodedTextField(allow_null=True)
    pump_site = CodedTextField(allow_null=True)
    pump_plane = CodedTextField(allow_null=True)
    as_designed = CodedTextField(allow_null=True)
    months_to_entry = serializers.IntegerField()
    months_followed = serializers.IntegerField()
    exit_status = CodedTextField(allow_null=True)
    refills = serializers.IntegerField(allow_null=True)
    procedures = serializers.IntegerField(allow_null=True)

    def get_adjuncts(self, implant: Implant) -> list[str] | None:
        """The other drugs in the reservoir at entry."""
        drugs: Any = implant.adjuncts
        return None if drugs is None else sorted(drugs)


class ExposureSerializer(serializers.Serializer[Exposure]):
    """Declared device time as its own site sees it; null is "not recorded"."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")
    year = serializers.IntegerField()
    component = CodedTextField()
    model = CodedTextField(allow_null=True)
    devices = serializers.IntegerField()
    component_months = serializers.IntegerField()
    procedures = serializers.IntegerField(allow_null=True)
    refills = serializers.IntegerField(allow_null=True)


PATIENTS = SiteRows("patient", "api:patient", Patient, PatientSerializer, ("site",))
IMPLANTS = SiteRows("implant", "api:implant", Implant, ImplantSerializer, ("site", "patient"))
EXPOSURES = SiteRows("declared exposure", "api:exposure", Exposure, ExposureSerializer, ("site",))
"""The three kinds as the API finds and shows them."""

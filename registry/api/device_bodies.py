"""JSON of patients, implants and declared device time, in requests and replies."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from registry.api.bodies import CodedTextField, Fields, RowSerializer
from registry.api.rows import SiteRows
from registry.models import Exposure, Implant, Patient
from registry.records import RowKind
from registry.records.columns import DECLARED, OF_PATIENTS

PATIENT_FIELDS = Fields("patients", OF_PATIENTS)
IMPLANT_FIELDS = Fields(RowKind.IMPLANT.value, DECLARED[RowKind.IMPLANT])
EXPOSURE_FIELDS = Fields(RowKind.EXPOSURE.value, DECLARED[RowKind.EXPOSURE])
"""The fields of each kind, named as in files."""

PATIENT: Mapping[str, Any] = {
    "site": "CLINIC-A",
    "source_id": "pt-4c9d",
    "sex": "female",
    "indication": "multiple-sclerosis",
}
IMPLANT: Mapping[str, Any] = {
    **dict.fromkeys(IMPLANT_FIELDS.names),
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
    "as_designed": "yes",
    "months_to_entry": 0,
    "months_followed": 48,
    "exit_status": "active",
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
"""Request bodies in the schema."""

IDS = {"id": "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f", "version": 1}
"""The registry's own fields of every stored row."""


class PatientSerializer(RowSerializer):
    """A patient as his or her own site sees it; null is "not recorded"."""

    columns = PATIENT_FIELDS

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")


class ImplantSerializer(RowSerializer):
    """An implanted component as its own site sees it; null is "not recorded"."""

    columns = IMPLANT_FIELDS

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")
    patient = serializers.CharField(
        source="patient.source_id", help_text="The site's own key of the patient."
    )
    patient_id = serializers.UUIDField(source="patient.public_id")
    implant = serializers.CharField(source="source_id", help_text="The site's own key.")
    sex = CodedTextField(source="patient.sex", allow_null=True)
    indication = CodedTextField(source="patient.indication", allow_null=True)


class ExposureSerializer(RowSerializer):
    """Declared device time as its own site sees it; null is "not recorded"."""

    columns = EXPOSURE_FIELDS

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")


PATIENTS = SiteRows("patient", "api:patient", Patient, PatientSerializer, ("site",))
IMPLANTS = SiteRows("implant", "api:implant", Implant, ImplantSerializer, ("site", "patient"))
EXPOSURES = SiteRows("declared exposure", "api:exposure", Exposure, ExposureSerializer, ("site",))
"""How the API finds and shows the three kinds."""

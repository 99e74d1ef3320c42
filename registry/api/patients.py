"""Patients of one's own sites: a random key, sex and indication, and nothing else."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from registry import intake
from registry.api.device_bodies import IDS, PATIENT, PATIENT_FIELDS, PATIENTS
from registry.api.device_rows import (
    DeviceRow,
    DeviceRows,
    described_list,
    described_row,
)
from registry.filters import PatientFilterSet

SHOWN = {**IDS, **PATIENT}


@described_list(
    "patients",
    PATIENTS,
    PATIENT_FIELDS,
    filterset=PatientFilterSet,
    example=PATIENT,
    shown=SHOWN,
    says="Store one patient of one's own site. An implant also stores its new patient.",
)
class Patients(DeviceRows):
    """The patients of one's own sites."""

    kind, fields, filterset_class = PATIENTS, PATIENT_FIELDS, PatientFilterSet
    record = staticmethod(intake.record_patient)

    def rows(self, request: Request) -> QuerySet[Any]:
        """Patients with their versions, counted from history."""
        rows: Any = super().rows(request)
        versioned: QuerySet[Any] = rows.with_versions()
        return versioned


@described_row(
    "patients",
    PATIENTS,
    PATIENT_FIELDS,
    change={"indication": "stroke"},
    shown=SHOWN,
    says="Change the fields that are sent; the patient stays at the site.",
)
class PatientDetail(DeviceRow):
    """One patient of one's own site."""

    kind, fields = PATIENTS, PATIENT_FIELDS
    change = staticmethod(intake.change_patient)

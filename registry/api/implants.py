"""Implanted pumps and catheters of one's own sites, each on its own clock."""

from registry import intake
from registry.api.device_bodies import IDS, IMPLANT, IMPLANT_FIELDS, IMPLANTS
from registry.api.device_rows import (
    DeviceRow,
    DeviceRows,
    changing,
    described_list,
    described_row,
    recording,
)
from registry.filters import ImplantFilterSet
from registry.records import RowKind

SHOWN = {**IDS, "patient_id": "0c9b8a7d-6e5f-4a3b-9c2d-1e0f9a8b7c6d", **IMPLANT}


@described_list(
    "implants",
    IMPLANTS,
    IMPLANT_FIELDS,
    filterset=ImplantFilterSet,
    example=IMPLANT,
    shown=SHOWN,
    says="Store one implanted component of one's own site, with its patient if the key is new. "
    "Sex and indication may be left out for a stored patient.",
)
class Implants(DeviceRows):
    """The implants of one's own sites."""

    kind, fields, filterset_class = IMPLANTS, IMPLANT_FIELDS, ImplantFilterSet
    record = recording(RowKind.IMPLANT, intake.record_implant)


@described_row(
    "implants",
    IMPLANTS,
    IMPLANT_FIELDS,
    change={"months_followed": 60},
    shown=SHOWN,
    says="Change the fields that are sent, such as a later follow-up. Site, patient, component, "
    "sex and indication cannot change; the implant's events must still fit it.",
)
class ImplantDetail(DeviceRow):
    """One implant of one's own site."""

    kind, fields = IMPLANTS, IMPLANT_FIELDS
    change = changing(RowKind.IMPLANT, intake.change_implant)

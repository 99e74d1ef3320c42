"""Implanted pumps and catheters of one's own sites, each on its own clock."""

from collections.abc import Mapping
from typing import Any

from registry import intake
from registry.api.device_bodies import IDS, IMPLANT, IMPLANT_FIELDS, IMPLANTS
from registry.api.device_rows import (
    COMPONENT,
    EXIT_STATUS,
    SITE,
    DeviceRow,
    DeviceRows,
    described_list,
    described_row,
    own_key,
)
from registry.models import Implant
from registry.records import RawReport, RowKind

NARROWED = {
    "site": SITE,
    "patient": own_key("patient__source_id", "The site's own key of the patient"),
    "implant": own_key("source_id", "The site's own key"),
    "component": COMPONENT,
    "exit_status": EXIT_STATUS,
}
SHOWN = {**IDS, "patient_id": "0c9b8a7d-6e5f-4a3b-9c2d-1e0f9a8b7c6d", **IMPLANT}


def record(texts: Mapping[str, str], *, by: Any) -> Implant:
    """Store what was sent as an implant."""
    return intake.record_implant(RawReport(RowKind.IMPLANT, texts), by=by)


def change(public_id: Any, texts: Mapping[str, str], *, by: Any, version: int | None) -> Implant:
    """Change an implant as was sent."""
    raw = RawReport(RowKind.IMPLANT, texts)
    return intake.change_implant(public_id, raw, by=by, version=version)


@described_list(
    "implants",
    IMPLANTS,
    IMPLANT_FIELDS,
    narrowed=NARROWED,
    example=IMPLANT,
    shown=SHOWN,
    says="Store one implanted component of one's own site; a patient whose key is new is stored "
    "with it. Sex and indication may be left out for a patient who is on file.",
)
class Implants(DeviceRows):
    """The implants of one's own sites."""

    kind, fields, narrowed = IMPLANTS, IMPLANT_FIELDS, NARROWED
    record = staticmethod(record)


@described_row(
    "implants",
    IMPLANTS,
    IMPLANT_FIELDS,
    change={"months_followed": 60},
    shown=SHOWN,
    says="Change the fields that are sent, such as a later follow-up. Site, patient, component, "
    "sex and indication stay; the implant's events must still fit it.",
)
class ImplantDetail(DeviceRow):
    """One implant of one's own site."""

    kind, fields = IMPLANTS, IMPLANT_FIELDS
    change = staticmethod(change)

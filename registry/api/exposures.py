"""Device time that one's own sites declare for a year, without implants."""

from collections.abc import Mapping
from typing import Any

from registry import intake
from registry.api.device_bodies import EXPOSURE, EXPOSURE_FIELDS, EXPOSURES, IDS
from registry.api.device_rows import (
    COMPONENT,
    SITE,
    YEAR,
    DeviceRow,
    DeviceRows,
    described_list,
    described_row,
)
from registry.models import Exposure
from registry.records import RawReport, RowKind

NARROWED = {"site": SITE, "year": YEAR, "component": COMPONENT}
SHOWN = {**IDS, **EXPOSURE}


def declare(texts: Mapping[str, str], *, by: Any) -> Exposure:
    """Store what was sent as declared device time."""
    return intake.declare_exposure(RawReport(RowKind.EXPOSURE, texts), by=by)


def correct(public_id: Any, texts: Mapping[str, str], *, by: Any, version: int | None) -> Exposure:
    """Correct declared device time as was sent."""
    raw = RawReport(RowKind.EXPOSURE, texts)
    return intake.change_exposure(public_id, raw, by=by, version=version)


@described_list(
    "exposures",
    EXPOSURES,
    EXPOSURE_FIELDS,
    narrowed=NARROWED,
    example=EXPOSURE,
    shown=SHOWN,
    says="Declare the device time of one year; leads of the site and data managers do. Where "
    "implants of the same site, year and component are on file, it is not counted.",
)
class Exposures(DeviceRows):
    """The declared device time of one's own sites."""

    kind, fields, narrowed = EXPOSURES, EXPOSURE_FIELDS, NARROWED
    record = staticmethod(declare)


@described_row(
    "exposures",
    EXPOSURES,
    EXPOSURE_FIELDS,
    change={"component_months": 460},
    shown=SHOWN,
    says="Correct declared device time; leads of the site and data managers do. It stays at its "
    "site.",
)
class ExposureDetail(DeviceRow):
    """Declared device time of one year of one's own site."""

    kind, fields = EXPOSURES, EXPOSURE_FIELDS
    change = staticmethod(correct)

"""Device time that one's own sites declare for a year, without implants."""

from rest_framework.request import Request

from registry import intake
from registry.api.device_bodies import EXPOSURE, EXPOSURE_FIELDS, EXPOSURES, IDS
from registry.api.device_rows import (
    DeviceRow,
    DeviceRows,
    changing,
    described_list,
    described_row,
    recording,
)
from registry.filters import ExposureFilterSet
from registry.records import RowKind

SHOWN = {**IDS, **EXPOSURE}


@described_list(
    "exposures",
    EXPOSURES,
    EXPOSURE_FIELDS,
    filterset=ExposureFilterSet,
    example=EXPOSURE,
    shown=SHOWN,
    says="Declare the device time of one year; leads of the site and data managers do. Where "
    "implants of the same site, year and component are on file, it is not counted.",
)
class Exposures(DeviceRows):
    """The declared device time of one's own sites."""

    kind, fields, filterset_class = EXPOSURES, EXPOSURE_FIELDS, ExposureFilterSet
    record = recording(RowKind.EXPOSURE, intake.declare_exposure)

    def key_options(self, request: Request) -> dict[str, bool]:
        """No option: a declaration has no key."""
        return {}


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
    change = changing(RowKind.EXPOSURE, intake.change_exposure)

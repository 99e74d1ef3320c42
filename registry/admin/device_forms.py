"""The forms on which a site enters implants and declared device time."""

from typing import Any

from registry.admin.answers import ReportForm, asking, key_of
from registry.models import Exposure, Implant
from registry.records import RowKind
from registry.records.columns import DECLARED


@asking(DECLARED[RowKind.IMPLANT])
class ImplantForm(ReportForm):
    """One implanted component; replacing it ends this row and begins another."""

    patient = key_of(
        "Patient's key",
        "The key of the patient on file. Leave it empty for a new patient: the registry makes a"
        " random key and shows it.",
    )

    kind = RowKind.IMPLANT
    fixed = ("site", "patient", "component", "sex", "indication")

    class Meta:
        model = Implant
        fields: tuple[str, ...] = ()

    def stored_answers(self) -> dict[str, Any]:
        """The values of the stored implant and its patient."""
        implant: Any = self.instance
        return {
            **super().stored_answers(),
            "patient": implant.patient.source_id,
            "implant": implant.source_id,
            "sex": implant.patient.sex,
            "indication": implant.patient.indication,
            "adjuncts": sorted(implant.adjuncts or ()),
        }


@asking(DECLARED[RowKind.EXPOSURE])
class ExposureForm(ReportForm):
    """Device time of one year, for a site that cannot send its implants."""

    kind = RowKind.EXPOSURE

    class Meta:
        model = Exposure
        fields: tuple[str, ...] = ()

"""The forms on which a site enters patients, implants and declared device time."""

from typing import Any

from django import forms

from registry.admin.answers import (
    IN_A_LINE,
    RadioGroup,
    ReportForm,
    device_model,
    one_of,
    several_of,
    short_text,
)
from registry.models import Exposure, Implant
from registry.records import RowKind
from registry.vocabulary import (
    AgeBand,
    Component,
    Drug,
    ExitStatus,
    Indication,
    LabelStatus,
    PlacingProcedure,
    PumpPlane,
    PumpSite,
    Sex,
    YesNoUnknown,
)

KEY_HELP = "Your own random key. Never a record number, name or date."


def component() -> forms.ChoiceField:
    """Which of the two components the row is about."""
    return forms.ChoiceField(
        label="Component",
        choices=Component.choices(),
        widget=RadioGroup("Component", IN_A_LINE),
    )


class ImplantForm(ReportForm):
    """One implanted component; replacing it ends this row and begins another."""

    kind = RowKind.IMPLANT
    fixed = ("site", "patient", "component", "sex", "indication")
    patient = short_text(
        "Patient's key", f"{KEY_HELP} A new key makes a new patient.", required=True
    )
    implant = short_text("Implant's key", KEY_HELP, required=True)
    component = component()
    model = device_model()
    implant_year = short_text("Year of implant", "Four digits.", numeric=True, required=True)
    age_band = one_of(AgeBand, "Age at implant")
    sex = one_of(Sex, "Sex", "May stay empty for a patient who is on file.")
    indication = one_of(Indication, "Indication", "May stay empty for a patient who is on file.")
    drug = one_of(Drug, "Main drug at entry")
    adjuncts = several_of(Drug, "Other drugs in the reservoir at entry")
    label_status = one_of(LabelStatus, "Label status")
    procedure = one_of(PlacingProcedure, "Procedure that placed it")
    pump_site = one_of(PumpSite, "Pump site")
    pump_plane = one_of(PumpPlane, "Pump plane")
    as_designed = one_of(
        YesNoUnknown, "As designed", "No where brands or pieces were joined at revision."
    )
    months_to_entry = short_text(
        "Months to entry",
        "Whole months between implant and the start of follow-up; empty is none.",
        numeric=True,
    )
    months_followed = short_text(
        "Months followed", "Whole months since implant.", numeric=True, required=True
    )
    exit_status = one_of(ExitStatus, "Why follow-up ended")
    refills = short_text("Refills", "Since entry.", numeric=True)
    procedures = short_text("Procedures", "Since entry.", numeric=True)

    class Meta:
        model = Implant
        fields: tuple[str, ...] = ()

    def stored_answers(self) -> dict[str, Any]:
        """What the stored implant and its patient say."""
        implant: Any = self.instance
        return {
            **super().stored_answers(),
            "patient": implant.patient.source_id,
            "implant": implant.source_id,
            "sex": implant.patient.sex,
            "indication": implant.patient.indication,
            "adjuncts": sorted(implant.adjuncts or ()),
        }


class ExposureForm(ReportForm):
    """Device time of one year, for a site that cannot send its implants."""

    kind = RowKind.EXPOSURE
    year = short_text("Year", "Four digits.", numeric=True, required=True)
    component = component()
    model = device_model()
    devices = short_text("Devices", "In follow-up in that year.", numeric=True, required=True)
    component_months = short_text(
        "Device months", "Months that they were followed in that year.", numeric=True, required=True
    )
    procedures = short_text("Procedures", numeric=True)
    refills = short_text("Refills", numeric=True)

    class Meta:
        model = Exposure
        fields: tuple[str, ...] = ()

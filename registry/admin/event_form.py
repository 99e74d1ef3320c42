"""The form on which a site enters one event."""

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q

from registry import intake
from registry.admin.answers import (
    IN_LINES,
    NOT_RECORDED,
    RadioGroup,
    ReportForm,
    device_model,
    one_of,
    several_of,
    short_text,
)
from registry.admin.choosing import (
    ComplicationSelect,
    RowChoiceField,
    RowSelect,
    term_label,
)
from registry.admin.event_sections import MATTERS_FOR
from registry.admin.rows import sentence
from registry.models import Complication, Event, Implant
from registry.records import RowKind
from registry.vocabulary import (
    Actuality,
    AgeBand,
    DatePrecision,
    DaysSinceProcedure,
    DaysSinceRefill,
    Detection,
    Drug,
    Indication,
    Intervention,
    Organism,
    Outcome,
    Relatedness,
    RootCause,
    Seriousness,
    Severity,
    Sex,
    VolumeDiscrepancy,
    YesNoUnknown,
)

SUBMIT, GO_ON = "_submit", "_consequence"
"""The buttons that submit an event, and that go on to what it led to."""

_CONSONANTS = "bcdfghjkmnpqrstvwxz"


def made_key() -> str:
    """A random key for an event whose site gave none: no digit, no word, 1.7e10 of them."""
    return "e-" + "".join(secrets.choice(_CONSONANTS) for _ in range(8))


class TermChoiceField(forms.ModelChoiceField):
    """A choice among the complications of the catalogue."""

    def label_from_instance(self, obj: Any) -> str:
        """The term with its category."""
        return term_label(obj)


def grade_choices() -> list[tuple[str, str]]:
    """Grades with their definitions: a number alone is read differently by everybody."""
    graded = [(str(g.value), f"{g.value} {g.label}: {g.definition}") for g in Severity]
    return [*NOT_RECORDED, *graded]


class EventForm(ReportForm):
    """One event. A draft may be incomplete; what is required is asked for when it is submitted."""

    kind = RowKind.EVENT
    write = {
        "complication": lambda term: term.code,
        "implant": lambda implant: implant.source_id if implant else "",
        "caused_by": lambda event: event.source_id if event else "",
    }

    source_id = short_text(
        "Source id",
        "Your own random key for this event, never a record number, name or date. Leave it empty"
        " and the registry makes one.",
    )
    complication = TermChoiceField(
        label="Complication",
        queryset=Complication.objects.none(),
        widget=ComplicationSelect,
        help_text="Type a part of its name, another word for it, or its code.",
        error_messages={"required": "Choose what happened: no event is stored without it."},
    )
    actuality = one_of(
        Actuality, "Did it reach a patient?", "A near miss has an outcome, not applicable, no more."
    )
    implant = RowChoiceField(
        label="Implant",
        queryset=Implant.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=RowSelect(Implant),
        help_text="The component it happened to: type the beginning of your key for the implant or"
        " the patient. Leave it empty where the implant is not on file.",
    )
    year = short_text("Year", "Four digits. No date is kept.", numeric=True)
    month = short_text("Month", "1 to 12.", numeric=True)
    months_since_implant = short_text(
        "Months since implant", "Whole months since this component was implanted.", numeric=True
    )
    severity = forms.ChoiceField(
        label="Severity",
        choices=grade_choices,
        required=False,
        widget=RadioGroup("Severity", IN_LINES),
        help_text="Worst grade reached.",
    )
    seriousness = several_of(
        Seriousness,
        "Seriousness",
        "Every criterion that was met, or none of these alone. Grades 4 and 5 always meet one.",
    )
    outcome = one_of(Outcome, "Outcome")
    relatedness_device = one_of(Relatedness, "Related to the device")
    relatedness_procedure = one_of(Relatedness, "Related to the procedure")
    relatedness_drug = one_of(Relatedness, "Related to the drug")
    relatedness_programming = one_of(Relatedness, "Related to programming")
    relatedness_disease = one_of(Relatedness, "Related to the disease")
    detection = one_of(Detection, "How it was found")
    root_cause = one_of(RootCause, "Root cause")
    interventions = several_of(Intervention, "What was done")
    caused_by = RowChoiceField(
        label="Caused by",
        queryset=Event.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=RowSelect(Event),
        help_text="An earlier event of the same patient that led to this one.",
    )
    days_since_procedure = one_of(DaysSinceProcedure, "Days since the last procedure")
    days_since_refill = one_of(DaysSinceRefill, "Days since the last refill")
    mri_24h = one_of(YesNoUnknown, "MRI in the 24 hours before")
    alarm = one_of(YesNoUnknown, "Pump alarm")
    volume_discrepancy = one_of(VolumeDiscrepancy, "Refill volume")
    organism = one_of(Organism, "Organism")
    component_model = device_model()
    drug = one_of(Drug, "Drug")
    indication = one_of(Indication, "Indication")
    age_band = one_of(AgeBand, "Age at implant")
    sex = one_of(Sex, "Sex")

    class Meta:
        model = Event
        fields: tuple[str, ...] = ()

    class Media:
        js = ["admin/js/autocomplete.js", "registry/event-form.js"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if settings.REGISTRY_DATE_PRECISION != DatePrecision.MONTH:
            del fields["month"]
        mine = Event.objects.visible_to(self.asked_by).exclude(source_id="")
        terms = Complication.objects.filter(Q(retired=False) | Q(pk=self.instance.complication_id))
        fields["complication"].queryset = terms
        fields["implant"].queryset = Implant.objects.visible_to(self.asked_by).select_related(
            "patient"
        )
        fields["caused_by"].queryset = mine.exclude(pk=self.instance.pk)
        for name, codes in MATTERS_FOR.items():
            fields[name].widget.attrs["data-for"] = " ".join(codes)
        for name in ("severity", "seriousness"):
            fields[name].widget.attrs["data-harm"] = ""

    def clean(self) -> dict[str, Any]:
        """Say beside the form's own faults, with which intake is not asked, all that is missing."""
        cleaned = super().clean()
        if SUBMIT in self.data and self.errors and self.refusal is None:
            filled = {name for name in self.fields if self[name].data}
            for fault in intake.missing_for_submission(filled):
                if not self.has_error(fault.column):
                    self.add_error(
                        fault.column, forms.ValidationError(sentence(fault.detail), fault.code)
                    )
        return cleaned

    def texts(self) -> dict[str, str]:
        """The answers by column, with a key for an event that needs one and was given none.

        A new event does, to be found again, and one that is about to be named as a cause.
        """
        said = super().texts()
        needed = not self.instance.pk or GO_ON in self.data
        if needed and not said.get("source_id", self.instance.source_id):
            said["source_id"] = made_key()
        return said

    def stored_answers(self) -> dict[str, Any]:
        """What the stored event says; of other rows, their public ids."""
        event: Any = self.instance
        return {
            **super().stored_answers(),
            "complication": event.complication_id,
            "implant": event.implant.public_id if event.implant else None,
            "caused_by": event.caused_by.public_id if event.caused_by else None,
            "seriousness": sorted(event.seriousness or ()),
            "interventions": sorted(event.interventions or ()),
            "component_model": event.pump_model or event.catheter_model,
            "severity": "" if event.severity is None else str(int(event.severity)),
        }

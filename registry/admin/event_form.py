"""The form on which a site enters one event."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q

from registry import intake
from registry.admin.answers import ReportForm, asking
from registry.admin.choosing import (
    RowChoiceField,
    RowSelect,
    TermChoiceField,
)
from registry.admin.event_sections import MATTERS_FOR
from registry.admin.once import FORM_TOKEN, was_stored
from registry.answers.refusable import sentence
from registry.models import Complication, Event, Implant
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import Actuality, DatePrecision, Outcome

TOLD_ALIKE = "_told_alike"
"""The hidden input with the reports that the page has warned of."""

SUBMIT, SUBMIT_ALL, GO_ON = "_submit", "_submit_all", "_consequence"
"""The buttons that submit an event, that submit also the drafts that led to it, and that add an
event caused by it."""


def submits(sent: Mapping[str, Any]) -> bool:
    """Whether a button was pressed that submits the event."""
    return SUBMIT in sent or SUBMIT_ALL in sent


@asking(DECLARED[RowKind.EVENT])
class EventForm(ReportForm):
    """One event. A draft may be incomplete; required fields are checked on submission."""

    kind = RowKind.EVENT
    alike: Sequence[Event] = ()
    write = {
        "complication": lambda term: term.code,
        "implant": lambda implant: implant.source_id if implant else "",
        "caused_by": lambda event: event.source_id if event else "",
    }

    complication = TermChoiceField(
        label="Complication",
        queryset=Complication.objects.none(),
        help_text="Type what happened in your own words: blocked line, Eiter, overdose.",
        error_messages={"required": "Choose what happened: no event is stored without it."},
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
    caused_by = RowChoiceField(
        label="Caused by",
        queryset=Event.objects.none(),
        to_field_name="public_id",
        required=False,
        widget=RowSelect(Event),
        help_text="An earlier event of the same patient that led to this one.",
    )

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
        mine = Event.objects.visible_to(self.user).exclude(source_id="")
        terms = Complication.objects.filter(Q(retired=False) | Q(pk=self.instance.complication_id))
        fields["complication"].queryset = terms
        fields["implant"].queryset = Implant.objects.visible_to(self.user).select_related("patient")
        fields["caused_by"].queryset = mine.exclude(pk=self.instance.pk)
        for name, codes in MATTERS_FOR.items():
            fields[name].widget.attrs["data-for"] = " ".join(codes)
        for name in ("severity", "seriousness"):
            fields[name].widget.attrs["data-harm"] = ""

    def clean(self) -> dict[str, Any]:
        """Adds what is missing for submission to the form's own errors."""
        cleaned = super().clean()
        if submits(self.data) and self.errors and self.refusal is None:
            filled = {name for name in self.fields if self[name].data}
            for fault in intake.missing_for_submission(filled):
                if not self.has_error(fault.column):
                    self.add_error(
                        fault.column, forms.ValidationError(sentence(fault.detail), fault.code)
                    )
        if not self.errors and not was_stored(self.user, self.data.get(FORM_TOKEN, "")):
            self._warn_of_duplicates()
        return cleaned

    def _warn_of_duplicates(self) -> None:
        """Refuses what may repeat a stored report, until the page has told of it."""
        stored = self.instance if self.instance.pk else None
        found = intake.likely_duplicates(self.raw(), by=self.user, event=stored)
        self.alike = [other for other, _reasons in found]
        told = set(self.data.get(TOLD_ALIKE, "").split())
        if not {str(other.public_id) for other in self.alike} <= told:
            said = (
                "This may be an event that was reported already: look at the reports named below."
                " If it is another event, save it again."
            )
            self.add_error(None, forms.ValidationError(said, code="may-repeat"))

    def texts(self) -> dict[str, str]:
        """The answers by column; a near miss without an outcome has its only legal one."""
        texts = super().texts()
        near_miss = self.cleaned_data.get("actuality") == Actuality.NEAR_MISS
        if near_miss and not self.cleaned_data.get("outcome"):
            texts["outcome"] = Outcome.NOT_APPLICABLE.value
        return texts

    def stored_answers(self) -> dict[str, Any]:
        """The stored event's values; public ids for other rows."""
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

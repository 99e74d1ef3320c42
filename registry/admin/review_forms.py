"""The forms of steps: a reason, another code, or the report that an event repeats."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Abs

from registry import intake
from registry.admin.answers import IN_LINES, short_text
from registry.admin.choosing import TermChoiceField
from registry.admin.naming import name_of
from registry.answers.refusable import RefusableForm
from registry.intake.deaths import COUNTED
from registry.models import Complication, DuplicateCandidate, Event
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import QueryAsk, WithdrawalReason

MOST_ALIKE = 10
BY_KEY, ELSEWHERE = "key", "elsewhere"


class StepForm(RefusableForm):
    """The form of a step; most have no fields."""

    def __init__(self, *args: Any, events: Sequence[Event], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.events = events

    def answers(self) -> dict[str, Any]:
        """The answers as arguments of intake's verb."""
        return self.cleaned_data

    def focus_first_error(self) -> None:
        """Focuses the first invalid field."""
        name = next((name for name in self.fields if name in self.errors), None)
        if name is not None:
            self.fields[name].widget.attrs["autofocus"] = True


class AcceptForm(StepForm):
    """Asks once whether to accept several events; the page names deaths and duplicates apart."""


class DiscardForm(StepForm):
    """Asks whether to discard a draft."""


class ReasonForm(StepForm):
    """Asks for a reason from the part of the code list that fits the step."""

    step = ""

    reason = forms.ChoiceField(
        label="Reason",
        widget=forms.RadioSelect(attrs=IN_LINES),
        error_messages={
            "required": "Choose a reason.",
            "invalid_choice": "Choose one of the reasons listed.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["reason"]
        field.choices = [
            (code.value, f"{code.label}: {code.definition}")
            for code in WithdrawalReason.of_step(self.step)
        ]


class RejectForm(ReasonForm):
    """Reasons of rejection, each with what the site can do about it."""

    step = "reject"


class ReopenForm(ReasonForm):
    """Reasons to look at a verdict again."""

    step = "reopen"


class WithdrawForm(ReasonForm):
    """Reasons to withdraw a report."""

    step = "withdraw"


class ReturnForm(StepForm):
    """Asks which field the site is to look at, and what about it."""

    column = forms.ChoiceField(
        label="About which answer?",
        error_messages={"required": "Choose the answer that you ask about."},
    )
    ask = forms.ChoiceField(
        label="What about it?",
        choices=[(code.value, f"{code.label}: {code.definition}") for code in QueryAsk],
        widget=forms.RadioSelect(attrs=IN_LINES),
        error_messages={"required": "Choose what you ask."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["column"]
        unasked = intake.columns_not_kept()
        columns = DECLARED[RowKind.EVENT].items()
        named = [(name, column.title) for name, column in columns if name not in unasked]
        field.choices = [("", "Choose"), *named]


class RecodeForm(StepForm):
    """Asks for the complication."""

    complication = TermChoiceField(
        label="Complication as adjudicated",
        queryset=Complication.objects.current(),
        help_text="Type it in your own words. What the site reported is kept beside it.",
        error_messages={
            "required": "Choose a complication.",
            "invalid_choice": "Choose one of the complications listed.",
        },
    )

    def answers(self) -> dict[str, Any]:
        """The code of the complication."""
        return {"complication": self.cleaned_data["complication"].code}


class DuplicateForm(StepForm):
    """Asks which report of the site is of the same event; offers similar ones."""

    of = forms.ChoiceField(
        label="Which report is of the same event?",
        widget=forms.RadioSelect(attrs=IN_LINES),
        error_messages={
            "required": "Choose the report of the same event.",
            "invalid_choice": "Choose one of the reports listed.",
        },
    )
    key = short_text("Source id of that report", "Only where it is not listed above.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["of"]
        field.choices = [
            *((str(other.public_id), described(other)) for other in alike(self.events[0])),
            (BY_KEY, "Another report of this site: give its source id below"),
            (ELSEWHERE, "A report of another site, which is not named here"),
        ]

    def clean(self) -> dict[str, Any]:
        """Finds the report with a source id; an error where there is none."""
        cleaned = super().clean() or {}
        if cleaned.get("of") == BY_KEY:
            named = self.cleaned_data.get("key") or ""
            here = Event.objects.filter(site=self.events[0].site).exclude(source_id="")
            other = here.filter(source_id=named).first()
            if other is None:
                self.add_error("key", "This site has no report with this source id.")
            else:
                cleaned["of"] = str(other.public_id)
        return cleaned

    def answers(self) -> dict[str, Any]:
        """The other report's public id; none for a report of another site."""
        of = self.cleaned_data["of"]
        return {"of": None if of == ELSEWHERE else of}


def alike(event: Event) -> QuerySet[Event]:
    """Reports of the site that may be of the same event, the likeliest first; ten at most.

    Those that are a pair with it, of the same patient, or of the same complication as reported or
    adjudicated.
    """
    codes = [event.complication_id, event.reported_complication_id]
    same = Q(complication__in=codes) | Q(reported_complication__in=codes)
    of_the_patient = Q(patient=event.patient_id) if event.patient_id else Q(pk__in=[])
    pairs = DuplicateCandidate.objects.open().of(event).values_list("first", "second")
    paired = Q(pk__in={pk for pair in pairs for pk in pair})
    standing = Event.objects.filter(
        same | of_the_patient | paired, site=event.site, state__in=COUNTED
    ).exclude(pk=event.pk)
    apart = Abs(F("year") - event.year) if event.year else Value(0)
    likeness = Case(
        When(paired, then=0),
        When(of_the_patient & same, then=1),
        When(of_the_patient, then=2),
        default=3,
    )
    ordered = standing.select_related("complication").order_by(likeness, apart, "-pk")
    return ordered[:MOST_ALIKE]


def described(event: Event) -> str:
    """A report in words: its key, complication, time, grade and state."""
    shown: Any = event
    months = event.months_since_implant
    said = (
        name_of(event),
        event.complication.name,
        str(event.year or ""),
        f"month {months} since implant" if months is not None else "",
        f"grade {event.severity}" if event.severity is not None else "",
        shown.get_state_display().lower(),
    )
    return ", ".join(filter(None, said))

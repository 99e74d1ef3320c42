"""Filters of the lists of rows beside those of a question: by key, by code, by last change."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Min, Model, Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from registry.filters.codes import nearest
from registry.filters.fields import listed
from registry.models import Exposure, Implant, Patient, Seal
from registry.models.rules import SITE_CODE, SOURCE_ID
from registry.records import BadQuery, Fault
from registry.vocabulary import CODELISTS, Right

KEY = "A key has 1 to 40 letters, digits, dots, underscores or hyphens."
INSTANT = "Give an instant with its offset, such as 2026-11-30T09:00:00Z."
NOT_YET = f"The registry has no seal of this number. {INSTANT}"


def unknown_parameter(name: str, known: Collection[str]) -> Fault:
    """Refuses an unknown parameter by its name, unless the name could itself be a value."""
    plain = bool(re.fullmatch(r"[A-Za-z_][A-Za-z_-]{0,39}", name))
    close = nearest(name, tuple(known))
    said = f"There is no such parameter here. The nearest is {close}."
    return Fault(name if plain else "", "unknown-parameter", said)


def repeated_parameter(name: str) -> Fault:
    """Refuses a repeated parameter that may be given only once."""
    return Fault(name, "repeated-parameter", f"Give {name} only once.")


def stray_parameters(
    data: QueryDict, known: Collection[str], *, several: Collection[str] = ()
) -> list[Fault]:
    """The refusals of unknown and of repeated parameters.

    several: those of them that may be repeated.
    """
    faults = []
    for name in data:
        if name not in known:
            faults.append(unknown_parameter(name, known))
        elif name not in several and len(data.getlist(name)) > 1:
            faults.append(repeated_parameter(name))
    return faults


def form_faults(form: forms.Form) -> list[Fault]:
    """The errors of a form as faults, by parameter."""
    return [
        Fault(name, error.code or "invalid", str(error.messages[0]))
        for name, errors in form.errors.as_data().items()
        for error in errors
    ]


class ValuesWidget(forms.TextInput):
    """Reads a parameter that is repeated as one that is separated by commas."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return listed(data, name)


class ValuesField(forms.Field):
    """Values, comma-separated or repeated, that match a pattern or a list of codes."""

    widget = ValuesWidget

    def __init__(self, *, form: str, mend: str, codes: Collection[str], **options: Any) -> None:
        self.form, self.mend, self.codes = form, mend, codes
        super().__init__(**options)

    def clean(self, value: Any) -> list[str]:
        """The values; raises ValidationError where one is invalid."""
        values: list[str] = list(value or ())
        for each in values:
            if self.codes and each not in self.codes:
                close = nearest(each, tuple(self.codes))
                said = (
                    f"The value is not a code of {str(self.label).lower()}. The nearest is {close}."
                )
                raise ValidationError(said, code="unknown-code")
            if self.form and not re.match(self.form, each):
                raise ValidationError(self.mend, code="bad-value")
        return values


class ValuesFilter(django_filters.Filter):
    """Keeps the rows whose column is among the values."""

    field_class = ValuesField

    def __init__(
        self, column: str, label: str, *, form: str = "", mend: str = "", codelist: str = ""
    ) -> None:
        codes = CODELISTS[codelist].codes() if codelist else ()
        super().__init__(
            column, lookup_expr="in", label=label, form=form, mend=mend, codes=codes, required=False
        )


MOST_COUNTED = 1000
"""Rows of a list or a queue that are counted; of more, it is said that there are."""


def bounded_count(rows: QuerySet[Any]) -> int:
    """How many rows there are, or MOST_COUNTED + 1: to count more costs a scan."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


class KeysFilter(ValuesFilter):
    """Keeps the rows whose own key, or whose implant's or patient's, is among the values.

    Keys are found first, by their index, which also answers for other cases of letters.
    """

    def __init__(self, column: str, label: str) -> None:
        super().__init__(column, label, form=SOURCE_ID, mend=KEY)

    def filter(self, queryset: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        """The rows with any of these keys."""
        if not value:
            return queryset
        column = str(self.field_name)
        either = [Q(**{f"{column}__iexact": key, column: key}) for key in value]
        return queryset.filter(Q.create(either, connector=Q.OR))  # type: ignore[arg-type]


class ChangedSinceField(forms.Field):
    """An instant with its offset, or the number of a seal."""

    def clean(self, value: Any) -> datetime | int | None:
        """The instant or the number; raises ValidationError for anything else."""
        text = str(value or "").strip()
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,15}", text):
            return int(text)
        # A plus sign that was not escaped arrives as a space.
        text = re.sub(r" (?=[0-9]{2}:?[0-9]{2}\Z)", "+", text)
        try:
            instant = parse_datetime(text)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise ValidationError(INSTANT, code="bad-value")
        return instant


class ChangedSinceFilter(django_filters.Filter):
    """Keeps rows stored or changed at an instant or later, or under a later seal.

    Numbers of seals are for those who see every row: others would learn how much other sites
    enter. A number beyond the last seal is refused: it is a year, or of before a restore, after
    which rows with lower numbers are new. Reads history, by its index of seals.
    """

    field_class = ChangedSinceField

    def __init__(self) -> None:
        super().__init__(label="Stored or changed since", required=False)

    def filter(self, queryset: QuerySet[Any], value: datetime | int | None) -> QuerySet[Any]:
        """The rows with a version since then."""
        if value is None:
            return queryset
        if isinstance(value, datetime):
            # The least number, and not that of the first instant: a clock may be set back.
            first = Seal.objects.filter(at__gte=value).aggregate(n=Min("number"))["n"]
            if first is None:
                return queryset.none()
            since: dict[str, Any] = {"seal_number__gte": first}
        else:
            user = getattr(self.parent.request, "user", None)
            if user is None or not user.may(Right.SEE_ALL_ROWS):
                raise BadQuery(Fault("changed_since", "bad-value", INSTANT))
            if value and not Seal.objects.filter(number__gte=value).exists():
                raise BadQuery(Fault("changed_since", "bad-value", NOT_YET))
            since = {"seal_number__gt": value}
        model: Any = queryset.model
        return queryset.filter(pk__in=model.history.filter(**since).values("id"))


ONCE = ("changed_since",)
"""Filters of lists that may be given only once."""


class RowFilterSet(django_filters.FilterSet):
    """The filters of one list of rows; refuses unknown parameters.

    beside: parameters that are read elsewhere, such as `limit`.
    """

    changed_since = ChangedSinceFilter()
    site = ValuesFilter(
        "site__code", "Site", form=SITE_CODE, mend="A site is 2 to 20 capital letters and digits."
    )

    def __init__(self, *args: Any, beside: Collection[str] = (), **kwargs: Any) -> None:
        self.beside = beside
        super().__init__(*args, **kwargs)

    def faults(self) -> tuple[Fault, ...]:
        """Everything wrong with the parameters."""
        several = set(self.filters) - set(ONCE)
        strays = stray_parameters(self.data, (*self.filters, *self.beside), several=several)
        return (*strays, *form_faults(self.form))

    def filter_queryset(self, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Keeps the rows that match every filter; raises BadQuery for invalid parameters."""
        if faults := self.faults():
            raise BadQuery(faults)
        kept: QuerySet[Model] = super().filter_queryset(queryset)
        return kept

    def in_words(self) -> str:
        """The names of the filters used, without values: keys are never logged."""
        return ", ".join(name for name in self.filters if name in self.data)


class PatientFilterSet(RowFilterSet):
    """The filters of the list of patients."""

    source_id = KeysFilter("source_id", "The site's own key")

    class Meta:
        model = Patient
        fields: tuple[str, ...] = ()


class ImplantFilterSet(RowFilterSet):
    """The filters of the list of implants."""

    patient = KeysFilter("patient__source_id", "The site's own key of the patient")
    implant = KeysFilter("source_id", "The site's own key")
    component = ValuesFilter("component", "Component", codelist="component")
    exit_status = ValuesFilter("exit_status", "Exit status", codelist="exit-status")

    class Meta:
        model = Implant
        fields: tuple[str, ...] = ()


class ExposureFilterSet(RowFilterSet):
    """The filters of the list of declared device time."""

    year = ValuesFilter("year", "Calendar year", form=r"\A[0-9]{4}\Z", mend="Give four digits.")
    component = ValuesFilter("component", "Component", codelist="component")

    class Meta:
        model = Exposure
        fields: tuple[str, ...] = ()

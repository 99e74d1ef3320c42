"""Filters of the lists of patients, implants and declared device time."""

import re
from collections.abc import Collection
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import QueryDict

from registry.filters.codes import nearest
from registry.models import Exposure, Implant, Patient
from registry.models.rules import SITE_CODE, SOURCE_ID
from registry.records import BadQuery, Fault
from registry.vocabulary import CODELISTS

KEY = "A key has 1 to 40 letters, digits, dots, underscores or hyphens."


def unknown_parameter(name: str, known: Collection[str]) -> Fault:
    """Refuses an unknown parameter by its name, unless the name could itself be a value."""
    plain = bool(re.fullmatch(r"[A-Za-z_][A-Za-z_-]{0,39}", name))
    close = nearest(name, tuple(known))
    said = f"There is no such parameter here. The nearest is {close}."
    return Fault(name if plain else "", "unknown-parameter", said)


def repeated_parameter(name: str) -> Fault:
    """Refuses a repeated parameter that may be given only once."""
    return Fault(name, "repeated-parameter", f"Give {name} only once.")


def stray_parameters(data: QueryDict, known: Collection[str]) -> list[Fault]:
    """The refusals of unknown and of repeated parameters."""
    faults = []
    for name in data:
        if name not in known:
            faults.append(unknown_parameter(name, known))
        elif len(data.getlist(name)) > 1:
            faults.append(repeated_parameter(name))
    return faults


def form_faults(form: forms.Form) -> list[Fault]:
    """The errors of a form as faults, by parameter."""
    return [
        Fault(name, error.code or "invalid", str(error.messages[0]))
        for name, errors in form.errors.as_data().items()
        for error in errors
    ]


class ValuesField(forms.Field):
    """Comma-separated values that match a pattern or a list of codes."""

    def __init__(self, *, form: str, mend: str, codes: Collection[str], **options: Any) -> None:
        self.form, self.mend, self.codes = form, mend, codes
        super().__init__(**options)

    def clean(self, value: Any) -> list[str]:
        """The values; raises ValidationError where one is invalid."""
        values = str(value).split(",") if value is not None else []
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


def key_filter(column: str, label: str) -> ValuesFilter:
    """The filter by a site's own key."""
    return ValuesFilter(column, label, form=SOURCE_ID, mend=KEY)


class RowFilterSet(django_filters.FilterSet):
    """The filters of one list of rows; refuses unknown parameters.

    beside: parameters that are read elsewhere, such as `limit`.
    """

    site = ValuesFilter(
        "site__code", "Site", form=SITE_CODE, mend="A site is 2 to 20 capital letters and digits."
    )

    def __init__(self, *args: Any, beside: Collection[str] = (), **kwargs: Any) -> None:
        self.beside = beside
        super().__init__(*args, **kwargs)

    def faults(self) -> tuple[Fault, ...]:
        """Everything wrong with the parameters."""
        strays = stray_parameters(self.data, (*self.filters, *self.beside))
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

    source_id = key_filter("source_id", "The site's own key")

    class Meta:
        model = Patient
        fields: tuple[str, ...] = ()


class ImplantFilterSet(RowFilterSet):
    """The filters of the list of implants."""

    patient = key_filter("patient__source_id", "The site's own key of the patient")
    implant = key_filter("source_id", "The site's own key")
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

"""The form of a patient's whole system: the patient, the pump and the catheter on one page."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID

from django import forms

from registry.admin.answers import ReportForm, asking, one_of
from registry.admin.device_forms import ImplantForm
from registry.admin.implant_sections import AT_IMPLANT, DRUG, FOLLOW_UP, OF_A_PUMP
from registry.intake import ComponentReport
from registry.models import Implant, Patient
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import RawReport, RowKind
from registry.records.columns import OF_PATIENTS
from registry.vocabulary import CatheterModel, Component, PumpModel

PATIENT = tuple(OF_PATIENTS)
OF_BOTH = (*AT_IMPLANT, *DRUG)
"""Columns with one field for pump and catheter, which were implanted in one operation."""

OWN: Mapping[Component, tuple[str, ...]] = {
    Component.PUMP: ("implant", "model", *OF_A_PUMP, *FOLLOW_UP),
    Component.CATHETER: ("implant", "model", *FOLLOW_UP),
}
"""Columns with a field for each component."""

COLUMNS_OF_ONE = frozenset(name for names in OWN.values() for name in names)
"""Columns with a field of each component, under its own name."""

MODELS: Mapping[Component, Any] = {
    Component.PUMP: PumpModel,
    Component.CATHETER: CatheterModel,
}


def named(component: Component, column: str) -> str:
    """The field of a component's column, as intake's faults name it."""
    return f"{component.value}_{column}"


def component_fields(component: Component, columns: Iterable[str]) -> dict[str, forms.Field]:
    """The fields of a component; none is required, since it may not be on file."""
    fields: dict[str, forms.Field] = {}
    for column in columns:
        field: Any = deepcopy(ImplantForm.base_fields[column])
        if column == "model":
            field = one_of(MODELS[component], "Model")
        elif column == "implant":
            field.label = f"{component.label}'s key"
        field.required = False
        fields[named(component, column)] = field
    return fields


@asking(OF_PATIENTS)
class SystemForm(ReportForm):
    """A patient with pump and catheter; a component may be left empty."""

    kind = RowKind.IMPLANT
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Patient
        fields: tuple[str, ...] = ()

    def column_of(self, name: str) -> str:
        """The column of an implant's row, of either component or of the patient."""
        if name == "source_id":
            return "patient"
        component, _, column = name.partition("_")
        return column if component in set(Component) and column in COLUMNS_OF_ONE else name

    def patient_texts(self) -> dict[str, str]:
        """The patient's report: all of a new one, the changes of a stored one."""
        texts = self.texts()
        return {name: texts[name] for name in PATIENT if name in texts}


class NewSystemForm(SystemForm):
    """A new patient; data of the operation are entered once for both components."""

    renamed = {named(part, column): column for part in Component for column in OF_BOTH}

    def components(self) -> list[ComponentReport]:
        """The components that were filled in, each with the shared answers."""
        texts = self.texts()
        reports = []
        for part, columns in OWN.items():
            own = {column: texts[named(part, column)] for column in columns}
            if any(own.values()):
                both = {column: texts[column] for column in OF_BOTH}
                values = {"component": part.value, **both, **own}
                reports.append(ComponentReport(RawReport(RowKind.IMPLANT, values)))
        return reports

    def clean(self) -> dict[str, Any]:
        """Refuses shared answers without a component, so that none is dropped."""
        cleaned = super().clean()
        own = [named(part, column) for part, columns in OWN.items() for column in columns]
        if any(cleaned.get(name) for name in OF_BOTH) and not any(map(cleaned.get, own)):
            mend = "Give the pump or the catheter that this is about, or leave this section empty."
            answered = next(name for name in OF_BOTH if cleaned.get(name))
            self.add_error(answered, forms.ValidationError(mend, code="no-component"))
        return cleaned


class StoredSystemForm(SystemForm):
    """A stored patient with the pump and the catheter in place, or the last ones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.in_place = in_place(kwargs["instance"])
        super().__init__(*args, **kwargs)

    def stored_answers(self) -> dict[str, Any]:
        """The values of the stored patient and the components in place."""
        values = {**super().stored_answers(), "version": self.instance.version}
        for part, implant in self.in_place.items():
            drugs: Any = implant.adjuncts
            differing: Any = {"implant": implant.source_id, "adjuncts": sorted(drugs or ())}
            for column in (*OF_BOTH, *OWN[part]):
                answer = differing[column] if column in differing else getattr(implant, column)
                values[named(part, column)] = answer
            values[named(part, "read")] = f"{implant.public_id}:{implant.version}"
        return values

    def components(self) -> list[ComponentReport]:
        """The components that changed, and new ones."""
        texts = self.texts()
        reports = []
        for part, own in OWN.items():
            columns = (*OF_BOTH, *own)
            changed = {
                column: texts[named(part, column)]
                for column in columns
                if named(part, column) in texts
            }
            if changed:
                raw = RawReport(RowKind.IMPLANT, {"component": part.value, **changed})
                reports.append(ComponentReport(raw, *self._read(part)))
        return reports

    def _read(self, part: Component) -> tuple[UUID | None, int | None]:
        """The implant that was on the screen, and its version."""
        public_id, _, version = self.cleaned_data[named(part, "read")].partition(":")
        return (UUID(public_id), int(version)) if public_id else (None, None)

    def clean(self) -> dict[str, Any]:
        """Refuses changes to a component that was replaced since the page was read."""
        cleaned = super().clean()
        for part in Component:
            read = cleaned.get(named(part, "read"), "").partition(":")[0]
            implant = self.in_place.get(part)
            if read != (str(implant.public_id) if implant else ""):
                mend = f"The {part.label.lower()} was replaced since: reload the page."
                self.add_error(None, forms.ValidationError(mend, code="version-conflict"))
        return cleaned


def in_place(patient: Patient) -> dict[Component, Implant]:
    """The component of each kind that is in follow-up, else the last one. One query."""
    found: dict[Component, Implant] = {}
    if patient.pk is None:
        return found
    rows = patient.implants.order_by("implant_year", "pk")
    for row in sorted(rows, key=lambda row: row.exit_status in IN_FOLLOW_UP):
        found[Component.of(row.component)] = row
    return found


def _with(form: type[SystemForm], fields: Mapping[str, forms.Field]) -> type[SystemForm]:
    """The form with these fields added."""
    return type(form.__name__, (form,), {**fields, "__doc__": form.__doc__})


def _new_system_fields() -> dict[str, forms.Field]:
    both: dict[str, Any] = {column: deepcopy(ImplantForm.base_fields[column]) for column in OF_BOTH}
    for field in both.values():
        field.required = False
    own = (component_fields(part, columns) for part, columns in OWN.items())
    return both | {name: field for fields in own for name, field in fields.items()}


def _stored_system_fields() -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for part, own in OWN.items():
        fields |= component_fields(part, (*OF_BOTH, *own))
        fields[named(part, "read")] = forms.RegexField(
            r"\A[0-9a-f-]{36}:[0-9]{1,9}\Z", required=False, widget=forms.HiddenInput
        )
    return fields


NEW_SYSTEM = _with(NewSystemForm, _new_system_fields())
STORED_SYSTEM = _with(StoredSystemForm, _stored_system_fields())

NEW_SECTIONS: Any = (
    ("Patient", {"fields": PATIENT}),
    (
        "At implant",
        {
            "fields": OF_BOTH,
            "description": "For pump and catheter alike. Where they were implanted at different"
            " times, enter one of them here, save, and add the other on the patient's page.",
        },
    ),
    *(
        (
            part.label,
            {
                "fields": [named(part, column) for column in columns],
                "description": f"Leave it empty where the {part.label.lower()} is not on file.",
            },
        )
        for part, columns in OWN.items()
    ),
)
"""The sections of the page for a new patient."""

STORED_SECTIONS: Any = (
    ("Patient", {"fields": (*PATIENT, "version")}),
    *(
        (
            part.label,
            {
                "fields": [
                    *(named(part, column) for column in ("implant", "model", *OF_BOTH)),
                    *(named(part, column) for column in columns[2:]),
                    named(part, "read"),
                ]
            },
        )
        for part, columns in OWN.items()
    ),
)
"""The sections of the page of a patient on file."""

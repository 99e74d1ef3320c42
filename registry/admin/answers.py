"""Forms for a row in the format of intake: codes as radios or lists, numbers as text."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django import forms

from registry import intake
from registry.admin.rows import MOST_RADIOS, IntakeForm
from registry.models import Site
from registry.records import RawReport, RowKind
from registry.records.declared import Holds, RowColumn
from registry.vocabulary import CatheterModel, Code, PumpModel, Right, Severity

Form = TypeVar("Form", bound=forms.ModelForm)

NOT_RECORDED = [("", "Not recorded")]
IN_A_LINE = {"class": "options"}
IN_LINES = {"class": "options lines"}
KEY_HINT = (
    "Leave it empty: the registry makes a random key and shows it. A key of your own is random"
    " too, never a record number, serial number, name or date."
)
KEY_HINT_OF = (
    "Leave it empty: the registry makes a random key and shows it. Your site's own keys look like"
    " {example}."
)
IN_COLUMNS = {"class": "options columns"}


class AnswerWidget(forms.widgets.ChoiceWidget):
    """A list of answers that screen readers announce with its question."""

    template_name = "registry/widgets/options.html"
    role = "group"

    def __init__(self, question: str, attrs: dict[str, str] | None = None) -> None:
        super().__init__(attrs=attrs)
        self.question = question

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The template context of the answers, with their question."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"].update(role=self.role, question=self.question)
        return context


class RadioGroup(AnswerWidget, forms.RadioSelect):
    """One answer of a short list."""

    role = "radiogroup"


class BoxGroup(AnswerWidget, forms.CheckboxSelectMultiple):
    """Several answers of a list, as boxes to tick."""


def one_of(
    codes: type[Code] | type[Severity], label: str, help_text: str = "", *, required: bool = False
) -> forms.ChoiceField:
    """A question with one answer; short lists as radios, without a default."""
    listed = [(str(code), words) for code, words in codes.choices()]
    widget = forms.Select() if len(listed) > MOST_RADIOS else RadioGroup(label, IN_A_LINE)
    return forms.ChoiceField(
        label=label,
        choices=listed if required else [*NOT_RECORDED, *listed],
        required=required,
        widget=widget,
        help_text=help_text,
    )


class Stated(forms.Select):
    """A question with one possible answer, shown as text and sent as a hidden field."""

    template_name = "registry/widgets/stated.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The one answer and its words."""
        context = super().get_context(name, value, attrs)
        [(code, words)] = self.choices
        context["widget"].update(code=code, stated=words)
        return context

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """No id: there is nothing to fill in."""
        return ""


def several_of(codes: type[Code], label: str, help_text: str = "") -> forms.MultipleChoiceField:
    """A question with several answers at once, as boxes to tick."""
    return forms.MultipleChoiceField(
        label=label,
        choices=codes.choices(),
        required=False,
        widget=BoxGroup(label, IN_COLUMNS),
        help_text=help_text,
    )


def short_text(
    label: str, help_text: str = "", *, numeric: bool = False, required: bool = False
) -> forms.CharField:
    """A short answer that intake reads; numbers get a phone's number pad."""
    attrs = {"inputmode": "numeric"} if numeric else {}
    return forms.CharField(
        label=label,
        required=required,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
        help_text=help_text,
    )


def key_of(label: str, help_text: str = "") -> forms.CharField:
    """A row's own key, which the registry makes where it is left empty."""
    field = short_text(label, help_text or KEY_HINT)
    field.widget.attrs["placeholder"] = "made by the registry"
    return field


def device_model() -> forms.ChoiceField:
    """The model of a pump or of a catheter, in one list with two parts."""
    return forms.ChoiceField(
        label="Model",
        choices=[
            *NOT_RECORDED,
            ("Pumps", PumpModel.choices()),
            ("Catheters", CatheterModel.choices()),
        ],
        required=False,
    )


def grade(label: str, help_text: str) -> forms.ChoiceField:
    """A grade with its definition: numbers alone are read differently by different people."""
    graded = [(str(g.value), f"{g.value} {g.label}: {g.definition}") for g in Severity]
    return forms.ChoiceField(
        label=label,
        choices=[*NOT_RECORDED, *graded],
        required=False,
        widget=RadioGroup(label, IN_LINES),
        help_text=help_text,
    )


def question(column: RowColumn) -> forms.Field:
    """The form field of a declared column.

    Raises TypeError for a column that names another row: its form declares the field itself.
    """
    title, hint, codes = column.title, column.heading.hint, column.codes
    if column.holds is Holds.KEY:
        return key_of(title)
    if column.holds in (Holds.NUMBER, Holds.YEAR):
        return short_text(title, hint, numeric=True, required=column.required)
    if column.holds is Holds.MODEL:
        return device_model()
    if column.holds is Holds.GRADE:
        return grade(title, hint)
    if codes is None:
        raise TypeError(f"The form itself asks for {column.name}.")
    if column.holds is Holds.CODES:
        return several_of(codes, title, hint)
    return one_of(codes, title, hint, required=column.required)


def asking(columns: Mapping[str, RowColumn]) -> Callable[[type[Form]], type[Form]]:
    """Adds to a form a field for each declared column that it does not declare itself."""

    def ask(form: type[Form]) -> type[Form]:
        own: Any = form.base_fields
        beside = {name: field for name, field in own.items() if name not in columns}
        questions = {
            name: own[name] if name in own else question(column) for name, column in columns.items()
        }
        form.base_fields = {**beside, **questions}
        form.declared_fields = dict(form.base_fields)
        return form

    return ask


def open_sites(user: Any) -> Any:
    """The active sites that a user may report for; all of them for a data manager."""
    sites = Site.objects.all() if user.may(Right.RUN_REGISTRY) else user.sites()
    return sites.filter(active=True).order_by("code")


def as_text(value: Any) -> str:
    """An answer as text for intake: lists separated by semicolons, empty for not recorded."""
    if value is None:
        return ""
    return ";".join(value) if isinstance(value, list) else str(value)


def answers_read(
    form: forms.BaseForm,
    kind: RowKind,
    *,
    site: str,
    column_of: Callable[[str], str],
    may_be: Callable[[str, Any], bool] = lambda _name, _sent: False,
) -> list[tuple[str, list[str]]]:
    """What was sent to a form and reads as an answer of its question, by field.

    site: the code of its site, which a key may begin with. column_of: the declared column that a
    field of text asks for. may_be: whether an answer that the field refuses is kept all the same.
    """
    answers: Any = form.data
    read: list[tuple[str, list[str]]] = []
    for name, field in form.fields.items():
        sent = field.widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        try:
            answer = field.clean(sent)
        except forms.ValidationError:
            if not may_be(name, sent):
                continue
            answer = sent
        if type(field) is forms.CharField:
            column = column_of(name)
            alone = RawReport(kind=kind, values={"site": site, column: answer})
            if column not in intake.readable_columns(alone):
                continue
        if answers.get(name):
            takes_several = getattr(field.widget, "allow_multiple_selected", False)
            given = answers.getlist(name)
            read.append((name, given if takes_several else given[-1:]))
    return read


class ReportForm(IntakeForm):
    """A row of one site with a field for each column; `raw` is the report for intake.

    kind: the kind of row. fixed: fields that never change in a stored row. write: how an answer
    that is another row becomes text.
    """

    kind: RowKind
    fixed: tuple[str, ...] = ("site",)
    write: dict[str, Callable[[Any], str]] = {}
    user: Any = None

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    site = forms.ChoiceField(label="Site")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if self.instance.pk:
            self._say_pattern(self.instance.site)
            self.initial = {**self.stored_answers(), **self.initial}
            for name in self.fixed:
                fields[name].disabled = True
            fields["site"].widget = Stated()
            fields["site"].choices = [(self.initial["site"],) * 2]
            return
        sites = list(open_sites(self.user))
        codes = [site.code for site in sites]
        if len(codes) == 1:
            self._say_pattern(sites[0])
            fields["site"].widget = Stated()
        blank = [] if len(codes) == 1 else [("", "Choose a site")]
        fields["site"].choices = [*blank, *((code, code) for code in codes)]

    def _say_pattern(self, site: Site) -> None:
        """Says beside fields for keys what the site's own look like, where it declared that."""
        if site.key_pattern is None:
            return
        for field in self.fields.values():
            if field.help_text == KEY_HINT:
                field.help_text = KEY_HINT_OF.format(example=site.key_pattern.example)

    def stored_answers(self) -> dict[str, Any]:
        """The stored row's values, by field of this form."""
        row: Any = self.instance
        columns = {field.name for field in row._meta.fields}
        values = {name: getattr(row, name) for name in self.base_fields if name in columns}
        if "model" in self.base_fields:
            values["model"] = row.model
        return {**values, "site": row.site.code}

    def texts(self) -> dict[str, str]:
        """The answers as text by column: all for a new row, changed ones for a stored row."""
        names: Iterable[str] = self.changed_data if self.instance.pk else self.fields
        return {
            name: self.write.get(name, as_text)(self.cleaned_data[name])
            for name in names
            if name != "version"
        }

    def column_of(self, name: str) -> str:
        """The declared column that a field asks for."""
        return name

    def answered_so_far(self) -> list[tuple[str, list[str]]]:
        """What was sent and reads as an answer of its question, by field; never what identifies.

        Codes and rows are among those that the field offers, texts are such as intake reads. Of a
        question with one answer the last counts, and no other is kept.
        """
        answers: Any = self.data
        site = as_text(answers.get("site", ""))
        return answers_read(
            self, self.kind, site=site, column_of=self.column_of, may_be=self._may_be_own
        )

    def _may_be_own(self, name: str, sent: Any) -> bool:
        """Whether an answer may be the site or a row of somebody whose session has ended."""
        if self.user.pk is not None or not isinstance(sent, str):
            return False
        if name == "site":
            return Site.objects.filter(code=sent).exists()
        return isinstance(self.fields[name], forms.ModelChoiceField) and _is_id(sent)

    def raw(self) -> RawReport:
        """The answers as a report for intake."""
        return RawReport(kind=self.kind, values=self.texts())

    def version_read(self) -> int | None:
        """The version that was on the screen, so that a later one is not overwritten."""
        read: int | None = self.cleaned_data["version"]
        return read


def _is_id(text: str) -> bool:
    """Whether a text is the random id of a row."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

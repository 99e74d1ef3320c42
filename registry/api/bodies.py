"""JSON bodies of rows: their fields in the schema, and how they are read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rest_framework import serializers

from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.records import Fault, RowRuleBroken, refusal_of
from registry.records.columns import unknown_names
from registry.records.declared import Holds, RowColumn
from registry.records.spelling import SITE_CODE
from registry.vocabulary import CatheterModel, PumpModel

NUMBERS = frozenset({Holds.YEAR, Holds.NUMBER, Holds.GRADE})
"""Columns that are numbers in JSON; others are text, or lists of texts."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one kind of row, named as in its record and in files.

    what: the rows in a message ("events").
    """

    what: str
    columns: Mapping[str, RowColumn]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in the order of their declaration."""
        return tuple(self.columns)

    def described(
        self, *, changing: bool = False
    ) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The schema's fields of a request; a change requires none."""
        fields = {name: _described(column) for name, column in self.columns.items()}
        for each in fields.values() if changing else ():
            each.required = False
        return fields

    def shown(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The schema's fields of a stored row, each from the attribute of its name."""
        return {name: _shown(column) for name, column in self.columns.items()}

    def texts(self, body: Any, *, also: Iterable[Fault] = ()) -> dict[str, str]:
        """The fields of a JSON object as text, as in a file.

        also: earlier faults, raised with those of the fields.

        Lists become text with semicolons, numbers text, null an empty text. Intake validates the
        texts. Raises RowRuleBroken for values without such a text, IdentifierFound where a field
        also names a person or a device.
        """
        texts, mistyped = self.readable(body)
        faults = [*also, *mistyped]
        if faults or len(texts) < len(body):
            raise refusal_of([*self.unknown(body), *faults])
        return texts

    def readable(self, body: Any) -> tuple[dict[str, str], list[Fault]]:
        """The fields that have a text, and a fault for each of the columns that have none.

        Raises RowRuleBroken where the body is no object.
        """
        if not isinstance(body, Mapping):
            detail = "send the row as a JSON object"
            raise RowRuleBroken(Fault("", "not-an-object", detail))
        texts: dict[str, str] = {}
        faults: list[Fault] = []
        for name, value in body.items():
            column = self.columns.get(name)
            text = as_text(value) if column is None or _fits(value, column) else None
            if text is not None:
                texts[name] = text
            elif column is not None:
                faults.append(Fault(name, "bad-type", _mend_of(column)))
        return texts, faults

    def unknown(self, body: Iterable[str]) -> tuple[Fault, ...]:
        """A fault for each field that is no column."""
        return unknown_names(body, known=frozenset(self.columns), what=self.what)


class RowSerializer(serializers.Serializer[Any]):
    """A stored row: the registry's own fields, and every declared column.

    columns: those of its record. The class declares those that are no attribute of the same name.
    """

    columns: ClassVar[Fields]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The class's fields that are no columns, then the columns."""
        own = super().get_fields()
        beside = {name: field for name, field in own.items() if name not in self.columns.names}
        return beside | self.columns.shown() | own


def _described(column: RowColumn) -> serializers.Field[Any, Any, Any, Any]:
    required = column.required and column.holds is not Holds.KEY  # the registry may make a key
    options: dict[str, Any] = {"required": required, "allow_null": not required}
    options["help_text"] = column.in_words
    if column.holds in NUMBERS:
        least, most = _range_of(column)
        return serializers.IntegerField(min_value=least, max_value=most, **options)
    if column.holds is Holds.CODES:
        return serializers.ListField(
            child=serializers.ChoiceField(choices=_choices(column)), **options
        )
    if column.holds in {Holds.CODE, Holds.MODEL}:
        return serializers.ChoiceField(
            choices=_choices(column), allow_blank=not required, **options
        )
    form = f"^{FORMS[column.holds]}$"
    return serializers.RegexField(form, allow_blank=not required, **options)


FORMS: Mapping[Holds, str] = {
    Holds.SITE: SITE_CODE.pattern,
    Holds.KEY: "[A-Za-z0-9._-]{1,40}",
    Holds.TERM: "[a-z0-9-]{1,40}",
}
"""The form of each kind of text that is of no list."""


def _range_of(column: RowColumn) -> tuple[int, int]:
    if column.whole is not None:
        return column.whole.least, column.whole.most
    if column.holds is Holds.YEAR:
        return FIRST_YEAR, LAST_YEAR
    grades = [int(each) for each in column.members]
    return min(grades), max(grades)


def _choices(column: RowColumn) -> list[tuple[Any, str]]:
    return MODELS if column.holds is Holds.MODEL else _labelled(column.members)


def _labelled(members: Iterable[Any]) -> list[tuple[Any, str]]:
    """Codes with their labels, each code once: both lists of models have "unknown"."""
    return list({str(each.value): each.label for each in members}.items())


MODELS = _labelled((*PumpModel, *CatheterModel))
"""The models of pumps and catheters."""


def _fits(value: object, column: RowColumn) -> bool:
    """Whether a JSON value is of the type that the schema gives for a column."""
    if value is None:
        return True
    if column.holds in NUMBERS:
        return isinstance(value, int | float)
    if column.holds is Holds.CODES:
        return isinstance(value, list) or value == ""
    return isinstance(value, str)


def _shown(column: RowColumn) -> serializers.Field[Any, Any, Any, Any]:
    options: dict[str, Any] = {"allow_null": column.nullable, "help_text": column.title}
    if column.holds in NUMBERS:
        return serializers.IntegerField(**options)
    if column.holds is Holds.CODES:
        return CodedListField(child=serializers.CharField(), **options)
    return CodedTextField(**options)


def _mend_of(column: RowColumn) -> str:
    if column.holds in NUMBERS:
        return "send a whole number, or null"
    return "send a list of codes, or null" if column.holds is Holds.CODES else "send text"


class CodedTextField(serializers.CharField):
    """A code or a key as text, null where the column is blank."""

    def to_representation(self, value: Any) -> Any:
        """The plain text of it."""
        return str(value) if value else None


class CodedListField(serializers.ListField):
    """Several codes as texts in alphabetical order, null where none is stored."""

    def to_representation(self, value: Any) -> Any:
        """The plain texts of them."""
        return sorted(map(str, value)) if value else None


def _is_code(value: object) -> bool:
    """Whether an item of a list is one code, and not several in one text."""
    return isinstance(value, str) and value == value.strip() != "" and ";" not in value


def as_text(value: object) -> str | None:
    """The text that a file's cell would hold; None for values without one. 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list) and all(map(_is_code, value)):
        return ";".join(value)
    return None

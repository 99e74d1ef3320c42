"""Rows as JSON on their way in: what the schema says of each field, and how a body is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from registry.records import Fault, IdentifierFound, RowRuleBroken
from registry.records.columns import unknown_names
from registry.vocabulary import CODELISTS


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one kind of row, as files name them too.

    what: the rows in a message ("events"). required: what a new row cannot do without.
    lists, coded: fields that hold codes, several or one, and the list these come from.
    """

    what: str
    names: tuple[str, ...]
    required: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=dict)
    coded: Mapping[str, str] = field(default_factory=dict)

    def described(
        self, *, changing: bool = False
    ) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """How the schema describes them as they are sent; a change requires none."""
        fields = {name: self._described(name) for name in self.names}
        for each in fields.values() if changing else ():
            each.required = False
        return fields

    def texts(self, body: Any, *, also: Iterable[Fault] = ()) -> dict[str, str]:
        """The fields of a JSON object as text: what a file would hold.

        also: faults that were found already, told with those of the fields.

        Lists become text with semicolons, numbers text, null an empty text. What the texts mean
        is for intake to judge. Raises RowRuleBroken for what has no such text, IdentifierFound
        where there is also a field that names a person or a device.
        """
        if not isinstance(body, Mapping):
            detail = "send the row as a JSON object"
            raise RowRuleBroken(Fault("", "not-an-object", detail))
        texts: dict[str, str] = {}
        faults = list(also)
        for name, value in body.items():
            text = as_text(value)
            if text is not None:
                texts[name] = text
            elif name in self.names:
                faults.append(Fault(name, "bad-type", self._kind_of(name)))
        if faults or len(texts) < len(body):
            faults = [*unknown_names(body, known=frozenset(self.names), what=self.what), *faults]
            found = any(fault.code == IdentifierFound.code for fault in faults)
            raise (IdentifierFound if found else RowRuleBroken)(faults)
        return texts

    def _described(self, name: str) -> serializers.Field[Any, Any, Any, Any]:
        asked = name in self.required
        if name in self.numbers:
            return serializers.IntegerField(required=asked, allow_null=not asked)
        if name in self.lists:
            choice = serializers.ChoiceField(choices=CODELISTS[self.lists[name]].choices())
            return serializers.ListField(child=choice, required=False, allow_null=True)
        if name in self.coded:
            return serializers.ChoiceField(
                choices=CODELISTS[self.coded[name]].choices(),
                required=asked,
                allow_null=not asked,
                allow_blank=not asked,
            )
        return serializers.CharField(
            required=asked, allow_null=not asked, allow_blank=not asked, max_length=40
        )

    def _kind_of(self, name: str) -> str:
        if name in self.numbers:
            return "send a whole number, or null"
        return "send a list of codes, or null" if name in self.lists else "send text"


class CodedTextField(serializers.CharField):
    """A code or a key on its way out, or null where the column is blank."""

    def to_representation(self, value: Any) -> Any:
        """The plain text of it."""
        return str(value) if value else None


def as_text(value: object) -> str | None:
    """What a cell of a file would hold; None for what no cell holds. 12.0 is 12."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list) and all(isinstance(each, str) and each for each in value):
        return ";".join(value)
    return None

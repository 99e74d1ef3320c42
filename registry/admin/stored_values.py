"""The admin's words for stored values on read-only pages: blanks, codes and sets."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin.helpers import AdminForm, AdminReadonlyField, Fieldline, Fieldset
from django.contrib.admin.utils import display_for_value, lookup_field
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignKey, Model
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from registry.admin.naming import label_of
from registry.models.fields import CodeSetField
from registry.vocabulary import Described

NOT_RECORDED = "not recorded"

Names = dict[tuple[type[Model], Any], str]
"""Names of other rows, looked up once a page."""


def is_blank(value: object) -> bool:
    """Whether a value is blank: NULL, an empty text, or an empty set of answers."""
    return value is None or (isinstance(value, str | frozenset | tuple | list) and not value)


def listed(answers: Iterable[Described] | None) -> str:
    """Several answers of one code list by their labels, or that none is recorded."""
    return ", ".join(sorted(answer.label for answer in answers or ())) or NOT_RECORDED


def in_words(field: Field, row: Model, names: Names) -> str:
    """One stored value in words: labels for codes, a name for another row."""
    value = getattr(row, field.attname)
    if is_blank(value):
        return NOT_RECORDED
    if isinstance(value, frozenset):
        return listed(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, ForeignKey):
        other: Any = field.related_model
        if (other, value) not in names:
            names[other, value] = label_of(other._base_manager.get(pk=value))
        return names[other, value]
    if field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)


class ReadValue(AdminReadonlyField):
    """A read-only value; a blank reads "not recorded".

    Django shows a method's None as text, which would read as an answer.
    """

    def contents(self) -> SafeString:
        """The value in words, with the earlier one where it changed since the last look."""
        before = getattr(self.form, "before", {}).get(self.field["field"])
        if before is None:
            return self._now()
        changed = '{} <span class="tag changed">changed, was: {}</span>'
        return format_html(changed, self._now(), before)

    def _now(self) -> SafeString:
        name, row = self.field["field"], self.form.instance
        try:
            field = row._meta.get_field(name)
        except FieldDoesNotExist:
            return self._said(name)
        value = getattr(row, field.attname)
        if isinstance(field, CodeSetField):
            return conditional_escape(listed(value))
        if is_blank(value):
            return conditional_escape(self.empty_value_display)
        return super().contents()

    def _said(self, name: Any) -> SafeString:
        """The value of a method or a property, called once."""
        _field, attribute, value = lookup_field(name, self.form.instance, self.model_admin)
        is_claim = getattr(attribute, "boolean", False)
        words = display_for_value(value, self.empty_value_display, boolean=is_claim)
        return conditional_escape(self.empty_value_display if is_blank(words) else words)


class ReadLine(Fieldline):
    """A line of the page, with read-only values in words."""

    def __iter__(self) -> Iterator[Any]:
        for shown in super().__iter__():
            if isinstance(shown, AdminReadonlyField):
                name = shown.field["field"]
                yield ReadValue(self.form, name, shown.is_first, model_admin=self.model_admin)
            else:
                yield shown


class ReadSection(Fieldset):
    """A section of the page, with read-only values in words."""

    def __iter__(self) -> Iterator[ReadLine]:
        named: Any = self
        for field in named.fields:
            yield ReadLine(self.form, field, self.readonly_fields, model_admin=self.model_admin)


class ReadForm(AdminForm):
    """The page of one row, with read-only values in words."""

    def __iter__(self) -> Iterator[ReadSection]:
        sections: Any = self.fieldsets
        for name, options in sections:
            yield ReadSection(
                self.form,
                name,
                readonly_fields=self.readonly_fields,
                model_admin=self.model_admin,
                **options,
            )

    @classmethod
    def of(cls, shown: AdminForm) -> "ReadForm":
        """The same page, with read-only values in words."""
        made = cls(shown.form, shown.fieldsets, {}, shown.readonly_fields, shown.model_admin)
        made.prepopulated_fields = shown.prepopulated_fields
        return made

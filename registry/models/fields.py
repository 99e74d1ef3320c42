"""Columns that hold one code of a list, or several."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.lookups import Lookup

from registry.vocabulary import Code


@cache
def _unpacked(codes: type[Code], bits: int) -> frozenset[Code]:
    """The set packed in a number; cached, as few different sets occur."""
    return frozenset(codes.unpack(bits))


class _ListInVocabulary:
    """A field whose choices are in the vocabulary, not in migrations."""

    def deconstruct(self) -> Any:
        """Omit codes and labels: a constraint of the model checks the column."""
        name, _path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        kwargs.pop("choices", None)
        return name, f"django.db.models.{self.stored_as}", args, kwargs  # type: ignore[attr-defined]


class CodeField(_ListInVocabulary, models.CharField):
    """One code of a list."""

    stored_as = "CharField"


class GradeField(_ListInVocabulary, models.PositiveSmallIntegerField):
    """One grade of a list of numbers."""

    stored_as = "PositiveSmallIntegerField"


class CodeSetField(models.BigIntegerField):
    """Several codes of one list in one whole number; in Python a frozenset, or None.

    codes: the list; the member whose `bit` is n stands at 2**n. None, "not recorded", is NULL, and
    so is an empty set. The list may hold 62 codes at most.
    """

    validators: list[Any] = []  # a set has no smallest value

    def __init__(self, *args: Any, codes: type[Code], **kwargs: Any) -> None:
        self.codes = codes
        kwargs["null"] = kwargs["blank"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Name the code list in migrations."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["null"], kwargs["blank"]
        return name, path, args, {**kwargs, "codes": self.codes}

    def from_db_value(self, value: int | None, *_: Any) -> frozenset[Code] | None:
        """Give back the set that was stored."""
        return _unpacked(self.codes, value) if value else None

    def to_python(self, value: Any) -> frozenset[Code] | None:
        """Read a set from codes, from their packed number, or from text with semicolons.

        Raises ValidationError on a code that is not of the list; the value is not echoed.
        """
        if value is None:
            return None
        if isinstance(value, str):
            value = int(value) if value.isdigit() else [code for code in value.split(";") if code]
        by_code = {member.value: member for member in self.codes}
        try:
            if isinstance(value, int):
                return frozenset(self.codes.unpack(value)) or None
            return frozenset(by_code[code] for code in value) or None
        except (KeyError, TypeError, ValueError) as error:
            raise ValidationError("Choose codes of the list.", code="unknown-code") from error

    def get_prep_value(self, value: Any) -> int | None:
        """Pack a set for the database; numbers are packed already."""
        if value is None or isinstance(value, int):
            return value
        if hasattr(value, "resolve_expression"):
            return super().get_prep_value(value)
        return self.codes.pack(self.to_python(value) or ()) or None

    def value_to_string(self, obj: models.Model) -> str:
        """Write the set as sorted codes with semicolons between."""
        codes: Any = self.value_from_object(obj)
        return ";".join(sorted(codes or ()))

    def formfield(self, **kwargs: Any) -> Any:
        """Offer the codes as a list of boxes to tick."""
        kwargs.pop("choices_form_class", None)
        return forms.MultipleChoiceField(
            required=False,
            choices=self.codes.choices,
            label=kwargs.get("label") or str(self.verbose_name).capitalize(),
            help_text=kwargs.get("help_text", self.help_text),
            widget=kwargs.get("widget", forms.CheckboxSelectMultiple),
        )

    def rule(self, field: str) -> models.Q:
        """The condition that only bits of the list are set, and that a blank is NULL."""
        among_the_codes = models.Q(**{f"{field}__gte": 1, f"{field}__lt": 1 << len(self.codes)})
        return models.Q(**{f"{field}__isnull": True}) | among_the_codes


@CodeSetField.register_lookup
class HoldsAny(Lookup):
    """`interventions__holds_any=[...]`: rows whose set shares a code with the given ones."""

    lookup_name = "holds_any"

    def get_prep_lookup(self) -> int:
        """Pack the codes; an empty list selects no row."""
        codes: Iterable[Any] = self.rhs
        return self.lhs.output_field.get_prep_value(codes) or 0

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compare bit by bit, the same on SQLite and PostgreSQL."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"({left} & {right}) <> 0", (*left_params, *right_params)

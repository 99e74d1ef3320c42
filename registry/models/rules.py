"""Row rules as named database constraints, each with a message for the person who enters data.

A constraint's name ends in its rule and is the `violation_error_code` too. Only rules of a single
row are here; those that need a second row are in intake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from enum import Enum
from typing import Any, cast

from django.db.models import CheckConstraint, Model, Q
from django.utils.module_loading import import_string

from registry.models.fields import CodeField, CodeSetField
from registry.records import spelling
from registry.records.declared import Holds, RowColumn
from registry.vocabulary import CatheterModel, Code, PumpModel, Severity

SOURCE_ID = r"\A[A-Za-z0-9._-]{1,40}\Z"
SITE_CODE = rf"\A{spelling.SITE_CODE.pattern}\Z"
COUNTRY = r"\A[A-Z]{2}\Z"
KEBAB_CASE = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"

FIRST_YEAR, LAST_YEAR = 1980, 2100
"""Years that the registry takes: the first pumps were implanted in the early 1980s."""

LAST_MONTH = 1200
"""No device is followed for more than a hundred years; larger numbers are typing errors."""


def rule(name: str, condition: Q, message: str) -> CheckConstraint:
    """One named rule of a model's rows; `name` is unique within the model."""
    return CheckConstraint(
        name=f"%(app_label)s_%(class)s_{name}",
        condition=_with_plain_values(condition),
        violation_error_message=message,
        violation_error_code=name.replace("_", "-"),
    )


def code_field(codes: type[Code], *, blank: bool = True, **kwargs: object) -> CodeField:
    """A column for one code of a list; empty text is "not recorded" where blank is allowed."""
    kwargs = {"default": "", "blank": True, **kwargs} if blank else kwargs
    return CodeField(max_length=40, choices=codes.choices, **kwargs)  # type: ignore[arg-type]


class CodedColumn(CheckConstraint):
    """The rule that a column holds a code of its list, or empty text where blank is allowed.

    Migrations name the list and its edition (a digest of its codes) instead of writing the codes
    out: a changed list makes a migration of two lines. codes: a list, or its dotted name.
    """

    def __init__(
        self,
        *,
        field: str,
        codes: type[Code] | str,
        blank: bool,
        name: str,
        edition: str | None = None,
    ) -> None:
        self.codes: type[Code] = import_string(codes) if isinstance(codes, str) else codes
        self.field, self.blank = field, blank
        self.edition = edition or edition_of(self.codes)
        self.values = [*([""] if blank else []), *self.codes.codes()]
        super().__init__(
            name=name,
            condition=Q(**{f"{field}__in": self.values}),
            violation_error_message=f"Choose {_words(field)} from the list.",
            violation_error_code=f"{field}-is-coded".replace("_", "-"),
        )

    def constraint_sql(self, model: type[Model] | None, schema_editor: Any) -> str:
        """The rule in the statement that makes the table.

        On SQLite an alternative for each code: it would make a table of the list after `IN` for
        every row that is written, six times the work of storing the row.
        """
        if schema_editor.connection.vendor == "sqlite":
            either = Q(*((self.field, value) for value in self.values), _connector=Q.OR)
            alternatives = CheckConstraint(name=self.name, condition=either)
            return alternatives.constraint_sql(model, schema_editor)
        return super().constraint_sql(model, schema_editor)

    def deconstruct(self) -> Any:
        """Name the list and its edition in migrations."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        codes = f"{self.codes.__module__}.{self.codes.__qualname__}"
        named = {"field": self.field, "codes": codes, "blank": self.blank}
        return path, (), {**named, "name": self.name, "edition": self.edition}

    def __eq__(self, other: object) -> bool:
        """Equal where column and edition of the list are equal."""
        if not isinstance(other, CodedColumn):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]  # as every constraint


def edition_of(codes: type[Code]) -> str:
    """A short digest of a list's codes, in any order."""
    return hashlib.sha256(" ".join(sorted(map(str, codes.codes()))).encode()).hexdigest()[:8]


def coded(field: str, codes: type[Code], *, blank: bool = True) -> CodedColumn:
    """The rule that a column holds a code of its list, or empty text where blank is allowed."""
    name = f"%(app_label)s_%(class)s_{field}_is_coded"
    return CodedColumn(field=field, codes=codes, blank=blank, name=name)


def all_coded(lists: dict[str, type[Code]], *, required: Iterable[str] = ()) -> list:
    """The `coded` rule of every column named; those in `required` take no blank."""
    return [coded(field, codes, blank=field not in required) for field, codes in lists.items()]


def codes_of(
    columns: Mapping[str, RowColumn], *, without: Container[str] = ()
) -> dict[str, type[Code]]:
    """The list of every declared column that holds one code; a model's are two columns.

    without: declared columns that another table holds.
    """
    lists: dict[str, type[Code]] = {}
    for name, column in columns.items():
        if column.holds is Holds.MODEL:
            lists |= {"pump_model": PumpModel, "catheter_model": CatheterModel}
        elif column.holds is Holds.CODE and column.codes and name not in without:
            lists[name] = column.codes
    return lists


def code_set_rule(field: str, codes: type[Code]) -> CheckConstraint:
    """The rule that a set column holds codes of its list only."""
    return rule(
        f"{field}_is_coded",
        CodeSetField(codes=codes).rule(field),
        f"Choose {_words(field)} from the list.",
    )


def grade_rule(field: str) -> CheckConstraint:
    """The rule that a grade is 1 to 5 or not recorded."""
    return rule(
        f"{field}_is_a_grade",
        Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": Severity.codes()}),
        "Grade 1 to 5, or leave it empty.",
    )


def year_rule(field: str) -> CheckConstraint:
    """The rule that a year is one in which pumps were implanted, or not recorded."""
    return rule(
        f"{field}_is_plausible",
        Q(**{f"{field}__isnull": True})
        | Q(**{f"{field}__gte": FIRST_YEAR, f"{field}__lte": LAST_YEAR}),
        f"Give {_words(field)} as four digits, {FIRST_YEAR} to {LAST_YEAR}.",
    )


def months_rule(field: str) -> CheckConstraint:
    """The rule that a number of months is not negative and at most LAST_MONTH."""
    return rule(
        f"{field}_is_plausible",
        Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 0, f"{field}__lte": LAST_MONTH}),
        f"Give {_words(field)} in whole months, 0 to {LAST_MONTH}.",
    )


def count_rule(field: str) -> CheckConstraint:
    """The rule that a count is not negative."""
    return rule(
        f"{field}_is_not_negative",
        Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 0}),
        f"Give {_words(field)} as a whole number, 0 or more.",
    )


def source_id_rule(*, blank: bool = False) -> CheckConstraint:
    """The rule that a site's own key is short and has no room for a name or a sentence."""
    condition = Q(source_id__regex=SOURCE_ID)
    return rule(
        "source_id_is_a_key",
        condition | Q(source_id="") if blank else condition,
        "A source id has 1 to 40 letters, digits, dots, underscores or hyphens.",
    )


def model_fits_component_rule() -> CheckConstraint:
    """The rule that only the model column of the row's own component is filled in."""
    return rule(
        "model_fits_component",
        Q(component="pump", catheter_model="") | Q(component="catheter", pump_model=""),
        "A pump has a pump model and a catheter a catheter model: clear the other one.",
    )


def _with_plain_values(condition: Q) -> Q:
    """Write members of code lists as their codes, so that migrations hold what is stored."""
    plain = Q(_connector=condition.connector, _negated=condition.negated)
    for part in condition.children:
        if isinstance(part, Q):
            plain.children.append(_with_plain_values(part))
        else:
            lookup, value = cast("tuple[str, object]", part)
            plain.children.append((lookup, _plain(value)))
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _words(field: str) -> str:
    return field.replace("_", " ")

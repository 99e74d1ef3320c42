"""Row rules as named database constraints, with the sentence for the person who types.

A constraint's name ends in its rule and is the `violation_error_code` too. Only rules that one row
can break stand here; those that need a second row live in intake.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import cast

from django.db.models import CheckConstraint, Q
from django.db.models.fields import CharField

from registry.models.fields import CodeSetField
from registry.vocabulary import Code, Severity

SOURCE_ID = r"\A[A-Za-z0-9._-]{1,40}\Z"
SITE_CODE = r"\A[A-Z0-9-]{2,20}\Z"
COUNTRY = r"\A[A-Z]{2}\Z"
KEBAB_CASE = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"

FIRST_YEAR, LAST_YEAR = 1980, 2100
"""Years that the registry takes: the first pumps were implanted in the early 1980s."""

LAST_MONTH = 1200
"""No device is followed for more than a hundred years; a larger number is a slip."""


def rule(name: str, condition: Q, message: str) -> CheckConstraint:
    """One named rule of a model's rows; `name` is unique within the model."""
    return CheckConstraint(
        name=f"%(app_label)s_%(class)s_{name}",
        condition=_with_plain_values(condition),
        violation_error_message=message,
        violation_error_code=name.replace("_", "-"),
    )


def code_field(codes: type[Code], *, blank: bool = True, **kwargs: object) -> CharField:
    """A column for one code of a list; empty text is "not recorded" where blank is allowed."""
    kwargs = {"default": "", "blank": True, **kwargs} if blank else kwargs
    return CharField(max_length=40, choices=codes.choices, **kwargs)  # type: ignore[arg-type]


def coded(field: str, codes: type[Code], *, blank: bool = True) -> CheckConstraint:
    """The rule that a column holds a code of its list, or empty text where blank is allowed."""
    values = [*([""] if blank else []), *codes.codes()]
    return rule(
        f"{field}_is_coded",
        Q(**{f"{field}__in": values}),
        f"Choose {_words(field)} from the list.",
    )


def all_coded(lists: dict[str, type[Code]], *, required: Iterable[str] = ()) -> list:
    """The `coded` rule of every column named; those in `required` take no blank."""
    return [coded(field, codes, blank=field not in required) for field, codes in lists.items()]


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
    """The rule that a number of months is not negative and not past belief."""
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

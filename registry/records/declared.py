"""Declares a column by a record's field: its type, and its description.

The annotation of a field says what the column holds, its `Heading` describes it;
`declared_columns` reads both. Readers, stored columns, the API's fields, forms, synthetic rows and
the snapshot follow from them.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from registry.vocabulary import CODELISTS, CatheterModel, Code, PumpModel, Severity


class Holds(Enum):
    """The kinds of values in the cells of a column."""

    SITE = "a site's code"
    KEY = "a site's own random key"
    TERM = "a complication of the catalogue"
    YEAR = "a year"
    NUMBER = "a whole number"
    GRADE = "a grade"
    CODE = "one code of a list"
    CODES = "several codes of a list"
    MODEL = "a model of a pump or a catheter"


@dataclass(frozen=True, slots=True)
class Whole:
    """The range of a whole number; `what` names it with its unit in messages."""

    what: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Heading:
    """The description of a column, and whether every file names it.

    title: the label in forms. hint: the help text. in_header: a file's header must name the column;
    its cells may be empty. frozen: its description in a snapshot's dictionary; empty where no
    statistic needs the column, which then stays out of snapshots, or needs it only with others, as
    their schema says.
    """

    title: str
    hint: str = ""
    in_header: bool = False
    frozen: str = ""


@dataclass(frozen=True, slots=True)
class RowColumn:
    """One column of a kind of row, as its record declares it.

    required: every row must have it. nullable: a stored row may have it "not recorded".
    codes: its code list. whole: the range of its number.
    """

    name: str
    heading: Heading
    holds: Holds
    required: bool
    nullable: bool
    codes: type[Code] | None = None
    whole: Whole | None = None

    @property
    def title(self) -> str:
        """The column's label in forms."""
        return self.heading.title

    @property
    def in_words(self) -> str:
        """The title and the help text, as sentences."""
        title = self.title if self.title.endswith("?") else f"{self.title}."
        return f"{title} {self.heading.hint}".rstrip()

    @property
    def members(self) -> tuple[Any, ...]:
        """The entries of its list, a model's of both components; none for keys and numbers."""
        if self.holds is Holds.MODEL:
            return (*PumpModel, *CatheterModel)
        if self.holds is Holds.GRADE:
            return tuple(Severity)
        return tuple(self.codes) if self.codes is not None else ()

    @property
    def codelist(self) -> str:
        """The public name of its code list."""
        return _LIST_NAMES[self.codes]


_LIST_NAMES: Mapping[Any, str] = {codes: name for name, codes in CODELISTS.items()}


def declared_columns(record: type) -> dict[str, RowColumn]:
    """The columns of a record by name, in the order of their declaration.

    Raises TypeError for a field without a heading, or of an unsupported type.
    """
    hints = get_type_hints(record, include_extras=True)
    declared = {}
    for field in fields(record):
        annotation = hints[field.name]
        if get_origin(annotation) is not Annotated:
            raise TypeError(f"{record.__name__}.{field.name} has no heading.")
        said, *held, heading = get_args(annotation)
        required = field.default is MISSING
        declared[field.name] = RowColumn(
            field.name,
            heading,
            required=required,
            nullable=type(None) in get_args(said),
            **_held(said, held),
        )
    return declared


def _held(said: Any, held: list[Any]) -> dict[str, Any]:
    """The kind of values of a field's type, ignoring None for "not recorded"."""
    is_union = get_origin(said) in (Union, types.UnionType)
    parts = {part for part in get_args(said) if part is not type(None)} if is_union else {said}
    if parts == {PumpModel, CatheterModel}:
        return {"holds": Holds.MODEL}
    (part,) = parts
    if get_origin(part) is Annotated:
        part, *held = get_args(part)
    for each in held:
        return (
            {"holds": Holds.NUMBER, "whole": each} if isinstance(each, Whole) else {"holds": each}
        )
    if get_origin(part) is frozenset:
        return {"holds": Holds.CODES, "codes": get_args(part)[0]}
    if part is Severity:
        return {"holds": Holds.GRADE}
    if isinstance(part, type) and issubclass(part, Code):
        return {"holds": Holds.CODE, "codes": part}
    raise TypeError(f"No column can hold {part}.")

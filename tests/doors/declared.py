"""A value of its own for every column that the registry declares, by the column's type."""

import types
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Any, Union, get_args, get_origin, get_type_hints

from registry.records import EventRecord, ExposureRecord, ImplantRecord, PatientRecord
from registry.vocabulary.code import Described

RECORDS: Mapping[str, type] = {
    "patients": PatientRecord,
    "implants": ImplantRecord,
    "exposures": ExposureRecord,
    "events": EventRecord,
}

KEYS = {
    "site": "OWN-1",
    "source_id": "snt",
    "patient": "p-snt",
    "implant": "i-snt",
    "caused_by": "e-cause",
    "complication": "pump-motor-stall",
    "component": "pump",
}
"""What names other rows, and what decides which lists the others are of."""

TIMES = {"year": 2017, "implant_year": 2015, "months_since_implant": 26, "months_followed": 61}
"""Numbers that the row rules hold against one another."""

SPEAK_FOR_OTHERS = frozenset({"unknown", "none", "death", "fatal", "near-miss", "not-applicable"})
"""Codes that rule out others of the same row."""

DEATH = 5

Values = dict[str, Any]


def columns_of(kind: str) -> tuple[str, ...]:
    """The columns of a kind of row, as its record declares them."""
    return tuple(RECORDS[kind].__dataclass_fields__)


def values_of(kind: str, *, without: Collection[str] = (), **fixed: Any) -> Values:
    """A row with every column filled, no value in two columns: a swap of columns is seen.

    Codes are text and sets of codes sorted lists, as JSON has them. without: columns to leave out.
    """
    hints = get_type_hints(RECORDS[kind])
    numbers = iter(count(7))
    values: Values = {}
    taken: set[Any] = set()
    for name in columns_of(kind):
        if name in without:
            continue
        known = {**KEYS, **TIMES, **fixed}
        values[name] = known[name] if name in known else _value(hints[name], taken, numbers)
        taken.update(values[name] if isinstance(values[name], list) else [values[name]])
    return values


def _value(hint: Any, taken: set[Any], numbers: Iterator[int]) -> Any:
    kind = _kind(hint)
    if get_origin(kind) is frozenset:
        (listed,) = get_args(kind)
        free = _codes(listed, taken)
        return sorted([next(free), next(free)])
    if isinstance(kind, type) and issubclass(kind, Described):
        return next(_codes(kind, taken))
    if kind is int:
        return next(number for number in numbers if number not in taken)
    raise AssertionError(f"There is no value for a column of the type {kind}: give it one here.")


def _kind(hint: Any) -> Any:
    """The type of a column without None; of the two lists of models that of pumps."""
    if get_origin(hint) in (Union, types.UnionType):
        return sorted((each for each in get_args(hint) if each is not type(None)), key=_name)[-1]
    return hint


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _codes(listed: type[Described], taken: set[Any]) -> Iterator[Any]:
    for code in listed.codes():
        if code not in taken and code not in SPEAK_FOR_OTHERS and code != DEATH:
            yield code

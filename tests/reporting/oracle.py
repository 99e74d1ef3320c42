"""A second reading of the counting rules, in plain loops over the rows as they were sent.

It shares nothing with the snapshot, the store or the reporting: where the two agree on many
questions, each would have had to make the same mistake. It answers one selection at a time; a
breakdown is the answers to the question narrowed to each of its rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from registry.catalogue import Catalogue
from registry.records import EventRecord, ExposureRecord, ImplantRecord
from registry.vocabulary import (
    NOT_RECORDED,
    Actuality,
    AgeBand,
    CatheterModel,
    Component,
    CountingRule,
    DaysSinceProcedure,
    Denominator,
    Drug,
    ExitEffect,
    Indication,
    PumpModel,
    Seriousness,
)

PATIENTS_OWN_CATEGORIES = {"drug-effect", "withdrawal"}
PATIENTS_OWN_COMPLICATIONS = {"death"}
WITHIN_90_DAYS = {
    DaysSinceProcedure.DAYS_0_7,
    DaysSinceProcedure.DAYS_8_30,
    DaysSinceProcedure.DAYS_31_60,
    DaysSinceProcedure.DAYS_61_90,
}
MONTHS_OF = {Denominator.PUMP_MONTHS: Component.PUMP, Denominator.CATHETER_MONTHS: Component.CATHETER}
EVENT_SIDE = {
    "complication", "category", "severity", "serious", "seriousness", "relatedness_device",
    "relatedness_procedure", "relatedness_drug", "relatedness_programming",
    "relatedness_disease", "outcome", "intervention", "root_cause", "detection", "actuality",
}  # fmt: skip
Key = tuple[str, str]


@dataclass(frozen=True)
class Asked:
    """One selection: what each dimension may be, the years, the months, and how to count."""

    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    years: tuple[int | None, int | None] | None = None
    windows: tuple[tuple[int, int | None], ...] = ()
    counting: CountingRule | None = None
    unit: Denominator | None = None
    grouped: frozenset[str] = frozenset()

    def narrowed(self, cell: Mapping[str, str]) -> "Asked":
        """The same question of one row of a breakdown."""
        where = dict(self.where)
        windows = self.windows
        for name, value in cell.items():
            if name == "window" and value != NOT_RECORDED:
                first, _, last = value.partition("-")
                windows = ((int(first), int(last) if last else None),)
            else:
                where[name] = where.get(name, frozenset({value})) & {value}
        return replace(self, where=where, windows=windows)


@dataclass(frozen=True)
class Rate:
    """What a rate is made of; by_patient is events and time of each patient."""

    unit: Denominator
    events: int
    exposure: float
    by_patient: Mapping[object, tuple[int, float]] = field(default_factory=dict)

"""Rows that a check of files would store, kept for later rows to refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from django.db.models import Model

from registry.intake.relations import CHECKED_AGAINST
from registry.intake.shelf import Shelf
from registry.models import Event, Exposure, Implant, Patient, Site

M = TypeVar("M", bound=Model)

SourceKey = tuple[int, str]
"""A row by its site's primary key and its source id."""

_KEPT: Mapping[type[Model], tuple[str, ...]] = {
    Patient: ("pk", "sex", "indication"),
    Implant: ("pk", "patient_id", *CHECKED_AGAINST),
    Event: ("pk", "patient_id"),
}
"""The columns of a row against which other rows are checked."""

DECLARED_ONCE = ("year", "component", "pump_model", "catheter_model")
"""The unique key of a declaration of device time."""


class Drafts:
    """Takes rows like an open seal, without writing them.

    Rows that are not stored have negative primary keys, so that they are never taken for stored
    ones. What later rows may name lies on a shelf: memory grows by causes and declarations alone.
    """

    number = -1
    """The seal number of rows that are not stored; no seal has it."""

    def __init__(self) -> None:
        self.causes: dict[int, int] = {}
        self.declared: set[tuple[Any, ...]] = set()
        self._keys = count(-1, -1)
        self._rows: dict[type[Model], Shelf[SourceKey, tuple[Any, ...]]] = {
            model: Shelf() for model in _KEPT
        }
        self._followed: dict[int, tuple[int, str]] = {}

    def save(self, instance: Site, reason: str = "") -> None:
        """Takes a site that would be created."""
        instance.pk = next(self._keys)

    def bulk_create(self, model: type[M], objs: Iterable[M], reason: str = "") -> int:
        """Takes rows that would be stored, and sets their primary keys; returns their number."""
        written = 0
        kept: list[tuple[SourceKey, tuple[Any, ...]]] = []
        for obj in objs:
            obj.pk = next(self._keys)
            written += 1
            if model in _KEPT:
                row: Any = obj
                values = tuple(getattr(row, name) for name in _KEPT[model])
                kept.append(((row.site_id, row.source_id), values))
            if isinstance(obj, Event):
                self._note(obj)
            elif isinstance(obj, Exposure):
                key = (getattr(obj, name) for name in DECLARED_ONCE)
                self.declared.add((obj.site_id, *key))
        if kept:
            self._rows[model].put(kept)
        return written

    def bulk_update(
        self, model: type[M], objs: Iterable[M], fields: Sequence[str], reason: str = ""
    ) -> int:
        """Takes rows that would be changed: implants' follow-up, events' causes."""
        written = 0
        for obj in objs:
            written += 1
            if isinstance(obj, Implant):
                self._followed[obj.pk] = obj.months_followed, obj.exit_status
            elif isinstance(obj, Event) and obj.caused_by_id is not None:
                self.causes[obj.pk] = obj.caused_by_id
        return written

    def over(
        self,
        model: type[Model],
        stored: dict[SourceKey, Mapping[str, Any]],
        keys: Iterable[SourceKey],
        columns: Sequence[str],
    ) -> dict[SourceKey, Mapping[str, Any]]:
        """The stored rows with the changes taken, and the new rows."""
        found = dict(stored)
        if model is Implant:
            for key, row in stored.items():
                if row["pk"] in self._followed:
                    months, status = self._followed[row["pk"]]
                    later = {"months_followed": months, "exit_status": status}
                    found[key] = {**row, **later, "seal_id": self.number}
        for key, values in self._rows[model].find(keys).items():
            known = dict(zip(_KEPT[model], values, strict=True))
            known |= {"site_id": key[0], "source_id": key[1], "seal_id": self.number}
            wanted = {"site_id", "source_id", *columns}
            found[key] = {name: known[name] for name in wanted & known.keys()}
        return found

    def _note(self, event: Event) -> None:
        if event.caused_by_id is not None:
            self.causes[event.pk] = event.caused_by_id

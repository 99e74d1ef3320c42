"""Verifies the audit trail: seals, history rows and live rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.db import models

from registry.models.audit import GENESIS, Seal, SealedHistory
from registry.models.digests import SealDigest, history_label, history_rows
from registry.models.redactions import Redaction

GENERATED = "generate"
"""The action of the seal under which synthetic rows were loaded in bulk, without history."""

_LOADED_IN_BULK = {"event", "exposure", "implant", "patient"}


@dataclass(frozen=True, slots=True)
class Break:
    """A break of the audit trail: where, and what is wrong.

    seal: number of the first bad seal; None for a row outside every seal.
    """

    seal: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification: numbers of seals and history rows, and the first break, if any.

    redacted: how many of the seals cover history rows in which a key was replaced since.
    """

    seals: int
    rows: int
    first_break: Break | None
    redacted: int = 0


@cache
def models_with_history() -> tuple[type[models.Model], ...]:
    """Every model whose writes are sealed, in the order in which digests take them.

    Found once: each look at a model's history makes a class, and pages for auditors took 44 ms.
    """
    sealed_models = (
        model
        for model in apps.get_models()
        if hasattr(model, "history") and issubclass(model.history.model, SealedHistory)
    )
    return tuple(sorted(sealed_models, key=history_label))


def verify_trail() -> Verified:
    """Recompute every seal from the history rows, then compare the live rows with their history.

    Reads every history table and every table with a history once, in order; memory stays flat.
    Stops at the first break.
    """
    histories = {history_label(model): _Rows(model) for model in models_with_history()}
    redactions = latest_redactions()
    seals = rows = redacted = 0
    previous = GENESIS
    for number, seal in enumerate(Seal.objects.order_by("number").iterator(), start=1):
        digest = SealDigest()
        for label, history in histories.items():
            for row in history.up_to(seal.number):
                digest.add(label, row)
        known = redactions.get(seal.number, seal.digest)
        what = _fault(seal, number=number, previous=previous, digest=digest, known=known)
        if what:
            return Verified(seals, rows, Break(seal.number, what), redacted)
        previous = seal.hash
        seals, rows = seals + 1, rows + digest.rows
        redacted += seal.number in redactions
    for label, history in histories.items():
        if history.is_left:
            return Verified(
                seals, rows, Break(None, f"A history row of {label} has no seal."), redacted
            )
    return Verified(seals, rows, _live_break(), redacted)


def latest_redactions(of_seal: int | None = None) -> dict[int, str]:
    """The digest of the history rows under each redacted seal, as of its last redaction.

    of_seal: of this seal only. The redactions themselves are sealed like every other row.
    """
    redactions = Redaction.objects.order_by("pk")
    if of_seal is not None:
        redactions = redactions.filter(of_seal=of_seal)
    return dict(redactions.values_list("of_seal", "digest"))


def digest_of(seal_number: int) -> SealDigest:
    """The digest of the history rows under one seal as they are now; reads them all."""
    digest = SealDigest()
    for model in models_with_history():
        rows = model.history.filter(seal_number=seal_number)  # type: ignore[attr-defined]
        for row in history_rows(rows.order_by("history_id")):
            digest.add(history_label(model), row)
    return digest


def fault_of(seal: Seal) -> str:
    """What is wrong with one seal, given the previous one and its own rows; empty if nothing.

    Reads the history rows under it.
    """
    digest = digest_of(seal.number)
    known = latest_redactions(seal.number).get(seal.number, seal.digest)
    before = Seal.objects.filter(number=seal.number - 1).first()
    if before is None and seal.number > 1:
        return f"Seal {seal.number - 1} is missing."
    previous = before.hash if before else GENESIS
    return _fault(seal, number=seal.number, previous=previous, digest=digest, known=known)


def _fault(seal: Seal, *, number: int, previous: str, digest: SealDigest, known: str) -> str:
    """What is wrong with one seal, in words; empty if nothing.

    known: the digest that its rows must have, its own or that of its last redaction.
    """
    if seal.number != number:
        return f"Seal {number} is missing."
    if seal.previous != previous:
        return "It does not follow from the seal before it."
    if seal.hash != seal.expected_hash():
        return "It was altered: its hash does not fit what it says."
    if seal.rows != digest.rows:
        return f"It covers {seal.rows} history rows, and {digest.rows} are there."
    if known != digest.hexdigest():
        return "A history row under it was altered."
    return ""


class _Rows:
    """The history rows of one model in the order of their seals, read once."""

    def __init__(self, model: type[models.Model]) -> None:
        rows = model.history.order_by("seal_number", "history_id")  # type: ignore[attr-defined]
        self._rows = history_rows(rows)
        self._next: dict[str, Any] | None = next(self._rows, None)

    def up_to(self, number: int) -> Iterator[dict[str, Any]]:
        """The rows after the previous seal's, up to this seal's."""
        while self._next is not None and self._next["seal_number"] <= number:
            yield self._next
            self._next = next(self._rows, None)

    @property
    def is_left(self) -> bool:
        """Whether rows are left that no seal covers."""
        return self._next is not None


def _live_break() -> Break | None:
    """The first live row that differs from its last history row."""
    generated = set(Seal.objects.filter(action=GENERATED).values_list("number", flat=True))
    for model in models_with_history():
        pk: Any = model._meta.pk
        bulk = history_label(model) in _LOADED_IN_BULK
        names = [field.attname for field in model.history.model.tracked_fields]  # type: ignore[attr-defined]
        live = model._base_manager.order_by("pk").values(*names).iterator(chunk_size=2000)
        recorded = _last_of_each(model, pk.attname, [*names, "seal_number"])
        if not isinstance(pk, models.AutoField):  # databases differ in how they sort codes
            by_key = itemgetter(pk.attname)
            live, recorded = iter(sorted(live, key=by_key)), iter(sorted(recorded, key=by_key))
        for row, last in _side_by_side(live, recorded, pk.attname):
            if last is None and bulk and row is not None and _is_generated(row, generated):
                continue
            if last is None:
                return Break(None, f"A row of {history_label(model)} has no history.")
            number = last.pop("seal_number")
            if row != last:
                what = "has gone" if row is None else "was altered past its history"
                return Break(number, f"A row of {history_label(model)} {what}.")
    return None


def _is_generated(row: dict, generated: set[int]) -> bool:
    """Whether a row without history is synthetic; a patient row names no seal."""
    return row["seal_id"] in generated if "seal_id" in row else bool(generated)


def _last_of_each(model: type[models.Model], key: str, names: list[str]) -> Iterator[dict]:
    """The last history row of every row ever written, ordered by the row's key."""
    rows = model.history.order_by(key, "history_id").values(*names)  # type: ignore[attr-defined]
    for _, group in groupby(rows.iterator(chunk_size=2000), key=itemgetter(key)):
        *_, last = group
        yield last


def _side_by_side(
    live: Iterator[dict], recorded: Iterator[dict], key: str
) -> Iterator[tuple[dict | None, dict | None]]:
    """Pair two streams in the same order by key; None where one has no such row."""
    row, last = next(live, None), next(recorded, None)
    while row is not None or last is not None:
        if last is None or (row is not None and row[key] < last[key]):
            yield row, None
            row = next(live, None)
        elif row is None or last[key] < row[key]:
            yield None, last
            last = next(recorded, None)
        else:
            yield row, last
            row, last = next(live, None), next(recorded, None)

"""Redacts keys that should never have been stored: the one change that reaches into history."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from registry.deidentify import faults_against, identifies, made_key
from registry.deidentify.cells import Unreadable, source_id
from registry.intake.keys import PREFIXES
from registry.intake.relations import refuse
from registry.intake.writers import require_data_manager, require_version, row_in_sight
from registry.models import (
    Event,
    IdempotencyKey,
    Implant,
    Patient,
    Redaction,
    Sealing,
    User,
    sealed,
)
from registry.models.append_only import updates_allowed
from registry.models.verification import digest_of
from registry.records import DuplicateSourceId, Fault, UnknownRow, refusal_of

KEYED: Mapping[str, type[Model]] = {"patient": Patient, "implant": Implant, "event": Event}
"""The kinds of rows that have a key of their own."""

ACTION = "redact-key"


@dataclass(frozen=True, slots=True)
class Redacted:
    """One row with its new key: its kind, public id, site and key."""

    kind: str
    public_id: UUID
    site: str
    key: str


def redact_key(
    kind: str, public_id: UUID | str, *, by: User, key: str = "", version: int | None = None
) -> Redacted:
    """Replaces the key of a patient, implant or event, in its history too; for data managers.

    key: the new one; empty makes a random one. The seal says that it was done, and by whom; the
    old keys are nowhere left but in backups. Reads all history rows under the seals that it
    touches.

    Raises NotPermitted, UnknownRow, VersionConflict, IdentifierFound or RowRuleBroken for the new
    key, DuplicateSourceId.
    """
    require_data_manager(by, "redact keys")
    with sealed(by=by, action=ACTION) as seal:
        rows: Any = KEYED[kind]._default_manager
        row: Any = row_in_sight(rows.select_related("site"), public_id, by=by)
        require_version(row, version)
        new = _readable(key.strip(), row, kind) or made_key(PREFIXES[kind])
        return next(iter(_redact([(kind, row, new)], seal)))


def identifying_keys() -> Iterator[tuple[str, Any]]:
    """Rows of which a key, now or in history, is one that no door takes today: kind and row.

    Reads all keys once.
    """
    for kind, model in KEYED.items():
        rows: Any = model._default_manager
        past: Any = model.history  # type: ignore[attr-defined]
        found: set[int] = set()
        for manager, name in ((rows, "pk"), (past, "id")):
            keys = manager.exclude(source_id="").values_list(name, "source_id", "site__code")
            for pk, key, site in keys.iterator(chunk_size=2000):
                if identifies(key, site=site):
                    found.add(pk)
        for row in rows.filter(pk__in=found).select_related("site").order_by("pk"):
            yield kind, row


def redact_identifying_keys(*, by: User) -> list[Redacted]:
    """Gives every row of `identifying_keys` a random key, under one seal; for data managers.

    Raises NotPermitted.
    """
    require_data_manager(by, "redact keys")
    with sealed(by=by, action=ACTION) as seal:
        return _redact(_with_new_keys(identifying_keys()), seal)


def rows_of_key(key: str) -> Iterator[tuple[str, Any]]:
    """Rows that have a key, or had it before: kind and row. Two queries a kind."""
    for kind, model in KEYED.items():
        rows: Any = model._default_manager
        past: Any = model.history  # type: ignore[attr-defined]
        found = {*rows.filter(source_id=key).values_list("pk", flat=True)}
        found |= {*past.filter(source_id=key).values_list("id", flat=True)}
        for row in rows.filter(pk__in=found).select_related("site").order_by("pk"):
            yield kind, row


def redact_rows_of_key(key: str, *, by: User) -> list[Redacted]:
    """Gives every row that has a key, or had it, a random one, under one seal; for data managers.

    Raises NotPermitted, UnknownRow where no row has it.
    """
    require_data_manager(by, "redact keys")
    with sealed(by=by, action=ACTION) as seal:
        chosen = _with_new_keys(rows_of_key(key) if key else ())
        if not chosen:
            raise UnknownRow(Fault("key", UnknownRow.code, "no row has this key, now or before"))
        return _redact(chosen, seal)


def _with_new_keys(rows: Iterable[tuple[str, Any]]) -> list[tuple[str, Any, str]]:
    return [(kind, row, made_key(PREFIXES[kind])) for kind, row in rows]


def _redact(rows: Iterable[tuple[str, Any, str]], seal: Sealing) -> list[Redacted]:
    """Replaces keys in history, then in the rows.

    History first, for all rows: PostgreSQL drops no trigger of a table with pending checks.
    """
    chosen = list(rows)
    touched: dict[int, tuple[str, UUID]] = {}
    old: set[str] = set()
    for kind, row, new in chosen:
        past = type(row).history.filter(id=row.pk).exclude(source_id__in=["", new])
        for number, key in past.values_list("seal_number", "source_id"):
            touched[number] = (kind, row.public_id)
            old.add(key)
        with updates_allowed(connection, type(row).history.model._meta.db_table):
            past.update(source_id=new)
    redacted: list[Redacted] = []
    for kind, row, new in chosen:
        old.add(row.source_id)
        row.source_id = new
        if kind != "patient":  # a patient's version is the number of its history rows
            row.version += 1
        seal.save(row, reason=ACTION)
        redacted.append(Redacted(kind, row.public_id, row.site.code, new))
    for number, (kind, public_id) in sorted(touched.items()):
        digest = digest_of(number).hexdigest()
        redaction = Redaction(row_kind=kind, row=public_id, of_seal=number, digest=digest)
        seal.save(redaction, reason=ACTION)
    _forget_replies(old - {""})
    return redacted


def _forget_replies(keys: set[str]) -> None:
    """Deletes the stored replies to repeated requests that hold one of the keys."""
    holding = []
    for reply in IdempotencyKey.objects.iterator():
        text = str(reply.reply)
        if any(key in text for key in keys):
            holding.append(reply.pk)
    IdempotencyKey.objects.filter(pk__in=holding).delete()


def _readable(key: str, row: Any, kind: str) -> str:
    """The new key, judged as at every door; empty where none is given."""
    if not key:
        return ""
    try:
        source_id(key, row.site.code)
    except Unreadable as problem:
        raise refusal_of([Fault("key", problem.code, problem.detail)]) from None
    refuse(faults_against(row.site.key_pattern, key, "key"))
    others: Any = KEYED[kind]._default_manager
    used = others.filter(site=row.site, source_id=key).exclude(pk=row.pk).first()
    if used is not None:
        fault = Fault("key", DuplicateSourceId.code, "the site has a row of this key already")
        raise DuplicateSourceId(fault, existing=str(used.public_id))
    return key

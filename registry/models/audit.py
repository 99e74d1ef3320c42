"""Seals and history: every writing transaction leaves one seal, and every change one history row.

A seal is a link in a chain: its hash covers its number, instant, actor, action, the digest of the
history rows written under it, and the hash of the seal before. It is signed under a key that is not
in the database, and its head is written to a file beside it (ADR 21). `verify_audit` names the
place where any of these does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from registry.models.digests import SealDigest, history_label, history_rows, sha256_of
from registry.models.heads import head_of, keep_after_commit
from registry.models.insertion import insert_rows
from registry.models.rules import KEBAB_CASE, rule
from registry.models.signing import LONGEST, signer
from registry.models.statements import copy_to_history, plan_anew, update_rows

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

M = TypeVar("M", bound=models.Model)

GENESIS = "0" * 64
"""The previous hash of the first seal."""

_SEAL_LOCK = 0x7265676973747279
"""The advisory lock that lets one writer at a time take the next seal number."""

_CHUNK = 1000
_ROWS_TO_PLAN = 10_000
_open: ContextVar[Sealing | None] = ContextVar("open_seal", default=None)


class UnsealedWrite(RuntimeError):
    """Raised on writing a row with a history outside `sealed`; nothing is stored."""


class NeverDeleted(RuntimeError):
    """Raised on deleting a row with a history: withdraw, retire or deactivate it instead."""


class Seal(models.Model):
    """One writing transaction: actor, instant, action, and the digest of its history rows."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="seals",
        help_text="Empty where a command wrote without anyone's name.",
    )
    action = models.CharField(max_length=40)
    rows = models.PositiveIntegerField(help_text="History rows written under this seal.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of those rows, in order.")
    previous = models.CharField(max_length=64, unique=True, help_text="Hash of the seal before.")
    hash = models.CharField(max_length=64, unique=True)
    signature = models.CharField(
        max_length=LONGEST,
        blank=True,
        default="",
        help_text="Over the hash, under a key that is not in the database.",
    )

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["action"], name="registry_seal_by_action")]
        constraints = [
            rule("number_is_positive", Q(number__gte=1), "Seals are numbered from 1."),
            rule(
                "action_is_a_code",
                Q(action__regex=KEBAB_CASE),
                "Name the action in lower-case words with hyphens.",
            ),
        ]

    def __str__(self) -> str:
        return f"Seal {self.number}"

    @property
    def signed_text(self) -> str:
        """What the signature is of: the hash, which covers all else."""
        return f"seal {self.hash}"

    def expected_hash(self) -> str:
        """The hash that this seal must have: SHA-256 over its fields but the signature."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        covered = [self.number, at, self.actor_id, self.action, self.rows]
        return sha256_of([*covered, self.digest, self.previous])


class SealedHistory(models.Model):
    """Columns of every history table besides those of simple-history."""

    seal_number = models.BigIntegerField(db_index=True, editable=False)

    class Meta:
        abstract = True


class SealedRecords(HistoricalRecords):
    """History written by `sealed` only; other saves and deletes are refused beforehand."""

    def __init__(self, *, excluded_fields: Sequence[str] = (), bases: Sequence[type] = ()) -> None:
        super().__init__(
            bases=[SealedHistory, *bases],
            excluded_fields=list(excluded_fields),
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.CharField(max_length=40, blank=True, default=""),
        )

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Connect to `pre_save`, to refuse a save before it reaches the database."""
        if self.cls is sender:
            self.no_db_index = [
                field.name for field in sender._meta.fields if not field.primary_key
            ]
            super().finalize(sender, **kwargs)
            models.signals.pre_save.connect(self.refuse_unsealed, sender=sender, weak=False)

    def refuse_unsealed(
        self,
        instance: models.Model,
        raw: bool = False,
        update_fields: Iterable[str] | None = None,
        **_: Any,
    ) -> None:
        """Allow saves by `sealed`, fixtures, and changes to columns without history only."""
        sealing = _open.get()
        if raw or (sealing is not None and sealing.saving is instance):
            return
        if not getattr(instance, "is_sealed", True):
            return
        if update_fields is not None and set(update_fields) <= set(self.excluded_fields):
            return
        if self.excluded_fields and self._is_as_sealed(instance):
            return
        raise UnsealedWrite(f"Save {instance._meta.verbose_name} rows with `sealed`.")

    def _is_as_sealed(self, instance: models.Model) -> bool:
        """Whether all columns with history equal the last history row, as when only a user's
        password changes."""
        last = instance.history.order_by("-history_id").first()  # type: ignore[attr-defined]
        return last is not None and all(
            getattr(last, field.attname) == getattr(instance, field.attname)
            for field in last.tracked_fields
        )

    def post_save(self, instance: models.Model, created: bool, using: Any = None, **_: Any) -> None:
        """Write nothing: `sealed` writes the history row."""

    def pre_delete(self, instance: models.Model, **_: Any) -> None:
        """Refuse: nothing with a history is ever deleted, but what `Sealing.end` ends."""
        sealing = _open.get()
        if sealing is not None and sealing.ending is type(instance):
            return
        if not getattr(instance, "is_sealed", True):
            return
        raise NeverDeleted(f"{instance._meta.verbose_name} rows are never deleted.")

    def post_delete(self, instance: models.Model, using: Any = None, **_: Any) -> None:
        """Write nothing: `Sealing.end` did beforehand."""


class Sealing:
    """An open seal: the only writer of rows with a history.

    at: now, and never before the seal before it, whatever the server's clock says. Raises
    CannotSeal where the key of seals is missing.
    """

    def __init__(self, *, by: AbstractBaseUser | None, action: str) -> None:
        self._signer = signer()
        last = Seal.objects.order_by("-number").first()
        self.by = by
        self.action = action
        now = timezone.now()
        self.at: datetime = max(now, last.at) if last else now
        self.number: int = last.number + 1 if last else 1
        self.previous: str = last.hash if last else GENESIS
        self.saving: models.Model | None = None
        self.ending: type[models.Model] | None = None
        self._touched: set[type[models.Model]] = set()
        self._written: Counter[type[models.Model]] = Counter()
        self._planned_at: dict[type[models.Model], int] = {}

    def save(self, instance: models.Model, reason: str = "", **options: Any) -> None:
        """Insert or update one row, with its history row. Two to three queries.

        options: those of the model's own `save`, such as update_fields.
        """
        created = instance._state.adding
        self._stamp(instance)
        self.saving = instance
        try:
            instance.save(**options)
        finally:
            self.saving = None
        self._keep([instance], type(instance), kind="+" if created else "~", reason=reason)

    def bulk_create(self, model: type[M], objs: Iterable[M], reason: str = "") -> int:
        """Insert thousands of rows from any iterable; returns how many.

        Memory stays flat however long the iterable is. Primary keys are set on the objects.
        """
        written = 0
        stream = iter(objs)
        while chunk := list(islice(stream, _CHUNK)):
            for obj in chunk:
                self._stamp(obj)
            insert_rows(model, chunk)
            self._keep(chunk, model, kind="+", reason=reason)
            written += len(chunk)
            self._let_plan(model, len(chunk))
        return written

    def bulk_update(
        self, model: type[M], objs: Iterable[M], fields: Sequence[str], reason: str = ""
    ) -> int:
        """Update the named fields of thousands of rows; returns how many."""
        written = 0
        stream = iter(objs)
        stamped = ["seal"] if hasattr(model, "seal_id") else []
        while chunk := list(islice(stream, _CHUNK)):
            for obj in chunk:
                self._stamp(obj)
            update_rows(model, chunk, [*fields, *stamped])
            self._keep(chunk, model, kind="~", reason=reason)
            written += len(chunk)
        return written

    def end(self, model: type[M], keys: Iterable[object], reason: str = "") -> int:
        """Delete rows of a kind that ends, such as tokens, leaving their history; returns how many.

        The last history row of each has the type "-", and its columns as they were.
        """
        ended = list(model._base_manager.filter(pk__in=list(keys)))
        if ended:
            self._keep(ended, model, kind="-", reason=reason)
            self.ending = model
            try:
                models.QuerySet(model).filter(pk__in=[row.pk for row in ended]).delete()
            finally:
                self.ending = None
        return len(ended)

    def close(self) -> None:
        """Write the seal over all rows written; without rows there is no seal."""
        if not self._touched:
            return
        digest = SealDigest()
        for model in sorted(self._touched, key=history_label):
            rows = model.history.filter(seal_number=self.number)  # type: ignore[attr-defined]
            for row in history_rows(rows.order_by("history_id")):
                digest.add(history_label(model), row)
        seal = Seal(
            number=self.number,
            at=self.at,
            actor_id=self.by.pk if self.by else None,
            action=self.action,
            rows=digest.rows,
            digest=digest.hexdigest(),
            previous=self.previous,
        )
        seal.hash = seal.expected_hash()
        seal.signature = self._signer.sign(seal.signed_text)
        seal.save(force_insert=True)
        keep_after_commit(head_of(seal.number, seal.hash, seal.at))

    def _let_plan(self, model: type[models.Model], written: int) -> None:
        """Have the database look at a table again once this seal has doubled what it wrote there.

        Until then PostgreSQL takes a table that was empty for a small one, and reads it whole for
        every thousand keys that are looked up.
        """
        self._written[model] += written
        if self._written[model] >= self._planned_at.get(model, _ROWS_TO_PLAN):
            plan_anew(model)
            self._planned_at[model] = 2 * self._written[model]

    def _stamp(self, instance: models.Model) -> None:
        if hasattr(instance, "seal_id"):
            instance.seal_id = self.number

    def _keep(
        self, objs: Sequence[models.Model], model: type[models.Model], *, kind: str, reason: str
    ) -> None:
        """Copy the rows' present state in the database into their history table."""
        self._touched.add(model)
        stamps: dict[str, object] = {
            "history_date": self.at,
            "history_type": kind,
            "history_user": self.by.pk if self.by else None,
            "history_change_reason": reason,
            "seal_number": self.number,
        }
        if hasattr(model, "history_extras"):
            for obj in objs:
                extras = obj.history_extras()  # type: ignore[attr-defined]
                copy_to_history(model, [obj.pk], {**stamps, **extras})
        else:
            copy_to_history(model, [obj.pk for obj in objs], stamps)


@contextmanager
def sealed(*, by: AbstractBaseUser | None, action: str) -> Iterator[Sealing]:
    """Write rows with a history in one transaction under one seal; the only way to write them.

    by: None, or a signed-in user. action: in lower-case words with hyphens. Writers take turns, so
    seal numbers are in order of time. On any error nothing is stored. Seals do not nest:
    RuntimeError.
    """
    if _open.get() is not None:
        raise RuntimeError("A seal is open already: write through that one.")
    with transaction.atomic():
        wait_for_turn()
        sealing = Sealing(by=by, action=action)
        token = _open.set(sealing)
        try:
            yield sealing
            sealing.close()
        finally:
            _open.reset(token)


def open_seal() -> Sealing | None:
    """The seal under which rows are written now, if any."""
    return _open.get()


@contextmanager
def joined(*, by: AbstractBaseUser | None, action: str) -> Iterator[Sealing]:
    """Write under the seal that is open or, where none is, under one of its own.

    For what belongs to the write that causes it, such as the end of tokens to a new password.
    """
    sealing = _open.get()
    if sealing is not None:
        yield sealing
    else:
        with sealed(by=by, action=action) as own:
            yield own


def who_asks() -> Any:
    """The user who is signed in to the request that is answered; None for commands."""
    user = getattr(getattr(HistoricalRecords.context, "request", None), "user", None)
    return user if user is not None and user.is_authenticated else None


def wait_for_turn() -> None:
    """Admit one writer at a time; on SQLite transactions begin IMMEDIATE, which suffices."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])

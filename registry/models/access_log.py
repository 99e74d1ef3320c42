"""The log of who read what: signed entry by entry, and sealed in ranges.

Readers do not wait for one another: an entry is signed by itself when it is written, and leaves a
line outside the database. From time to time the entries that are new are taken into ranges, each
under a seal. Keys of rolled-back or later transactions leave gaps, which later ranges fill.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q, functions
from django.utils import timezone

from registry.models.audit import SealedRecords, sealed
from registry.models.digests import SealDigest, sha256_of
from registry.models.kept_entries import (
    KeptEntry,
    entries_in,
    files_before,
    files_of_entries,
    keep_entry_after_commit,
)
from registry.models.rules import KEBAB_CASE, rule
from registry.models.signing import LONGEST, SignedBy, Signer, signer
from registry.models.statements import insert_row


class AccessLogQuerySet(models.QuerySet["AccessLog"]):
    """Entries of the log."""

    def create(self, **values: Any) -> AccessLog:  # type: ignore[override]
        """Write one entry, signed; raises CannotSeal without the key: nothing is read unlogged."""
        entry = AccessLog(**values)
        entry.sign(signer())
        insert_row(entry, using=self.db)
        keep_entry_after_commit(entry.pk, entry.signature, using=self.db)
        return entry


class AccessLog(models.Model):
    """One reading of rows, one export or one exact answer: who, when, and the question."""

    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    action = models.CharField(max_length=40)
    what = models.TextField(
        blank=True, default="", help_text="The canonical question, without values of persons."
    )
    count = models.PositiveIntegerField(null=True, blank=True)

    signature = models.CharField(
        max_length=LONGEST,
        blank=True,
        default="",
        editable=False,
        help_text="Over the entry, under a key that is not in the database.",
    )

    objects = AccessLogQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["action"], name="registry_log_by_action"),
            models.Index("user", functions.Left("what", 60), name="registry_log_by_what"),
        ]
        constraints = [
            rule(
                "action_is_a_code",
                Q(action__regex=KEBAB_CASE),
                "Name the action in lower-case words with hyphens.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.user or 'nobody signed in'}"

    def sign(self, by: Signer) -> None:
        """Sign the entry; a random part tells it from one that says the same."""
        chance = secrets.token_hex(12)
        self.signature = f"{by.sign(_signed_text(vars(self), chance))}.{chance}"


class LoggedRange(models.Model):
    """Entries of the access log, from one key to another, whose number and content are sealed."""

    first = models.BigIntegerField(unique=True)
    last = models.BigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the entries, in order.")
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords()

    class Meta:
        ordering = ["first"]
        constraints = [
            rule("a_range_has_an_end", Q(first__lte=F("last")), "A range ends after it begins.")
        ]

    def __str__(self) -> str:
        return f"Entries {self.first} to {self.last}"


def seal_log(*, as_it_stands: bool = False) -> int:
    """Take the new entries of the log into ranges, under one seal; returns how many.

    An entry that was not written by the registry is left out, and `verify_audit` goes on to name
    it. as_it_stands: also takes entries that carry no signature under this server's key, as after
    an upgrade or a change of key. Reads new entries only.
    """
    taken = 0
    with sealed(by=None, action="seal-log") as seal:
        for entries in _runs(_new_entries(), as_it_stands=as_it_stands):
            digest = SealDigest()
            for entry in entries:
                digest.add("accesslog", entry)
            first, last = entries[0]["id"], entries[-1]["id"]
            seal.save(LoggedRange(first=first, last=last, digest=digest.hexdigest()))
            taken += digest.rows
    return taken


MOST_A_RANGE = 10_000
"""Entries of one range, so that memory stays flat."""


def _new_entries() -> Iterator[dict[str, Any]]:
    """The entries that no range has, in order: what lies between ranges, and behind the last."""
    begin = 0
    for first, last in LoggedRange.objects.order_by("first").values_list("first", "last"):
        if begin < first:
            yield from _entries(Q(id__gte=begin, id__lt=first))
        begin = last + 1
    yield from _entries(Q(id__gte=begin))


def _entries(which: Q) -> Iterator[dict[str, Any]]:
    rows: Any = AccessLog.objects.filter(which).order_by("id").values()
    yield from rows.iterator(chunk_size=2000)


def _runs(
    entries: Iterable[dict[str, Any]], *, as_it_stands: bool
) -> Iterator[list[dict[str, Any]]]:
    """Entries that may be sealed, in runs of keys without a gap."""
    ours, run = signer(), list[dict[str, Any]]()
    for entry in entries:
        whose = _signed_by(ours, entry)
        if whose is SignedBy.FORGER or (whose is not SignedBy.US and not as_it_stands):
            continue
        if run and (entry["id"] != run[-1]["id"] + 1 or len(run) == MOST_A_RANGE):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def log_faults() -> Iterator[tuple[int | None, str]]:
    """What is wrong with the log: the seal of a range, or None, and what; the first of each kind.

    Reads the whole log once, in order; memory stays flat.
    """
    ours, seen = signer(), set[str]()
    for seal, what in _faults(ours):
        if what not in seen:
            seen.add(what)
            yield seal, what
    written_twice = AccessLog.objects.exclude(signature="").order_by().values("signature")
    if written_twice.annotate(times=Count("id")).filter(times__gt=1).exists():
        yield None, TWICE


ALTERED = "An entry of the access log under it was altered."
REMOVED = "Entries of the access log under it were removed."
FORGED_ENTRY = "An entry of the access log was altered or written past the registry."
TWICE = "An entry of the access log was copied."
UNSIGNED_ENTRY = (
    "An entry of the access log that no seal covers is not signed under this server's key: after "
    "an upgrade or a change of REGISTRY_KEY_SEALS, run `verify_audit --sign`."
)


def _faults(ours: Signer) -> Iterator[tuple[int | None, str]]:
    ranges = iter(LoggedRange.objects.order_by("first").iterator())
    now, digest = next(ranges, None), SealDigest()
    for entry in _entries(Q()):
        while now is not None and entry["id"] > now.last:
            yield from _fault_of(now, digest)
            now, digest = next(ranges, None), SealDigest()
        if now is not None and entry["id"] >= now.first:
            digest.add("accesslog", entry)
            continue
        whose = _signed_by(ours, entry)
        if whose is not SignedBy.US:
            yield None, FORGED_ENTRY if whose is SignedBy.FORGER else UNSIGNED_ENTRY
    while now is not None:
        yield from _fault_of(now, digest)
        now, digest = next(ranges, None), SealDigest()


def _fault_of(sealed_range: LoggedRange, digest: SealDigest) -> Iterator[tuple[int, str]]:
    if digest.rows < sealed_range.last - sealed_range.first + 1:
        yield sealed_range.seal_id, REMOVED
    elif digest.hexdigest() != sealed_range.digest:
        yield sealed_range.seal_id, ALTERED


def _signed_by(ours: Signer, entry: dict[str, Any]) -> SignedBy:
    signature, _, chance = entry["signature"].rpartition(".")
    return ours.signed_by(_signed_text(entry, chance), signature)


def _signed_text(entry: dict[str, Any], chance: str) -> str:
    """What the signature of an entry is of: all that it says but its key, and the random part."""
    at = entry["at"].astimezone(UTC).isoformat(timespec="microseconds")
    said = [at, entry["user_id"], entry["action"], entry["what"], entry["count"]]
    return f"log {chance} {sha256_of(said)}"


def removed_entries() -> Iterator[str]:
    """What is wrong with entries that files outside the database have; the first fault alone.

    Raises OSError where a file cannot be read.
    """
    for file in files_of_entries():
        if not all(_as_written(entries) for entries in entries_in(file)):
            yield GONE_ENTRY
            return


GONE_ENTRY = (
    "An entry of the access log was removed or replaced: a file of entries, beside that of heads, "
    "has it."
)


def forget_sealed_entries() -> None:
    """Remove the files of past days whose entries are all in sealed ranges; raises OSError."""
    for file in files_before():
        if all(_as_written(entries, is_sealed=True) for entries in entries_in(file)):
            file.unlink()


def give_up_entries() -> None:
    """Remove all files, after a restore that somebody answers for; raises OSError."""
    for file in files_of_entries():
        file.unlink()


def _as_written(entries: list[KeptEntry], *, is_sealed: bool = False) -> bool:
    """Whether the log has these entries with their own signatures and, if asked, under seals."""
    keys = [entry.key for entry in entries]
    stored = AccessLog.objects.filter(pk__in=keys).order_by("pk")
    found = {KeptEntry.of(*values) for values in stored.values_list("pk", "signature")}
    if not found.issuperset(entries):
        return False
    return not is_sealed or all(map(_ranges_over(min(keys), max(keys)).__contains__, keys))


def _ranges_over(first: int, last: int) -> set[int]:
    """The keys between two that sealed ranges have."""
    ranges = LoggedRange.objects.filter(first__lte=last, last__gte=first)
    between = ranges.values_list("first", "last")
    return {key for low, high in between for key in range(max(low, first), min(high, last) + 1)}

"""Verifies the audit trail: seals and signatures, history, rows, grants, heads and triggers.

Each part gives its first break, so that one alteration hides no other of another kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.db import connection, models

from registry.models.access_log import UNSIGNED_ENTRY, log_faults, removed_entries
from registry.models.append_only import bypassed_triggers
from registry.models.audit import GENESIS, Seal, SealedHistory
from registry.models.digests import SealDigest, history_label, history_rows
from registry.models.granted import NOT_COVERED, altered_grants, altered_releases
from registry.models.heads import Head, heads_file, heads_that_count
from registry.models.redactions import Redaction
from registry.models.signing import SignedBy, Signer, mark_of, signer

GENERATED = "generate"
"""The action of the seal under which synthetic rows were loaded in bulk, without history."""

_LOADED_IN_BULK = {"event", "exposure", "implant", "patient"}


@dataclass(frozen=True, slots=True)
class Break:
    """A break of the audit trail: where, and what is wrong.

    seal: number of the first bad seal; None where no seal is to blame. is_for_signing: whether it
    is mended by signing the trail, as after an upgrade or a change of key.
    """

    seal: int | None
    what: str
    is_for_signing: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of a verification: how many seals and history rows hold, and every break found.

    redacted: how many of the seals cover history rows in which a key was replaced since.
    head: the newest seal that holds, None in an empty registry. unsigned: how many seals carry no
    signature, or one under another key, which `sign_trail` may sign.
    """

    seals: int
    rows: int
    breaks: tuple[Break, ...]
    redacted: int = 0
    head: Head | None = None
    unsigned: int = 0


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


def verify_audit(*, known_heads: Iterable[Head] = ()) -> Verified:
    """All that `verify_trail` does, and compare with the heads and entries kept outside.

    known_heads: heads that somebody noted besides. Raises CannotSeal without the key of seals.
    """
    found = verify_trail()
    removed = (Break(None, what) for what in removed_entries())
    return replace(found, breaks=(*found.breaks, *_heads_that_differ(known_heads), *removed))


def verify_trail() -> Verified:
    """Recompute every seal from the history rows, then compare the live rows with their history.

    Also looks at signatures and triggers; seals that were taken away at the end are found by
    `verify_audit` alone. Reads every history table and every table with a history once, in order;
    memory stays flat. Raises CannotSeal without the key of seals.
    """
    chain = _verify_chain()
    breaks = [*chain.breaks]
    if not breaks:
        breaks += [one for one in (chain.signing, _live_break()) if one]
        breaks += [
            Break(at, what, what in FOR_SIGNING)
            for at, what in (*altered_grants(), *altered_releases(), *log_faults())
        ]
    breaks += _triggers_break()
    return replace(chain.verified, breaks=tuple(breaks))


@dataclass(frozen=True, slots=True)
class _Chain:
    """The chain as far as it holds, its break, and what is wrong with signatures by other keys."""

    verified: Verified
    breaks: tuple[Break, ...] = ()
    signing: Break | None = None


def _verify_chain() -> _Chain:
    histories = {history_label(model): _Rows(model) for model in models_with_history()}
    redactions = latest_redactions()
    signatures = _Signatures(signer())
    seals = rows = redacted = 0
    before: Seal | None = None

    def so_far() -> Verified:
        head = Head(before.number, before.hash) if before else None
        return Verified(seals, rows, (), redacted, head, signatures.unsigned)

    for number, seal in enumerate(Seal.objects.order_by("number").iterator(), start=1):
        digest = SealDigest()
        for label, history in histories.items():
            for row in history.up_to(seal.number):
                digest.add(label, row)
        known = redactions.get(seal.number, seal.digest)
        what = _fault(seal, number=number, before=before, digest=digest, known=known)
        what = what or signatures.fault(seal)
        if what:
            return _Chain(so_far(), (Break(seal.number, what),))
        before = seal
        seals, rows = seals + 1, rows + digest.rows
        redacted += seal.number in redactions
    for label, history in histories.items():
        if history.is_left:
            unsealed = Break(None, f"A history row of {label} has no seal.")
            return _Chain(so_far(), (unsealed,), signatures.of_others(seals))
    return _Chain(so_far(), (), signatures.of_others(seals))


class _Signatures:
    """Checks the signatures of seals in order, and counts those that this server cannot check."""

    def __init__(self, ours: Signer) -> None:
        self._ours = ours
        self._first: dict[str, int] = {}
        self.unsigned = 0

    def fault(self, seal: Seal) -> str:
        """What is wrong with a signature under this server's key; empty if nothing."""
        whose = self._ours.signed_by(seal.signed_text, seal.signature)
        if whose in (SignedBy.NOBODY, SignedBy.OTHER_KEY):
            self.unsigned += 1
            self._first.setdefault(mark_of(seal.signature), seal.number)
        return FORGED if whose is SignedBy.FORGER else ""

    def of_others(self, seals: int) -> Break | None:
        """What is to be said of seals without a signature under this server's key."""
        if not self._first:
            return None
        mark, number = min(self._first.items(), key=itemgetter(1))
        whose = f"under another key ({mark})" if mark else "by nobody"
        if self.unsigned < seals:
            some = f"It is signed {whose}; {self.unsigned} of {seals} seals are not signed under "
            return Break(number, f"{some}this server's key ({self._ours.mark}).", True)
        all_ = f"All {seals} seals are signed {whose}, and none under this server's key "
        mend = SIGN_AGAIN if mark else SIGN_ONCE
        return Break(None, f"{all_}({self._ours.mark}). {mend}", True)


FORGED = "Its signature is wrong: it was written without the key of seals."
SIGN_AGAIN = (
    "Where REGISTRY_KEY_SEALS was changed, put the old key back, or run `verify_audit --sign`."
)
SIGN_ONCE = "After upgrading from a version without signatures, run `verify_audit --sign` once."


def _heads_that_differ(known: Iterable[Head]) -> Iterator[Break]:
    """The first head of the file that no seal has, and every such head that somebody noted."""
    for noted in known:
        if not Seal.objects.filter(number=noted.number, hash=noted.hash).exists():
            yield Break(noted.number, "It is not the seal whose head was noted.")
    if not heads_file().exists():
        if Seal.objects.exists():
            yield Break(None, NO_HEADS, True)
        return
    newest = Seal.objects.order_by("-number").values_list("number", flat=True).first() or 0
    for some in heads_that_count():
        numbers = [head.number for head in some]
        hashes = dict(Seal.objects.filter(number__in=numbers).values_list("number", "hash"))
        for head in some:
            if head.number > newest:
                yield Break(head.number, f"{GONE} {newest}: {GONE_WHY}")
                return
            if hashes.get(head.number) != head.hash:
                yield Break(head.number, "It is not the seal whose head the file of heads has.")
                return


NO_HEADS = (
    "The file of heads is missing, so that nobody can tell whether seals at the end are: put it "
    "back, or, where there never was one, run `verify_audit --sign`."
)
GONE = "The file of heads has it, and the database ends at seal"
GONE_WHY = (
    "seals were taken away at the end, or an older copy of the database was put in its place. "
    "After a restore that you answer for, run `checkpoint --restored`."
)


FOR_SIGNING = {NOT_COVERED, UNSIGNED_ENTRY}
"""What `verify_audit --sign` mends besides signatures."""


def _triggers_break() -> Iterator[Break]:
    """What no longer keeps the audit trail append-only."""
    found = bypassed_triggers(connection)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield Break(None, f"The audit trail is not append-only: {found[0]}{more}.")


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
    what = _fault(seal, number=seal.number, before=before, digest=digest, known=known)
    return what or signature_fault(seal)


def signature_fault(seal: Seal) -> str:
    """What is wrong with a seal's signature; empty if it is one under this server's key."""
    signatures = _Signatures(signer())
    forged, other = signatures.fault(seal), signatures.of_others(1)
    return forged or (other.what if other else "")


def _fault(seal: Seal, *, number: int, before: Seal | None, digest: SealDigest, known: str) -> str:
    """What is wrong with one seal, in words; empty if nothing.

    before: the seal before it. known: the digest that its rows must have, its own or that of its
    last redaction.
    """
    if seal.number != number:
        return f"Seal {number} is missing."
    if seal.previous != (before.hash if before else GENESIS):
        return "It does not follow from the seal before it."
    if seal.hash != seal.expected_hash():
        return "It was altered: its hash does not fit what it says."
    if before is not None and seal.at < before.at:
        return "Its instant is before that of the seal before it."
    if seal.rows != digest.rows:
        return f"It covers {seal.rows} history rows, and {digest.rows} are there."
    if not digest.is_of(known):
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
        live = _sealed_rows(model).order_by("pk").values(*names).iterator(chunk_size=2000)
        recorded = _last_of_each(model, pk.attname, [*names, "seal_number"])
        if not isinstance(pk, models.AutoField):  # databases differ in how they sort codes
            by_key = itemgetter(pk.attname)
            live, recorded = iter(sorted(live, key=by_key)), iter(sorted(recorded, key=by_key))
        for row, last in _side_by_side(live, recorded, pk.attname):
            if last is None and bulk and row is not None and _is_generated(row, generated):
                continue
            if last is None:
                what = f"A row of {history_label(model)} has no history."
                return Break(None, what, is_for_signing=not model.history.exists())  # type: ignore[attr-defined]
            number = last.pop("seal_number")
            if row != last:
                what = "has gone" if row is None else "was altered past its history"
                return Break(number, f"A row of {history_label(model)} {what}.")
    return None


def _is_generated(row: dict, generated: set[int]) -> bool:
    """Whether a row without history is synthetic; a patient row names no seal."""
    return row["seal_id"] in generated if "seal_id" in row else bool(generated)


def _last_of_each(model: type[models.Model], key: str, names: list[str]) -> Iterator[dict]:
    """The last history row of every row that was not ended, ordered by the row's key."""
    rows = model.history.order_by(key, "history_id").values(*names, "history_type")  # type: ignore[attr-defined]
    for _, group in groupby(rows.iterator(chunk_size=2000), key=itemgetter(key)):
        *_, last = group
        if last.pop("history_type") != "-":
            yield last


def _sealed_rows(model: type[models.Model]) -> models.QuerySet:
    """The rows of a model that are written under seals: all, unless it says which."""
    chosen = getattr(model, "sealed_rows", None)
    return chosen() if chosen else model._base_manager.all()


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

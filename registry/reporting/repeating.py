"""Asks the question of a receipt again, of the very data that it was asked of."""

from dataclasses import replace

from registry.records import BadQuery, Fault, Release, SnapshotGone, Viewer
from registry.reporting import answering, receipts
from registry.reporting.asking import freshness
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.profiles import profile_of
from registry.reporting.receipts import Receipt
from registry.vocabulary import Profile


def answer_again(receipt: str, *, viewer: Viewer, in_words: bool = False) -> Release:
    """The answer that a receipt was given for, once more; of a release for as long as it is kept.

    A protected answer is for whoever may ask at all, the public as far as the newest release. An
    exact one is for whoever may ask its question exactly today, and is logged as asking it is.
    in_words: with labels beside codes, as pictures are drawn; no number differs.
    Raises UnknownReceipt, alike for a receipt that nobody signed and for one that is not for this
    viewer, SnapshotGone for a working snapshot that has given way, NoSnapshot where a release's
    files are missing, and NotPermitted.
    """
    read = receipts.read(receipt)
    may_be_exact = profile_of(read.query, viewer) is Profile.EXACT
    if read.profile is Profile.EXACT and not may_be_exact:
        raise receipts.unknown_receipt()
    frozen = _as_then(read)
    query = read.query
    if in_words and query.labels == "code":
        query = replace(query, labels="both")
    if read.profile is Profile.PROTECTED:
        answering.hold_public_to_newest(frozen, viewer)
        release = answering.protected_answer(query, read.measure, frozen)
    else:
        release = answering.exact_answer(query, read.measure, frozen, viewer=viewer)
    if query != read.query:
        return release
    # As it was shown: a new SECRET_KEY would sign the same content otherwise.
    return replace(release, meta={**release.meta, "receipt": receipt})


def _as_then(read: Receipt) -> Frozen:
    """The snapshot of a receipt, under the name that it had then."""
    if read.label or read.profile is Profile.PROTECTED:  # which has releases alone
        try:
            return freshness.named_release(read.snapshot_id)
        except BadQuery as error:
            raise _gone(
                "This release is not kept here: ask where the receipt was given."
            ) from error
    frozen = freshness.kept_working(read.snapshot_id, data_as_of=read.as_of)
    if frozen is None:
        raise _gone(
            "This was counted on the data of the day, which have changed since: ask the question "
            "again, and cite an answer from a release."
        )
    return frozen


def _gone(detail: str) -> SnapshotGone:
    return SnapshotGone(Fault("receipt", SnapshotGone.code, detail))

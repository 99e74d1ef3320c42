"""Repeats the answer of a receipt, from the same data."""

from dataclasses import replace

from registry.records import BadQuery, Fault, Release, SnapshotGone, Viewer
from registry.reporting import answering, receipts
from registry.reporting.asking import freshness
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.profiles import profile_of
from registry.reporting.receipts import Receipt
from registry.reporting.verifying import hold_rows
from registry.vocabulary import Profile


def answer_again(
    receipt: str,
    *,
    viewer: Viewer,
    in_words: bool = False,
    was_public: bool = False,
    anew: bool = False,
) -> Release:
    """Repeats the answer of a receipt; of a release for as long as it is kept.

    A protected answer is for callers who may ask, for the public only from the newest release. An
    exact one is for callers who may ask its question exactly today, and is logged in the same way.
    was_public: whether the public could ask for the answer when it was cited: it still may.
    in_words: with labels beside codes, for pictures; numbers are the same. anew: works the answer
    out again, from a snapshot that is checked to the last row, whatever the cache holds.
    Raises UnknownReceipt alike for an unsigned receipt and for one not for this viewer,
    SnapshotGone for a replaced working snapshot, SnapshotUnusable where its files are damaged,
    NoSnapshot, and NotPermitted.
    """
    read = receipts.read(receipt)
    is_open = was_public and read.profile is Profile.PROTECTED
    if not is_open:
        may_be_exact = profile_of(read.query, viewer) is Profile.EXACT
        if read.profile is Profile.EXACT and not may_be_exact:
            raise receipts.unknown_receipt()
    frozen = _as_then(read)
    if anew:
        hold_rows(frozen.snapshot_id)
    query = read.query
    if in_words and query.labels == "code":
        query = replace(query, labels="both")
    if read.profile is Profile.PROTECTED:
        if not is_open:
            answering.hold_public_to_newest(frozen, viewer)
        release = answering.protected_answer(query, read.measure, frozen, anew=anew)
    else:
        release = answering.exact_answer(query, read.measure, frozen, viewer=viewer, anew=anew)
    if query != read.query:
        return release
    # The receipt as given: a new SECRET_KEY would sign the same content differently.
    return replace(release, meta={**release.meta, "receipt": receipt})


def _as_then(read: Receipt) -> Frozen:
    """The snapshot of a receipt, under its name of then."""
    if read.label or read.profile is Profile.PROTECTED:  # which has releases only
        try:
            return freshness.named_release(read.snapshot_id)
        except BadQuery as error:
            raise _gone(
                "This release is not kept here: ask where the receipt was given."
            ) from error
    frozen = freshness.kept_working(read.snapshot_id, data_as_of=read.as_of)
    if frozen is None:
        raise _gone(
            "This was counted on working data, which have changed since: ask the question "
            "again, and cite an answer from a release."
        )
    return frozen


def _gone(detail: str) -> SnapshotGone:
    return SnapshotGone(Fault("receipt", SnapshotGone.code, detail))

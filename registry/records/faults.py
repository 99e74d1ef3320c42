"""Faults and refusals of requests, with messages that never echo a value."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it is, a stable code, and a sentence on how to correct it.

    column: the field, column or parameter; empty for the whole row or request.
    code: kebab-case and stable. detail: never holds the refused value.
    file, line: set by the file door only; line 1 is the header.
    """

    column: str
    code: str
    detail: str
    line: int | None = None
    file: str | None = None


class Refusal(Exception):
    """A refused request or report; nothing was stored.

    status, title: the HTTP status, and the kind of refusal in words.
    """

    code = "refused"
    status: HTTPStatus = HTTPStatus.BAD_REQUEST
    title = "The registry cannot take this"

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("; ".join(f"{fault.column}: {fault.detail}" for fault in self.faults))


class IdentifierFound(Refusal):
    """A field's value or name identifies a person or a device."""

    code = "identifier-found"
    title = "This looks like an identifier"


class RowRuleBroken(Refusal):
    """A row that is malformed, incomplete for its state, or contradictory."""

    code = "row-rule-broken"
    title = "The report cannot be stored"


def refusal_of(faults: Iterable[Fault], *, otherwise: type[Refusal] = RowRuleBroken) -> Refusal:
    """The refusal of these faults: IdentifierFound where one of them is of an identifier."""
    found = tuple(faults)
    identifying = any(fault.code == IdentifierFound.code for fault in found)
    return (IdentifierFound if identifying else otherwise)(found)


class NotYourSite(Refusal):
    """A site that does not exist or has no membership of the writer: both get the same message."""

    code = "not-your-site"
    status = HTTPStatus.FORBIDDEN
    title = "Not your site"


class DuplicateSourceId(Refusal):
    """The site has used this source id before; `existing` is the public id of that row."""

    code = "duplicate-source-id"
    status = HTTPStatus.CONFLICT
    title = "This source id is taken"

    def __init__(self, faults: Iterable[Fault] | Fault, *, existing: str) -> None:
        super().__init__(faults)
        self.existing = existing


class UnknownRow(Refusal):
    """No such row that the caller may see."""

    code = "not-found"
    status = HTTPStatus.NOT_FOUND
    title = "Not found"


class StateConflict(Refusal):
    """The row's state does not allow this change."""

    code = "state-conflict"
    status = HTTPStatus.CONFLICT
    title = "The state does not allow this"


class VersionConflict(Refusal):
    """Somebody else changed the row since it was read."""

    code = "version-conflict"
    status = HTTPStatus.PRECONDITION_FAILED
    title = "Somebody changed it since"


class BadQuery(Refusal):
    """A question with an unknown parameter, an unknown code or a bad range."""

    code = "bad-query"
    title = "The question is not understood"


class NotPermitted(Refusal):
    """The caller's profile may not ask this; the fault names the missing right."""

    code = "not-permitted"
    status = HTTPStatus.FORBIDDEN
    title = "Not permitted"


AGREEMENT_PATH = "/agreement/"
"""Where a researcher asks for an agreement, under which exact numbers are given."""

FOR_MORE = f". For more, ask for an agreement: {AGREEMENT_PATH}"


def without_agreement(detail: str) -> str:
    """A fault's words without the way to an agreement, for where that is told apart."""
    return detail.removesuffix(FOR_MORE)


class NotAvailableAtThisDetail(Refusal):
    """A finer question than the protected profile answers.

    Each fault names the nearest that can be had; the last one the agreement that gives more.
    """

    code = "not-available-at-this-detail"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Not available at this detail"

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        *others, last = (faults,) if isinstance(faults, Fault) else tuple(faults)
        said = f"{last.detail.rstrip('.')}{FOR_MORE}"
        super().__init__((*others, replace(last, detail=said)))


class NoSnapshot(Refusal):
    """No snapshot or release answers this question yet."""

    code = "no-snapshot"
    status = HTTPStatus.CONFLICT
    title = "No snapshot answers this yet"


class SnapshotUnusable(Refusal):
    """The snapshot that would answer is damaged, or cannot be checked, and none stands in."""

    code = "snapshot-unusable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "The data cannot be answered from"


class CannotSeal(Refusal):
    """The key that signs the audit trail is missing or unsafe: nothing is written, nor logged."""

    code = "cannot-seal"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Nothing can be stored now"


class EngineAway(Refusal):
    """The cluster that sums over snapshots does not answer, or lost the question."""

    code = "engine-away"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Statistics cannot be answered now"


class UnknownReceipt(Refusal):
    """A receipt that was not signed here, or not for this caller: both get the same message."""

    code = "unknown-receipt"
    status = HTTPStatus.NOT_FOUND
    title = "No such receipt"


class SnapshotGone(Refusal):
    """The working snapshot of an answer has been replaced by a newer one."""

    code = "snapshot-gone"
    status = HTTPStatus.GONE
    title = "The data have been replaced by newer ones"

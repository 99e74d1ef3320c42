"""Receipts: signed tokens of a question, the data it was asked of, and the profile of its answer.

Nothing is stored. A receipt is signed with SECRET_KEY and read under it or any of
SECRET_KEY_FALLBACKS; it can be read by whoever holds it, so it holds no number.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

from django.core import signing

from registry.records import EventQuery, Fault, UnknownReceipt, Window
from registry.reporting.asking.freshness import Frozen
from registry.vocabulary import CountingRule, Denominator, Measure, Profile

SALT = "registry.receipt"

_DEFAULTS = EventQuery()
_MEASURES = {each.value: each for each in Measure}
_PROFILES = {each.value: each for each in Profile}

_READ: Mapping[str, Any] = {
    "counting": CountingRule,
    "unit": Denominator,
    "windows": lambda kept: tuple(Window(*window) for window in kept),
    "where": lambda kept: tuple((name, tuple(values)) for name, values in kept),
}
"""How the fields of a question that are more than texts, numbers and lists of them are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a receipt says: the question, its measure and profile, and the data.

    query: without a release, since the snapshot names the data. label: of a release; empty of a
    working snapshot. as_of: of when a working snapshot's data were; a release knows that itself.
    """

    query: EventQuery
    measure: Measure
    profile: Profile
    snapshot_id: str
    label: str = ""
    as_of: datetime | None = None

    @classmethod
    def of(cls, query: EventQuery, measure: Measure, frozen: Frozen, profile: Profile) -> Self:
        """The receipt of an answer about to be given."""
        return cls(
            query=replace(query, release=None),
            measure=measure,
            profile=profile,
            snapshot_id=frozen.snapshot_id,
            label=frozen.label,
            as_of=None if frozen.label else frozen.data_as_of,
        )

    def signed(self) -> str:
        """The token: letters, digits and `-_.:` only, fit for an address and for a footnote."""
        content: dict[str, Any] = {
            "query": _kept(self.query),
            "measure": self.measure.value,
            "profile": self.profile.value,
            "snapshot": self.snapshot_id,
        }
        if self.label:
            content["label"] = self.label
        if self.as_of is not None:
            content["as_of"] = self.as_of.isoformat()
        return signing.Signer(salt=SALT).sign_object(content, compress=True)


def read(receipt: str) -> Receipt:
    """What a receipt says; raises UnknownReceipt where this registry did not sign it.

    The same refusal meets a receipt whose question this version of the registry does not know.
    """
    try:
        content = signing.Signer(salt=SALT).unsign_object(receipt)
        as_of = content.get("as_of")
        return Receipt(
            query=_query(content["query"]),
            measure=_MEASURES[content["measure"]],
            profile=_PROFILES[content["profile"]],
            snapshot_id=content["snapshot"],
            label=content.get("label", ""),
            as_of=datetime.fromisoformat(as_of) if as_of else None,
        )
    except (signing.BadSignature, KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown_receipt() from error


def unknown_receipt() -> UnknownReceipt:
    """The one refusal of a receipt that was altered, cut short, or is not for this caller."""
    return UnknownReceipt(
        Fault(
            "receipt",
            UnknownReceipt.code,
            "Copy the receipt whole. One of exact numbers is only for whoever may ask for those "
            "numbers.",
        )
    )


def _fields(query: EventQuery) -> dict[str, Any]:
    return {each.name: getattr(query, each.name) for each in fields(query)}


def _kept(query: EventQuery) -> dict[str, Any]:
    """The fields of a question that are not as they are where nobody says anything.

    So a receipt stays short, and holds when a later version can be asked for more.
    """
    kept = {
        name: value for name, value in _fields(query).items() if value != getattr(_DEFAULTS, name)
    }
    if "windows" in kept:
        kept["windows"] = [astuple(window) for window in query.windows]
    return kept


def _query(kept: Mapping[str, Any]) -> EventQuery:
    """A question as it was asked, from its fields; raises ValueError or TypeError for no such."""
    read_fields = {
        name: _READ[name](value) if name in _READ else _frozen(value)
        for name, value in kept.items()
    }
    return EventQuery(**read_fields)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

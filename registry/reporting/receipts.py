"""Receipts: signed tokens of a question, its data, and the profile of its answer.

Nothing is stored. A receipt is signed with SECRET_KEY and read under it or any of
SECRET_KEY_FALLBACKS; its holder can read it, so it holds no number.
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
"""Readers of a question's fields other than texts, numbers and lists of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The content of a receipt: the question, its measure and profile, and the data.

    query: without a release, since the snapshot names the data. label: of a release; empty for a
    working snapshot. as_of: the instant of a working snapshot's data; empty for a release.
    """

    query: EventQuery
    measure: Measure
    profile: Profile
    snapshot_id: str
    label: str = ""
    as_of: datetime | None = None

    @classmethod
    def of(cls, query: EventQuery, measure: Measure, frozen: Frozen, profile: Profile) -> Self:
        """The receipt of an answer."""
        return cls(
            query=replace(query, release=None),
            measure=measure,
            profile=profile,
            snapshot_id=frozen.snapshot_id,
            label=frozen.label,
            as_of=None if frozen.label else frozen.data_as_of,
        )

    def signed(self) -> str:
        """The token: letters, digits and `-_.:` only, for addresses and footnotes."""
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
    """Reads a receipt; raises UnknownReceipt where this registry did not sign it.

    Also raises it where this version of the registry cannot read the question.
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
    """The same refusal for a receipt that is altered, cut short, or not for this caller."""
    return UnknownReceipt(
        Fault(
            "receipt",
            UnknownReceipt.code,
            "Copy the whole receipt. One of exact numbers is only for callers who may ask for "
            "those numbers.",
        )
    )


def _fields(query: EventQuery) -> dict[str, Any]:
    return {each.name: getattr(query, each.name) for each in fields(query)}


def _kept(query: EventQuery) -> dict[str, Any]:
    """The fields of a question that differ from the defaults.

    This keeps receipts short, and valid when a later version adds options.
    """
    kept = {
        name: value for name, value in _fields(query).items() if value != getattr(_DEFAULTS, name)
    }
    if "windows" in kept:
        kept["windows"] = [astuple(window) for window in query.windows]
    return kept


def _query(kept: Mapping[str, Any]) -> EventQuery:
    """The question from its fields; raises ValueError or TypeError for invalid ones."""
    read_fields = {
        name: _READ[name](value) if name in _READ else _frozen(value)
        for name, value in kept.items()
    }
    return EventQuery(**read_fields)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value

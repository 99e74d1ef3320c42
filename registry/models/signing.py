"""Signatures that nobody makes who owns the database alone: HMAC under a key kept apart from it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from django.core.exceptions import ImproperlyConfigured

from registry.keys import read_seal_key
from registry.records import CannotSeal, Fault

LONGEST = 120
"""Characters of a signature, with the mark of its key and, in the access log, a random part."""


class SignedBy(Enum):
    """Whose a signature is, as far as this server can tell."""

    US = "us"
    NOBODY = "nobody"
    OTHER_KEY = "other-key"
    FORGER = "forger"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs texts under one key, and tells signatures under it from others."""

    key: bytes = field(repr=False)

    @property
    def mark(self) -> str:
        """A fingerprint of the key, 16 hexadecimal digits, which discloses nothing of it."""
        return _mark(self.key)

    def sign(self, text: str) -> str:
        """The signature of a text: the key's mark, and 64 hexadecimal digits of HMAC-SHA256."""
        return f"{self.mark}:{hmac.digest(self.key, text.encode(), 'sha256').hex()}"

    def signed_by(self, text: str, signature: str) -> SignedBy:
        """Whose the signature of a text is; one under another key cannot be checked."""
        if not signature:
            return SignedBy.NOBODY
        if mark_of(signature) != self.mark:
            return SignedBy.OTHER_KEY
        is_ours = hmac.compare_digest(signature.encode(), self.sign(text).encode())
        return SignedBy.US if is_ours else SignedBy.FORGER


@lru_cache(maxsize=4)
def _mark(key: bytes) -> str:
    return hmac.digest(key, b"mark", "sha256").hex()[:16]


def mark_of(signature: str) -> str:
    """The mark of the key under which a signature says that it was made."""
    return signature.partition(":")[0]


def signer() -> Signer:
    """The signer of this server; raises CannotSeal where its key cannot be used."""
    try:
        return Signer(read_seal_key())
    except ImproperlyConfigured as error:
        detail = "a key is missing on the server: tell the data manager"
        raise CannotSeal(Fault("", "key-missing", detail)) from error

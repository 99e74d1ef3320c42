"""Digests of history rows and hashes of seals, the same when written and when verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import models


class SealDigest:
    """A running SHA-256 over history rows: tables by name, rows in the order they were written.

    Blank and false values are left out, so that a column added by a later version does not break
    earlier seals. Empty JSON was once taken in: `is_of` knows digests of that time too.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._with_empty = hashlib.sha256()
        self.rows = 0

    def add(self, label: str, row: dict[str, Any]) -> None:
        """Take in one history row of the table that `label` names."""
        recorded = {
            name: value
            for name, value in row.items()
            if value is not None and value is not False and value != ""
        }
        empty = [name for name, value in recorded.items() if not value and value in ({}, [])]
        filled = {name: recorded[name] for name in recorded.keys() - empty} if empty else recorded
        text = _canonical([label, filled]).encode()
        self._hash.update(text)
        self._with_empty.update(_canonical([label, recorded]).encode() if empty else text)
        self.rows += 1

    def hexdigest(self) -> str:
        """The digest so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def is_of(self, digest: str) -> bool:
        """Whether a stored digest is that of these rows."""
        return digest in (self.hexdigest(), self._with_empty.hexdigest())


def history_label(model: type[models.Model]) -> str:
    """The name of a model in digests; never renamed."""
    return model._meta.model_name or ""


def history_rows(rows: models.QuerySet) -> Iterator[dict[str, Any]]:
    """Stream history rows as dictionaries of stored columns; memory stays flat."""
    return rows.values().iterator(chunk_size=2000)


def sha256_of(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _plain(value: object) -> object:
    """Encode what JSON has no type for: instants in UTC, sets sorted, the rest as text."""
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value)


@lru_cache(maxsize=64)
def _instant(value: datetime) -> str:
    """An instant in UTC; all rows of a seal have the same."""
    return value.astimezone(UTC).isoformat(timespec="microseconds")


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode

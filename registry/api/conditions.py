"""Conditional requests: the ETag of a row, and whether a header names a tag."""

from typing import Any


def etag_of(row: Any) -> str:
    """The ETag of a row's version."""
    return f'"{row.version}"'


def names_tag(header: str, etag: str) -> bool:
    """Whether a header of ETags names this one, also as a proxy that compresses rewrote it."""
    tags = (tag.strip().removeprefix("W/").replace('-gzip"', '"') for tag in header.split(","))
    return any(tag in {etag, "*"} for tag in tags)

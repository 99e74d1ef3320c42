"""Parses request bodies: JSON of bounded size, without duplicate names."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from registry.api.compression import bounded

LARGEST_BODY = 1 << 20
"""The most bytes of a body; one event takes less than two thousand."""


class StrictJSONParser(JSONParser):
    """JSON (RFC 8259): UTF-8, marked or not, no NaN, no duplicate names, at most a mebibyte."""

    largest = LARGEST_BODY

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = bounded(stream, self.largest, parser_context)
        try:
            return json.loads(
                body.decode("utf-8-sig"), object_pairs_hook=_once_each, parse_constant=_no_constant
            )
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8: send it so.") from error
        except (ValueError, RecursionError) as error:
            said = str(error) if isinstance(error, _NotStrict) else "The body is not valid JSON."
            raise ParseError(said) from error


class _NotStrict(ValueError):
    """JSON that is ambiguous: a duplicate name, or a number like NaN."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotStrict("The body gives a field twice: give each field once.")
    return found


def _no_constant(_name: str) -> None:
    raise _NotStrict("The body holds a number that JSON does not have: use null for no value.")

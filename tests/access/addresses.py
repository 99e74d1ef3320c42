"""Every address that the URL configuration knows, and the methods worth trying there."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

CAPTURED = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
ROW_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PAGE_METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Address:
    """One pattern: as it is written, its name with namespaces, and what it captures."""

    route: str
    name: str
    captures: tuple[str, ...]

    @property
    def is_api(self) -> bool:
        """Whether scripts call it with a token."""
        return self.route.startswith(("api/", "fhir/"))

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods to try: pages have forms only."""
        return ROW_METHODS if self.is_api else PAGE_METHODS

    def filled(self, values: dict[str, Any]) -> str:
        """The path with these captures."""
        path = CAPTURED.sub(lambda found: str(values[found[1] or found[2]]), self.route)
        return "/" + path.replace("^", "").replace("$", "").removesuffix(".*")


def every_address() -> list[Address]:
    """All of them, in the order in which they are tried."""
    return list(_walk(get_resolver().url_patterns))


def _walk(
    patterns: Iterable[URLPattern | URLResolver], route: str = "", space: str = ""
) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, here, inner)
        else:
            captures = tuple(found[1] or found[2] for found in CAPTURED.finditer(here))
            yield Address(here, f"{space}{pattern.name or ''}", captures)

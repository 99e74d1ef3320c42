"""Limits on requests, told by replies to what counts: how many, how many are left, until when."""

import math
from contextlib import nullcontext
from typing import Any

from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import (
    AnonRateThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
    UserRateThrottle,
)

from registry.answers.client_address import client_address

LIMIT, REMAINING, RESET = "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"
"""The headers of the IETF's draft (draft-ietf-httpapi-ratelimit-headers, to version 6)."""


class TellsLimit(SimpleRateThrottle):
    """A limit whose state stands in the headers of the reply; of several the tightest."""

    key: str | None = None
    num_requests: int
    duration: int

    def get_ident(self, request: Request) -> str:
        """The address that asks; those that cannot be read share one limit."""
        return client_address(request) or "unknown"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the request is within the limit, which all processes count together."""
        self.cache = caches["limits"]
        asks = str(request.user.pk or self.get_ident(request))
        alone = getattr(self.cache, "alone", nullcontext)
        with alone(asks):
            allowed: bool = super().allow_request(request, view)
        if self.key is not None:
            left = self.num_requests - len(self.history)
            if left < int(view.headers.get(REMAINING, left + 1)):
                oldest = self.history[-1] if self.history else self.now
                wait = max(1, math.ceil(oldest + self.duration - self.now))
                view.headers[LIMIT] = str(self.num_requests)
                view.headers[REMAINING] = str(left)
                view.headers[RESET] = str(wait)
        return allowed


class StrangersLimit(TellsLimit, AnonRateThrottle):
    """The requests of an address without a token or a session."""


class UsersLimit(TellsLimit, UserRateThrottle):
    """The requests of a user, by all tokens and sessions together."""


class TokensLimit(TellsLimit, ScopedRateThrottle):
    """The requests for a token, from an address or of a user."""

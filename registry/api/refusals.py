"""Refusals that only an API knows: of a key, a format, a body."""

from registry.records import Refusal


class KeyReused(Refusal):
    """An Idempotency-Key that already stands for another request."""

    code = "idempotency-key-reused"


class FormatNotAvailable(Refusal):
    """A format that the registry knows and this address does not render."""

    code = "format-not-available"


class TooLarge(Refusal):
    """A body larger than the registry reads."""

    code = "body-too-large"

"""Refusals of the API alone: of a key, a format, a body."""

from http import HTTPStatus

from registry.records import Refusal


class KeyReused(Refusal):
    """An Idempotency-Key that already stands for another request."""

    code = "idempotency-key-reused"
    status = HTTPStatus.CONFLICT
    title = "This key stands for another request"


class VersionRequired(Refusal):
    """A change that does not say which version of the row was read."""

    code = "version-required"
    status = HTTPStatus.PRECONDITION_REQUIRED
    title = "Say which version was read"


class FormatNotAvailable(Refusal):
    """A format that the registry has but this address does not render."""

    code = "format-not-available"
    status = HTTPStatus.NOT_ACCEPTABLE
    title = "Not available in this format"


class TooLarge(Refusal):
    """A body over the size limit."""

    code = "body-too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The body is too large"


class UnsupportedEncoding(Refusal):
    """A body in a Content-Encoding that is not read here."""

    code = "unsupported-media-type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "This encoding of the body is not supported"

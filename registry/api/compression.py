"""Compresses the API's replies, and reads compressed bodies within the limit of the body."""

import zlib
from collections.abc import Mapping
from gzip import GzipFile
from typing import IO, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser

from registry.api.refusals import TooLarge, UnsupportedEncoding
from registry.records import Fault

_OF_THE_API = ("/api/", "/fhir/")
_COMPRESSED = ("image/png",)
"""Types of content that are compressed by themselves."""

_GZIP = frozenset({"gzip", "x-gzip"})

Context = Mapping[str, Any] | None


class CompressedReplies(GZipMiddleware):
    """Compresses replies of the API and of FHIR for callers that take gzip.

    Pages stay as they are: a proxy may compress those, and they hold tokens of forms.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        """The reply, compressed where that is asked for and helps; its ETag is a weak one then."""
        if not request.path_info.startswith(_OF_THE_API):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))  # a 304 says what its 200 said
        if response.headers.get("Content-Type", "") in _COMPRESSED:
            return response
        return super().process_response(request, response)


def bounded(stream: IO[Any], largest: int, context: Context) -> bytes:
    """The whole body, unpacked where it is gzip.

    context: of the parser. Raises TooLarge where the body is larger than the limit, packed or not,
    and UnsupportedEncoding.
    """
    encoding = _encoding_of(context)
    if not encoding:
        body: bytes = stream.read(largest + 1)
    elif encoding in _GZIP:
        try:
            with GzipFile(fileobj=stream) as file:
                body = file.read(largest + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ParseError("The body is not gzip, as its Content-Encoding says.") from error
    else:
        raise UnsupportedEncoding(
            Fault("", UnsupportedEncoding.code, "Send the body as it is, or with gzip.")
        )
    if len(body) > largest:
        raise TooLarge(Fault("", "body-too-large", f"Send at most {largest} bytes."))
    return body


class _AsSent(BaseParser):
    """A parser of bodies that are sent as they are."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The fields. Raises UnsupportedEncoding."""
        if _encoding_of(parser_context):
            said = "Send a form as it is, without a Content-Encoding."
            raise UnsupportedEncoding(Fault("", UnsupportedEncoding.code, said))
        return super().parse(stream, media_type, parser_context)


class PlainForms(_AsSent, FormParser):
    """Forms that are sent as they are."""


class PlainPartedForms(_AsSent, MultiPartParser):
    """Forms in parts that are sent as they are."""


def _encoding_of(context: Context) -> str:
    """How the body is encoded; an empty text where it is sent as it is."""
    request = (context or {}).get("request")
    said: str = "" if request is None else request.headers.get("Content-Encoding", "")
    encoding = said.strip().lower()
    return "" if encoding == "identity" else encoding

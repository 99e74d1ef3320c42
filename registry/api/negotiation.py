"""The format of a reply: by `?format=`, then by Accept."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from registry.api.refusals import FormatNotAvailable
from registry.filters.questions import FORMATS
from registry.records import BadQuery, Fault


class FormatNegotiation(DefaultContentNegotiation):
    """Content negotiation that refuses with the available formats, not with 404."""

    def filter_renderers(
        self, renderers: Iterable[BaseRenderer], format: str | None
    ) -> list[BaseRenderer]:
        offered = list(renderers)
        found = [renderer for renderer in offered if renderer.format == format]
        if found:
            return found
        here = " or ".join(str(renderer.format) for renderer in offered)
        if format in FORMATS:
            said = f"This answer is not available in that format: ask for {here}."
            raise FormatNotAvailable(Fault("format", "format-not-available", said))
        raise BadQuery(Fault("format", "unknown-code", f"Ask for {here}."))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        if request.method == "OPTIONS" or not _is_taken(request):
            # It says what the address takes, or that it is no method of it: in no answer's format.
            plain = JSONRenderer()
            return plain, plain.media_type
        formats = request.query_params.getlist("format")
        if len(set(formats)) > 1:
            raise BadQuery(Fault("format", "repeated-parameter", "Give format only once."))
        return super().select_renderer(request, renderers, format_suffix)

    def get_accept_list(self, request: Request) -> list[str]:
        """The Accept header's types; any type where `format` is given."""
        if "format" in request.query_params:
            return ["*/*"]
        accepted: list[str] = super().get_accept_list(request)
        return accepted


def _is_taken(request: Request) -> bool:
    """Whether the address takes the request's method; another is 405 in whatever format."""
    view = request.parser_context.get("view")
    return view is None or hasattr(view, str(request.method).lower())

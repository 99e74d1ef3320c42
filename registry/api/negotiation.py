"""The format of a reply: by `?format=`, then by Accept."""

from collections.abc import Iterable
from typing import Any

from django.http.request import MediaType
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from registry.api.refusals import FormatNotAvailable
from registry.filters.questions import FORMATS
from registry.records import BadQuery, Fault


class QualityNegotiation(DefaultContentNegotiation):
    """Content negotiation by the qualities of Accept (RFC 9110, 12.5.1), which DRF passes over."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        """The renderer that the caller likes best, of equals the first. Raises NotAcceptable."""
        offered = list(renderers)
        if given := format_suffix or request.query_params.get("format"):
            offered = self.filter_renderers(offered, given)
        ranges = [MediaType(each) for each in self.get_accept_list(request)]
        wishes = [(_wish(renderer, ranges), renderer) for renderer in offered]
        wish, renderer = max(wishes, key=lambda each: each[0][:2])
        quality, _specificity, accepted = wish
        if not quality:
            raise NotAcceptable(available_renderers=offered)
        return renderer, accepted or renderer.media_type


def _wish(renderer: BaseRenderer, ranges: Iterable[MediaType]) -> tuple[float, int, str]:
    """How much a renderer is liked, how specifically that is said, and by what where in full.

    The most specific range that fits decides, so that `text/csv;q=0` forbids CSV beside `*/*`.
    Parameters such as `charset` are passed over: the reply says its own.
    """
    own = MediaType(renderer.media_type)
    fitting = [
        each
        for each in ranges
        if each.main_type in {"*", own.main_type} and each.sub_type in {"*", own.sub_type}
    ]
    if not fitting:
        return 0, 0, ""
    best = max(fitting, key=lambda each: (_kind_of(each), each.quality))
    return best.quality, _kind_of(best), "" if _kind_of(best) < _IN_FULL else str(best)


_IN_FULL = 2


def _kind_of(accepted: MediaType) -> int:
    """0 for any type, 1 for a family such as `image/*`, 2 for one type."""
    return 0 if accepted.main_type == "*" else 1 if accepted.sub_type == "*" else _IN_FULL


class FormatNegotiation(QualityNegotiation):
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

"""The API's OpenAPI 3.1 schema, and offline pages to try it on."""

from functools import cache as once
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from registry.api.negotiation import QualityNegotiation
from registry.api.parameters import refuse_unknown

SWAGGER_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
"""The content security policy of Swagger UI: inline styles, icons from data, no other host."""


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes tokens in the schema."""

    target_class = "registry.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The Authorization header: the word `Token`, a space, and the token."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ` or `Bearer `, then the token from POST /api/v1/tokens/.",
        }


class Schema(SpectacularAPIView):
    """The schema as YAML or JSON; open to all, and so written once in a process."""

    permission_classes = [AllowAny]
    content_negotiation_class = QualityNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses unknown parameters."""
        super().initial(request, *args, **kwargs)
        refuse_unknown(request)

    def _get_schema_response(self, request: Request) -> HttpResponse:
        """The document as it was written for the first who asked for this format."""
        renderer = request.accepted_renderer
        return HttpResponse(
            _written(renderer.media_type),
            content_type=renderer.media_type
            + (f"; charset={renderer.charset}" if renderer.charset else ""),
            headers={
                "Content-Disposition": f'inline; filename="{self._get_filename(request, "")}"'
            },
        )


@once
def _written(media_type: str) -> bytes:
    (renderer,) = (each for each in Schema.renderer_classes if each.media_type == media_type)
    document = Schema.generator_class().get_schema(request=None, public=True)
    written = renderer().render(document, media_type, {})
    return written if isinstance(written, bytes) else written.encode()


@method_decorator(csp(SWAGGER_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from this server's files; its start-up script has an address of its own."""

    permission_classes = [AllowAny]
    content_negotiation_class = QualityNegotiation
    url_name = "api:schema"
    http_method_names = ["get", "head"]  # what OPTIONS would tell has no page

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuses unknown parameters, which the page would repeat in its script's address."""
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, ["script"])

    def _dump(self, data: Any) -> str:
        """Keeps Swagger UI from sending the schema's address to its makers' validator."""
        if isinstance(data, dict):
            data = {**data, "validatorUrl": None}
        dumped: str = super()._dump(data)
        return dumped

"""The API's description of itself: OpenAPI 3.1, and pages to try it on that work offline."""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

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
"""Swagger UI sets styles from its script and draws its icons from data: no other host, ever."""


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes a token."""

    target_class = "registry.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A header of its own kind: the word `Token`, a space, and the token."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ` followed by what POST /api/v1/tokens/ gave.",
        }


class Schema(SpectacularAPIView):
    """The schema as YAML or JSON; open to all."""

    permission_classes = [AllowAny]
    content_negotiation_class = DefaultContentNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse parameters that nothing reads, here as everywhere."""
        super().initial(request, *args, **kwargs)
        refuse_unknown(request)


@method_decorator(csp(SWAGGER_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """Swagger UI from files of this server; its start-up script is an address of its own."""

    permission_classes = [AllowAny]
    content_negotiation_class = DefaultContentNegotiation
    url_name = "api:schema"

    def _dump(self, data: Any) -> str:
        """Keep Swagger UI from sending the schema's address to the validator of its makers."""
        if isinstance(data, dict):
            data = {**data, "validatorUrl": None}
        dumped: str = super()._dump(data)
        return dumped

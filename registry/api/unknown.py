"""Problem documents for unknown addresses."""

from typing import Any

from django.http import HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.records import Fault, UnknownRow


@extend_schema(exclude=True)
class UnknownAddress(APIView):
    """Every address that no other view of the API takes."""

    permission_classes = [AllowAny]
    authentication_classes = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answers 404 before method and format are checked."""

    def http_method_not_allowed(self, request: Any, *args: object, **kwargs: object) -> Any:
        """Redirects where only the final slash is missing; otherwise 404."""
        path = request.path
        if request.method in {"GET", "HEAD"} and not path.endswith("/") and _is_known(f"{path}/"):
            query = request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(f"{path}/" + (f"?{query}" if query else ""))
        said = "There is no such address; addresses end with a slash; see /api/v1/docs/."
        raise UnknownRow(Fault("", "not-found", said))

    def options(self, request: Any, *args: object, **kwargs: object) -> Any:
        """Keeps unknown addresses out of the schema."""
        return self.http_method_not_allowed(request)


def _is_known(path: str) -> bool:
    try:
        return getattr(resolve(path).func, "cls", None) is not UnknownAddress
    except Resolver404:
        return False

"""Addresses that are none, told as a problem like every other refusal."""

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
    """Whatever no other address of the API takes."""

    permission_classes = [AllowAny]
    authentication_classes = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answer before a method or a format is looked at: there is nothing here."""

    def http_method_not_allowed(self, request: Any, *args: object, **kwargs: object) -> Any:
        """Lead a reader who forgot the slash to the address; tell everybody else 404."""
        path = request.path
        if request.method in {"GET", "HEAD"} and not path.endswith("/") and _is_known(f"{path}/"):
            query = request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(f"{path}/" + (f"?{query}" if query else ""))
        said = "There is no such address; addresses end with a slash and stand in /api/v1/docs/."
        raise UnknownRow(Fault("", "not-found", said))

    def options(self, request: Any, *args: object, **kwargs: object) -> Any:
        """Describe nothing: there is no such address."""
        return self.http_method_not_allowed(request)


def _is_known(path: str) -> bool:
    try:
        return resolve(path).func.__name__ != UnknownAddress.__name__
    except Resolver404:
        return False

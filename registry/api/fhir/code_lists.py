"""The code lists of events as CodeSystem and ValueSet resources, open to all."""

from collections.abc import Callable
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.codelists import entries
from registry.api.fhir.replies import FhirReplies, base_of, refuse_parameters
from registry.interchange.fhir import Json
from registry.interchange.fhir_code_lists import CODE_LISTS, Concept, code_system, value_set
from registry.records import Fault, UnknownRow

MADE: dict[str, Callable[..., Json]] = {"CodeSystem": code_system, "ValueSet": value_set}
"""How each kind of resource is made."""


def resource_of(kind: str, name: str, base: str) -> Json:
    """A list as a resource of a kind. One query for lists of the catalogue, otherwise none."""
    found = {
        entry["id"]: Concept(entry["id"], entry["label"], entry["definition"])
        for source in CODE_LISTS[name].sources
        for entry in entries(source)
    }
    return MADE[kind](name, found.values(), base=base)


class OfCodeLists(FhirReplies):
    """Resources of one kind. kind: CodeSystem or ValueSet."""

    permission_classes = [AllowAny]
    kind: ClassVar[str] = "CodeSystem"


@extend_schema(exclude=True)
class CodeListSearch(OfCodeLists):
    """All lists as resources of one kind."""

    def get(self, request: Request) -> Response:
        """A searchset of all, or of that with the canonical address `url`."""
        refuse_parameters(request, "url")
        base, url = base_of(request), request.query_params.get("url")
        found = [resource_of(self.kind, name, base) for name in CODE_LISTS]
        found = [each for each in found if url in (None, each["url"])]
        at = f"{base}/fhir/{self.fhir_version.value}/{self.kind}"
        bundle: Json = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": [{"relation": "self", "url": request.build_absolute_uri()}],
        }
        if found:
            bundle["entry"] = [
                {"fullUrl": f"{at}/{each['id']}", "resource": each, "search": {"mode": "match"}}
                for each in found
            ]
        return Response(bundle)


@extend_schema(exclude=True)
class CodeListDetail(OfCodeLists):
    """One list as a resource."""

    def get(self, request: Request, name: str) -> Response:
        """The resource, by the list's name."""
        refuse_parameters(request)
        if name not in CODE_LISTS:
            raise UnknownRow(Fault("", "not-found", "The registry has no such list."))
        return Response(resource_of(self.kind, name, base_of(request)))

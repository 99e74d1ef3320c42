"""What the registry says of its FHIR, open to all: capabilities and extensions."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.fhir.replies import FhirReplies, base_of, refuse_parameters
from registry.api.unknown import UnknownAddress
from registry.interchange.fhir_code_lists import list_of_extension, value_set_address
from registry.interchange.fhir_statements import (
    EXTENSIONS,
    capability_statement,
    structure_definition,
)
from registry.records import Fault, UnknownRow


@extend_schema(exclude=True)
class Capabilities(FhirReplies):
    """The CapabilityStatement of one version."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        """The statement; clients ask it first."""
        refuse_parameters(request)
        return Response(capability_statement(self.fhir_version, base=base_of(request)))


@extend_schema(exclude=True)
class Definition(FhirReplies):
    """The StructureDefinition of one extension."""

    permission_classes = [AllowAny]

    def get(self, request: Request, name: str) -> Response:
        """The definition, by the last part of the extension's address."""
        refuse_parameters(request)
        if name not in EXTENSIONS:
            raise UnknownRow(Fault("", "not-found", "The registry has no such extension."))
        column, base = EXTENSIONS[name], base_of(request)
        codes = list_of_extension(column)
        bound_to = value_set_address(codes, base) if codes is not None else None
        return Response(structure_definition(column, base=base, bound_to=bound_to))


@extend_schema(exclude=True)
class UnknownResource(FhirReplies, UnknownAddress):
    """Every address under /fhir/ that no other view takes."""

    def http_method_not_allowed(self, request: Any, *args: object, **kwargs: object) -> Any:
        """Answers 404: the metadata of each version names what there is."""
        said = (
            "There is no such resource here; see /fhir/r4/metadata and /fhir/r5/metadata. "
            "Addresses have no final slash."
        )
        raise UnknownRow(Fault("", "not-found", said))

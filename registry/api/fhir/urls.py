"""The addresses of FHIR, which end without a slash; each version has its own."""

from django.urls import URLPattern, path, re_path

from registry.api.fhir.adverse_events import AdverseEventDetail, AdverseEvents, SearchByPost
from registry.api.fhir.bundles import Bundles
from registry.api.fhir.code_lists import CodeListDetail, CodeListSearch
from registry.api.fhir.statements import Capabilities, Definition, UnknownResource
from registry.interchange.fhir import FhirVersion

app_name = "fhir"


def _addresses(version: FhirVersion) -> list[URLPattern]:
    at = version.value
    said = {"fhir_version": version}
    return [
        path(f"{at}/", Bundles.as_view(**said), name=f"{at}-base"),
        path(at, Bundles.as_view(**said)),
        path(f"{at}/metadata", Capabilities.as_view(**said), name=f"{at}-metadata"),
        path(f"{at}/AdverseEvent", AdverseEvents.as_view(**said), name=f"{at}-events"),
        path(f"{at}/AdverseEvent/_search", SearchByPost.as_view(**said), name=f"{at}-search"),
        path(
            f"{at}/AdverseEvent/<uuid:public_id>",
            AdverseEventDetail.as_view(**said),
            name=f"{at}-event",
        ),
        *(
            path(f"{at}/{kind}{rest}", view.as_view(kind=kind, **said), name=f"{at}-{name}")
            for kind, noun in (("CodeSystem", "code-system"), ("ValueSet", "value-set"))
            for rest, view, name in (
                ("", CodeListSearch, f"{noun}s"),
                ("/<str:name>", CodeListDetail, noun),
            )
        ),
    ]


urlpatterns = [
    *_addresses(FhirVersion.R4),
    *_addresses(FhirVersion.R5),
    path(
        "r5/StructureDefinition/<str:name>",
        Definition.as_view(fhir_version=FhirVersion.R5),
        name="definition",
    ),
    re_path(r"^.*$", UnknownResource.as_view()),
]

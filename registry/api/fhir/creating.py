"""New events from AdverseEvent resources, through the door that every report goes through."""

import re
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from registry import intake
from registry.api.fhir.replies import MEDIA_TYPE, outcome
from registry.api.parsers import StrictJSONParser
from registry.api.rows import makes_keys
from registry.interchange.fhir import OURS, FhirVersion, Json
from registry.interchange.fhir_concepts import CatalogueTerms, words_of
from registry.interchange.fhir_import import ReadResource, read_adverse_event
from registry.models import Event, ImdrfCode, Implant, User
from registry.records import BadQuery, Fault, RowRuleBroken
from registry.vocabulary import DatePrecision

_RETURN = re.compile(r"\breturn\s*=\s*(minimal|representation|OperationOutcome)\b")


class FhirParser(StrictJSONParser):
    """JSON as FHIR names it."""

    media_type = MEDIA_TYPE


def terms_of_catalogue(by: User) -> CatalogueTerms:
    """The names of complications, IMDRF's codes, and the words of the sender's own sites.

    Four queries.
    """
    kept = ImdrfCode.objects.filter(shown=True, complication__retired=False).order_by("key")
    imdrf: dict[str, tuple[str, ...]] = {}
    for code, complication in kept.values_list("code", "complication_id"):
        imdrf[code] = (*imdrf.get(code, ()), complication)
    words = words_of(intake.wording_of(by).words)
    return CatalogueTerms(intake.catalogue_names(), imdrf, words)


def read_resource(resource: Any, version: FhirVersion, terms: CatalogueTerms) -> ReadResource:
    """One resource of a request. Raises RowRuleBroken and IdentifierFound with FHIR's paths."""
    keeps_months = settings.REGISTRY_DATE_PRECISION == DatePrecision.MONTH
    return read_adverse_event(resource, version=version, terms=terms, keeps_months=keeps_months)


def record(read: ReadResource, request: Request) -> Event:
    """Stores what was read, as every other report; raises what `record_event` does.

    Raises RowRuleBroken too where the subject is not the patient of the implant.
    """
    by: Any = request.user
    _refuse_other_patient(read, by)
    return intake.record_event(
        read.report, by=by, submit=read.submit, make_keys=makes_keys(request)
    )


def _refuse_other_patient(read: ReadResource, by: Any) -> None:
    """Holds the subject to the implant: an event of another patient would be a wrong one."""
    if read.patient is None:
        return
    values = read.report.values
    named = {"site__code": values.get("site"), "source_id": values.get("implant")}
    implant = Implant.objects.visible_to(by).filter(**named).select_related("patient").first()
    if implant and implant.patient.source_id != read.patient:
        detail = "the implant is another patient's: correct the subject or the implant"
        raise RowRuleBroken(Fault("AdverseEvent.subject", "other-patient", detail))


def refuse_conditional(request: Request) -> None:
    """Refuses a conditional create, which would store a second event where it is ignored."""
    if "If-None-Exist" in request.headers:
        said = "Send no If-None-Exist: an event of a known source id is refused with 409."
        raise BadQuery(Fault("If-None-Exist", "not-supported", said))


def preferred_return(request: Request) -> str:
    """What the reply to a create holds: the resource, unless `Prefer` says another thing."""
    found = _RETURN.search(request.headers.get("Prefer", ""))
    return found[1] if found else "representation"


def outcome_of(read: ReadResource, said: str) -> Json:
    """What was stored, and every warning of reading, as an OperationOutcome."""
    done: Json = {"severity": "information", "code": "informational", "diagnostics": said}
    return outcome([done, *warnings_of(read, "AdverseEvent")])


def warnings_of(read: ReadResource, at: str) -> list[Json]:
    """The warnings as issues. at: the place of the resource."""
    return [
        {
            "severity": "warning",
            "code": "processing",
            "details": {"coding": [{"system": f"{OURS}:problem", "code": fault.code}]},
            "diagnostics": f"{fault.detail[:1].upper()}{fault.detail[1:]}.",
            "expression": [fault.column.replace("AdverseEvent", at, 1)],
        }
        for fault in read.warnings
    ]

"""An event of the registry as a FHIR AdverseEvent, without anything that identifies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.interchange.fhir import (
    ABSENT,
    CATEGORIES,
    COMPLICATIONS,
    EVENT,
    IMDRF,
    OUTCOME,
    OUTCOMES,
    SERIOUSNESS,
    SEVERITY,
    SUSPECTS,
    FhirVersion,
    Json,
    codelist_system,
    extension_address,
    is_element,
    rows_system,
    sites_system,
    value_element,
    value_type,
)
from registry.records.declared import RowColumn
from registry.vocabulary import Actuality, Outcome, Seriousness, Severity, State

_STATUS: Mapping[State, str] = {
    State.DRAFT: "in-progress",
    State.SUBMITTED: "in-progress",
    State.ACCEPTED: "completed",
    State.REJECTED: "completed",
    State.DUPLICATE: "completed",
    State.WITHDRAWN: "entered-in-error",
}
_DEVICE = "device"
_ABSENT: Json = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideEvent:
    """What a resource says beyond the event's own columns.

    patient: the random key of the implant's patient. complication, category: their names.
    imdrf: the complication's code of each annex that has one.
    """

    patient: str | None
    complication: str
    category: str
    imdrf: Mapping[str, str]
    changed_at: datetime


def adverse_event(
    shown: Mapping[str, Any], beside: BesideEvent, *, version: FhirVersion, base: str
) -> Json:
    """The resource of an event. shown: its columns as the API shows them; None is not recorded.

    base: the deployment's address, without a final slash. A value that no element of the version
    holds whole is an extension.
    """
    made = _Made(shown, beside, version, base)
    resource: Json = {
        "resourceType": "AdverseEvent",
        "id": shown["id"],
        "meta": {
            "versionId": str(shown["version"]),
            "lastUpdated": beside.changed_at.isoformat(timespec="milliseconds"),
        },
        "contained": made.contained(),
        "extension": made.extensions(),
        "identifier": made.identifier(),
        **made.actuality(),
        "category": [_coded(CATEGORIES, shown["category"], beside.category)],
        version.code_element: made.complication(),
        "subject": made.subject(),
        made.date_element: made.date(),
        "location": made.logical("Location", sites_system(base), shown["site"]),
        "seriousness": made.seriousness(),
        "outcome": made.outcome(),
        "suspectEntity": made.suspects(),
    }
    if version is FhirVersion.R4:
        resource["severity"] = made.severity()
    else:
        resource["status"] = _STATUS[State.of(shown["state"])]
        for element, column in _ITEMS.items():
            resource[element] = made.items(column)
    return {name: value for name, value in resource.items() if value not in (None, [], {})}


_ITEMS = {"mitigatingAction": "interventions", "contributingFactor": "root_cause"}
"""R5's elements of several items, and the column of each."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The elements of one resource."""

    shown: Mapping[str, Any]
    beside: BesideEvent
    version: FhirVersion
    base: str

    @property
    def date_element(self) -> str:
        return "date" if self.version is FhirVersion.R4 else "occurrenceDateTime"

    def contained(self) -> list[Json]:
        """The implant, by the site's own key alone."""
        if self.shown["implant"] is None:
            return []
        system = rows_system(self.shown["site"], "implants", self.base)
        identifier = {"system": system, "value": self.shown["implant"]}
        return [{"resourceType": "Device", "id": _DEVICE, "identifier": [identifier]}]

    def extensions(self) -> list[Json]:
        """The state, and every column that no element holds whole."""
        made = [self._extension("state", "code", self.shown["state"])]
        for name, column in EVENT.items():
            value = self.shown[name]
            is_whole = is_element(name, self.version) and value != Outcome.NOT_APPLICABLE
            if is_whole or name == "caused_by" or value is None:
                continue
            values = value if isinstance(value, list) else [value]
            made += [self._extension(name, value_type(column), each) for each in values]
        if self.shown["caused_by_id"] is not None:
            made.append(self._extension("caused_by", "Reference", self._cause()))
        return made

    def identifier(self) -> Any:
        """The site's own key of the event: one in R4, a list in R5."""
        if self.shown["source_id"] is None:
            return None
        system = rows_system(self.shown["site"], "events", self.base)
        made = {"system": system, "value": self.shown["source_id"]}
        return made if self.version is FhirVersion.R4 else [made]

    def actuality(self) -> Json:
        """Actual or potential; the element is required, so that what is not recorded says so."""
        if self.shown["actuality"] is None:
            return {"_actuality": _ABSENT}
        is_actual = self.shown["actuality"] == Actuality.ACTUAL
        return {"actuality": "actual" if is_actual else "potential"}

    def complication(self) -> Json:
        """The catalogue's code, and IMDRF's where the catalogue has it."""
        code = self.shown["complication"]
        made = _coded(COMPLICATIONS, code, self.beside.complication)
        for annex, term in self.beside.imdrf.items():
            made["coding"].append({"system": IMDRF[annex], "code": term})
        return made | {"text": self.beside.complication}

    def subject(self) -> Json:
        """A logical reference by the patient's random key, or the reason why there is none."""
        if self.beside.patient is None:
            return _ABSENT
        system = rows_system(self.shown["site"], "patients", self.base)
        return self.logical("Patient", system, self.beside.patient)

    def date(self) -> str | None:
        """The year, with its month where one is kept."""
        year, month = self.shown["year"], self.shown["month"]
        if year is None:
            return None
        return f"{year:04d}" if month is None else f"{year:04d}-{month:02d}"

    def seriousness(self) -> Json | None:
        """Serious or not; which criteria are met is an extension."""
        if self.shown["seriousness"] is None:
            return None
        code = "Non-serious" if self.shown["seriousness"] == [Seriousness.NONE] else "Serious"
        return _coded(SERIOUSNESS, code if self.version is FhirVersion.R4 else code.lower(), code)

    def severity(self) -> Json | None:
        """Mild, moderate or severe; the grade is an extension."""
        if self.shown["severity"] is None:
            return None
        (code,) = [each.fhir_r4 for each in Severity if each == self.shown["severity"]]
        return _coded(SEVERITY, code, code.capitalize())

    def outcome(self) -> Any:
        """HL7's outcome: one in R4, a list in R5."""
        if self.shown["outcome"] in (None, Outcome.NOT_APPLICABLE):
            return None
        outcome = Outcome.of(self.shown["outcome"])
        made = _coded(OUTCOME, OUTCOMES[outcome], outcome.label)
        return made if self.version is FhirVersion.R4 else [made]

    def suspects(self) -> list[Json]:
        """The device, and every other suspect to which a relation was judged."""
        made = []
        for suspect, name in SUSPECTS.items():
            relation = self.shown[name]
            is_device = suspect == _DEVICE and self.shown["implant"] is not None
            if relation is None and not is_device:
                continue
            entity = {"extension": [self._extension("suspect", "code", suspect)]}
            entity |= self._instance(suspect, is_contained=is_device)
            if relation is not None:
                entity["causality"] = self._causality(EVENT[name], relation)
            made.append(entity)
        return made

    def items(self, name: str) -> list[Json]:
        """An item for every code of a column, as R5 has them."""
        value = self.shown[name]
        values = value if isinstance(value, list) else [value]
        column = EVENT[name]
        return [{"itemCodeableConcept": _listed(column, each)} for each in values if each]

    def logical(self, kind: str, system: str, value: str) -> Json:
        """A reference to what is known by an identifier alone."""
        return {"type": kind, "identifier": {"system": system, "value": value}}

    def _instance(self, suspect: str, *, is_contained: bool) -> Json:
        reference = {"reference": f"#{_DEVICE}"} if is_contained else {"display": suspect}
        if self.version is FhirVersion.R4:
            return {"instance": reference}
        if is_contained:
            return {"instanceReference": reference}
        return {"instanceCodeableConcept": {"text": suspect}}

    def _causality(self, column: RowColumn, relation: str) -> Any:
        if self.version is FhirVersion.R4:
            return [{"assessment": _listed(column, relation)}]
        return {"entityRelatedness": _listed(column, relation)}

    def _cause(self) -> Json:
        made: Json = {
            "reference": f"AdverseEvent/{self.shown['caused_by_id']}",
            "type": "AdverseEvent",
        }
        if self.shown["caused_by"] is not None:
            system = rows_system(self.shown["site"], "events", self.base)
            made["identifier"] = {"system": system, "value": self.shown["caused_by"]}
        return made

    def _extension(self, name: str, kind: str, value: Any) -> Json:
        address = extension_address(name, self.base)
        return {"url": address, value_element(kind): value}


def _coded(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _listed(column: RowColumn, code: str) -> Json:
    """A code of a column's list, with its label."""
    labels = {str(member.value): member.label for member in column.members}
    return _coded(codelist_system(column), code, labels[code])

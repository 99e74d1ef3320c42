"""FHIR's names of what the registry keeps: versions, systems, extensions, elements.

Source: HL7 FHIR, AdverseEvent in R4 (4.0.1) and R5 (5.0.0). A declared column of an event that has
no element of its own in a version is an extension there, named as the column.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds, RowColumn
from registry.vocabulary import Outcome

Json = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem"
SEVERITY = f"{HL7}/adverse-event-severity"
SERIOUSNESS = f"{HL7}/adverse-event-seriousness"
OUTCOME = f"{HL7}/adverse-event-outcome"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

OURS = "urn:pump-registry"
COMPLICATIONS = f"{OURS}:complications"
CATEGORIES = f"{OURS}:categories"
IMDRF: Mapping[str, str] = {"A": f"{OURS}:imdrf:annex-a", "E": f"{OURS}:imdrf:annex-e"}
"""IMDRF publishes no address of its terminologies as code systems."""

EVENT: Mapping[str, RowColumn] = DECLARED[RowKind.EVENT]

SUSPECTS: Mapping[str, str] = {
    name.removeprefix("relatedness_"): name for name in EVENT if name.startswith("relatedness_")
}
"""The column of the relation to each kind of suspect: device, procedure, drug ..."""

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.RECOVERED: "resolved",
    Outcome.RECOVERING: "recovering",
    Outcome.NOT_RECOVERED: "ongoing",
    Outcome.RECOVERED_SEQUELAE: "resolvedWithSequelae",
    Outcome.FATAL: "fatal",
    Outcome.UNKNOWN: "unknown",
}
"""HL7's code of each outcome; a near miss has none, so that its outcome is an extension."""


class FhirVersion(StrEnum):
    """A version of FHIR that the registry answers in, as its address names it."""

    R4 = "r4"
    R5 = "r5"

    @property
    def number(self) -> str:
        """The version's number."""
        return {"r4": "4.0.1", "r5": "5.0.0"}[self.value]

    @property
    def code_element(self) -> str:
        """The element of an AdverseEvent that holds the complication."""
        return "event" if self is FhirVersion.R4 else "code"


_IN_BOTH = frozenset(
    {
        *("site", "source_id", "implant", "complication", "year", "month", "outcome"),
        *("actuality", *SUSPECTS.values()),
    }
)
_ELEMENTS: Mapping[FhirVersion, frozenset[str]] = {
    FhirVersion.R4: _IN_BOTH,
    FhirVersion.R5: _IN_BOTH | {"interventions", "root_cause"},
}
"""Columns that an element holds whole. Grade and criteria have one that says less, and both."""


def is_element(column: str, version: FhirVersion) -> bool:
    """Whether an element of the version holds the column whole; otherwise an extension does."""
    return column in _ELEMENTS[version]


def codelist_system(column: RowColumn) -> str:
    """The code system of a column's code list, the same in every deployment."""
    name = "model" if column.holds is Holds.MODEL else column.codelist
    return f"{OURS}:codelist:{name}"


def value_type(column: RowColumn) -> str:
    """The type of an extension's value for a column: code, integer, or a reference."""
    if column.holds in {Holds.CODE, Holds.CODES, Holds.MODEL}:
        return "code"
    if column.holds in {Holds.NUMBER, Holds.GRADE, Holds.YEAR}:
        return "integer"
    return "Reference" if column.name == "caused_by" else "string"


def value_element(kind: str) -> str:
    """The element of an extension's value of a type: valueCode, valueInteger ..."""
    return f"value{kind[0].upper()}{kind[1:]}"


def extension_address(name: str, base: str) -> str:
    """The address of an extension's definition. base: of the deployment, such as https://host.

    FHIR's ids have no underscores: a column's become hyphens.
    """
    return f"{base}/fhir/r5/StructureDefinition/{definition_id(name)}"


def definition_id(name: str) -> str:
    """The id of an extension's definition, from the name of its column."""
    return name.replace("_", "-")


def rows_system(site: str, kind: str, base: str) -> str:
    """The system of a site's own keys. kind: events, implants or patients."""
    return f"{base}/api/v1/sites/{site}/{kind}"


def sites_system(base: str) -> str:
    """The system of the codes of sites."""
    return f"{base}/api/v1/sites"


_EXPRESSIONS: Mapping[str, str] = {
    "site": "location.identifier.value",
    "source_id": "identifier.value",
    "implant": "suspectEntity.instance",
    "year": "date",
    "month": "date",
    **dict.fromkeys(SUSPECTS.values(), "suspectEntity.causality.assessment"),
}
_EXPRESSIONS_R5: Mapping[str, str] = {
    "year": "occurrence",
    "month": "occurrence",
    "interventions": "mitigatingAction.item",
    "root_cause": "contributingFactor.item",
    **dict.fromkeys(SUSPECTS.values(), "suspectEntity.causality.entityRelatedness"),
}


def expression_of(column: str, version: FhirVersion, base: str) -> str:
    """The place of a column in an AdverseEvent, in FHIRPath's simple subset."""
    if column not in EVENT:
        return "AdverseEvent"
    if not is_element(column, version):
        return f"AdverseEvent.extension('{extension_address(column, base)}').value"
    if column == "complication":
        return f"AdverseEvent.{version.code_element}"
    path = _EXPRESSIONS.get(column, column)
    if version is FhirVersion.R5:
        path = _EXPRESSIONS_R5.get(column, path)
    return f"AdverseEvent.{path}"

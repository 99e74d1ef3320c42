"""What the registry says of its FHIR: a CapabilityStatement, and a definition of each extension."""

from collections.abc import Mapping

from registry.interchange.fhir import (
    EVENT,
    FhirVersion,
    Json,
    definition_id,
    extension_address,
    value_type,
)
from registry.records.declared import Holds

SINCE = "2026-11-30"
"""The day of these statements: change it with them."""

SEARCHED: Mapping[str, tuple[str, str]] = {
    "_id": ("token", "The id of an event; several separated by commas."),
    "_lastUpdated": ("date", "When it was changed last, with a prefix such as ge."),
    "date": ("date", "The year, or year and month, of the event, with a prefix such as ge."),
    "category": ("token", "A category of the catalogue."),
}
"""Parameters of a search in both versions, with their type; `code` (R5) is `event` in R4."""

_OTHER_EXTENSIONS: Mapping[str, tuple[str, str, str]] = {
    "state": ("code", "State", "Where the report stands between entry and statistics."),
    "suspect": ("code", "Suspect", "What the relation is to: device, procedure, drug ..."),
}
EXTENSIONS: Mapping[str, str] = {definition_id(name): name for name in (*_OTHER_EXTENSIONS, *EVENT)}
"""The extension of each id: every column, since a column may be an element in one version only."""


def search_parameters(version: FhirVersion) -> dict[str, tuple[str, str]]:
    """The parameters of a search by name, each with its type and what it finds."""
    said = "A complication of the catalogue, or an IMDRF code that it has; system|code or code."
    return {**SEARCHED, version.code_element: ("token", said)}


def capability_statement(version: FhirVersion, *, base: str) -> Json:
    """What this server does in one version. base: the deployment's address."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "Pump registry"},
        "implementation": {
            "description": "Adverse events of intrathecal drug delivery systems",
            "url": f"{base}/fhir/{version.value}",
        },
        "fhirVersion": version.number,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Authorization: Token ..., made at /tokens/, with the scope "
                    "read-rows, and write-events to create. Rows are those of the caller's own "
                    "sites.",
                },
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "resource": [
                    {
                        "type": "AdverseEvent",
                        "interaction": [
                            {"code": code} for code in ("read", "search-type", "create")
                        ],
                        "conditionalCreate": False,
                        "versioning": "versioned",
                        "readHistory": False,
                        "searchParam": [
                            {"name": name, "type": kind, "documentation": said}
                            for name, (kind, said) in search_parameters(version).items()
                        ],
                    },
                    *(
                        {
                            "type": kind,
                            "interaction": [{"code": "read"}, {"code": "search-type"}],
                            "searchParam": [
                                {
                                    "name": "url",
                                    "type": "uri",
                                    "documentation": "The canonical address; open to all.",
                                }
                            ],
                        }
                        for kind in ("CodeSystem", "ValueSet")
                    ),
                ],
            }
        ],
    }


def structure_definition(name: str, *, base: str, bound_to: str | None = None) -> Json:
    """The definition, in R5, of one of `EXTENSIONS`; resources of both versions use them.

    bound_to: the address of the ValueSet whose codes the value takes.
    """
    if name in _OTHER_EXTENSIONS:
        kind, title, said = _OTHER_EXTENSIONS[name]
        many = False
    else:
        column = EVENT[name]
        kind, title, said = value_type(column), column.title, column.in_words
        many = column.holds is Holds.CODES
    address = extension_address(name, base)
    value: Json = {
        "id": "Extension.value[x]",
        "path": "Extension.value[x]",
        "min": 1,
        "type": [{"code": kind}],
    }
    if bound_to is not None:
        value["binding"] = {"strength": "required", "valueSet": bound_to}
    if kind == "Reference":
        profile = "http://hl7.org/fhir/StructureDefinition/AdverseEvent"
        value["type"] = [{"code": kind, "targetProfile": [profile]}]
    on = "AdverseEvent.suspectEntity" if name == "suspect" else "AdverseEvent"
    return {
        "resourceType": "StructureDefinition",
        "id": definition_id(name),
        "url": address,
        "name": "".join(part.capitalize() for part in name.split("_")),
        "title": title,
        "status": "active",
        "date": SINCE,
        "description": said,
        "fhirVersion": FhirVersion.R5.number,
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": on}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                {
                    "id": "Extension",
                    "path": "Extension",
                    "short": title,
                    "definition": said,
                    "min": 0,
                    "max": "*" if many else "1",
                },
                {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
                {"id": "Extension.url", "path": "Extension.url", "fixedUri": address},
                value,
            ]
        },
    }

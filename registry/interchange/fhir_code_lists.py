"""The registry's code lists as FHIR's CodeSystem and ValueSet, the same in R4 and R5."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from registry.interchange.fhir import (
    CATEGORIES,
    COMPLICATIONS,
    EVENT,
    OURS,
    Json,
    codelist_system,
    value_type,
)
from registry.interchange.fhir_statements import SINCE
from registry.records.declared import RowColumn


@dataclass(frozen=True, slots=True)
class Concept:
    """One code of a list, with its label and its definition."""

    code: str
    display: str
    definition: str


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list that events use. sources: the public lists of which it is made."""

    system: str
    title: str
    sources: tuple[str, ...]


def list_of(column: RowColumn) -> str | None:
    """The id of the list of a column of codes; None for a column of another kind."""
    return codelist_system(column).rpartition(":")[2] if value_type(column) == "code" else None


CODE_LISTS: Mapping[str, CodeList] = {
    "complications": CodeList(COMPLICATIONS, "Complications", ("complication",)),
    "categories": CodeList(CATEGORIES, "Categories of complications", ("category",)),
    "model": CodeList(f"{OURS}:codelist:model", "Models", ("pump-model", "catheter-model")),
    **{
        name: CodeList(f"{OURS}:codelist:{name}", name.replace("-", " ").capitalize(), (name,))
        for name in sorted({list_of(column) or "model" for column in EVENT.values()} - {"model"})
    },
    "state": CodeList(f"{OURS}:codelist:state", "State of a report", ("state",)),
}
"""The lists by the id of their resources."""


def list_of_extension(name: str) -> str | None:
    """The id of the list whose codes an extension takes; None for one of another kind."""
    if name in CODE_LISTS:
        return name
    return list_of(EVENT[name]) if name in EVENT else None


def code_system(name: str, concepts: Iterable[Concept], *, base: str) -> Json:
    """The list as a CodeSystem, whole. base: the deployment's address."""
    listed = list(concepts)
    return {
        **_described("CodeSystem", name),
        "url": CODE_LISTS[name].system,
        "caseSensitive": True,
        "valueSet": value_set_address(name, base),
        "content": "complete",
        "count": len(listed),
        "concept": [
            {
                "code": each.code,
                "display": each.display,
                **({"definition": each.definition} if each.definition else {}),
            }
            for each in listed
        ],
    }


def value_set(name: str, concepts: Iterable[Concept], *, base: str) -> Json:
    """The list as a ValueSet that names every code, so that no terminology server is needed."""
    included = {
        "system": CODE_LISTS[name].system,
        "concept": [{"code": each.code, "display": each.display} for each in concepts],
    }
    return {
        **_described("ValueSet", name),
        "url": value_set_address(name, base),
        "compose": {"include": [included]},
    }


def value_set_address(name: str, base: str) -> str:
    """The canonical address of a list's ValueSet."""
    return f"{base}/fhir/r5/ValueSet/{name}"


def _described(kind: str, name: str) -> Json:
    return {
        "resourceType": kind,
        "id": name,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": CODE_LISTS[name].title,
        "status": "active",
        "experimental": False,
        "date": SINCE,
        "publisher": "Pump registry",
        "description": f"{CODE_LISTS[name].title}, as the registry of intrathecal drug delivery "
        "keeps them.",
    }

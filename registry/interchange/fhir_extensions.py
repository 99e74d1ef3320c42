"""The registry's extensions in a resource, of whatever host, read as columns."""

import re
from typing import Any

from registry.interchange.fhir import ABSENT, EVENT, value_element, value_type
from registry.interchange.fhir_notes import Notes
from registry.interchange.fhir_statements import EXTENSIONS
from registry.records.declared import Holds

_ADDRESS = re.compile(r"/fhir/r5/StructureDefinition/([a-z0-9-]{1,64})$")
_PATH = "AdverseEvent.extension"


def name_of(extension: Any) -> str | None:
    """The name of one of our extensions; None for others."""
    url = extension.get("url") if isinstance(extension, dict) else None
    found = _ADDRESS.search(url) if isinstance(url, str) else None
    return EXTENSIONS.get(found[1]) if found else None


def read_extensions(given: Any, notes: Notes) -> str | None:
    """Takes the columns that extensions hold; the state, if one says it. Others are left out."""
    if not isinstance(given, list):
        notes.fault(_PATH, "bad-type", "send a list of extensions")
        return None
    several: dict[str, list[str]] = {}
    state: str | None = None
    for number, extension in enumerate(given):
        path = f"{_PATH}[{number}]"
        name = name_of(extension)
        if name is None or name == "suspect":
            if not (isinstance(extension, dict) and extension.get("url") == ABSENT):
                notes.drop(path)
        elif name == "state":
            state = _value(extension, "code", path, notes)
        elif name == "caused_by":
            _cause(extension, path, notes)
        else:
            column = EVENT[name]
            text = _value(extension, value_type(column), path, notes)
            if text is not None and ";" in text:
                notes.fault(f"{path}.value", "unknown-code", "send one code in each extension")
            elif text is not None and column.holds is Holds.CODES:
                several.setdefault(name, []).append(text)
            elif text is not None:
                notes.agree(name, text, path)
    notes.texts.update({name: ";".join(sorted(codes)) for name, codes in several.items()})
    return state


def _value(extension: dict[str, Any], kind: str, path: str, notes: Notes) -> str | None:
    """The value as text, if it is of the type of its definition."""
    element = value_element(kind)
    value = extension.get(element)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number if kind == "integer" else isinstance(value, str) and value.strip():
        return str(value).strip()
    notes.fault(f"{path}.value", "bad-type", f"send {element}")
    return None


def _cause(extension: dict[str, Any], path: str, notes: Notes) -> None:
    reference = extension.get("valueReference")
    identifier = reference.get("identifier") if isinstance(reference, dict) else None
    value = identifier.get("value") if isinstance(identifier, dict) else None
    if value is None:
        detail = "send valueReference with the site's own key of the event as identifier"
        notes.fault(f"{path}.value", "required", detail)
    else:
        notes.text("caused_by", value, f"{path}.value.identifier.value")

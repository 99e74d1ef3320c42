"""The suspects of an AdverseEvent: the implant, and how firmly the event is linked to each."""

import re
from typing import Any

from registry.interchange import fhir_concepts as concepts
from registry.interchange.fhir import EVENT, SUSPECTS, FhirVersion, Json
from registry.interchange.fhir_concepts import NotRead
from registry.interchange.fhir_extensions import name_of
from registry.interchange.fhir_notes import Notes

_KINDS = {"Device": "device", "Procedure": "procedure", "Medication": "drug"}
"""Which suspect an instance is, by the beginning of its type."""

_SITE_OF_KEYS = re.compile(r"/api/v1/sites/([A-Z0-9-]{2,20})/(events|implants|patients)$")
_KEPT = {"resourceType", "id", "identifier", "meta"}


def site_of(system: Any) -> str | None:
    """The site of a system of keys, of whatever registry; None for another system."""
    found = _SITE_OF_KEYS.search(system) if isinstance(system, str) else None
    return found[1] if found else None


class SuspectReading:
    """Reads suspectEntity, with the contained Devices that it refers to.

    words: a site's own, for the relation to each suspect.
    """

    def __init__(
        self, contained: Any, version: FhirVersion, notes: Notes, words: concepts.Words
    ) -> None:
        self.version = version
        self.words = words
        self.notes = notes
        self.devices: dict[str, Json] = {}
        self.others: set[str] = set()
        if not isinstance(contained, list):
            notes.fault("AdverseEvent.contained", "bad-type", "send a list of resources")
            return
        for number, each in enumerate(contained):
            path = f"AdverseEvent.contained[{number}]"
            if not isinstance(each, dict) or each.get("resourceType") != "Device":
                notes.drop(path)
                self.others.add(f"#{each.get('id')}" if isinstance(each, dict) else "")
                continue
            self.devices[f"#{each.get('id')}"] = each
            if set(each) - _KEPT:
                notes.drop(path, "all of the Device but its identifier")

    def read(self, value: Any, path: str) -> None:
        """Reads every suspect. Raises NotRead."""
        for number, entity in enumerate(concepts.objects(value, "send a list of suspects")):
            place = f"{path}[{number}]"
            suspect = self._kind(entity)
            if suspect is None:
                self.notes.drop(place, "which suspect it is, is not said by extension suspect")
                continue
            try:
                if suspect == "device":
                    self._implant(entity, f"{place}.instance")
                self._relation(entity, SUSPECTS[suspect], f"{place}.causality")
            except NotRead as refused:
                self.notes.faults.append(refused.at(place))

    def _instance(self, entity: Json) -> Json:
        name = "instance" if self.version is FhirVersion.R4 else "instanceReference"
        found = entity.get(name, {})
        return found if isinstance(found, dict) else {}

    def _kind(self, entity: Json) -> str | None:
        """The suspect: as our extension says, else by the type of the instance."""
        extensions = entity.get("extension", [])
        for each in extensions if isinstance(extensions, list) else []:
            if name_of(each) == "suspect" and str(each.get("valueCode")) in SUSPECTS:
                return str(each["valueCode"])
        instance = self._instance(entity)
        reference = str(instance.get("reference", ""))
        if reference in self.devices:
            return "device"
        if reference.startswith("#") and reference not in self.others:
            return "device"  # which is not there: told where the implant is read
        said = instance.get("type") or reference
        for begins, suspect in _KINDS.items():
            if isinstance(said, str) and said.startswith(begins):
                return suspect
        return None

    def _implant(self, entity: Json, path: str) -> None:
        """The key of the implant, from the Device or from the reference's own identifier."""
        instance = self._instance(entity)
        reference = str(instance.get("reference", ""))
        device = self.devices.get(reference, {})
        if reference.startswith("#") and not device:
            raise NotRead("dangling-reference", "no contained Device has this id: send it, or none")
        given = device.get("identifier") or instance.get("identifier") or []
        given = concepts.objects(given, "send the Device's identifier as a list", or_one=True)
        ours = [each for each in given if str(each.get("system", "")).endswith("/implants")]
        if len(ours or given) > 1:
            raise NotRead("several-keys", "send the site's own key of the implant alone")
        if reference and not given:
            self.notes.drop(path, "a Device without the site's own key of the implant")
        for each in ours or given:
            self.notes.text("implant", each.get("value"), f"{path}.identifier.value")
            if site := site_of(each.get("system")):
                self.notes.agree("site", site, f"{path}.identifier.system")

    def _relation(self, entity: Json, column: str, path: str) -> None:
        element = "assessment" if self.version is FhirVersion.R4 else "entityRelatedness"
        given = entity.get("causality", [])
        for each in concepts.objects(given, "send causality as FHIR has it", or_one=True):
            if element in each:
                code = concepts.listed(EVENT[column], each[element], self.words)
                self.notes.agree(column, code, f"{path}.{element}")
            if set(each) - {element}:
                self.notes.drop(path, f"all but {element}")

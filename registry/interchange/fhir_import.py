"""A FHIR AdverseEvent as a report of the registry's, with what is left out and why.

Elements that the registry does not keep are left out with a warning that names their path, also
where they identify: nothing of them is stored. What cannot be read is a fault at its path.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry.interchange import fhir_concepts as concepts
from registry.interchange.fhir import ABSENT, CATEGORIES, EVENT, FhirVersion, Json
from registry.interchange.fhir_concepts import CatalogueTerms, NotRead
from registry.interchange.fhir_devices import SuspectReading, site_of
from registry.interchange.fhir_extensions import read_extensions
from registry.interchange.fhir_notes import Notes
from registry.records import Fault, RawReport, RowKind, RowRuleBroken, refusal_of
from registry.records.declared import Holds
from registry.vocabulary import Actuality, Seriousness, Severity, State

_FOLLOWS = frozenset({"resourceType", "id", "meta", "language"})
"""Elements that the registry sets itself."""

_IN_BOTH = "text encounter detected recordedDate recorder study"
_DROPPED: Mapping[FhirVersion, frozenset[str]] = {
    version: frozenset(f"{_IN_BOTH} {names}".split())
    for version, names in {
        FhirVersion.R4: "resultingCondition contributor subjectMedicalHistory referenceDocument",
        FhirVersion.R5: "resultingEffect participant expectedInResearchStudy preventiveAction "
        "supportingInfo note",
    }.items()
}
"""Elements that are left out with a warning."""

_NEW = frozenset({"in-progress", "completed", "unknown"})
"""What R5 may say of the status of a new report; `extension` says whether it is submitted."""

_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T[0-2][0-9]:[0-5][0-9][0-9:.]*(?:Z|[+-][0-9:]+)?)?)?)?"
)


@dataclass(frozen=True, slots=True, repr=False)
class ReadResource:
    """A resource as read: the report, whether it is submitted, and warnings.

    patient: the site's key of the subject, which the report itself does not hold.
    """

    report: RawReport
    submit: bool
    patient: str | None
    warnings: tuple[Fault, ...]


def read_adverse_event(
    resource: Any, *, version: FhirVersion, terms: CatalogueTerms, keeps_months: bool
) -> ReadResource:
    """Reads a resource of one version. terms: of the catalogue.

    The columns of faults are FHIR paths. Raises IdentifierFound or RowRuleBroken with every fault
    of reading; the rules of a row are intake's.
    """
    if not isinstance(resource, dict) or resource.get("resourceType") != "AdverseEvent":
        detail = "send an AdverseEvent: a JSON object with this resourceType"
        raise RowRuleBroken(Fault("AdverseEvent", "not-an-adverse-event", detail))
    reading = _Reading(resource, version, terms, keeps_months)
    reading.run()
    if reading.notes.faults:
        raise refusal_of(reading.notes.faults)
    report = RawReport(RowKind.EVENT, reading.notes.texts)
    return ReadResource(report, reading.submit, reading.patient, tuple(reading.notes.warnings))


@dataclass(slots=True)
class _Reading:
    """Reads the elements of one resource, one method each."""

    resource: Json
    version: FhirVersion
    terms: CatalogueTerms
    keeps_months: bool
    notes: Notes = field(default_factory=Notes)
    submit: bool = False
    patient: str | None = None

    def run(self) -> None:
        """Reads every element that is there; names those that are not of the version."""
        readers = self._readers()
        state = read_extensions(self.resource.get("extension", []), self.notes)
        for name, value in self.resource.items():
            path = f"AdverseEvent.{name}"
            if name in readers:
                try:
                    readers[name](value, path)
                except NotRead as refused:
                    self.notes.faults.append(refused.at(path))
            elif name in _DROPPED[self.version]:
                self.notes.drop(path)
            elif name.startswith("_") and name[1:] in {*readers, *_DROPPED[self.version]}:
                self._primitive(value, path)
            elif name not in _FOLLOWS:
                self._unknown(name)
        for name in ("subject", "actuality"):
            if name not in self.resource and f"_{name}" not in self.resource:
                self.notes.fault(f"AdverseEvent.{name}", "required", "FHIR requires this element")
        self._state(state)

    def _readers(self) -> dict[str, Callable[[Any, str], None]]:
        suspects = SuspectReading(
            self.resource.get("contained", []), self.version, self.notes, self.terms.words
        )
        readers: dict[str, Callable[[Any, str], None]] = {
            "identifier": self._identifier,
            "actuality": self._actuality,
            "category": self._category,
            self.version.code_element: self._complication,
            "subject": self._subject,
            "location": self._location,
            "seriousness": self._seriousness,
            "outcome": self._outcome,
            "suspectEntity": suspects.read,
            "contained": _nothing,
            "extension": _nothing,
            "modifierExtension": self._modifier,
            "implicitRules": self._modifier,
        }
        if self.version is FhirVersion.R4:
            return readers | {"date": self._date, "severity": self._severity}
        return readers | {
            "status": self._status,
            "occurrenceDateTime": self._date,
            "occurrencePeriod": self._period,
            "mitigatingAction": self._items("interventions"),
            "contributingFactor": self._items("root_cause"),
        }

    def _unknown(self, name: str) -> None:
        is_name = re.fullmatch(r"_?[A-Za-z]{1,40}", name) is not None
        path = f"AdverseEvent.{name}" if is_name else "AdverseEvent"
        number = self.version.number
        self.notes.fault(path, "unknown-element", f"AdverseEvent {number} has no such element")

    def _primitive(self, value: Any, path: str) -> None:
        inner = value.get("extension") if isinstance(value, dict) else None
        given = inner if isinstance(inner, list) else []
        if [each.get("url") for each in given if isinstance(each, dict)] != [ABSENT]:
            self.notes.drop(path)

    def _modifier(self, value: Any, path: str) -> None:
        detail = "this may change the meaning of the whole in a way not known here: leave it out"
        self.notes.fault(path, "not-understood", detail)

    def _state(self, state: str | None) -> None:
        if state is None or state == State.DRAFT:
            return
        path = "AdverseEvent.extension"
        if state not in State.codes() or state == State.WITHDRAWN:
            detail = "a new report is a draft, or submitted: say one of these as its state"
            self.notes.fault(path, "unknown-code", detail)
            return
        self.submit = True
        if state != State.SUBMITTED:
            self.notes.warn(path, "judged-here", "stored as submitted: it is judged here anew")

    def _identifier(self, value: Any, path: str) -> None:
        one = self.version is FhirVersion.R4
        mend = "send an Identifier" if one else "send a list of them"
        given = concepts.objects([value] if one else value, mend)
        ours = [each for each in given if site_of(each.get("system"))]
        if len(ours or given) > 1:
            raise NotRead("several-keys", "send the site's own key of the event alone")
        for each in ours or given:
            self.notes.text("source_id", each.get("value"), f"{path}.value")
            site = site_of(each.get("system"))
            if site:
                self.notes.agree("site", site, f"{path}.system")
            if {"assigner", "period", "extension"} & set(each):
                self.notes.drop(path, "all but system and value")

    def _actuality(self, value: Any, path: str) -> None:
        known = {"actual": Actuality.ACTUAL, "potential": Actuality.NEAR_MISS}
        if not isinstance(value, str) or value not in known:
            raise NotRead("unknown-code", "send actual or potential")
        self.notes.texts["actuality"] = known[value].value

    def _category(self, value: Any, path: str) -> None:
        given = value if isinstance(value, list) else [value]
        systems = {system for each in given for system, _code in concepts.codings(each)}
        if systems != {CATEGORIES}:
            self.notes.drop(path, "the category follows from the complication")

    def _complication(self, value: Any, path: str) -> None:
        self.notes.texts["complication"] = concepts.complication(self.terms, value)

    def _subject(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise NotRead("bad-type", "send a Reference")
        identifier = value.get("identifier", {})
        system = identifier.get("system") if isinstance(identifier, dict) else None
        if {"reference", "display"} & set(value) or (identifier and not site_of(system)):
            self.notes.drop(path, "the patient is that of the implant")
        elif identifier:
            self.notes.agree("site", str(site_of(system)), f"{path}.identifier.system")
            self.patient = str(identifier.get("value"))

    def _location(self, value: Any, path: str) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("identifier", {}), dict):
            raise NotRead("bad-type", "send a Reference with the site's code as identifier")
        if "identifier" in value:
            site = value["identifier"].get("value")
            self.notes.text("site", site, f"{path}.identifier.value")
        if {"reference", "display"} & set(value):
            self.notes.drop(path, "all but the site's code")

    def _date(self, value: Any, path: str) -> None:
        found = _DATE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise NotRead("bad-value", "send a date such as 2023 or 2023-04")
        year, month, day = found.groups()
        try:
            date(int(year), int(month or 1), int(day or 1))
        except ValueError:
            raise NotRead("bad-value", "there is no such date: send one such as 2023-04") from None
        self.notes.agree("year", year, path)
        if month and self.keeps_months:
            self.notes.agree("month", str(int(month)), path)
        if day or (month and not self.keeps_months):
            kept = "month" if self.keeps_months else "year"
            self.notes.warn(path, "finer-than-kept", f"only the {kept} of the date is kept")

    def _status(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in _NEW:
            detail = f"say {', '.join(sorted(_NEW))} of a new report, or leave a mistaken one out"
            raise NotRead("unknown-code", detail)

    def _period(self, value: Any, path: str) -> None:
        if not isinstance(value, dict) or "start" not in value:
            raise NotRead("bad-value", "send a Period with its start")
        self._date(value["start"], f"{path}.start")
        if "end" in value:
            self.notes.drop(f"{path}.end")

    def _outcome(self, value: Any, path: str) -> None:
        given = [value] if self.version is FhirVersion.R4 else value
        if not isinstance(given, list):
            raise NotRead("bad-type", "send a list of CodeableConcepts")
        found = {concepts.outcome(EVENT["outcome"], each, self.terms.words) for each in given}
        if len(found) > 1:
            raise NotRead("several-codes", "send one outcome, the last known")
        for each in found:
            self.notes.agree("outcome", each, path)

    def _severity(self, value: Any, path: str) -> None:
        may_be = concepts.grades(value)
        grade = self.notes.texts.get("severity")
        if grade is None and len(may_be) > 1:
            detail = "severe is grade 3, 4 or 5: send the extension severity; left empty"
            self.notes.warn(path, "grade-not-said", detail)
        elif grade is None:
            self.notes.texts["severity"] = str(may_be[0].value)
        elif grade in {str(each.value) for each in Severity} - {str(g.value) for g in may_be}:
            raise NotRead("contradicts-extension", "the extension severity gives another grade")

    def _seriousness(self, value: Any, path: str) -> None:
        is_serious, named = concepts.criteria(value)
        told = self.notes.texts.get("seriousness")
        if told is not None:
            if is_serious == (told == Seriousness.NONE) or not named <= set(told.split(";")):
                detail = "the extension seriousness says another thing"
                raise NotRead("contradicts-extension", detail)
        elif named:
            self.notes.texts["seriousness"] = ";".join(sorted(named))
        else:
            detail = "send the criteria that were met as extension seriousness; left empty"
            self.notes.warn(path, "criteria-not-said", detail)

    def _items(self, column: str) -> Callable[[Any, str], None]:
        """The reader of R5's elements of several items, each a code of a column."""

        def read(value: Any, path: str) -> None:
            codes = []
            for number, each in enumerate(concepts.objects(value, "send a list of items")):
                concept = each.get("itemCodeableConcept")
                if concept is None:
                    self.notes.drop(f"{path}[{number}]")
                else:
                    codes.append(concepts.listed(EVENT[column], concept, self.terms.words))
            if len(codes) > 1 and EVENT[column].holds is not Holds.CODES:
                raise NotRead("several-codes", "send one of these: the registry keeps one")
            if codes:
                self.notes.agree(column, ";".join(sorted(codes)), path)

        return read


def _nothing(_value: Any, _path: str) -> None:
    """Read with other elements."""

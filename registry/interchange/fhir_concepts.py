"""Codes in FHIR's concepts, read as those of the registry: ours first, then HL7's, then names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.interchange.cell_reading import CatalogueNames
from registry.interchange.fhir import (
    COMPLICATIONS,
    IMDRF,
    OUTCOME,
    OUTCOMES,
    SERIOUSNESS,
    SEVERITY,
    Json,
    codelist_system,
)
from registry.interchange.site_words import SiteWords, codes_of, plain_word
from registry.records import Fault
from registry.records.declared import RowColumn
from registry.records.spelling import folded
from registry.vocabulary import Seriousness, Severity

_SERIOUS = "serious"
_CRITERIA: Mapping[str, Seriousness | None] = {
    _SERIOUS: None,
    "non-serious": Seriousness.NONE,
    "seriousresultsindeath": Seriousness.DEATH,
    "seriousislifethreatening": Seriousness.LIFE_THREATENING,
    "seriousresultsinhospitalization": Seriousness.HOSPITALISATION,
    "seriousresultsindisability": Seriousness.PERMANENT_IMPAIRMENT,
    "seriousisbirthdefect": Seriousness.FETAL_CONGENITAL,
    "seriousrequirespreventimpairment": Seriousness.INTERVENTION_TO_PREVENT,
}
"""HL7's codes in lower case: R4 has capitals, R5 none. Serious alone says no criterion."""

_GRADES: Mapping[str, tuple[Severity, ...]] = {
    code: tuple(grade for grade in Severity if grade.fhir_r4 == code)
    for code in ("mild", "moderate", "severe")
}
_OUTCOMES = {code: outcome for outcome, code in OUTCOMES.items()}


class NotRead(Exception):
    """A concept that stands for no code of the registry: the fault's code and the mend."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail

    def at(self, path: str) -> Fault:
        """The fault at a place."""
        return Fault(path, self.code, self.detail)


def objects(value: Any, mend: str, *, or_one: bool = False) -> list[Json]:
    """The objects of a list. or_one: where one may stand without a list. Raises NotRead."""
    given = [value] if or_one and isinstance(value, dict) else value
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise NotRead("bad-type", mend)
    return given


Words = Mapping[str, Mapping[str, str]]


def words_of(said: SiteWords) -> Words:
    """A site's words by column, as they are compared."""
    return {
        column: {plain_word(word): code for word, code in meanings.items()}
        for column, meanings in said.words.items()
    }


@dataclass(frozen=True, slots=True)
class CatalogueTerms:
    """The complications by name, those that an IMDRF code may stand for, and a site's own words.

    words: column -> {code or word of theirs: our code}; a code also as `system|code`.
    """

    names: CatalogueNames = field(default_factory=CatalogueNames)
    imdrf: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Words = field(default_factory=dict)


def codings(concept: Any) -> Iterator[tuple[str, str]]:
    """The system and the code of each coding. Raises NotRead where it is no CodeableConcept."""
    if not isinstance(concept, dict) or not isinstance(concept.get("coding", []), list):
        raise NotRead("bad-type", "send a CodeableConcept: an object with coding or text")
    for each in concept.get("coding", []):
        if not isinstance(each, dict):
            raise NotRead("bad-type", "send a CodeableConcept: an object with coding or text")
        system, code = each.get("system", ""), each.get("code", "")
        if isinstance(system, str) and isinstance(code, str):
            yield system, code


def _words(concept: Mapping[str, Any]) -> Iterator[str]:
    """The text and the displays, folded."""
    said = [concept.get("text"), *(each.get("display") for each in concept.get("coding", []))]
    yield from (folded(word) for word in said if isinstance(word, str) and word)


def _by_site(words: Mapping[str, str], concept: Mapping[str, Any]) -> str | None:
    """Our code for a concept by a site's own mapping: of its codes first, then of its words."""
    given = list(codings(concept))
    said: list[Any] = [f"{system}|{code}" for system, code in given]
    said += [code for _system, code in given]
    said += [concept.get("text"), *(each.get("display") for each in concept.get("coding", []))]
    for word in said:
        if isinstance(word, str) and word and (code := words.get(plain_word(word))):
            return code
    return None


def _one(codes: Iterable[str], system: str) -> str | None:
    """The one code of a system, None where there is none. Raises NotRead for several."""
    found = set(codes)
    if len(found) > 1:
        raise NotRead("several-codes", f"send one coding of the system {system}")
    return found.pop() if found else None


def listed(column: RowColumn, concept: Any, words: Words) -> str:
    """The code of a column's list: by our system, a site's mapping, or an exact label.

    Raises NotRead.
    """
    known = codes_of(column)
    system = codelist_system(column)
    code = _one((code for each, code in codings(concept) if each == system), system)
    if code is not None:
        if code in known.values():
            return code
        raise NotRead("unknown-code", f"{system} has no such code; see /api/v1/codelists/")
    if (mapped := _by_site(words.get(column.name, {}), concept)) is not None:
        return known.get(folded(mapped), mapped)
    for word in _words(concept):
        if word in known:
            return known[word]
    raise NotRead("unknown-code", f"send a coding of the system {system}; see /api/v1/codelists/")


def complication(terms: CatalogueTerms, concept: Any) -> str:
    """The complication: by our code, a site's mapping, IMDRF's code, or an exact name or synonym.

    Raises NotRead where nothing is found, or several: these are named.
    """
    given = list(codings(concept))
    ours = _one((code for system, code in given if system == COMPLICATIONS), COMPLICATIONS)
    if ours is not None:
        return ours
    if (mapped := _by_site(terms.words.get("complication", {}), concept)) is not None:
        return terms.names.codes.get(folded(mapped), mapped)
    several: tuple[str, ...] = ()
    for system, code in given:
        found = terms.imdrf.get(code, ()) if _is_imdrf(system) else ()
        if len(found) == 1:
            return found[0]
        several = several or found
    for word in _words(concept):
        if word in terms.names.codes:
            return terms.names.codes[word]
    for word in _words(concept):
        found = terms.names.synonyms.get(word, ())
        if len(found) == 1:
            return found[0]
        several = several or found
    if several:
        meant = " or ".join(several)
        raise NotRead("several-codes", f"this may be {meant}: send one with {COMPLICATIONS}")
    said = f"send a coding of the system {COMPLICATIONS}; see /api/v1/complications/"
    raise NotRead("unknown-code", said)


def _is_imdrf(system: str) -> bool:
    return system in IMDRF.values() or "imdrf" in system.lower()


def outcome(column: RowColumn, concept: Any, words: Words) -> str:
    """The outcome, by HL7's code, ours, or a site's mapping. Raises NotRead."""
    code = _one((code for system, code in codings(concept) if system == OUTCOME), OUTCOME)
    if code is None:
        return listed(column, concept, words)
    if code not in _OUTCOMES:
        raise NotRead("unknown-code", f"{OUTCOME} has no such code")
    meant = _OUTCOMES[code].value
    system = codelist_system(column)
    if any(ours != meant for each, ours in codings(concept) if each == system):
        raise NotRead("several-codes", f"the codings of {OUTCOME} and {system} differ: send one")
    return meant


def grades(concept: Any) -> tuple[Severity, ...]:
    """The grades that HL7's severity may stand for: severe has three. Raises NotRead."""
    code = _one((code for system, code in codings(concept) if system == SEVERITY), SEVERITY)
    if code is not None and code in _GRADES:
        return _GRADES[code]
    raise NotRead("unknown-code", f"send mild, moderate or severe of the system {SEVERITY}")


def criteria(concept: Any) -> tuple[bool, frozenset[Seriousness]]:
    """Whether it is serious, and the criteria that HL7's codes name, if any. Raises NotRead."""
    found = [
        code.lower()
        for system, code in codings(concept)
        if system == SERIOUSNESS and code.lower() in _CRITERIA
    ]
    named = frozenset(met for met in map(_CRITERIA.get, found) if met is not None)
    is_not = Seriousness.NONE in named
    if not found or (is_not and set(found) != {"non-serious"}):
        raise NotRead("unknown-code", f"send serious or non-serious of the system {SERIOUSNESS}")
    return not is_not, named

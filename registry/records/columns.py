"""The columns of each kind of row, and headings that are refused as identifiers."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from registry.records.declared import RowColumn, declared_columns
from registry.records.faults import Fault
from registry.records.rows import (
    EventRecord,
    ExposureRecord,
    ImplantRecord,
    PatientRecord,
    RowKind,
)
from registry.records.spelling import folded

RECORDS: Mapping[RowKind, type] = {
    RowKind.IMPLANT: ImplantRecord,
    RowKind.EXPOSURE: ExposureRecord,
    RowKind.EVENT: EventRecord,
}
"""The record of each kind of row."""

DECLARED: Mapping[RowKind, Mapping[str, RowColumn]] = {
    kind: declared_columns(record) for kind, record in RECORDS.items()
}
"""The columns of each kind of row by name, in the order of their declaration."""

OF_PATIENTS: Mapping[str, RowColumn] = declared_columns(PatientRecord)
"""The columns of a patient, who is entered by forms and requests, not by files."""

REQUIRED_COLUMNS: Mapping[RowKind, tuple[str, ...]] = {
    kind: tuple(name for name, column in columns.items() if column.heading.in_header)
    for kind, columns in DECLARED.items()
}
"""Columns that a file of each kind must have, in the order of the documentation."""

OPTIONAL_COLUMNS: Mapping[RowKind, tuple[str, ...]] = {
    kind: tuple(name for name, column in columns.items() if not column.heading.in_header)
    for kind, columns in DECLARED.items()
}
"""Columns that a file may leave out."""

COLUMNS: Mapping[RowKind, frozenset[str]] = {
    kind: frozenset(columns) for kind, columns in DECLARED.items()
}
"""Every column of each kind of row."""

# Identifiers under 45 CFR 164.514(b)(2)(i), as hospitals head their columns in English, German,
# French, Spanish, Italian, Dutch and Portuguese; written without accents, in lower case.
_WORDS = """
    name names surname forename firstname lastname fullname givenname familyname initials
    initial maiden alias mrn ssn sin nhs nin hic npi ahv bsn dni nie nif curp rut cpf nir ipp
    emr ehr pid patid dob birthday date dates datum fecha phone telephone tel mobile cell fax
    email mail address street city town postcode postal zip zipcode county serial sn udi lot
    batch imei mac ip url photo passport license licence insurance policy account biometric
    fingerprint nachname vorname zuname familienname geschlechtsname patientenname geb gebdat
    plz wohnort ort strasse str anschrift adresse telefon handy kvnr krankenkasse kasse seriennr
    fallnr patnr seriennummer chargennummer charge aufnahmenummer fallnummer patientennummer nom
    noms prenom prenoms naissance ddn rue ville portable courriel matricule nombre nombres
    apellido apellidos nacimiento direccion calle ciudad telefono movil correo cedula nss
    historia expediente cognome nascita indirizzo cellulare nosologico naam voornaam achternaam
    geboortedatum adres straat woonplaats telefoonnummer nome sobrenome apelido nascimento
    endereco telefone
"""
_IDENTIFYING_WORDS = frozenset(_WORDS.split())
_IDENTIFYING_PARTS = (
    "birth",
    "geburt",
    "naissance",
    "nacimiento",
    "nascita",
    "geboorte",
    "serial",
    "serien",
    "serienr",
    "numerodeserie",
    "passport",
    "insurance",
    "versicher",
    "securitesociale",
    "seguridadsocial",
    "socialsecurity",
    "telephone",
    "telefon",
    "phone",
    "email",
    "address",
    "adresse",
    "surname",
    "forename",
    "firstname",
    "lastname",
    "postcode",
    "zipcode",
    "deviceid",
)
_OWNING = """
    patient patients pat hospital clinic case record chart account member health social medical
    file admission encounter visit person subject device beneficiary certificate vehicle plate
    patienten fall akte kranken dossier sejour paciente clinica caso paziente
"""
_NUMBERING = "no nr num number id ids identifier key code numero n nummer kennung identifiant"
_OWNERS = frozenset(_OWNING.split())
_NUMBERS = frozenset(_NUMBERING.split())


def names_a_person_or_device(column: str) -> bool:
    """Whether a column's heading says that its cells identify a person or a device.

    Only for headings that are no column of the registry.
    """
    plain = unicodedata.normalize("NFKD", column.replace("\N{LATIN SMALL LETTER SHARP S}", "ss"))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()
    words = set(re.findall(r"[a-z]+", spaced))
    joined = "".join(re.findall(r"[a-z]+", plain.lower()))
    return (
        not words.isdisjoint(_IDENTIFYING_WORDS)
        or joined in _IDENTIFYING_WORDS
        or any(part in joined for part in _IDENTIFYING_PARTS)
        or (not words.isdisjoint(_OWNERS) and not words.isdisjoint(_NUMBERS))
    )


def column_faults(names: Iterable[str], kind: RowKind) -> tuple[Fault, ...]:
    """Lists the columns that the registry does not take, with the nearest that it does.

    A heading that is not a plain word may be a value (a file without a header): its column is
    named by its position.
    """
    return unknown_names(names, known=COLUMNS[kind], what=kind.value)


def unknown_names(names: Iterable[str], *, known: frozenset[str], what: str) -> tuple[Fault, ...]:
    """Lists the unknown names; `what` names their kind of row in the message."""
    faults: list[Fault] = []
    names = list(names)
    free = sorted(known.difference(names))
    for position, name in enumerate(names, 1):
        if name in known:
            continue
        if names_a_person_or_device(name):
            detail = "this column identifies a person or a device; leave it out with its cells"
            faults.append(Fault(_shown(name, position), "identifier-found", detail))
            continue
        near = _alike(name, free) or _within(name, free) or _alike(name, sorted(known))
        mend = f"did you mean {near}?" if near else "leave it out"
        detail = f"{what} have no such column; {mend}"
        faults.append(Fault(_shown(name, position), "unknown-column", detail))
    return tuple(faults)


def _alike(name: str, columns: Sequence[str]) -> str | None:
    """The column that a name is spelled like."""
    return next(iter(get_close_matches(name.strip().lower(), columns, n=1, cutoff=0.75)), None)


def _within(name: str, columns: Sequence[str]) -> str | None:
    """The longest column whose words are all in a name: `Year of event`."""
    words = set(folded(name).split("-"))
    within = [column for column in columns if words.issuperset(column.split("_"))]
    return max(within, key=len, default=None)


def _shown(name: str, position: int) -> str:
    return name if re.fullmatch(r"[^\W\d][^\d\n\r,;:@]{0,39}", name) else f"column {position}"

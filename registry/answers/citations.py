"""A cited answer: the digest of its CSV, and its reference as BibTeX and RIS."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType

from registry.answers.files import as_csv, body_of
from registry.records import Release

PUBLISHER = "Pump registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a reference manager needs of one cited answer. address: absolute."""

    code: str
    title: str
    year: int
    release: str
    profile: str
    address: str
    sha256: str

    @property
    def note(self) -> str:
        """The data, the profile and the digest in a sentence."""
        return f"Release {self.release}, {self.profile} numbers. SHA-256 of the CSV: {self.sha256}"


def csv_digest(release: Release) -> str:
    """SHA-256 of an answer's CSV: its numbers and names, none of its sentences."""
    return sha256(as_csv(body_of(release))).hexdigest()


def reference_of(release: Release, *, code: str, address: str, digest: str) -> Reference:
    """The reference of an answer of a release."""
    meta = release.meta
    snapshot = meta["snapshot"]
    label = str(snapshot["label"]) if isinstance(snapshot, Mapping) else ""
    return Reference(
        code=code,
        title=str(meta["title"]),
        year=datetime.fromisoformat(str(meta["data_as_of"])).year,
        release=label,
        profile=str(meta["profile"]),
        address=address,
        sha256=digest,
    )


def bibtex(reference: Reference) -> bytes:
    """The reference as BibTeX; characters that TeX reads as commands are escaped."""
    fields = {
        "title": f"{{{_tex(reference.title)}}}",
        "author": f"{{{PUBLISHER}}}",
        "year": str(reference.year),
        "version": _tex(reference.release),
        "howpublished": f"\\url{{{reference.address}}}",
        "note": _tex(reference.note),
    }
    inside = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{pumpregistry-{reference.code},\n{inside}\n}}\n".encode()


def ris(reference: Reference) -> bytes:
    """The reference as RIS, a data set (`TY  - DATA`)."""
    fields = (
        ("TY", "DATA"),
        ("TI", reference.title),
        ("AU", PUBLISHER),
        ("PB", PUBLISHER),
        ("PY", str(reference.year)),
        ("ET", reference.release),
        ("UR", reference.address),
        ("N1", reference.note),
        ("ER", ""),
    )
    return "".join(f"{tag}  - {value}\r\n" for tag, value in fields).encode()


def _tex(text: str) -> str:
    return re.sub(r"([#$%&_{}])", r"\\\1", text)


WRITERS: Mapping[str, tuple[str, Callable[[Reference], bytes]]] = MappingProxyType(
    {
        "bib": ("application/x-bibtex", bibtex),
        "ris": ("application/x-research-info-systems", ris),
    }
)
"""Media type and writer of each format of a reference, by its file's ending."""

"""Keys that the registry makes, where a site gives none."""

from collections.abc import Mapping

from registry.deidentify import made_key
from registry.records import RawReport

PREFIXES: Mapping[str, str] = {"patient": "p", "implant": "i", "event": "e"}
"""The prefix of the keys that are made for each kind of row."""

PATIENT_KEYS: Mapping[str, str] = {"source_id": PREFIXES["patient"]}
IMPLANT_KEYS: Mapping[str, str] = {name: PREFIXES[name] for name in ("patient", "implant")}
EVENT_KEYS: Mapping[str, str] = {"source_id": PREFIXES["event"]}
"""The key columns of each kind of row, and the prefix of the keys that are made for them."""


def with_keys(values: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """The texts, with a random key in each of these columns that is empty."""
    made = {name: made_key(prefix) for name, prefix in keys.items() if not given(values, name)}
    return {**values, **made}


def report_with_keys(raw: RawReport, keys: Mapping[str, str]) -> RawReport:
    """The report, with a random key in each of these columns that is empty."""
    return RawReport(raw.kind, with_keys(raw.values, keys), raw.line, raw.file)


def given(values: Mapping[str, str], name: str) -> bool:
    """Whether a column holds something."""
    return bool(values.get(name, "").strip())

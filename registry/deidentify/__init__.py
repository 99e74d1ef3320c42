"""Turns raw reports into de-identified records, and checks the rules of one row.

Records have no field that could hold an identifier. Pure: no database,
no settings; a deployment's date precision is passed in.
"""

from registry.deidentify.identifiers import identifies, made_key
from registry.deidentify.key_patterns import faults_against, pattern_faults
from registry.deidentify.rows import (
    event_record,
    exposure_record,
    implant_record,
    patient_record,
    readable_columns,
    record_in_part,
)
from registry.deidentify.rules import (
    device_faults,
    event_faults,
    exposure_faults,
    implant_faults,
    missing_for_submission,
)

__all__ = [
    "device_faults",
    "event_faults",
    "event_record",
    "exposure_faults",
    "exposure_record",
    "faults_against",
    "identifies",
    "implant_faults",
    "implant_record",
    "made_key",
    "missing_for_submission",
    "patient_record",
    "pattern_faults",
    "readable_columns",
    "record_in_part",
]

"""An event of everything, and FHIR's addresses."""

from collections.abc import Callable
from typing import Any

import pytest

from registry import intake
from registry.models import Event, User
from registry.records import RawReport, RowKind
from tests.api.conftest import Registry, stored

BASE = "http://testserver"
DEFINITIONS = f"{BASE}/fhir/r5/StructureDefinition"
SITE = f"{BASE}/api/v1/sites/HERE-1"


def extension(resource: dict[str, Any], name: str) -> list[Any]:
    """The values of an extension, in order."""
    return [
        next(value for key, value in each.items() if key.startswith("value"))
        for each in resource["extension"]
        if each["url"] == f"{DEFINITIONS}/{name}"
    ]


def implanted(user: User) -> None:
    """A pump of the first site that intake stored."""
    values = {
        **{"site": "HERE-1", "patient": "p-x1", "implant": "i-x1", "component": "pump"},
        **{"model": "synchromed-ii-40", "implant_year": "2015", "sex": "female"},
        **{"indication": "multiple-sclerosis", "drug": "baclofen", "months_followed": "90"},
    }
    intake.record_implant(RawReport(RowKind.IMPLANT, values), by=user)


FULL = {
    **{"source_id": "e-x2", "implant": "i-x1", "complication": "infection-pocket"},
    **{"year": "2020", "months_since_implant": "60", "severity": "3", "outcome": "recovered"},
    **{"seriousness": "hospitalisation;permanent-impairment", "actuality": "actual"},
    **{"relatedness_device": "possible", "relatedness_procedure": "probable"},
    **{"interventions": "antibiotics;wound-care", "root_cause": "infection-perioperative"},
    **{"detection": "symptom", "days_since_refill": "8-30", "mri_24h": "no", "alarm": "unknown"},
    **{"volume_discrepancy": "none", "organism": "gram-negative", "caused_by": "e-x1"},
    "drug": "",
}
"""An event with a value in nearly every column; its cause is another of the patient."""


@pytest.fixture
def full(registry: Registry) -> Event:
    """That event, and the one that caused it."""
    implanted(registry.reporter)
    cause = {"source_id": "e-x1", "implant": "i-x1", "months_since_implant": "58", "drug": ""}
    stored(registry.reporter, **cause)
    return stored(registry.reporter, **FULL)


@pytest.fixture
def make(registry: Registry) -> Callable[..., Event]:
    """Makes an event of the first site."""

    def made(**columns: str) -> Event:
        return stored(registry.reporter, **columns)

    return made

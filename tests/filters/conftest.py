"""A small catalogue, two sites and the events that the filters are tried on."""

from typing import Any

import pytest

from registry.models import Category, Complication, Event, Implant, Patient, Site, sealed


def save(*rows: Any) -> None:
    """Write rows under one seal, as intake does."""
    with sealed(by=None, action="test") as seal:
        for row in rows:
            seal.save(row)


@pytest.fixture
def catalogue(db: None) -> None:
    """Two categories, four complications, one of them retired for another."""
    infection = Category(
        code="infection", name="Infection", natural_denominator="procedures", sort_order=1
    )
    catheter = Category(
        code="catheter", name="Catheter", natural_denominator="catheter-months", sort_order=2
    )
    save(infection, catheter)
    kept = {"origin": "patient", "natural_denominator": "procedures", "evidence": "seen"}
    migration = Complication(
        code="catheter-migration", name="Migration", category=catheter, clock="catheter", **kept
    )
    save(
        Complication(
            code="infection-pocket", name="Pocket", category=infection, clock="pump", **kept
        ),
        Complication(
            code="infection-meningitis", name="Meningitis", category=infection, clock="pump", **kept
        ),
        migration,
        Complication(
            code="catheter-moved",
            name="Moved",
            category=catheter,
            clock="catheter",
            retired=True,
            replaced_by=migration,
            **kept,
        ),
    )


@pytest.fixture
def sites(db: None) -> tuple[Site, Site]:
    """A site in Portugal and one that gives no country."""
    lisbon, other = Site(code="LIS-1", country="PT"), Site(code="OTHER-2")
    save(lisbon, other)
    return lisbon, other


@pytest.fixture
def patient_with_pump(catalogue: None, sites: tuple[Site, Site]) -> tuple[Implant, Implant]:
    """A woman with a Medtronic pump on baclofen and a catheter of another maker."""
    patient = Patient(source_id="pat-a", site=sites[0], sex="female", indication="stroke")
    save(patient)
    pump = Implant(
        source_id="imp-a",
        site=sites[0],
        patient=patient,
        component="pump",
        pump_model="synchromed-ii-40",
        implant_year=2015,
        age_band="40-64",
        drug="baclofen",
        label_status="on-label-mono",
        procedure="replacement",
        pump_site="abdomen",
        pump_plane="subfascial",
        months_followed=60,
    )
    catheter = Implant(
        source_id="imp-b",
        site=sites[0],
        patient=patient,
        component="catheter",
        catheter_model="surestream",
        implant_year=2015,
        drug="baclofen",
        months_followed=60,
    )
    save(pump, catheter)
    return pump, catheter


def event(site: Site, complication: str = "infection-pocket", **fields: Any) -> Event:
    """One stored event, a draft unless said otherwise."""
    row = Event(
        site=site,
        complication_id=complication,
        reported_complication_id=complication,
        patient=fields["implant"].patient if "implant" in fields else None,
        **fields,
    )
    save(row)
    return row

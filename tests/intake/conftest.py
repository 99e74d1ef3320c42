"""A site with its people, a patient with pump and catheter, and a few complications."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest
from pytest_django import DjangoDbBlocker

from registry.models import Implant, Patient, Site, User
from registry.records import RawReport, RowKind
from registry.vocabulary import MembershipRole, Role
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)
from tests.kept_rows import kept_rows


@dataclass(frozen=True)
class World:
    """Two sites, the people of the first, those of no site, and one patient's system."""

    site: Site
    other: Site
    reporter: User
    lead: User
    stranger: User
    reviewer: User
    manager: User
    auditor: User
    patient: Patient
    pump: Implant
    catheter: Implant


def made_world() -> World:
    """The smallest registry in which every right and every rule can be tried.

    Pump and catheter were implanted in 2010 and followed for 60 months.
    """
    catheter = CategoryFactory(code="catheter")
    surgical = CategoryFactory(code="surgical", natural_denominator="procedures")
    consequence = CategoryFactory(code="consequence", natural_denominator="pump-months")
    ComplicationFactory(code="catheter-migration", category=catheter)
    ComplicationFactory(code="catheter-kink", category=catheter)
    ComplicationFactory(code="csf-leak", category=surgical, clock="pump")
    ComplicationFactory(code="death", category=consequence, clock="pump")
    successor = ComplicationFactory(code="catheter-fracture", category=catheter)
    ComplicationFactory(
        code="catheter-break", category=catheter, retired=True, replaced_by=successor
    )
    site, other = SiteFactory(code="BERN"), SiteFactory(code="BASEL")
    patient = PatientFactory(site=site, source_id="p1")
    lead = UserFactory(username="lead")
    MembershipFactory(user=lead, site=site, role=MembershipRole.LEAD)
    return World(
        site=site,
        other=other,
        reporter=UserFactory(username="reporter", sites=[site]),
        lead=lead,
        stranger=UserFactory(username="stranger", sites=[other]),
        reviewer=UserFactory(username="reviewer", roles=[Role.REVIEWER]),
        manager=UserFactory(username="manager", roles=[Role.DATA_MANAGER]),
        auditor=UserFactory(username="auditor", roles=[Role.AUDITOR]),
        patient=patient,
        pump=ImplantFactory(patient=patient, source_id="p1-pump"),
        catheter=ImplantFactory(patient=patient, source_id="p1-cath", catheter=True),
    )


@pytest.fixture(scope="module")
def kept_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world that a module's tests start from."""
    with kept_rows(django_db_blocker):
        yield made_world()


@pytest.fixture
def world(kept_world: World, db: None) -> World:
    """The smallest registry in which every right and every rule can be tried."""
    return deepcopy(kept_world)


def report(**values: str) -> RawReport:
    """A migration of p1's catheter after 14 months, as its site reports it."""
    given = {
        "site": "BERN",
        "source_id": "e1",
        "implant": "p1-cath",
        "complication": "catheter-migration",
        "year": "2011",
        "months_since_implant": "14",
        "severity": "3",
        "seriousness": "hospitalisation",
        "outcome": "recovered",
        "interventions": "catheter-revision;imaging-diagnostic",
    }
    return RawReport(RowKind.EVENT, given | values)

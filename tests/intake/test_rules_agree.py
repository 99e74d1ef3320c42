"""The row rules and the database's constraints, fed the same cases, say the same."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction

from registry.deidentify import event_faults, implant_faults
from registry.intake.stored import event_columns, implant_columns
from registry.models import Event, Implant, sealed
from registry.records import EventRecord, ImplantRecord
from registry.vocabulary import (
    Actuality,
    Component,
    DatePrecision,
    DaysSinceProcedure,
    DaysSinceRefill,
    Outcome,
    Seriousness,
    Severity,
)

CRITERIA = (
    None,
    frozenset({Seriousness.NONE}),
    frozenset({Seriousness.DEATH}),
    frozenset({Seriousness.HOSPITALISATION}),
    frozenset({Seriousness.NONE, Seriousness.HOSPITALISATION}),
)


def record(**values):
    return EventRecord(**{"site": "BERN", "complication": "csf-leak", "year": 2011} | values)


JUDGEMENTS = [
    record(severity=severity, outcome=outcome, seriousness=seriousness, actuality=actuality)
    for severity, outcome, seriousness, actuality in product(
        (None, Severity.MILD, Severity.LIFE_THREATENING, Severity.DEATH),
        (None, Outcome.RECOVERED, Outcome.FATAL, Outcome.NOT_APPLICABLE),
        CRITERIA,
        (None, Actuality.ACTUAL, Actuality.NEAR_MISS),
    )
]
TIMES = [
    record(days_since_procedure=procedure, days_since_refill=refill, months_since_implant=months)
    for procedure, refill, months in product(
        (None, *DaysSinceProcedure),
        (None, DaysSinceRefill.DAYS_31_90, DaysSinceRefill.OVER_90),
        (None, 0, 1, 2, 11, 12),
    )
]
DATES = [record(year=year, month=month) for year, month in product((None, 1979, 2011), (None, 4))]
DEATHS = [record(complication="death", severity=grade) for grade in (None, Severity.MILD)]


def refused_by_database(event):
    try:
        with transaction.atomic(), sealed(by=None, action="make-for-test") as seal:
            seal.save(event)
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("state", ["draft", "submitted"])
@pytest.mark.parametrize(
    "cases", [JUDGEMENTS, TIMES, DATES, DEATHS], ids=["judgements", "times", "dates", "deaths"]
)
def test_event_rules_and_constraints_agree(world, cases, state):
    disagreed = []
    for case in cases:
        faults = event_faults(
            case, submitted=state != "draft", precision=DatePrecision.MONTH, latest_year=2024
        )
        event = Event(
            site=world.site,
            complication_id=case.complication,
            reported_complication_id=case.complication,
            state=state,
            **event_columns(case, Component.PUMP),
        )
        if refused_by_database(event) != bool(faults):
            disagreed.append((case, faults))

    assert disagreed == []


@pytest.mark.parametrize(("year", "entry"), list(product((1979, 1980, 2010), (0, 24, 25))))
def test_implant_rules_and_constraints_agree(world, year, entry):
    case = ImplantRecord(
        site="BERN",
        patient="p1",
        implant="i9",
        component=Component.PUMP,
        implant_year=year,
        months_to_entry=entry,
        months_followed=24,
    )
    implant = Implant(site=world.site, patient=world.patient, **implant_columns(case))

    assert refused_by_database(implant) == bool(implant_faults(case))

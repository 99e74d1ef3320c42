"""The events and devices that the ORM's forms start from, as querysets."""

from django.db.models import F, Q, QuerySet

from registry.models import Event, Implant
from registry.vocabulary import AgeBand, Component, ExitStatus

BLANK = "not-recorded"
MONTHS_TO_POOLED_BAND = 120


def counted() -> QuerySet[Event]:
    """Accepted events that reached a patient."""
    return Event.objects.accepted().actual()


def in_totals() -> QuerySet[Event]:
    """Those of them that count without being named."""
    return counted().filter(complication__in_totals=True)


def of_system(name: str, code: str, *, implant: str) -> Q:
    """What the implant or its patient is, or what was reported where no implant is named."""
    return Q(implant__isnull=False, **{implant: code}) | Q(implant__isnull=True, **{name: code})


def eligible() -> QuerySet[Implant]:
    """Implants that should have been followed."""
    return Implant.objects.exclude(exit_status=ExitStatus.ELIGIBILITY_NOT_MET)


def pumps() -> QuerySet[Implant]:
    """Eligible pumps."""
    return eligible().filter(component=Component.PUMP)


def dated(devices: QuerySet[Implant]) -> QuerySet[Implant]:
    """Only those whose year of implant is told: not of patients who may have turned ninety."""
    return devices.exclude(age_band=AgeBand.AGE_80_89, months_followed__gte=MONTHS_TO_POOLED_BAND)


def at_risk(events: QuerySet[Event]) -> QuerySet[Event]:
    """Only events of eligible pumps, after entry and not after the end of follow-up."""
    return (
        events.filter(implant__component=Component.PUMP)
        .exclude(implant__exit_status=ExitStatus.ELIGIBILITY_NOT_MET)
        .filter(months_since_implant__lte=F("implant__months_followed"))
        .filter(
            Q(implant__months_to_entry=0)
            | Q(months_since_implant__gt=F("implant__months_to_entry"))
        )
    )


def dated_events(events: QuerySet[Event]) -> QuerySet[Event]:
    """Only events of implants whose year is told."""
    return events.exclude(
        implant__age_band=AgeBand.AGE_80_89,
        implant__months_followed__gte=MONTHS_TO_POOLED_BAND,
    )


def of_pumps(events: QuerySet[Event]) -> QuerySet[Event]:
    """Only events of pumps, whether or not they name one."""
    return events.filter(
        Q(implant__component=Component.PUMP)
        | Q(implant__isnull=True, complication__clock=Component.PUMP)
    )


def year_or_blank(year: int | None) -> int | str:
    """A calendar year as an answer shows it."""
    return BLANK if year is None else year

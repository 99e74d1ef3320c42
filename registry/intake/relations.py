"""Rules that need more than one row: the implant, the cause, one death a patient, no circle.

Call them inside `sealed`, which locks: what is read here then still holds when the row is
written.
"""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from registry.deidentify import device_faults, event_faults
from registry.intake.deaths import (
    Happened,
    causes_among,
    happened,
    lives_of,
    one_episode,
    second_death,
)
from registry.intake.stored import event_columns
from registry.models import Complication, Event, Implant, Site
from registry.records import EventRecord, Fault, ImplantRecord, refusal_of
from registry.vocabulary import Component, DatePrecision, ExitStatus


@dataclass(frozen=True, slots=True)
class Related:
    """The rows that an event's record names, and the record's faults against them.

    clock: the complication's; without faults there is a complication.
    """

    clock: Component
    implant: Implant | None
    cause: Event | None
    faults: tuple[Fault, ...]


def date_precision() -> DatePrecision:
    """The deployment's date precision."""
    return DatePrecision.of(settings.REGISTRY_DATE_PRECISION)


def columns_not_kept() -> frozenset[str]:
    """The columns that the deployment takes empty only, and so asks of nobody."""
    return frozenset() if date_precision() is DatePrecision.MONTH else frozenset({"month"})


def present_year() -> int:
    """The latest year that a report may have."""
    return timezone.now().year


def related(
    record: EventRecord, *, site: Site, submitted: bool, event: Event | None = None
) -> Related:
    """Finds the rows that an event's record names, and applies every rule. At most eight queries.

    submitted: applies the rules from submission on. event: the stored row, if there is one.
    """
    faults = list(
        event_faults(
            record,
            submitted=submitted,
            precision=date_precision(),
            latest_year=present_year(),
        )
    )
    complication = Complication.objects.filter(code=record.complication).first()
    if complication is None:
        faults.append(unknown_complication())
    elif complication.retired and (event is None or event.complication_id != complication.pk):
        faults.append(retired_complication(complication.replaced_by_id))
    implant = cause = None
    if record.implant is not None:
        implant = Implant.objects.filter(site=site, source_id=record.implant).first()
        if implant is None:
            faults.append(unknown_implant(record.implant))
        elif complication is not None:
            faults += device_faults(
                record,
                device(**{name: getattr(implant, name) for name in CHECKED_AGAINST}),
                Component.of(complication.clock),
                complication.category_id,
                latest_year=present_year(),
            )
    patient_id = implant.patient_id if implant else None
    if record.caused_by is not None:
        cause = Event.objects.filter(site=site, source_id=record.caused_by).first()
        if cause is None:
            itself = record.caused_by == record.source_id
            faults.append(circle() if itself else unknown_cause(record.caused_by))
        else:
            faults += cause_faults(patient_id, cause.patient_id)
            if event is not None and reaches(cause, event):
                faults.append(circle())
    if implant is not None and patient_id is not None:
        new = happened(
            record,
            pk=event.pk if event else None,
            implant=implant.pk,
            cause=cause.pk if cause else None,
        )
        faults += _against_the_life(new, patient_id)
    clock = Component.of(complication.clock) if complication else Component.PUMP
    return Related(clock, implant, cause, tuple(faults))


CHECKED_AGAINST = ("component", "implant_year", "months_followed", "exit_status")
"""The columns of an implant against which an event is checked."""


def _against_the_life(event: Happened, patient_id: int) -> list[Fault]:
    """The faults of an event against the patient's deaths and what came after. Two queries."""
    life = lives_of([patient_id])[patient_id].without(event.pk)
    causes = causes_among(life.events)
    faults = life.event_faults(event)
    if not all(one_episode(event, other, causes) for other in life.other_deaths(event)):
        faults.append(second_death(event))
    return faults


@lru_cache(maxsize=4096)
def device(
    *, component: str, implant_year: int, months_followed: int, exit_status: str
) -> ImplantRecord:
    """The part of an implant's record against which an event is checked."""
    return ImplantRecord(
        site="",
        patient="",
        implant="",
        component=Component.of(component),
        implant_year=implant_year,
        months_followed=months_followed,
        exit_status=ExitStatus.of(exit_status) if exit_status else None,
    )


def reaches(cause: Event, event: Event) -> bool:
    """Whether the chain of causes from `cause` leads to the event. One query a link."""
    return any(step.pk == event.pk for step in cause.with_causes())


def cause_faults(patient_id: int | None, cause_patient_id: int | None) -> tuple[Fault, ...]:
    """The fault of an event whose cause is known to be another patient's.

    Where neither names an implant, trusts the site.
    """
    if patient_id == cause_patient_id:
        return ()
    if patient_id is None or cause_patient_id is None:
        detail = "name the patient's implant on both events, or on neither"
        return (Fault("caused_by", "cause-without-implant", detail),)
    detail = "the cause is an event of another patient; choose one of the same patient"
    return (Fault("caused_by", "other-patient", detail),)


def refuse(faults: tuple[Fault, ...]) -> None:
    """Raises the refusal for the faults of one row, if there are any."""
    if faults:
        raise refusal_of(faults)


def unknown_complication() -> Fault:
    """The fault of a complication that the catalogue does not have."""
    detail = "use a code of the catalogue of complications"
    return Fault("complication", "unknown-code", detail)


def retired_complication(replaced_by: str | None) -> Fault:
    """The fault of a complication that takes no new events."""
    mend = f"use {replaced_by}" if replaced_by else "use a current one"
    detail = f"this complication is retired; {mend}"
    return Fault("complication", "retired-code", detail)


def unknown_implant(key: str) -> Fault:
    """The fault of an implant that the site does not have."""
    detail = f"the site has no such implant; send it first, or leave this empty{_as_number(key)}"
    return Fault("implant", "unknown-implant", detail)


def unknown_cause(key: str) -> Fault:
    """The fault of a cause that the site does not have."""
    detail = f"the site has no event with this source id; send it, or empty this{_as_number(key)}"
    return Fault("caused_by", "unknown-event", detail)


def _as_number(key: str) -> str:
    """What else to look for in a key such as `53.0`: pandas and R write `53` so beside blanks."""
    return "; or write it without the .0 that a program put behind it" if key[-2:] == ".0" else ""


def circle() -> Fault:
    """The fault of an event that is, through others, its own cause."""
    detail = "these events cause each other in a circle; leave one cause out"
    return Fault("caused_by", "circle", detail)


def fill(event: Event, record: EventRecord, found: Related) -> None:
    """Writes a record without faults, and the rows that it names, into an event."""
    for name, value in event_columns(record, found.clock).items():
        setattr(event, name, value)
    event.complication_id = event.reported_complication_id = record.complication
    event.implant = found.implant
    event.patient_id = found.implant.patient_id if found.implant else None
    event.caused_by = found.cause

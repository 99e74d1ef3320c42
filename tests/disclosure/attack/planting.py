"""Patients that an attacker makes up: copies of stored ones under new ids."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

from registry.models import Event, Implant, Patient, sealed

Planted = tuple[Patient, Implant, Event]


def copy_of(event: Event) -> Planted:
    """A patient, a device and an event like those of a stored event, which nothing caused."""
    patient, implant = event.patient, event.implant
    if patient is None or implant is None:
        raise LookupError("A planted event needs an implant to be modelled on.")
    copies: list[Any] = []
    for row in (patient, implant, event):
        values = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}
        copy = type(row)(**values)
        copy.pk, copy.public_id = None, uuid.uuid4()
        copy.source_id = f"planted-{uuid.uuid4().hex[:8]}x"
        copies.append(copy)
    copies[-1].caused_by_id = None
    return cast(Planted, tuple(copies))


def store(made: Sequence[Planted]) -> None:
    """Write made-up patients, their devices and events, under one seal."""
    with sealed(by=None, action="plant") as seal:
        seal.bulk_create(Patient, [patient for patient, _implant, _event in made])
        for patient, implant, _event in made:
            implant.patient = patient
        seal.bulk_create(Implant, [implant for _patient, implant, _event in made])
        for patient, implant, event in made:
            event.implant, event.patient = implant, patient
        seal.bulk_create(Event, [event for _patient, _implant, event in made])

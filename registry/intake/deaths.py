"""A death ends the patient: no event and no device time after it, and one death a patient.

A death is told by an event (a fatal outcome or the complication `death`) or by the end of an
implant's follow-up. "After" is judged by months on the same implant, and otherwise by a later
calendar year only, since the registry keeps no dates: what can be equal is allowed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from registry.models import Event, Implant
from registry.records import EventRecord, Fault
from registry.vocabulary import ExitStatus, Outcome, State

COUNTED = (State.SUBMITTED, State.ACCEPTED)
"""States of reports that count: only these tell a death, or that the patient lived."""

DEATHS = frozenset({ExitStatus.DEATH_RELATED, ExitStatus.DEATH_UNRELATED, ExitStatus.DEATH_UNKNOWN})
"""Ends of follow-up by the patient's death."""

DEATH = "death"
"""The complication of a death itself, beside what led to it."""


class DeviceLife(NamedTuple):
    """One implant's follow-up: its year, whole months since, and whether it ended by death."""

    pk: int
    year: int
    months: int
    died: bool

    @property
    def earliest_end(self) -> int:
        """The earliest calendar year in which the follow-up can have ended."""
        return self.year + self.months // 12


class Happened(NamedTuple):
    """One event: where and when, whether it was fatal, and whether it is the complication death."""

    pk: int | None
    implant: int | None
    months: int | None
    year: int | None
    fatal: bool
    is_death: bool
    cause: int | None


@dataclass(frozen=True, slots=True)
class _Died:
    """A known death: months on an implant, and the latest calendar year that it can be in."""

    implant: int | None
    months: int | None
    latest_year: int | None

    def before(self, event: Happened) -> bool:
        """Whether the event is certainly after this death."""
        on_same = self.implant is not None and self.implant == event.implant
        if on_same and self.months is not None and event.months is not None:
            return event.months > self.months
        return (
            self.latest_year is not None
            and event.year is not None
            and event.year > self.latest_year
        )

    def before_end_of(self, device: DeviceLife) -> bool:
        """Whether the device was certainly followed beyond this death."""
        if self.implant == device.pk and self.months is not None:
            return device.months > self.months
        return self.latest_year is not None and device.earliest_end > self.latest_year


@dataclass(frozen=True, slots=True)
class DeathOnFile:
    """A patient's death as reports and ends of follow-up tell it.

    year: the latest that it can be in, where one is known. months: at the latest, by implant.
    reported: an event tells it, so that another fatal one would be a second death.
    """

    year: int | None
    months: Mapping[int, int]
    reported: bool


@dataclass(slots=True)
class Life:
    """What is known of one patient: implants with their follow-up, and events that count."""

    devices: list[DeviceLife] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)

    def put(self, device: DeviceLife) -> None:
        """Takes the follow-up of an implant, in place of an earlier one."""
        self.devices = [one for one in self.devices if one.pk != device.pk] + [device]

    def without(self, pk: int | None) -> "Life":
        """The same life without one event."""
        return Life(self.devices, [one for one in self.events if pk is None or one.pk != pk])

    def event_faults(self, event: Happened) -> list[Fault]:
        """The faults of an event against the deaths, and of a death against what came later.

        The life is without the event itself. Whether two fatal events are one episode is not
        judged here: see `other_deaths`.
        """
        faults: list[Fault] = []
        deaths = self._deaths() if not event.fatal else self._deaths_by_exit()
        if any(died.before(event) for died in deaths):
            faults.append(after_death("months_since_implant" if event.implant else "year"))
        if event.fatal:
            died = _died_by(event)
            if any(died.before(other) for other in self.events if not other.fatal):
                detail = (
                    "another event of this patient is later than this death; correct the time or "
                    "the outcome of one of them"
                )
                faults.append(Fault("outcome", "event-after-death", detail))
            if any(died.before_end_of(device) for device in self.devices):
                detail = (
                    "an implant of this patient was followed longer than this death allows; end "
                    "its follow-up there, or correct this event"
                )
                faults.append(Fault("outcome", "device-time-after-death", detail))
        return faults

    def other_deaths(self, event: Happened) -> list[Happened]:
        """The other fatal events of the patient, where this one is fatal."""
        return [other for other in self.events if event.fatal and other.fatal]

    def device_faults(self, device: DeviceLife) -> list[Fault]:
        """The faults of an implant's follow-up against deaths, and of its end against what came
        later."""
        faults: list[Fault] = []
        deaths = self._deaths(but_device=device.pk)
        if any(died.before_end_of(device) for died in deaths):
            faults.append(after_death("months_followed"))
        if device.died:
            died = _died_at_end(device)
            later = any(died.before(event) for event in self.events)
            others = [one for one in self.devices if one.pk != device.pk]
            if later or any(died.before_end_of(other) for other in others):
                detail = (
                    "an event or an implant's follow-up of this patient is later than this death; "
                    "correct one of them"
                )
                faults.append(Fault("exit_status", "later-than-death", detail))
        return faults

    def death(self) -> "DeathOnFile | None":
        """The patient's death as it is on file, or None."""
        deaths = self._deaths()
        if not deaths:
            return None
        months: dict[int, int] = {}
        for died in deaths:
            if died.implant is not None and died.months is not None:
                months[died.implant] = min(died.months, months.get(died.implant, died.months))
        years = [died.latest_year for died in deaths if died.latest_year is not None]
        reported = any(one.fatal for one in self.events)
        return DeathOnFile(min(years, default=None), months, reported)

    def _deaths(self, *, but_device: int | None = None) -> list[_Died]:
        fatal = [one for one in self.events if one.fatal]
        last = [one for one in fatal if one.is_death] or fatal  # death itself, not what led to it
        return [*map(_died_by, last), *self._deaths_by_exit(but_device)]

    def _deaths_by_exit(self, but: int | None = None) -> list[_Died]:
        return [_died_at_end(one) for one in self.devices if one.died and one.pk != but]


def one_episode(event: Happened, other: Happened, causes: Mapping[int, int | None]) -> bool:
    """Whether two fatal events are a death and what led to it, by its chain of causes.

    causes: the cause of each event of the patient by primary key.
    """
    if event.is_death == other.is_death:
        return False
    death, led_to_it = (event, other) if event.is_death else (other, event)
    step, seen = death.cause, set[int]()
    while step is not None and step not in seen:
        if step == led_to_it.pk:
            return True
        seen.add(step)
        step = causes.get(step)
    return False


def second_death(event: Happened) -> Fault:
    """The fault of a patient's second death."""
    detail = (
        "the death of this patient has been reported already: complete that report, or where this "
        "event led to it, name it there as the cause"
    )
    return Fault("complication" if event.is_death else "outcome", "second-death", detail)


def after_death(column: str) -> Fault:
    """The fault of what is later than the patient's death."""
    detail = (
        "the patient died before this, as another event or the end of follow-up says; correct the "
        "time here, or the death there"
    )
    return Fault(column, "after-death", detail)


def lives_of(patients: Collection[int]) -> dict[int, Life]:
    """What is stored of these patients. Two queries, by patient alone: of state and patient,
    a database may choose the index by state, and read all events."""
    lives: dict[int, Life] = defaultdict(Life)
    devices = Implant.objects.filter(patient__among=patients)
    columns = ("patient_id", "pk", "implant_year", "months_followed", "exit_status")
    for patient, *row in devices.values_list(*columns):
        lives[patient].devices.append(followed(*row))
    events = Event.objects.filter(patient__among=patients)
    for row in events.values("patient_id", "state", *_OF_EVENTS):
        if row["state"] in COUNTED:
            lives[row["patient_id"]].events.append(_happened_of(row))
    return lives


def causes_among(events: Iterable[Happened]) -> dict[int, int | None]:
    """The cause of each stored event."""
    return {one.pk: one.cause for one in events if one.pk is not None}


def followed(pk: int, year: int, months: int, exit_status: str | None) -> DeviceLife:
    """An implant's follow-up from its stored values."""
    return DeviceLife(pk, year, months, exit_status in DEATHS)


def happened(
    record: EventRecord, *, pk: int | None, implant: int | None, cause: int | None
) -> Happened:
    """An event from its record."""
    return Happened(
        pk=pk,
        implant=implant,
        months=record.months_since_implant,
        year=record.year,
        fatal=record.outcome is Outcome.FATAL or record.complication == DEATH,
        is_death=record.complication == DEATH,
        cause=cause,
    )


_OF_EVENTS = (
    "pk",
    "implant_id",
    "months_since_implant",
    "year",
    "outcome",
    "complication_id",
    "caused_by_id",
)


def _happened_of(row: Mapping[str, Any]) -> Happened:
    is_death = row["complication_id"] == DEATH
    return Happened(
        pk=row["pk"],
        implant=row["implant_id"],
        months=row["months_since_implant"],
        year=row["year"],
        fatal=is_death or row["outcome"] == Outcome.FATAL,
        is_death=is_death,
        cause=row["caused_by_id"],
    )


def _died_by(event: Happened) -> _Died:
    return _Died(event.implant, event.months, event.year)


def _died_at_end(device: DeviceLife) -> _Died:
    return _Died(device.pk, device.months, device.earliest_end + 1)

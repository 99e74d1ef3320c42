"""A patient's devices and events on one line of time, and the episode that an event is part of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from registry.admin.naming import label_of, name_of
from registry.admin.rows import address_of
from registry.models import Event, Patient
from registry.models.exposure import IN_FOLLOW_UP

MIDDLE_OF_A_YEAR = 6
"""Only years are kept: a moment is placed as if its implant was placed in the middle of one."""

MOST_OF_AN_EPISODE = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: when, what, of which device, and how it stands. address: of the row's page."""

    place: int
    year: str
    month: str
    what: str
    address: str
    device: str
    standing: str
    kind: str


@dataclass(frozen=True, slots=True)
class EpisodeStep:
    """An event of an episode, how many causes stand before it, and whether it is the one shown."""

    event: Event
    depth: int
    address: str
    is_shown: bool


def moments_of(patient: Patient, *, events: Iterable[Event]) -> list[Moment]:
    """The patient's devices, their ends and the events, in order of time. One query.

    Months count from the device's own implantation. Lines of one year whose months are not known
    stand in the middle of it.
    """
    implants = list(patient.implants.order_by("implant_year", "pk"))
    moments = []
    for implant in implants:
        moments.append(_placed(implant))
        if implant.exit_status not in IN_FOLLOW_UP:
            moments.append(_ended(implant))
    moments += [_happened(event) for event in events]
    return sorted(moments, key=lambda moment: moment.place)


def _placed(implant: Any) -> Moment:
    in_place = implant.exit_status in IN_FOLLOW_UP
    return Moment(
        place=12 * implant.implant_year + MIDDLE_OF_A_YEAR,
        year=str(implant.implant_year),
        month="",
        what=f"{implant.get_component_display()} implanted",
        address=address_of(implant),
        device=label_of(implant),
        standing="in place" if in_place else "no longer in place",
        kind="device",
    )


def _ended(implant: Any) -> Moment:
    months = implant.months_followed
    return Moment(
        place=12 * implant.implant_year + MIDDLE_OF_A_YEAR + months,
        year="",
        month=str(months),
        what=f"{implant.get_component_display()}: follow-up ended",
        address=address_of(implant),
        device=name_of(implant),
        standing=implant.get_exit_status_display().lower(),
        kind="end",
    )


def _happened(event: Any) -> Moment:
    months, implant = event.months_since_implant, event.implant
    place = 12 * (event.year or 9999) + MIDDLE_OF_A_YEAR
    if implant is not None and months is not None:
        place = 12 * implant.implant_year + MIDDLE_OF_A_YEAR + months
    graded = f", grade {event.severity}" if event.severity is not None else ""
    return Moment(
        place=place,
        year=str(event.year or ""),
        month="" if months is None else str(months),
        what=f"{event.complication.name}{graded}",
        address=address_of(event),
        device=name_of(implant) if implant is not None else "",
        standing=event.get_state_display().lower(),
        kind="event",
    )


def episode_of(event: Event) -> list[EpisodeStep]:
    """The events that led to this one and those that came of them, causes first.

    Empty for an event that stands alone. A query for each link before it, and one for each
    generation after; a hundred events at most.
    """
    *_, root = event.with_causes()
    children: dict[int | None, list[Event]] = {}
    known, generation = {root.pk}, [root.pk]
    while generation and len(known) < MOST_OF_AN_EPISODE:
        found = Event.objects.filter(caused_by__in=generation).exclude(pk__in=known)
        rows = list(found.select_related("complication", "site").order_by("pk"))
        for row in rows:
            children.setdefault(row.caused_by_id, []).append(row)
        generation = [row.pk for row in rows]
        known |= set(generation)
    steps: list[EpisodeStep] = []

    def walk(one: Event, depth: int) -> None:
        steps.append(EpisodeStep(one, depth, address_of(one), one.pk == event.pk))
        for following in children.get(one.pk, ()):
            walk(following, depth + 1)

    walk(root, 0)
    return steps if len(steps) > 1 else []

"""Rows at the edges of the counting rules, as a site could send them."""

from collections.abc import Iterator, Sequence
from random import Random

from registry.catalogue import read_catalogue
from registry.records import EventRecord, ExposureRecord, ImplantRecord
from registry.vocabulary import (
    Actuality,
    AgeBand,
    CatheterModel,
    Component,
    DaysSinceProcedure,
    Drug,
    ExitStatus,
    Indication,
    Intervention,
    LabelStatus,
    Outcome,
    PlacingProcedure,
    PumpModel,
    PumpPlane,
    PumpSite,
    Relatedness,
    RootCause,
    Seriousness,
    Severity,
    Sex,
)

SITES = ("EDGE-A", "EDGE-B", "EDGE-C")
DECLARES = "EDGE-C"
WORDS = {("EDGE-A", Component.PUMP): 2013, ("EDGE-A", Component.CATHETER): 2011}
"""The years from which on a site says that its implants count."""
_FOLLOWED = (0, 0, 1, 2, 5, 6, 7, 12, 17, 18, 30, 60, 119, 120, 150)
_LAST_YEAR = 2026
_AGES = (
    AgeBand.AGE_12_17,
    AgeBand.AGE_40_64,
    AgeBand.AGE_80_89,
    AgeBand.AGE_80_89,
    AgeBand.AGE_90_PLUS,
    AgeBand.UNKNOWN,
    None,
)
_IN_PLACE = (None, ExitStatus.ACTIVE)
_DYING = ("p0", "p1", "p2", "p3")
"""Patients who die when the last of their implants ends, and have no other event."""
_OWN_TIME_ONLY = {"catheter", "pump"}
_COMMON = (
    "catheter-migration", "catheter-fracture", "pump-motor-stall", "pump-flip",
    "pump-end-of-service", "infection-pocket", "csf-leak", "refill-pocket-fill",
    "baclofen-withdrawal", "drug-overdose", "sedation", "granuloma", "revision-surgery",
    "explant-unplanned", "skin-erosion", "death",
)  # fmt: skip


def implants(dice: Random, *, patients: int) -> list[ImplantRecord]:
    """Patients with pumps and catheters in a row, some of the same year, some never followed."""
    rows: list[ImplantRecord] = []
    places: set[tuple[object, ...]] = set()
    for number in range(patients):
        site = dice.choice(SITES[:2])
        sex = dice.choice((Sex.FEMALE, Sex.MALE, Sex.UNKNOWN, None))
        indication = dice.choice((*list(Indication)[:3], Indication.UNKNOWN, None))
        first_year = dice.randint(2008, 2014)
        for component in Component:
            year = first_year + dice.choice((0, 0, 0, 1))
            for turn in range(dice.choice((0, 1, 1, 1, 2, 2, 3))):
                if year > _LAST_YEAR - 3:
                    break
                followed = dice.choice([m for m in _FOLLOWED if year + m // 12 + 3 <= _LAST_YEAR])
                entry = dice.choice((0, 0, 0, 0, 1, 6, followed))
                models: Sequence[PumpModel | CatheterModel] = list(
                    PumpModel if component is Component.PUMP else CatheterModel
                )
                pump = component is Component.PUMP
                exit_status = dice.choice(
                    (
                        ExitStatus.ACTIVE,
                        ExitStatus.REPLACED_FOR_FAILURE,
                        ExitStatus.EXPLANTED_FOR_COMPLICATION,
                        None,
                    )
                    if dice.random() < 0.95
                    else (ExitStatus.ELIGIBILITY_NOT_MET,)
                )
                place = (number, component, year, exit_status in _IN_PLACE, followed)
                if place in places:  # nothing sent would say which of the two came first
                    continue
                places.add(place)
                rows.append(
                    ImplantRecord(
                        site=site,
                        patient=f"p{number}",
                        implant=f"p{number}-{component}-{turn}",
                        component=component,
                        model=dice.choice((*models[:3], models[-1], None)),
                        implant_year=year,
                        age_band=dice.choice(_AGES),
                        sex=sex,
                        indication=indication,
                        drug=dice.choice((Drug.MORPHINE, Drug.BACLOFEN, Drug.UNKNOWN, None)),
                        label_status=dice.choice((LabelStatus.ON_LABEL_MONO, None)),
                        procedure=dice.choice(
                            (PlacingProcedure.PRIMARY_IMPLANT, PlacingProcedure.REVISION, None)
                        ),
                        pump_site=dice.choice((PumpSite.ABDOMEN, None)) if pump else None,
                        pump_plane=dice.choice((*PumpPlane, None)) if pump else None,
                        months_to_entry=min(entry, followed),
                        months_followed=followed,
                        exit_status=exit_status,
                        refills=dice.choice((0, 3, 40, None)) if pump else None,
                        procedures=dice.choice((0, 1, 4, None)) if pump else None,
                    )
                )
                year += dice.choice((followed // 12, followed // 12, followed // 12 + 1))
    return rows


def events(
    dice: Random, devices: Sequence[ImplantRecord], *, number: int, prefix: str = "e"
) -> Iterator[EventRecord]:
    """Events at the ends of follow-up, without an implant, near misses, blanks and cascades.

    prefix: of their source ids. Deaths are among those with the usual one only.
    """
    catalogue = read_catalogue().by_code
    dead: set[tuple[str, str]] = set()
    told: list[tuple[EventRecord, tuple[str, str] | None]] = []
    for turn in range(number):
        code = dice.choice(_COMMON) if dice.random() < 0.8 else dice.choice(list(catalogue))
        entry = catalogue[code]
        fitting = [
            device
            for device in devices
            if device.component is entry.clock and (device.patient in _DYING) == (code == "death")
        ]
        if code == "death":
            fitting = [device for device in fitting if _ends_last(device, devices)]
        device = dice.choice(fitting) if fitting and dice.random() < 0.8 else None
        patient = (device.site, device.patient) if device else None
        if code == "death" and (patient in dead or prefix != "e"):
            continue
        site = device.site if device else dice.choice((*SITES, DECLARES))
        month = year = None
        if device is not None:
            month = _month(dice, device, late=entry.category not in _OWN_TIME_ONLY)
            month = device.months_followed if code == "death" else month
            year = device.implant_year + month // 12 + dice.choice((0, 1))
        else:
            year = dice.randint(2010, 2016)
            month = dice.choice((None, 0, 3, 20))
        near_miss = code != "death" and dice.random() < 0.1
        causes = [one for one, of in told if of == patient and one.site == site]
        row = EventRecord(
            site=site,
            source_id=f"{prefix}{turn}",
            complication=code,
            implant=device.implant if device else None,
            year=year,
            month=None,
            months_since_implant=month,
            **_judged(dice, code, near_miss=near_miss, of_somebody=device is not None),
            relatedness_device=dice.choice((Relatedness.CAUSAL, Relatedness.NOT_ASSESSED, None)),
            interventions=dice.choice(
                (
                    frozenset({Intervention.ANTIBIOTICS}),
                    frozenset({Intervention.ANTIBIOTICS, Intervention.CATHETER_REVISION}),
                    frozenset({Intervention.UNKNOWN}),
                    None,
                )
            ),
            root_cause=dice.choice((RootCause.SURGICAL_TECHNIQUE, RootCause.UNKNOWN, None)),
            days_since_procedure=_band(dice, month),
            caused_by=dice.choice(causes).source_id if causes and dice.random() < 0.5 else None,
            actuality=Actuality.NEAR_MISS if near_miss else dice.choice((Actuality.ACTUAL, None)),
            **({} if device else _reported(dice, entry.clock)),
        )
        if code == "death" and patient:
            dead.add(patient)
        told.append((row, patient))
        yield row


def exposures(dice: Random) -> Iterator[ExposureRecord]:
    """Device time that one site declares, and others beside the implants that they send."""
    for site, years in (
        (DECLARES, range(2010, 2015)),
        ("EDGE-B", (2010, 2016)),
        ("EDGE-A", (2009, 2012, 2020)),
    ):
        for year in years:
            for component in Component:
                for model in (None,) if dice.random() < 0.7 else _two_models(component):
                    devices = dice.randint(1, 20)
                    yield ExposureRecord(
                        site=site,
                        year=year,
                        component=component,
                        model=model,
                        devices=devices,
                        component_months=dice.randint(0, 12 * devices),
                        procedures=dice.choice((None, 0, 7)),
                        refills=dice.choice((None, 0, 30)),
                    )


def _two_models(component: Component) -> tuple[PumpModel | CatheterModel, ...]:
    return tuple(PumpModel if component is Component.PUMP else CatheterModel)[:2]


def _ends_last(device: ImplantRecord, devices: Sequence[ImplantRecord]) -> bool:
    """Whether no implant of its patient is followed into a later year."""
    of_patient = [each for each in devices if each.patient == device.patient]
    ends = [each.implant_year + each.months_followed // 12 for each in of_patient]
    return device.implant_year + device.months_followed // 12 == max(ends)


def _month(dice: Random, device: ImplantRecord, *, late: bool) -> int:
    entry, followed = device.months_to_entry, device.months_followed
    choices = [0, entry, followed, dice.randint(0, followed), dice.randint(entry, followed)]
    return dice.choice([*choices, followed + dice.choice((1, 2, 5, 20))] if late else choices)


def _band(dice: Random, month: int | None) -> DaysSinceProcedure | None:
    bands = [None, DaysSinceProcedure.DAYS_0_7, DaysSinceProcedure.DAYS_8_30]
    if month is None or month >= 12:
        bands += [DaysSinceProcedure.DAYS_61_90, DaysSinceProcedure.DAYS_91_365]
    return dice.choice([*bands, DaysSinceProcedure.UNKNOWN])


def _judged(dice: Random, code: str, *, near_miss: bool, of_somebody: bool) -> dict[str, object]:
    """of_somebody: the event names an implant, whose patient lives on but for `death` itself."""
    if near_miss:
        return {"outcome": Outcome.NOT_APPLICABLE}
    if code == "death" or (not of_somebody and dice.random() < 0.1):
        return {
            "severity": Severity.DEATH,
            "outcome": Outcome.FATAL,
            "seriousness": frozenset({Seriousness.DEATH}),
        }
    return {
        "severity": dice.choice((Severity.MILD, Severity.SEVERE, None)),
        "outcome": dice.choice((Outcome.RECOVERED, Outcome.UNKNOWN, None)),
        "seriousness": dice.choice(
            (
                frozenset({Seriousness.NONE}),
                frozenset({Seriousness.HOSPITALISATION, Seriousness.LIFE_THREATENING}),
                None,
            )
        ),
    }


def _reported(dice: Random, clock: Component) -> dict[str, object]:
    """What an event without an implant tells of the patient and the device."""
    return {
        "component_model": dice.choice((*_two_models(clock), None)),
        "drug": dice.choice((Drug.MORPHINE, Drug.UNKNOWN, None)),
        "indication": dice.choice((*list(Indication)[:2], None)),
        "age_band": dice.choice((AgeBand.AGE_80_89, AgeBand.AGE_90_PLUS, None)),
        "sex": dice.choice((Sex.FEMALE, None)),
    }

"""Write events and devices as registry rows, as their sites would send them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from registry.catalogue import ComplicationEntry
from registry.records import RowKind
from registry.records.columns import DECLARED, OF_PATIENTS
from registry.synthetic.columns import Coded, KeyColumn, Model, Table, recorded
from registry.synthetic.exposures import Declared
from registry.synthetic.follow import PUMP, Course
from registry.synthetic.happen import Happenings, refill_course
from registry.synthetic.hazards import Flags, Floats, Ints
from registry.synthetic.months import DeviceMonths, EventTimes
from registry.synthetic.patients import Population
from registry.synthetic.reports import Reports, blanked
from registry.synthetic.sites import SyntheticSite
from registry.vocabulary import (
    AgeBand,
    CatheterModel,
    Drug,
    Indication,
    LabelStatus,
    PlacingProcedure,
    PumpModel,
    PumpPlane,
    PumpSite,
    Sex,
    YesNoUnknown,
)

_ANY = npt.NDArray[np.generic]


class RowsWritten:
    """Rows collected batch by batch, in arrays of the smallest type that fits."""

    def __init__(
        self, sites: Sequence[SyntheticSite], complications: Sequence[ComplicationEntry]
    ) -> None:
        self.sites = sites
        self.codes = tuple(entry.code for entry in complications)
        self.declares = np.array([site.declares for site in sites])
        self.counts = np.array([site.counts_refills for site in sites])
        self.quality = np.array([site.quality for site in sites])
        self.patient_count = self.device_count = self.event_count = 0
        self._patients: dict[str, list[_ANY]] = defaultdict(list)
        self._implants: dict[str, list[_ANY]] = defaultdict(list)
        self._events: dict[str, list[_ANY]] = defaultdict(list)

    def add(
        self,
        rng: np.random.Generator,
        population: Population,
        followed: Course,
        happened: Happenings,
        rounded: DeviceMonths,
        times: EventTimes,
        reports: Reports,
    ) -> None:
        """Add one batch."""
        people = self._add_patients(rng, population)
        devices = self._add_implants(rng, population, followed, rounded, people)
        self._add_events(rng, population, followed, happened, times, reports, people, devices)
        self.patient_count += len(population)
        self.device_count += len(followed.devices)
        self.event_count += len(happened)

    def _add_patients(self, rng: np.random.Generator, population: Population) -> dict[str, Ints]:
        """Patients as their sites recorded them: equal on all rows of a patient."""
        poor = 1 - self.quality[population.site]
        people = {
            "site": population.site,
            "patient": self.patient_count + np.arange(len(population)),
            "sex": blanked(rng, population.sex, poor * 0.1, Sex.UNKNOWN),
            "indication": blanked(rng, population.indication, poor * 0.4, Indication.UNKNOWN),
            "drug": blanked(rng, population.drug, poor * 0.3, Drug.UNKNOWN),
            "label_status": blanked(rng, population.label, poor * 0.8, LabelStatus.UNKNOWN),
        }
        sends = ~self.declares[population.site]
        for name in ("site", "patient", "sex", "indication"):
            self._patients[name].append(_small(people[name][sends]))
        return people

    def _add_implants(
        self,
        rng: np.random.Generator,
        population: Population,
        followed: Course,
        rounded: DeviceMonths,
        people: dict[str, Ints],
    ) -> dict[str, Ints]:
        devices = followed.devices
        count = len(devices)
        patient = devices.patient
        site = population.site[patient]
        poor = 1 - self.quality[site]
        pump = devices.component == PUMP
        models = np.where(
            pump,
            blanked(rng, devices.model, poor * 0.3, PumpModel.UNKNOWN),
            blanked(rng, devices.model, poor * 0.4, CatheterModel.UNKNOWN),
        )
        refills, procedures = np.full(count, -1), np.full(count, -1)
        counted = pump & self.counts[site]
        ids = np.flatnonzero(counted)
        refills[ids] = refill_course(population, followed, ids).count
        done = np.bincount(followed.procedure_pump, minlength=count)
        procedures[ids] = done[ids]
        abdomen = np.where(rng.random(count) < 0.9, PumpSite.ABDOMEN.bit, PumpSite.BUTTOCK.bit)
        plane = np.where(
            rng.random(count) < 0.75, PumpPlane.SUBCUTANEOUS.bit, PumpPlane.SUBFASCIAL.bit
        )
        designed = np.where(rng.random(count) < 0.94, YesNoUnknown.YES.bit, YesNoUnknown.NO.bit)
        values = {
            "site": site,
            "patient": people["patient"][patient],
            "implant": self.device_count + np.arange(count),
            "component": devices.component,
            "model": models,
            "implant_year": rounded.year,
            "age_band": blanked(
                rng, population.ages_at(patient, devices.start), poor * 0.1, AgeBand.UNKNOWN
            ),
            "sex": people["sex"][patient],
            "indication": people["indication"][patient],
            "drug": people["drug"][patient],
            "adjuncts": population.adjuncts[patient],
            "label_status": people["label_status"][patient],
            "procedure": blanked(rng, devices.procedure, poor * 0.2, PlacingProcedure.UNKNOWN),
            "pump_site": np.where(pump, blanked(rng, abdomen, poor, PumpSite.UNKNOWN), -1),
            "pump_plane": np.where(pump, blanked(rng, plane, poor, PumpPlane.UNKNOWN), -1),
            "as_designed": blanked(rng, designed, poor, YesNoUnknown.UNKNOWN),
            "months_to_entry": rounded.entry,
            "months_followed": rounded.followed,
            "exit_status": devices.status,
            "refills": refills,
            "procedures": procedures,
        }
        sends = ~self.declares[site]
        for name, array in values.items():
            self._implants[name].append(_small(array[sends]))
        return values

    def _add_events(
        self,
        rng: np.random.Generator,
        population: Population,
        followed: Course,
        happened: Happenings,
        times: EventTimes,
        reports: Reports,
        people: dict[str, Ints],
        devices: dict[str, Ints],
    ) -> None:
        device, patient = happened.device, happened.patient
        site = population.site[patient]
        bare: Flags = self.declares[site]
        cause = np.where(happened.cause >= 0, happened.cause + self.event_count, -1)
        blank = reports.band_blank
        no_months = bare & (rng.random(len(happened)) < 0.15)
        months = np.where(no_months, -1, times.months)
        self._say_events(
            {
                "site": site,
                "complication": happened.complication,
                "source_id": self.event_count + np.arange(len(happened)),
                "implant": np.where(bare, -1, devices["implant"][device]),
                "patient": np.where(bare, -1, people["patient"][patient]),
                "year": times.year,
                "months_since_implant": months,
                "severity": np.where(reports.grade > 0, reports.grade - 1, -1),
                "seriousness": reports.seriousness,
                "interventions": reports.interventions,
                **reports.coded,
                "days_since_procedure": np.where(blank, -1, times.procedure_band),
                "days_since_refill": np.where(blank, -1, times.refill_band),
                "caused_by": cause,
                "component": followed.devices.component[device],
                "component_model": np.where(bare, devices["model"][device], -1),
                "drug": np.where(bare, people["drug"][patient], -1),
                "indication": np.where(bare, people["indication"][patient], -1),
                "age_band": np.where(bare, devices["age_band"][device], -1),
                "sex": np.where(bare, people["sex"][patient], -1),
            }
        )

    def _say_events(self, values: dict[str, Ints]) -> None:
        for name, array in values.items():
            self._events[name].append(_small(array))

    def patients(self) -> Table:
        """The patients of the sites that send implants."""
        held = _whole(self._patients)
        return Table(
            held["site"].size,
            {
                "site": Coded(held["site"], self._site_codes()),
                "patient": KeyColumn(held["patient"], "-p"),
                **recorded(OF_PATIENTS, held),
            },
        )

    def tables(self, declared: Declared) -> dict[RowKind, Table]:
        """The rows of each kind, in the order in which they are stored."""
        return {
            RowKind.IMPLANT: self._implant_table(),
            RowKind.EXPOSURE: self._exposure_table(declared),
            RowKind.EVENT: self._event_table(),
        }

    def _site_codes(self) -> tuple[str, ...]:
        return tuple(site.code for site in self.sites)

    def _implant_table(self) -> Table:
        held = _whole(self._implants)
        return Table(
            held["site"].size,
            {
                "site": Coded(held["site"], self._site_codes()),
                "patient": KeyColumn(held["patient"], "-p"),
                "implant": KeyColumn(held["implant"], "-d"),
                "model": _model(held["model"], held["component"]),
                **recorded(DECLARED[RowKind.IMPLANT], held),
            },
        )

    def _event_table(self) -> Table:
        held = _whole(self._events)
        return Table(
            held["site"].size,
            {
                "site": Coded(held["site"], self._site_codes()),
                "complication": Coded(held["complication"], self.codes),
                "source_id": KeyColumn(held["source_id"], "-e"),
                "implant": KeyColumn(held["implant"], "-d"),
                "caused_by": KeyColumn(held["caused_by"], "-e"),
                "component_model": _model(held["component_model"], held["component"]),
                **recorded(DECLARED[RowKind.EVENT], held),
            },
            {"patient": KeyColumn(held["patient"], "-p")},
        )

    def _exposure_table(self, declared: Declared) -> Table:
        cells = np.array(sorted(declared.cells), dtype=np.int64).reshape(-1, 4)
        amounts: Floats = np.array([declared.cells[cell] for cell in sorted(declared.cells)])
        devices, months, procedures, refills = np.rint(amounts.reshape(-1, 4)).astype(np.int64).T
        pump = cells[:, 2] == PUMP
        return Table(
            len(cells),
            {
                "site": Coded(cells[:, 0], self._site_codes()),
                "model": _model(cells[:, 3], cells[:, 2]),
                **recorded(
                    DECLARED[RowKind.EXPOSURE],
                    {
                        "year": cells[:, 1],
                        "component": cells[:, 2],
                        "devices": devices,
                        "component_months": np.maximum(months, 1),
                        "procedures": np.where(pump, procedures, -1),
                        "refills": np.where(pump, refills, -1),
                    },
                ),
            },
        )


def _model(models: npt.NDArray[np.int64], components: npt.NDArray[np.int64]) -> Model:
    pump = components == PUMP
    return Model(
        Coded(np.where(pump, models, -1), tuple(PumpModel)),
        Coded(np.where(pump, -1, models), tuple(CatheterModel)),
        pump,
    )


def _small(array: Ints) -> _ANY:
    """The same numbers in the smallest of one, two or four bytes."""
    if not array.size:
        return array
    kinds = np.min_scalar_type(int(array.min())), np.min_scalar_type(-int(array.max()) - 1)
    return array.astype(np.result_type(*kinds))


def _whole(parts: dict[str, list[_ANY]]) -> dict[str, npt.NDArray[np.int64]]:
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}

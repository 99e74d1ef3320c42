"""Device time that sites declare by calendar year because they send no implants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from registry.synthetic.follow import CATHETER, PUMP, Course
from registry.synthetic.hazards import Floats, Ints
from registry.synthetic.patients import DATA_END, EPOCH, Population
from registry.synthetic.sites import SyntheticSite

_YEARS = np.arange(EPOCH, EPOCH + int(DATA_END // 12) + 1)
Cell = tuple[int, int, int, int]


@dataclass(slots=True)
class Declared:
    """Declared time by (site, year, component, model); model -1 where the site does not say.

    The values are devices, component-months, procedures and refills.
    """

    cells: dict[Cell, Floats] = field(default_factory=dict)

    def add(self, population: Population, followed: Course, sites: Sequence[SyntheticSite]) -> None:
        """Add the devices of a batch at the sites that declare."""
        devices = followed.devices
        for number, site in enumerate(sites):
            if not site.declares:
                continue
            here = np.flatnonzero(population.site[devices.patient] == number)
            models = devices.model[here] if site.models_declared else np.full(here.size, -1)
            for component in (PUMP, CATHETER):
                for model in np.unique(models):
                    among = here[(devices.component[here] == component) & (models == model)]
                    self._add_cell(population, followed, (number, component, int(model)), among)

    def _add_cell(
        self, population: Population, followed: Course, key: tuple[int, int, int], ids: Ints
    ) -> None:
        devices = followed.devices
        site, component, model = key
        placed = population.implanted[devices.patient[ids]] + devices.start[ids]
        ended = placed + devices.end[ids] - devices.start[ids]
        interval = population.refill_interval[devices.patient[ids]]
        phase = population.refill_phase[devices.patient[ids]]
        operated = np.isin(followed.procedure_pump, ids)
        operated_on = followed.procedure_time[operated]
        calendar = population.implanted[followed.procedure_patient[operated]] + operated_on
        for year in _YEARS:
            start, stop = (year - EPOCH) * 12.0, (year - EPOCH + 1) * 12.0
            since, until = np.maximum(placed, start), np.minimum(ended, stop)
            there = until > since
            refills = np.floor((until - placed) / interval + phase) - np.floor(
                (since - placed) / interval + phase
            )
            amounts = np.array(
                [
                    there.sum(),
                    (until - since)[there].sum(),
                    ((calendar >= start) & (calendar < stop)).sum(),
                    refills[there].sum(),
                ]
            )
            if there.any():
                cell = (site, int(year), component, model)
                self.cells[cell] = self.cells.get(cell, np.zeros(4)) + amounts

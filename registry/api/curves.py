"""Curves over months since implant: freedom from an event, and its probability."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.statistics import LIMITS, STATUS, Statistic, column_of, example_of, schema_of
from registry.vocabulary import Measure

COLUMNS = [
    column_of("time_months", "integer", "measure", "months"),
    column_of("at_risk", "integer", "measure"),
    column_of("events", "integer", "measure"),
    column_of("estimate", "number", "measure"),
    *LIMITS,
    STATUS,
]


def _row(estimate: float, lower: float, upper: float) -> dict[str, Any]:
    return {
        "time_months": 12,
        "at_risk": 402,
        "events": 3,
        "estimate": estimate,
        "ci_lower": lower,
        "ci_upper": upper,
        "status": "ok",
    }


def _curve(**more: Any) -> dict[str, Any]:
    return {
        "devices": 512,
        "events": 48,
        "events_outside": 2,
        "median_months": None,
        "starts_at_months": 0,
        "ends_at_months": 131,
        "excluded_before_entry": 4,
        **more,
    }


class Survival(Statistic):
    """Freedom from an event over the months since implantation."""

    measure = Measure.SURVIVAL

    @schema_of(
        Measure.SURVIVAL,
        example_of(
            "Freedom from catheter problems",
            _row(0.957, 0.9361, 0.9712),
            COLUMNS,
            curves=[_curve()],
            logrank=None,
        ),
    )
    def get(self, request: Request) -> Response:
        """Estimate freedom from the selection's first event by Kaplan-Meier.

        The clock is that of the complications, pump or catheter. Devices that entered late count
        from the month after. Groups are what was known at implantation; `ci` is the scale of the
        limits. A row for each month with an event, and one at the start and the end of each curve.
        """
        return self.answer(request)


class Incidence(Statistic):
    """Probability of an event over the months since implantation, where others compete."""

    measure = Measure.INCIDENCE

    @schema_of(
        Measure.INCIDENCE,
        example_of(
            "Incidence of catheter problems",
            _row(0.0391, 0.0262, 0.0557),
            COLUMNS,
            curves=[
                _curve(
                    at_end={
                        "event": 0.131,
                        "death": 0.082,
                        "explant": 0.044,
                        "therapy_stopped": 0.061,
                        "free": 0.682,
                    }
                )
            ],
            logrank=None,
        ),
    )
    def get(self, request: Request) -> Response:
        """Estimate the probability of the selection's first event by Aalen-Johansen.

        Death, explant for another cause and the end of therapy compete. For exact answers only.
        """
        return self.answer(request)

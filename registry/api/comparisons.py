"""Statistics that compare: years, sites, products, and complications that bring about others."""

from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.statistics import LIMITS, STATUS, Statistic, _column, _described, _example
from registry.vocabulary import Measure


class Trend(Statistic):
    """How a rate changes from year to year."""

    measure = Measure.TREND

    @_described(
        Measure.TREND,
        _example(
            "Catheter events by year",
            {
                "year": 2019,
                "events": 24,
                "exposure": 15230.5,
                "rate": 1.576,
                "ci_lower": 1.01,
                "ci_upper": 2.345,
                "fitted": 1.62,
                "cusum": 0.0,
                "alarm": False,
                "status": "ok",
            },
            [
                _column("year", "integer", "dimension"),
                _column("events", "integer", "measure"),
                _column("exposure", "number", "measure", "catheter-months"),
                _column("rate", "number", "measure"),
                *LIMITS,
                _column("fitted", "number", "measure"),
                _column("cusum", "number", "measure"),
                _column("alarm", "boolean", "measure"),
                STATUS,
            ],
            per=1000,
            trend={
                "rate_ratio": 1.04,
                "ci_lower": 0.98,
                "ci_upper": 1.1,
                "p": 0.19,
                "dispersion": 1.3,
                "periods": 9,
                "reason": None,
                "dropped_period": 2024,
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Follow a rate from year to year, with the ratio from one to the next."""
        return self.answer(request)

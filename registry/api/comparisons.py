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


class Funnel(Statistic):
    """Sites against what their exposure lets expect."""

    measure = Measure.FUNNEL

    @_described(
        Measure.FUNNEL,
        _example(
            "Catheter events by site",
            {
                "site": "HOSP-7",
                "events": 31,
                "exposure": 8120.0,
                "expected": 18.4,
                "ratio": 1.685,
                "ci_lower": 1.145,
                "ci_upper": 2.391,
                "lower_95": 0.595,
                "upper_95": 1.574,
                "lower_998": 0.431,
                "upper_998": 1.955,
                "signal": "above-95",
                "status": "ok",
            },
            [
                _column("site", "string", "dimension"),
                _column("events", "integer", "measure"),
                _column("exposure", "number", "measure", "catheter-months"),
                _column("expected", "number", "measure"),
                _column("ratio", "number", "measure"),
                *LIMITS,
                *(
                    _column(name, "number", "interval")
                    for name in ("lower_95", "upper_95", "lower_998", "upper_998")
                ),
                _column("signal", "string", "measure"),
                STATUS,
            ],
            per=1000,
            funnel={
                "target_rate": 2.266,
                "per": 1000,
                "standardisation": "crude",
                "overdispersion": {"phi": 0.9, "tau2": 0.0, "applied": False, "reason": "..."},
                "sites": 12,
                "multiplicity": "...",
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Compare sites with what their exposure, or their case mix, lets expect."""
        return self.answer(request)

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


class Signals(Statistic):
    """Products with more of a complication than the others."""

    measure = Measure.SIGNALS

    @_described(
        Measure.SIGNALS,
        _example(
            "Pump models by complication",
            {
                "pump_model": "prometra-ii-20",
                "complication": "pump-motor-stall",
                "n": 30,
                "expected": 14.8,
                "prr": 2.73,
                "prr_lower": 1.96,
                "prr_upper": 3.8,
                "ror": 7.05,
                "ror_lower": 3.3,
                "ror_upper": 14.9,
                "ic": 0.99,
                "ic_lower": 0.44,
                "ic_upper": 1.46,
                "chi2_yates": 28.9,
                "devices": 100,
                "rate_ratio": 2.9,
                "p": 0.0001,
                "signal": True,
                "outlier": True,
                "status": "ok",
            },
            [
                _column("pump_model", "string", "dimension"),
                _column("complication", "string", "dimension"),
                _column("n", "integer", "measure"),
                _column("expected", "number", "measure"),
                *(
                    _column(f"{name}{end}", "number", "interval" if end else "measure")
                    for name in ("prr", "ror", "ic")
                    for end in ("", "_lower", "_upper")
                ),
                _column("chi2_yates", "number", "measure"),
                _column("devices", "integer", "measure"),
                _column("rate_ratio", "number", "measure"),
                _column("p", "number", "measure"),
                _column("signal", "boolean", "measure"),
                _column("outlier", "boolean", "measure"),
                STATUS,
            ],
            counting="events",
            signals={"compared": 212, "rule": "...", "outlier_rule": "...", "multiplicity": "..."},
        ),
    )
    def get(self, request: Request) -> Response:
        """Pair products with complications that are reported, or happen, out of proportion."""
        return self.answer(request)


class Cascades(Statistic):
    """Which complications bring about which."""

    measure = Measure.CASCADES

    @_described(
        Measure.CASCADES,
        _example(
            "What catheter events lead to",
            {
                "cause": "catheter-occlusion",
                "effect": "baclofen-withdrawal",
                "n": 14,
                "cause_events": 41,
                "share": 0.317,
                "with_interval": 13,
                "median_months": 0.0,
                "status": "ok",
            },
            [
                _column("cause", "string", "dimension"),
                _column("effect", "string", "dimension"),
                _column("n", "integer", "measure"),
                _column("cause_events", "integer", "measure"),
                _column("share", "number", "measure"),
                _column("with_interval", "integer", "measure"),
                _column("median_months", "number", "measure", "months"),
                STATUS,
            ],
            counting="events",
            cascades={"pairs": 9, "cause_events": 160, "level": "complication"},
        ),
    )
    def get(self, request: Request) -> Response:
        """Count the pairs of events that sites linked as cause and effect; exact profiles only."""
        return self.answer(request)

"""Statistics that compare: years, sites, products, and complications that bring about others."""

from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.statistics import LIMITS, STATUS, Statistic, column_of, example_of, schema_of
from registry.vocabulary import Measure


class Trend(Statistic):
    """How a rate changes from year to year."""

    measure = Measure.TREND

    @schema_of(
        Measure.TREND,
        example_of(
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
                column_of("year", "integer", "dimension"),
                column_of("events", "integer", "measure"),
                column_of("exposure", "number", "measure", "catheter-months"),
                column_of("rate", "number", "measure"),
                *LIMITS,
                column_of("fitted", "number", "measure"),
                column_of("cusum", "number", "measure"),
                column_of("alarm", "boolean", "measure"),
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

    @schema_of(
        Measure.FUNNEL,
        example_of(
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
                column_of("site", "string", "dimension"),
                column_of("events", "integer", "measure"),
                column_of("exposure", "number", "measure", "catheter-months"),
                column_of("expected", "number", "measure"),
                column_of("ratio", "number", "measure"),
                *LIMITS,
                *(
                    column_of(name, "number", "interval")
                    for name in ("lower_95", "upper_95", "lower_998", "upper_998")
                ),
                column_of("signal", "string", "measure"),
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

    @schema_of(
        Measure.SIGNALS,
        example_of(
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
                column_of("pump_model", "string", "dimension"),
                column_of("complication", "string", "dimension"),
                column_of("n", "integer", "measure"),
                column_of("expected", "number", "measure"),
                *(
                    column_of(f"{name}{end}", "number", "interval" if end else "measure")
                    for name in ("prr", "ror", "ic")
                    for end in ("", "_lower", "_upper")
                ),
                column_of("chi2_yates", "number", "measure"),
                column_of("devices", "integer", "measure"),
                column_of("rate_ratio", "number", "measure"),
                column_of("p", "number", "measure"),
                column_of("signal", "boolean", "measure"),
                column_of("outlier", "boolean", "measure"),
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

    @schema_of(
        Measure.CASCADES,
        example_of(
            "What catheter events lead to",
            {
                "cause": "catheter-occlusion",
                "effect": "baclofen-withdrawal",
                "n": 14,
                "cause_events": 41,
                "share": 0.317,
                "with_interval": 13,
                "before_cause": 0,
                "median_months": 0.0,
                "status": "ok",
            },
            [
                column_of("cause", "string", "dimension"),
                column_of("effect", "string", "dimension"),
                column_of("n", "integer", "measure"),
                column_of("cause_events", "integer", "measure"),
                column_of("share", "number", "measure"),
                column_of("with_interval", "integer", "measure"),
                column_of("before_cause", "integer", "measure"),
                column_of("median_months", "number", "measure", "months"),
                STATUS,
            ],
            counting="events",
            cascades={"pairs": 9, "cause_events": 160, "level": "complication"},
        ),
    )
    def get(self, request: Request) -> Response:
        """Count the pairs of events that sites linked as cause and effect; exact profiles only."""
        return self.answer(request)

"""What the protected profile publishes: its numbers, its dimensions, and the forms of measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from registry.vocabulary import NOT_RECORDED, Denominator


class Form(StrEnum):
    """How a measure is computed from shown nodes."""

    COUNTS = "counts"
    RATES = "rates"
    PROPORTIONS = "proportions"
    LIFE_TABLE = "life-table"
    FUNNEL = "funnel"
    SIGNALS = "signals"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Offered:
    """A dimension that a protected question may name.

    group: the parameter that names its groups, None where groups only merge values.
    summable: whether several values may be answered as the sum of shown nodes. A patient has many
    events, so patients do not add up over the event's side; they do over their own properties.
    """

    name: str
    summable: bool
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ExposureRule:
    """How a denominator is perturbed, in its own unit.

    per_device: unit of the perturbation, about a device's whole contribution.
    rounding: shown values are multiples of it. minimum: smaller perturbed values are hidden.
    """

    per_device: float
    rounding: int
    minimum: int


@dataclass(frozen=True, slots=True)
class Impossible:
    """Two sets of codes that no event has together, by a row rule, not by the recorded data."""

    one: str
    ones: frozenset[str]
    other: str
    others: frozenset[str]


_EVENT_SIDE = (
    Offered("complication", summable=False, group="category"),
    Offered("year", summable=False, group="period"),
    Offered("severity", summable=False),
    Offered("serious", summable=False),
    Offered("outcome", summable=False),
    Offered("root_cause", summable=False),
)
_DEVICE_SIDE = (
    Offered("component", summable=True),
    Offered("pump_model", summable=True),
    Offered("catheter_model", summable=True),
    Offered("manufacturer", summable=True),
    Offered("drug", summable=True, group="drug_class"),
    Offered("label_status", summable=True),
    Offered("age_band", summable=True),
    Offered("indication", summable=True, group="indication_group"),
    Offered("sex", summable=True),
    Offered("site", summable=True),
)

_EXPOSURE = {
    Denominator.PUMP_MONTHS: ExposureRule(per_device=84.0, rounding=10, minimum=1_000),
    Denominator.CATHETER_MONTHS: ExposureRule(per_device=84.0, rounding=10, minimum=1_000),
    # The two below are in proportion: a refill every other month of 84, an implant and one
    # later operation; the minimum is the contribution of about twelve such devices.
    Denominator.REFILLS: ExposureRule(per_device=42.0, rounding=10, minimum=500),
    Denominator.PROCEDURES: ExposureRule(per_device=2.0, rounding=1, minimum=24),
}

_DEATH = frozenset({"5"})
_NOT_DEATH = frozenset({"1", "2", "3", "4", NOT_RECORDED})
_FATAL = frozenset({"fatal"})
_NOT_FATAL = frozenset(
    {
        "recovered",
        "recovering",
        "not-recovered",
        "recovered-sequelae",
        "unknown",
        "not-applicable",
        NOT_RECORDED,
    }
)

_IMPOSSIBLE = (
    Impossible("severity", _DEATH, "outcome", _NOT_FATAL),
    Impossible("severity", _NOT_DEATH, "outcome", _FATAL),
    Impossible("severity", frozenset({"4", "5"}), "serious", frozenset({"no", NOT_RECORDED})),
    Impossible("outcome", _FATAL, "serious", frozenset({"no", NOT_RECORDED})),
    Impossible("complication", frozenset({"death"}), "severity", _NOT_DEATH),
    Impossible("complication", frozenset({"death"}), "outcome", _NOT_FATAL),
    Impossible("complication", frozenset({"death"}), "serious", frozenset({"no", NOT_RECORDED})),
)

_NEAREST = {
    "window": "leave it out, or ask for survival",
    "seriousness": "ask by serious",
    "intervention": "ask by complication",
    "detection": "ask by root_cause",
    "country": "ask by site",
    "implant_year": "ask by year",
    "actuality": "leave it out: near misses stay out",
    "state": "leave it out: accepted events are counted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every number and every choice of the protected profile.

    threshold: a perturbed count below it is hidden. denominator_minimum: perturbed patients or
    devices below it hide what is divided by them. curve_minimum: least perturbed devices at the
    start of a curve. at_risk_rounding: pairs of a least number at risk and the multiple it is
    rounded to, the largest first. most_dimensions: how many a question may fix or group by.
    most_cells: limit of rows of a reply, and of nodes behind it. most_years: at most so many
    calendar years count towards most_cells, so that the age of a registry does not decide what it
    answers. most_variance, variance_per_unit, most_added, added_beyond: the law of the perturbation
    of n, with variance min(most_variance, variance_per_unit n) on the whole numbers from -n to
    min(most_added, n + added_beyond); another law requires another frozen table. most_variance is
    also that of an exposure's perturbation, in units of per_device.
    crossed_by_site: what a question that fixes or groups by site may name beside it, one at most,
    and whether only as groups.
    """

    threshold: int = 5
    denominator_minimum: int = 20
    curve_minimum: int = 300
    at_risk_rounding: tuple[tuple[int, int], ...] = (
        (1000, 100),
        (300, 50),
        (100, 20),
        (20, 5),
    )
    most_dimensions: int = 3
    most_cells: int = 2_500  # every pump model with every complication of the catalogue
    most_years: int = 20
    most_variance: float = 6.0
    variance_per_unit: float = 1.5
    most_added: int = 8
    added_beyond: int = 3
    offered: tuple[Offered, ...] = _EVENT_SIDE + _DEVICE_SIDE
    crossed_by_site: Mapping[str, bool] = field(
        default_factory=lambda: MappingProxyType({"year": False, "complication": True})
    )
    impossible: tuple[Impossible, ...] = _IMPOSSIBLE
    exposure: Mapping[Denominator, ExposureRule] = field(
        default_factory=lambda: MappingProxyType(_EXPOSURE)
    )
    nearest: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(_NEAREST))

    def variance(self, n: int) -> float:
        """Variance of the perturbation of a count of n; 0 for n = 0, which is not perturbed."""
        return min(self.most_variance, self.variance_per_unit * n)

    def rounding_at_risk(self, n: int) -> int:
        """The multiple that a perturbed number at risk is rounded to."""
        return next((multiple for least, multiple in self.at_risk_rounding if n >= least), 1)

    def variance_at_risk(self, n: int) -> float:
        """Variance of a rounded number at risk: the perturbation's, and a uniform rounding's."""
        return self.variance(n) + (self.rounding_at_risk(n) ** 2 - 1) / 12

    def offer(self, name: str) -> Offered | None:
        """The dimension that a parameter belongs to, as itself or as its groups."""
        return next((each for each in self.offered if name in (each.name, each.group)), None)

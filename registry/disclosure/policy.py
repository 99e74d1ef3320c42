"""What the protected profile publishes: its numbers, its dimensions, and the forms of measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from registry.vocabulary import LEAST_SHOWN, NOT_RECORDED, Denominator


class Form(StrEnum):
    """How a measure is computed from shown nodes."""

    COUNTS = "counts"
    RATES = "rates"
    PROPORTIONS = "proportions"
    LIFE_TABLE = "life-table"
    INCIDENCE = "incidence"
    CASCADES = "cascades"
    COMPARISON = "comparison"
    FUNNEL = "funnel"
    SIGNALS = "signals"
    TREND = "trend"


@dataclass(frozen=True, slots=True)
class Offered:
    """A dimension that a protected question may name.

    group: the parameter that names its groups, None where groups only merge values.
    of_event: whether it is a property of the event. Such nodes stand alone: a patient has many
    events, so patients do not add up over several values; they do over their own properties.
    """

    name: str
    of_event: bool
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
class NoiseLaw:
    """The law of one part of the noise of a count: maximum entropy with mean 0 on whole numbers.

    A count of n gets the variance min(most_variance, variance_per_unit n) on the numbers from -n to
    min(most_added, n + added_beyond).
    """

    most_variance: float
    variance_per_unit: float
    most_added: int
    added_beyond: int = 3

    def variance(self, n: int) -> float:
        """Variance of the part for a count of n; 0 for n = 0, which is not perturbed."""
        return min(self.most_variance, self.variance_per_unit * n)


@dataclass(frozen=True, slots=True)
class Impossible:
    """Two sets of codes that no event has together, by a row rule, not by the recorded data."""

    one: str
    ones: frozenset[str]
    other: str
    others: frozenset[str]


_EVENT_SIDE = (
    Offered("complication", of_event=True, group="category"),
    Offered("year", of_event=True, group="period"),
    Offered("window", of_event=True),
    Offered("severity", of_event=True),
    Offered("serious", of_event=True),
    Offered("seriousness", of_event=True),
    Offered("outcome", of_event=True),
    Offered("root_cause", of_event=True),
    Offered("intervention", of_event=True),
    Offered("organism", of_event=True),
)
_DEVICE_SIDE = (
    Offered("component", of_event=False),
    Offered("pump_model", of_event=False),
    Offered("pump_family", of_event=False),
    Offered("pump_site", of_event=False),
    Offered("pump_plane", of_event=False),
    Offered("catheter_model", of_event=False),
    Offered("manufacturer", of_event=False),
    Offered("drug", of_event=False, group="drug_class"),
    Offered("label_status", of_event=False),
    Offered("procedure", of_event=False),
    Offered("age_band", of_event=False, group="age_group"),
    Offered("indication", of_event=False, group="indication_group"),
    Offered("sex", of_event=False),
    Offered("site", of_event=False),
)

_EXPOSURE = {
    Denominator.PUMP_MONTHS: ExposureRule(per_device=84.0, rounding=10, minimum=1_000),
    Denominator.CATHETER_MONTHS: ExposureRule(per_device=84.0, rounding=10, minimum=1_000),
    # The two below are in proportion: a refill every other month of 84, an implant and one
    # later operation; the minimum is the contribution of about twelve such devices.
    Denominator.REFILLS: ExposureRule(per_device=42.0, rounding=10, minimum=500),
    Denominator.PROCEDURES: ExposureRule(per_device=2.0, rounding=1, minimum=24),
}

_NOT_DEATH = frozenset({"1", "2", "3", "4", NOT_RECORDED})
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
    Impossible("complication", frozenset({"death"}), "severity", _NOT_DEATH),
    Impossible("complication", frozenset({"death"}), "outcome", _NOT_FATAL),
    Impossible("complication", frozenset({"death"}), "serious", frozenset({"no", NOT_RECORDED})),
    Impossible(
        "complication", frozenset({"death"}), "seriousness", frozenset({"none", NOT_RECORDED})
    ),
)
"""Of what may be asked together; a complication goes with one other dimension."""

HANDS_OFF = 2
"""What is shown reaches the threshold without so many of the largest hands: whatever one hand adds,
it has enough without that hand and without the largest other."""

_NEAREST = {
    "detection": "ask by root_cause",
    "country": "ask by site",
    "implant_year": "ask by year",
    "actuality": "leave it out: near misses stay out",
    "state": "leave it out: accepted events are counted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every number and every choice of the protected profile.

    threshold: a perturbed count below it is hidden, with all records of the node and, but for nodes
    that fix a site, without those of its largest hands. fewest_hands: with fewer there are no
    protected answers. denominator_minimum: perturbed patients or devices below it hide what is
    divided by them. curve_minimum: least perturbed devices at the start of a curve.
    at_risk_rounding: pairs of a least number at risk and the multiple it is rounded to, the largest
    first. most_beside: how many other dimensions a question may fix or group by beside a
    complication, a category or all. most_cells: limit of rows of a reply, and of nodes behind it.
    most_years: at most so many calendar years count towards most_cells, so that the age of a
    registry does not decide what it answers. lasting, fresh: the two parts of a count's noise,
    drawn once for the set and once for the set in each release; another law requires another frozen
    table. Their variances together are also those of an exposure's perturbation, in units of
    per_device. offered: the dimensions. with_site: those that go with a site, one at most and
    nothing else, and whether only as groups. impossible: combinations that a row rule excludes.
    exposure: how the device time, procedures or refills of a node are perturbed. nearest: what to
    ask instead of a dimension that is not offered.
    """

    threshold: int = LEAST_SHOWN
    fewest_hands: int = 3
    denominator_minimum: int = 20
    curve_minimum: int = 300
    at_risk_rounding: tuple[tuple[int, int], ...] = (
        (1000, 100),
        (300, 50),
        (100, 20),
        (20, 5),
    )
    most_beside: int = 1
    most_cells: int = 3_000  # every drug with every complication of the catalogue
    most_years: int = 20
    lasting: NoiseLaw = NoiseLaw(4.0, 1.0, most_added=8)
    fresh: NoiseLaw = NoiseLaw(2.0, 0.5, most_added=6)
    offered: tuple[Offered, ...] = _EVENT_SIDE + _DEVICE_SIDE
    with_site: Mapping[str, bool] = field(
        default_factory=lambda: MappingProxyType({"year": False, "complication": True})
    )
    impossible: tuple[Impossible, ...] = _IMPOSSIBLE
    exposure: Mapping[Denominator, ExposureRule] = field(
        default_factory=lambda: MappingProxyType(_EXPOSURE)
    )
    nearest: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(_NEAREST))

    @property
    def most_variance(self) -> float:
        """Variance of both parts of the noise of a count that is not small."""
        return self.lasting.most_variance + self.fresh.most_variance

    def variance(self, n: int) -> float:
        """Variance of the perturbation of a count of n; 0 for n = 0, which is not perturbed."""
        return self.lasting.variance(n) + self.fresh.variance(n)

    def rounding_at_risk(self, n: int) -> int:
        """The multiple that a perturbed number at risk is rounded to."""
        return next((multiple for least, multiple in self.at_risk_rounding if n >= least), 1)

    def variance_at_risk(self, n: int) -> float:
        """Variance of a rounded number at risk: the perturbation's, and a uniform rounding's."""
        return self.variance(n) + (self.rounding_at_risk(n) ** 2 - 1) / 12

    def offer(self, name: str) -> Offered | None:
        """The dimension that a parameter belongs to, as itself or as its groups."""
        return next((each for each in self.offered if name in (each.name, each.group)), None)

"""The eight questions that are asked of the registry, of the ORM and of arrays in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.vocabulary import Measure

Key = tuple[str | int, ...]
Numbers = tuple[object, ...]
Rows = dict[Key, Numbers]
"""An answer: the numbers of each row, in the order of COLUMNS, by the values of its groupings.

The rows of a curve are numbered besides, from 0.
"""

COLUMNS: Mapping[Measure, tuple[str, ...]] = {
    Measure.COUNTS: ("n", "status"),
    Measure.RATES: ("events", "exposure", "rate", "ci_lower", "ci_upper", "status"),
    Measure.SURVIVAL: (
        *("time_months", "at_risk", "events", "estimate", "ci_lower", "ci_upper", "status"),
    ),
}
"""The numbers that are compared."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, as the parameters of an address.

    published: the nearest question that has a protected form, which counts patients and has one
    dimension beside a complication, a category or all; None where there is none.
    """

    number: int
    title: str
    measure: Measure
    params: Mapping[str, str]
    published: Mapping[str, str] | None = field(default=None)

    @property
    def group_by(self) -> tuple[str, ...]:
        """What the rows are keyed by."""
        named = self.params.get("group_by", "")
        return tuple(named.split(",")) if named else ()


def limits_of(question: Question) -> list[int]:
    """The places of the limits among the numbers that are compared."""
    names = COLUMNS[question.measure]
    return [place for place, name in enumerate(names) if name in {"ci_lower", "ci_upper"}]


_PATIENTS = {"counting": "patients"}
_THREE_SITES = "SITE-01,SITE-02,SITE-03"

QUESTIONS = (
    Question(
        number=1,
        title="counts by complication, three filters",
        measure=Measure.COUNTS,
        params={
            "group_by": "complication",
            "drug": "baclofen",
            "sex": "female",
            "serious": "yes",
        },
        published={"group_by": "complication", "drug": "baclofen", **_PATIENTS},
    ),
    Question(
        number=2,
        title="counts by site and period",
        measure=Measure.COUNTS,
        params={"group_by": "site,period"},
        published={"group_by": "site,period", **_PATIENTS},
    ),
    Question(
        number=3,
        title="counts by category, severity and sex, two filters",
        measure=Measure.COUNTS,
        params={"group_by": "category,severity,sex", "drug": "morphine", "year_min": "2015"},
        published={"group_by": "category,severity", **_PATIENTS},
    ),
    Question(
        number=4,
        title="counts of one complication by year",
        measure=Measure.COUNTS,
        params={"group_by": "year", "complication": "catheter-migration"},
        published={"group_by": "year", "complication": "catheter-migration", **_PATIENTS},
    ),
    Question(
        number=5,
        title="a total under six filters",
        measure=Measure.COUNTS,
        params={
            "drug": "morphine",
            "sex": "female",
            "serious": "yes",
            "category": "catheter",
            "site": _THREE_SITES,
            "year_min": "2012",
        },
        published={"drug": "morphine", "category": "catheter", **_PATIENTS},
    ),
    Question(
        number=6,
        title="rates of first events of each row by pump model and year",
        measure=Measure.RATES,
        params={
            "group_by": "pump_model,year",
            "component": "pump",
            "counting": "first_in_row",
        },
        published={"group_by": "pump_model", "category": "pump"},
    ),
    Question(
        number=7,
        title="rates of all events by year, with clusters",
        measure=Measure.RATES,
        params={"group_by": "year", "component": "pump", "counting": "events"},
    ),
    Question(
        number=8,
        title="survival by pump model",
        measure=Measure.SURVIVAL,
        params={"group_by": "pump_model", "category": "pump"},
        published={"group_by": "pump_model", "category": "pump"},
    ),
)
"""6 to 8 are about pumps and what happens to them: an event of a catheter counts on the pump that
the patient had at the time, and the ORM has no way to find that pump in SQL."""

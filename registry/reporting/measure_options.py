"""What each measure takes besides filters: one declaration a measure, read by every door.

Filters, API, schema, pages and the estimators read this table, so that an option is documented,
offered and accepted for the same measures everywhere, and refused for all others.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from registry.records import DIMENSIONS, EventQuery, Fault, Side
from registry.vocabulary import CountingRule, Measure

EVERY_MEASURE = ("group_by", "counting", "release", "labels", "ordering")
"""Options that every measure takes; which values, its declaration says."""

SOME_MEASURES = ("unit", "per", "level", "ci", "standardise")
"""Options that change the answers of some measures only."""

NOT_TAKEN = "option-not-taken"
"""The code of the refusal of an option that changes nothing."""

PRODUCTS = ("pump_model", "catheter_model", "manufacturer", "drug", "drug_class", "label_status")
LEVELS = ("complication", "category")
ANY_DIMENSION = tuple(name for name, dimension in DIMENSIONS.items() if dimension.groupable)
KNOWN_AT_IMPLANT = tuple(
    name
    for name in ANY_DIMENSION
    if DIMENSIONS[name].side in {Side.DEVICE, Side.PATIENT, Side.SITE}
)
CALENDAR_AND_MONTHS = ("year", "year_min", "year_max", "period", "window")
CURVE_COLUMNS = ("time_months", "at_risk", "events", "estimate", "ci_lower", "ci_upper")
RATE_COLUMNS = ("events", "exposure", "rate", "ci_lower", "ci_upper")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What may be asked of one measure besides which events and devices are meant.

    counting: what may be counted, the default first. takes: its options of SOME_MEASURES.
    group_by: dimensions that its rows can be grouped by, up to three. places: for each place of
    group_by the names that it may hold, the default first; None where any of group_by will do.
    ordering: the columns of numbers that rows can be ordered by. not_filtered_by: filters that its
    answer has no meaning under.
    """

    counting: tuple[CountingRule, ...]
    ordering: tuple[str, ...]
    takes: frozenset[str] = frozenset()
    group_by: tuple[str, ...] = ANY_DIMENSION
    places: tuple[tuple[str, ...], ...] | None = None
    not_filtered_by: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """The names of all its options, in the order in which they are documented."""
        return (*EVERY_MEASURE, *(name for name in SOME_MEASURES if name in self.takes))

    @property
    def has_own_rows(self) -> bool:
        """Whether its rows are given, so that there is nothing to choose in group_by."""
        return self.places is not None and all(len(names) == 1 for names in self.places)

    def rows(self, group_by: Collection[str]) -> tuple[str, ...]:
        """The dimensions that name the rows of an answer that was asked to be grouped so."""
        if self.places is None:
            return tuple(group_by)
        return tuple(
            next((name for name in group_by if name in names), names[0]) for names in self.places
        )


_EVENTS, _EPISODES, _FIRST, _DEVICES, _PATIENTS = (
    CountingRule.EVENTS,
    CountingRule.EPISODES,
    CountingRule.FIRST_EVENT,
    CountingRule.DEVICES,
    CountingRule.PATIENTS,
)

MEASURE_OPTIONS: Mapping[Measure, MeasureOptions] = MappingProxyType(
    {
        Measure.COUNTS: MeasureOptions(
            counting=(_EVENTS, _EPISODES, _FIRST, _DEVICES, _PATIENTS),
            ordering=("n",),
        ),
        Measure.RATES: MeasureOptions(
            counting=(_FIRST, _EVENTS, _EPISODES),
            takes=frozenset({"unit", "per", "level"}),
            ordering=RATE_COLUMNS,
        ),
        Measure.PROPORTIONS: MeasureOptions(
            counting=(_PATIENTS, _DEVICES),
            takes=frozenset({"level"}),
            ordering=("numerator", "denominator", "proportion", "ci_lower", "ci_upper"),
        ),
        Measure.SURVIVAL: MeasureOptions(
            counting=(_FIRST,),
            takes=frozenset({"level", "ci"}),
            group_by=KNOWN_AT_IMPLANT,
            ordering=CURVE_COLUMNS,
            not_filtered_by=CALENDAR_AND_MONTHS,
        ),
        Measure.INCIDENCE: MeasureOptions(
            counting=(_FIRST,),
            takes=frozenset({"level"}),
            group_by=KNOWN_AT_IMPLANT,
            ordering=CURVE_COLUMNS,
            not_filtered_by=CALENDAR_AND_MONTHS,
        ),
        Measure.FUNNEL: MeasureOptions(
            counting=(_FIRST, _EVENTS, _EPISODES),
            takes=frozenset({"unit", "per", "level", "standardise"}),
            group_by=("site",),
            places=(("site",),),
            ordering=("events", "exposure", "expected", "ratio", "ci_lower", "ci_upper"),
        ),
        Measure.TREND: MeasureOptions(
            counting=(_FIRST, _EVENTS, _EPISODES),
            takes=frozenset({"unit", "per", "level"}),
            group_by=("year",),
            places=(("year",),),
            ordering=RATE_COLUMNS,
        ),
        Measure.SIGNALS: MeasureOptions(
            counting=(_EVENTS, _DEVICES),
            takes=frozenset({"level"}),
            group_by=(*PRODUCTS, *LEVELS),
            places=(PRODUCTS, LEVELS),
            ordering=(
                *("n", "expected", "prr", "prr_lower", "prr_upper"),
                *("ror", "ror_lower", "ror_upper", "ic", "ic_lower", "ic_upper"),
                *("chi2_yates", "devices", "rate_ratio"),
            ),
        ),
        Measure.CASCADES: MeasureOptions(
            counting=(_EVENTS,),
            group_by=LEVELS,
            places=(LEVELS,),
            ordering=("cause", "effect", "n", "cause_events", "share", "median_months"),
        ),
        Measure.COVERAGE: MeasureOptions(
            counting=(_EVENTS,),
            takes=frozenset({"unit"}),
            ordering=("n", "counted", "without_denominator"),
        ),
    }
)
"""Every measure that can be asked, and what it takes."""


def not_taken(option: str, measure: Measure) -> Fault:
    """The refusal of an option that would change nothing; names the measures that take it."""
    taking = [each for each, options in MEASURE_OPTIONS.items() if option in options.options]
    return Fault(
        option,
        NOT_TAKEN,
        f"{measure.label} would be the same with and without {option}: leave it out. "
        f"It is an option of {in_a_row(taking)}.",
    )


def options_not_taken(query: EventQuery, measure: Measure) -> list[Fault]:
    """A refusal for each option of a question that its measure does not take."""
    takes = MEASURE_OPTIONS[measure].takes
    asked = {name: getattr(query, name) for name in SOME_MEASURES}
    asked["level"] = query.level != EventQuery().level
    return [not_taken(name, measure) for name in SOME_MEASURES if asked[name] and name not in takes]


def counting_not_taken(query: EventQuery, measure: Measure) -> list[Fault]:
    """A refusal of a counting rule that the measure has no meaning for."""
    asked, rules = query.counting, MEASURE_OPTIONS[measure].counting
    if asked is None or asked in rules:
        return []
    taking = [each for each, options in MEASURE_OPTIONS.items() if asked in options.counting]
    named = ", ".join(sorted(rule.value for rule in rules))
    detail = f"{measure.label}: count one of {named}. The rule is for {in_a_row(taking)}."
    return [Fault("counting", "bad-counting", detail)]


def grouped_otherwise(names: Collection[str]) -> str:
    """A sentence that names the measures that take every one of these groupings; may be empty."""
    taking = [
        measure
        for measure, options in MEASURE_OPTIONS.items()
        if options.places is None and set(names) <= set(options.group_by)
    ]
    return f"Such groupings are for {in_a_row(taking)}." if taking else ""


def in_a_row(measures: Collection[Measure]) -> str:
    """The names of measures as addresses have them, in words: `rates, funnel and trend`."""
    *first, last = [measure.value for measure in measures]
    return f"{', '.join(first)} and {last}" if first else last

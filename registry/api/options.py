"""The options of a measure as the schema documents them: those that it takes, with their values."""

from collections.abc import Callable, Mapping

from drf_spectacular.utils import OpenApiParameter

from registry.filters.questions import LABELS, LEVELS, MOST_GROUPS, PER, SCALES
from registry.reporting import MEASURE_OPTIONS, MeasureOptions
from registry.vocabulary import Denominator, Measure


def option_parameters(measure: Measure) -> list[OpenApiParameter]:
    """The options that a measure takes, and no other: any other is refused with 400."""
    options = MEASURE_OPTIONS[measure]
    return [DESCRIBED[name](options) for name in options.options]


def _group_by(options: MeasureOptions) -> OpenApiParameter:
    if options.has_own_rows:
        said = f"Rows are by {options.group_by[0]}, whether or not this says so."
    elif options.places is not None:
        places = "; and ".join(f"one of {', '.join(names)}" for names in options.places)
        said = f"{places}; the first where nothing is said. Comma-separated.".capitalize()
    else:
        named = ", ".join(options.group_by)
        said = f"Up to {MOST_GROUPS} of these, comma-separated: {named}."
    return OpenApiParameter("group_by", str, description=said)


def _counting(options: MeasureOptions) -> OpenApiParameter:
    default, *_others = options.counting
    return OpenApiParameter(
        "counting",
        str,
        enum=[rule.value for rule in options.counting],
        description=f"What counts as one; {default.value} in exact answers that name nothing.",
    )


def _unit(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter(
        "unit", str, enum=Denominator.codes(), description="What a rate divides by."
    )


def _per(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter(
        "per", int, enum=[int(each) for each in PER], description="Units of a rate."
    )


def _level(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter(
        "level", str, enum=LEVELS, description="Confidence level of the limits."
    )


def _ci(options: MeasureOptions) -> OpenApiParameter:
    said = "Scale of the limits of a survival curve; log-log where nothing is said."
    return OpenApiParameter("ci", str, enum=SCALES, description=f"{said} Exact answers only.")


def _standardise(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter(
        "standardise",
        str,
        description="Up to two properties of devices or patients, comma-separated, that a "
        "funnel's expected numbers are adjusted for; exact answers only.",
    )


def _release(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter("release", str, description="Label of a release, or id of a snapshot.")


def _labels(options: MeasureOptions) -> OpenApiParameter:
    return OpenApiParameter("labels", str, enum=LABELS, description="How codes show.")


def _ordering(options: MeasureOptions) -> OpenApiParameter:
    named = ", ".join(options.ordering)
    said = f"Columns to order by: of the grouping, or {named}. A hyphen turns the order round."
    return OpenApiParameter("ordering", str, description=said)


DESCRIBED: Mapping[str, Callable[[MeasureOptions], OpenApiParameter]] = {
    "group_by": _group_by,
    "counting": _counting,
    "unit": _unit,
    "per": _per,
    "level": _level,
    "ci": _ci,
    "standardise": _standardise,
    "release": _release,
    "labels": _labels,
    "ordering": _ordering,
}
"""How each option is documented for a measure that takes it."""

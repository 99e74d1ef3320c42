"""The options of a measure in the schema: those that it takes, with their values."""

from collections.abc import Callable, Mapping

from drf_spectacular.utils import OpenApiParameter

from registry.filters.questions import LABELS, LEVELS, MOST_GROUPS, PER, SCALES
from registry.records.reading import OTHERS
from registry.reporting import CLUSTERS, MEASURES, MOST_ADJUSTERS, MeasureSpec
from registry.vocabulary import Denominator, Measure


def option_parameters(measure: Measure) -> list[OpenApiParameter]:
    """The options that a measure takes; others are refused with 400."""
    spec = MEASURES[measure]
    return [DESCRIBED[name](spec) for name in spec.options]


def _group_by(spec: MeasureSpec) -> OpenApiParameter:
    if spec.has_own_rows:
        said = f"Rows are always by {spec.group_by[0]}."
    elif spec.places is not None:
        places = "; and ".join(f"one of {', '.join(names)}" for names in spec.places)
        said = f"{places}; the first by default. Comma-separated.".capitalize()
    else:
        named = ", ".join(spec.group_by)
        said = f"Up to {MOST_GROUPS} of these, comma-separated: {named}."
    return OpenApiParameter("group_by", str, description=said)


def _counting(spec: MeasureSpec) -> OpenApiParameter:
    default, *_others = spec.counting
    return OpenApiParameter(
        "counting",
        str,
        enum=[rule.value for rule in spec.counting],
        description=f"What counts as one; {default.value} by default in exact answers.",
    )


def _unit(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter(
        "unit", str, enum=Denominator.codes(), description="What a rate divides by."
    )


def _per(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter(
        "per", int, enum=[int(each) for each in PER], description="Units of a rate."
    )


def _level(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter(
        "level", str, enum=LEVELS, description="Confidence level of the limits."
    )


def _ci(spec: MeasureSpec) -> OpenApiParameter:
    said = "Scale of the limits of a survival curve; log-log by default."
    return OpenApiParameter("ci", str, enum=SCALES, description=f"{said} Exact answers only.")


def _standardise(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter(
        "standardise",
        str,
        description="Up to two properties of devices or patients, comma-separated, that "
        "numbers are adjusted for: a funnel's expected events (indirect standardisation), or rates "
        "(direct, to all device time of the answer); exact answers only.",
    )


def _adjust(spec: MeasureSpec) -> OpenApiParameter:
    named = ", ".join(spec.adjusters)
    said = f"What to hold alike: up to {MOST_ADJUSTERS} of these, comma-separated: {named}."
    return OpenApiParameter("adjust", str, description=f"{said} Exact answers only.")


def _reference(spec: MeasureSpec) -> OpenApiParameter:
    said = (
        f"Code of the row to compare with, or `{OTHERS}`: each row against all other rows "
        "together; the row with the most exposure by default."
    )
    return OpenApiParameter("reference", str, description=said)


def _cluster(spec: MeasureSpec) -> OpenApiParameter:
    said = "What limits are robust to; whichever makes them wider by default."
    return OpenApiParameter(
        "cluster", str, enum=CLUSTERS, description=f"{said} Exact answers only."
    )


def _effect(spec: MeasureSpec) -> OpenApiParameter:
    said = "What the pairs led to: codes of complications or categories, comma-separated."
    return OpenApiParameter("effect", str, description=said)


def _release(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter("release", str, description="Label of a release, or id of a snapshot.")


def _labels(spec: MeasureSpec) -> OpenApiParameter:
    return OpenApiParameter("labels", str, enum=LABELS, description="How codes show.")


def _ordering(spec: MeasureSpec) -> OpenApiParameter:
    named = ", ".join(spec.ordering)
    said = f"Columns to order by: of the grouping, or {named}. A hyphen reverses the order."
    return OpenApiParameter("ordering", str, description=said)


DESCRIBED: Mapping[str, Callable[[MeasureSpec], OpenApiParameter]] = {
    "group_by": _group_by,
    "counting": _counting,
    "unit": _unit,
    "per": _per,
    "level": _level,
    "ci": _ci,
    "standardise": _standardise,
    "adjust": _adjust,
    "reference": _reference,
    "cluster": _cluster,
    "effect": _effect,
    "release": _release,
    "labels": _labels,
    "ordering": _ordering,
}
"""The documentation of each option for a measure that takes it."""

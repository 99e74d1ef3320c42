"""Fits a question to another measure: leaves out, and names, what that measure does not take."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from registry.answers.asking import with_set
from registry.filters import EventFilterSet
from registry.filters.fields import listed
from registry.filters.questions import OPTIONS, columns_to_order_by
from registry.records import DIMENSIONS
from registry.reporting import MEASURES, Offer

OF_SOME_ASKERS = ("unit", "counting")
"""Options whose values depend on the viewer's profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A question fitted to a measure. left_out: in words, what the measure does not take."""

    params: QueryDict
    left_out: Sequence[str]


def fitted_to(params: QueryDict, offer: Offer) -> Fitted:
    """The closest question in the offered measure.

    Leaves out options, values of options and filters that the measure does not take, and groupings
    and columns that its rows do not have. Keeps unknown names: they are refused later, with the
    nearest known name.
    """
    measure, takes = offer.measure, MEASURES[offer.measure]
    params = with_set(params, measure=measure.value)
    values: Mapping[str, Collection[str]] = {
        "counting": [rule.value for rule in offer.counting],
        "adjust": takes.adjusters,
    }
    needless = [name for name in OPTIONS if name not in takes.options]
    needless += [
        name
        for name, taken in values.items()
        if name not in needless and not {*listed(params, name)} <= {*taken}
    ]
    without = [name for name in (*needless, *takes.not_filtered_by) if listed(params, name)]
    left_out = [label_of(name) for name in without]
    names = listed(params, "group_by")
    kept = groupings_of(names, offer)
    left_out += [f"the grouping by {title_of(name)}" for name in names if name not in kept]
    columns = columns_to_order_by(measure, kept)
    ordering = listed(params, "ordering")
    in_order = [word for word in ordering if word.removeprefix("-") in columns]
    if in_order != ordering:
        left_out.append(label_of("ordering"))
    fitted = {"group_by": ",".join(kept), "ordering": ",".join(in_order)}
    return Fitted(
        params=with_set(params, **dict.fromkeys(without, ""), **fitted), left_out=left_out
    )


def fitted_for(
    params: QueryDict, offer: Offer, *, is_answered: Callable[[QueryDict], bool]
) -> Fitted:
    """The closest question in the offered measure that its viewer gets an answer to.

    Also leaves out a denominator and a counting rule that the viewer may not use, and uses the
    coarsest level for pairs that would be too many. Depends on the question alone. Calls
    `is_answered` only for a question that has one of these.
    """
    fitted = fitted_to(params, offer)
    params, left_out = fitted.params, list(fitted.left_out)
    if offer.groupings and not is_answered(params):
        *first, level = MEASURES[offer.measure].rows(listed(params, "group_by"))
        coarsest = offer.groupings[-1][-1]
        coarser = with_set(params, group_by=",".join([*first, coarsest]), ordering="")
        if level != coarsest and is_answered(coarser):
            params = coarser
            left_out.append(f"the detail by {title_of(level)}")
    for name in OF_SOME_ASKERS:
        if listed(params, name) and not is_answered(params):
            params = with_set(params, **{name: ""})
            left_out.append(label_of(name))
    return Fitted(params=params, left_out=left_out)


def groupings_of(names: Sequence[str], offer: Offer) -> list[str]:
    """The names that the measure can be grouped by, one for each place; keeps unknown ones."""
    takes = MEASURES[offer.measure]
    if takes.places is None:
        return [name for name in names if name in takes.group_by or name not in DIMENSIONS]
    kept = [name for name in names if name not in DIMENSIONS]
    for place in takes.places:
        kept.extend([name for name in names if name in place][:1])
    return kept


def title_of(name: str) -> str:
    """A dimension's title within a sentence."""
    return DIMENSIONS[name].title.lower()


def label_of(name: str) -> str:
    """A filter or an option as the noun of a sentence: "without the adjustment"."""
    if name in NOUNS:
        return NOUNS[name]
    return f"the filter {str(EventFilterSet.base_filters[name].label).lower()}"


NOUNS = {
    "adjust": "the adjustment by regression",
    "ci": "the scale of the limits",
    "cluster": "the choice of what limits are robust to",
    "counting": "the rule of counting",
    "effect": "the effect that was led to",
    "group_by": "the grouping",
    "labels": "the choice of labels",
    "level": "the confidence level",
    "ordering": "the order",
    "per": "the multiple of the denominator",
    "reference": "the row to compare with",
    "release": "the release",
    "standardise": "the standardisation",
    "unit": "the denominator",
}
"""Options, whose labels in a form begin a sentence that their choice ends."""

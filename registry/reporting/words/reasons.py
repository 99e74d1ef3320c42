"""Why a number is undefined, in sentences."""

from collections.abc import Mapping
from types import MappingProxyType

from registry.statistics.results import Reason

IN_WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NO_EXPOSURE: "There is no exposure to divide by.",
        Reason.EVENTS_WITHOUT_EXPOSURE: "There are events but no exposure that they come from.",
        Reason.ONE_CLUSTER: "All events and exposure are of one patient.",
        Reason.NO_OBSERVATIONS: "Nothing was observed.",
        Reason.MEDIAN_NOT_REACHED: "The curve does not fall to one half.",
        Reason.ONE_GROUP: "There is one group only.",
        Reason.NONE_COMPARED: (
            "No group could be compared with the reference: the note of each says why."
        ),
        Reason.NOTHING_TO_COMPARE: "No event happened while two groups were at risk.",
        Reason.LATE_ENTRIES: "Devices entered late, and Gray's test asks for all from the start.",
        Reason.TOO_FEW_SITES: "Over-dispersion is estimated from ten sites on.",
        Reason.NO_REPORTS: "There are no reports.",
        Reason.EMPTY_CELL: "A cell of the two-by-two table is empty.",
        Reason.NO_GROUP_EXPOSURE: "The others have no exposure to compare with.",
        Reason.NO_GROUP_EVENTS: "The others have no events to compare with.",
        Reason.TOO_FEW_PERIODS: "A trend needs five years with exposure.",
        Reason.TOO_FEW_EVENTS: "A trend needs ten events.",
        Reason.EVENTS_AT_ONE_END: "All events are in the first or the last year.",
        Reason.NO_INFORMATION: "The years have too few data for the limits of a trend.",
        Reason.NOT_CONVERGED: (
            "The regression does not converge: some strata have no events, so that a rate runs to "
            "0. Adjust for fewer or coarser dimensions."
        ),
        Reason.NO_EVENTS_HERE: "The group had no events: a ratio would be 0 without limits.",
        Reason.NO_TIME_HERE: "The group has no exposure.",
        Reason.NO_EVENTS_IN_REFERENCE: (
            "The reference had no events: nothing can be divided by its rate. Choose another."
        ),
        Reason.ONE_AGE: (
            "Calendar years cannot be told apart from what is held alike: the devices are all of "
            "nearly one age, or of a model of their years."
        ),
        Reason.NO_COMMON_STRATUM: (
            "No stratum connects the group with the reference: adjusted, they cannot be compared."
        ),
    }
)
"""Every reason code of the statistics, with its sentence."""


def in_words(reason: Reason | None) -> str | None:
    """The sentence for a reason; None where there is none."""
    return None if reason is None else IN_WORDS[reason]

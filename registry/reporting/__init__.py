"""The door out: every number that leaves the registry was answered here."""

from registry.reporting.answering import answer
from registry.reporting.described import dictionary, dimensions, snapshots
from registry.reporting.implied import held_to_measure
from registry.reporting.literature import Figure, like, published_figure
from registry.reporting.measure_options import (
    MEASURE_OPTIONS,
    NOT_TAKEN,
    SOME_MEASURES,
    MeasureOptions,
    not_taken,
)
from registry.reporting.offered import Offer, can_be_answered, offers
from registry.reporting.repeating import answer_again
from registry.reporting.viewers import viewer_of

__all__ = [
    "MEASURE_OPTIONS",
    "NOT_TAKEN",
    "SOME_MEASURES",
    "Figure",
    "MeasureOptions",
    "Offer",
    "answer",
    "answer_again",
    "can_be_answered",
    "dictionary",
    "dimensions",
    "held_to_measure",
    "like",
    "not_taken",
    "offers",
    "published_figure",
    "snapshots",
    "viewer_of",
]

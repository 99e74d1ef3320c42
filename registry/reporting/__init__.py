"""The door out: every number that leaves the registry is answered here."""

from registry.reporting.answering import answer
from registry.reporting.asking.adjusting import ADJUSTERS, MOST_ADJUSTERS
from registry.reporting.asking.noting import NOTED_AS
from registry.reporting.asking.populations import in_words as population_in_words
from registry.reporting.asking.populations import is_like
from registry.reporting.asking.spec import CLUSTERS, SOME_MEASURES, Figure, MeasureSpec
from registry.reporting.asking.viewers import viewer_of
from registry.reporting.described import dictionary, dimensions, snapshots
from registry.reporting.examples import columns_ever, example_columns
from registry.reporting.measures import MEASURES
from registry.reporting.offered import Offer, can_be_answered, offers
from registry.reporting.repeating import answer_again
from registry.reporting.site_completeness import (
    ASKED_OF_EVENTS,
    SiteCompleteness,
    YearFollowUp,
    completeness_by_site,
)
from registry.reporting.taken import NOT_TAKEN, held_to_measure, not_taken

__all__ = [
    "ADJUSTERS",
    "ASKED_OF_EVENTS",
    "CLUSTERS",
    "MEASURES",
    "MOST_ADJUSTERS",
    "NOTED_AS",
    "NOT_TAKEN",
    "SOME_MEASURES",
    "Figure",
    "MeasureSpec",
    "Offer",
    "SiteCompleteness",
    "YearFollowUp",
    "answer",
    "answer_again",
    "can_be_answered",
    "columns_ever",
    "completeness_by_site",
    "dictionary",
    "dimensions",
    "example_columns",
    "held_to_measure",
    "is_like",
    "not_taken",
    "offers",
    "population_in_words",
    "snapshots",
    "viewer_of",
]

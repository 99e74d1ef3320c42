"""The door out: every number that leaves the registry was answered here."""

from registry.reporting.answering import answer
from registry.reporting.described import dictionary, dimensions, snapshots
from registry.reporting.literature import Figure, like, published_figure
from registry.reporting.offered import Offer, can_be_answered, offers
from registry.reporting.repeating import answer_again
from registry.reporting.viewers import viewer_of

__all__ = [
    "Figure",
    "Offer",
    "answer",
    "answer_again",
    "can_be_answered",
    "dictionary",
    "dimensions",
    "like",
    "offers",
    "published_figure",
    "snapshots",
    "viewer_of",
]

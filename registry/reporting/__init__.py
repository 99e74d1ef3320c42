"""The door out: every number that leaves the registry was answered here."""

from registry.reporting.answering import answer
from registry.reporting.described import dictionary, dimensions, snapshots
from registry.reporting.viewers import viewer_of

__all__ = ["answer", "dictionary", "dimensions", "snapshots", "viewer_of"]

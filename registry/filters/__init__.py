"""One set of filters for the API, the admin and the dashboard: parameters in, EventQuery out."""

from registry.filters.codes import codes_of
from registry.filters.questions import EventFilterSet, parse_query
from registry.filters.rows import filter_events

__all__ = ["EventFilterSet", "codes_of", "filter_events", "parse_query"]

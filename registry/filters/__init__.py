"""One set of filters for the API, the admin and the dashboard: parameters in, EventQuery out."""

from registry.filters.codes import codes_of
from registry.filters.event_lists import EventListFilterSet
from registry.filters.lists import (
    ExposureFilterSet,
    ImplantFilterSet,
    PatientFilterSet,
    RowFilterSet,
)
from registry.filters.questions import EventFilterSet, parse_query

__all__ = [
    "EventFilterSet",
    "EventListFilterSet",
    "ExposureFilterSet",
    "ImplantFilterSet",
    "PatientFilterSet",
    "RowFilterSet",
    "codes_of",
    "parse_query",
]

"""The filters of the list of events: those of a question, and the site's own keys."""

from django.db.models import QuerySet

from registry.filters.lists import ONCE, ChangedSinceFilter, KeysFilter, repeated_parameter
from registry.filters.questions import EventFilterSet
from registry.filters.rows import filter_events
from registry.models import Event
from registry.records import Fault

OF_ROWS = ("source_id", "patient", "implant", "changed_since")
"""Filters of rows that no statistic takes: a key names one person's row."""


class EventListFilterSet(EventFilterSet):
    """The filters of a list of events."""

    source_id = KeysFilter("source_id", "The site's own key")
    patient = KeysFilter("patient__source_id", "The site's own key of the patient")
    implant = KeysFilter("implant__source_id", "The site's own key of the implant")
    changed_since = ChangedSinceFilter()

    def filter_queryset(self, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keeps the events that match every filter; raises BadQuery for invalid parameters."""
        found = filter_events(queryset, self.query())
        for name in OF_ROWS:
            found = self.filters[name].filter(found, self.form.cleaned_data[name])
        return found

    def in_words(self) -> str:
        """The question in canonical form, and the names of other filters: keys are not logged."""
        named = ", ".join(name for name in OF_ROWS if self.data.get(name))
        return " ".join(filter(None, (super().in_words(), f"by {named}" if named else "")))

    def faults(self) -> tuple[Fault, ...]:
        """Everything wrong with the parameters."""
        repeated = [repeated_parameter(name) for name in ONCE if len(self.data.getlist(name)) > 1]
        return (*super().faults(), *repeated)

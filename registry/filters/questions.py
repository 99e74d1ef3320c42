"""One set of filters for every page, list and statistic: parameters in, one EventQuery out."""

from collections.abc import Collection, Mapping
from copy import copy
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Any, Self

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict

from registry.filters.canonical import EXPLAINED_RANGE, event_query
from registry.filters.codes import TABLES, nearest, own_codes
from registry.filters.fields import (
    CodesField,
    FlagField,
    NamesField,
    OptionField,
    PeriodsField,
    ReferenceField,
    ReleaseField,
    WindowsField,
    YearField,
    YearsField,
    listed,
)
from registry.filters.lists import form_faults, repeated_parameter, unknown_parameter
from registry.filters.rows import filter_events
from registry.models import Event
from registry.records import DIMENSIONS, BadQuery, Dimension, EventQuery, Fault, ValueKind, Window
from registry.reporting import (
    ADJUSTERS,
    CLUSTERS,
    MEASURES,
    MOST_ADJUSTERS,
    SOME_MEASURES,
    held_to_measure,
    not_taken,
)
from registry.vocabulary import CountingRule, Denominator, Measure

FORMATS = ("json", "csv", "svg", "png", "vega")
LABELS = ("code", "label", "both")
LEVELS = ("0.90", "0.95", "0.99")
SCALES = ("log-log", "log", "plain")
PER = ("100", "1000")
MOST_GROUPS = 3
MOST_STANDARDS = 2
MOST_EFFECTS = 50

RANGE = ("year_min", "year_max")
OPTIONS = ("group_by", "counting", *SOME_MEASURES, "release", "labels", "ordering")
SINGLE = (
    *RANGE,
    *("counting", "unit", "per", "level", "ci", "reference", "cluster", "release"),
    *("labels", "format"),
)
"""Parameters that may be given only once."""


def columns_to_order_by(measure: Measure, group_by: Collection[str]) -> tuple[str, ...]:
    """The columns by which an answer with these groupings can be ordered."""
    spec = MEASURES[measure]
    return (*spec.named_rows(spec.rows(group_by)), *spec.ordering)


class EventQueryForm(forms.Form):
    """The form behind the filters; its `clean` checks rules on several parameters."""

    measure: Measure | None = None

    def __init__(self, *args: Any, only: Collection[str] | None = None, **options: Any) -> None:
        if only is not None:  # each field of a form is copied, which takes longer than all else
            chosen = {name: field for name, field in self.base_fields.items() if name in only}
            vars(self)["base_fields"] = chosen
        super().__init__(*args, **options)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("year_min"), cleaned.get("year_max")
        if first and last and first > last:
            self.add_error("year_min", ValidationError(EXPLAINED_RANGE, code="bad-range"))
        windows = [each for each in cleaned.get("window") or () if isinstance(each, Window)]
        if "window" in (cleaned.get("group_by") or ()):
            self._check_rows_of_windows(windows)
        self._check_ordering(cleaned)
        return cleaned

    def _check_rows_of_windows(self, windows: list[Window]) -> None:
        if any(one.end is None or one.end >= other.start for one, other in pairwise(windows)):
            self.add_error(
                "window",
                ValidationError(
                    "The windows overlap: start each one after the end of the one before.",
                    code="bad-range",
                ),
            )

    def _check_ordering(self, cleaned: dict[str, Any]) -> None:
        if self.measure is None or "group_by" not in cleaned:
            return
        known = columns_to_order_by(self.measure, cleaned["group_by"])
        for word in cleaned.get("ordering") or ():
            if word.removeprefix("-") not in known:
                close = nearest(word.removeprefix("-"), known)
                self.add_error(
                    "ordering",
                    ValidationError(
                        f"Order by a column of the answer. The nearest is {close}.",
                        code="unknown-column",
                    ),
                )


class SharedFilter(django_filters.Filter):
    """A filter that never changes: each question has its own, with the same options inside."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copy(self)


class DimensionFilter(SharedFilter):
    """One dimension as a filter; rows are filtered by the whole question."""

    FIELDS: Mapping[ValueKind, type[forms.Field]] = {
        ValueKind.CODE: CodesField,
        ValueKind.CODES: CodesField,
        ValueKind.FLAG: FlagField,
        ValueKind.YEAR: YearsField,
        ValueKind.PERIOD: PeriodsField,
        ValueKind.WINDOW: WindowsField,
    }

    def __init__(self, dimension: Dimension) -> None:
        self.field_class = self.FIELDS[dimension.kind]
        super().__init__(
            field_name=dimension.name,
            lookup_expr="in",
            label=dimension.title,
            dimension=dimension.name,
        )


class OptionFilter(SharedFilter):
    """One option of a measure; filters no rows."""

    def __init__(self, label: str, field_class: type[forms.Field], **options: Any) -> None:
        self.field_class = field_class
        super().__init__(label=label, **options)


def _groupable() -> tuple[str, ...]:
    return tuple(name for name, dimension in DIMENSIONS.items() if dimension.groupable)


def _standardisable() -> tuple[str, ...]:
    return tuple(name for name, dimension in DIMENSIONS.items() if dimension.of_devices_alone)


def _effects() -> tuple[str, ...]:
    return (*own_codes("complication"), *own_codes("category"))


def _choices(words: Collection[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


class EventFilterSet(django_filters.FilterSet):
    """Every filter and option of a question about events, under the same names everywhere.

    Declared from records.DIMENSIONS, so that a new dimension appears in filters, forms and
    API at once. measure: None for a list of rows, which refuses the options. beside: parameters
    that are read elsewhere, such as `limit`.
    """

    class Meta:
        model = Event
        fields: tuple[str, ...] = ()
        form = EventQueryForm

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        queryset: QuerySet[Event] | None = None,
        *,
        request: Any = None,
        prefix: str | None = None,
        measure: Measure | None = None,
        beside: Collection[str] = (),
    ) -> None:
        self.measure = measure
        self.beside = beside
        super().__init__(data, queryset, request=request, prefix=prefix)

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        filters: dict[str, django_filters.Filter] = super().get_filters()
        for dimension in DIMENSIONS.values():
            filters[dimension.name] = DimensionFilter(dimension)
        filters["year_min"] = OptionFilter("From year", YearField)
        filters["year_max"] = OptionFilter("To year", YearField)
        filters["group_by"] = OptionFilter(
            "Group by",
            NamesField,
            known=_groupable,
            what="a dimension to group by",
            code="unknown-dimension",
            most=MOST_GROUPS,
        )
        filters["counting"] = OptionFilter("Count", OptionField, choices=CountingRule.choices())
        filters["unit"] = OptionFilter("Divide by", OptionField, choices=Denominator.choices())
        filters["per"] = OptionFilter("Per", OptionField, choices=_choices(PER))
        filters["level"] = OptionFilter("Confidence level", OptionField, choices=_choices(LEVELS))
        filters["ci"] = OptionFilter("Limits on the scale", OptionField, choices=_choices(SCALES))
        filters["standardise"] = OptionFilter(
            "Adjust for",
            NamesField,
            known=_standardisable,
            what="a dimension to adjust for",
            code="unknown-dimension",
            most=MOST_STANDARDS,
            choices=[(name, DIMENSIONS[name].title) for name in _standardisable()],
        )
        filters["adjust"] = OptionFilter(
            "Adjust by regression for",
            NamesField,
            known=lambda: ADJUSTERS,
            what="a dimension to adjust for",
            code="unknown-dimension",
            most=MOST_ADJUSTERS,
            choices=[(name, DIMENSIONS[name].title) for name in ADJUSTERS],
        )
        filters["reference"] = OptionFilter("Compare with", ReferenceField)
        filters["cluster"] = OptionFilter(
            "Limits robust to", OptionField, choices=_choices(CLUSTERS)
        )
        filters["effect"] = OptionFilter(
            "What it led to",
            NamesField,
            known=_effects,
            what="a complication or a category",
            code="unknown-code",
            most=MOST_EFFECTS,
        )
        filters["release"] = OptionFilter("Release", ReleaseField)
        filters["labels"] = OptionFilter("Show", OptionField, choices=_choices(LABELS))
        filters["ordering"] = OptionFilter(
            "Order by", NamesField, known=None, what="a column", code="unknown-column"
        )
        filters["format"] = OptionFilter("Format", OptionField, choices=_choices(FORMATS))
        return filters

    @classmethod
    @cache
    def _form_class(cls) -> type[EventQueryForm]:
        made: type[EventQueryForm] = django_filters.FilterSet.get_form_class(cls())
        return made

    def get_form_class(self) -> type[EventQueryForm]:
        """The form's class, made once: it depends on the filters alone."""
        return self._form_class()

    @property
    def form(self) -> EventQueryForm:
        """The form that pages show, with the measure that its options are for."""
        form: EventQueryForm = super().form
        form.measure = self.measure
        return form

    @cached_property
    def _sent(self) -> EventQueryForm:
        """The form of the parameters that were sent; `group_by` belongs to the check of others."""
        form = self._form_class()(self.data, only={*self.data, "group_by"})
        form.measure = self.measure
        return form

    def filter_queryset(self, queryset: QuerySet[Event]) -> QuerySet[Event]:
        """Keeps the events of the question; raises BadQuery for invalid parameters."""
        return filter_events(queryset, self.query())

    def in_words(self) -> str:
        """The filters used, in canonical form."""
        return self.query().canonical()

    def query(self) -> EventQuery:
        """The question in canonical form; raises BadQuery with every fault."""
        return self._query

    @cached_property
    def _query(self) -> EventQuery:
        if faults := self.faults():
            raise BadQuery(faults)
        query = event_query(self._sent.cleaned_data)
        if self.measure is not None:
            held_to_measure(query, self.measure)
        return query

    def faults(self) -> tuple[Fault, ...]:
        """Everything wrong with the parameters."""
        takes = [name for name in self.filters if self.measure is not None or name not in OPTIONS]
        needless = self._not_taken()
        faults = [
            unknown_parameter(name, (*takes, *self.beside))
            for name in self.data
            if name not in takes and name not in self.beside
        ]
        faults += needless
        without = {fault.column for fault in needless}
        faults += [
            repeated_parameter(name)
            for name in SINGLE
            if name in takes and name not in without and len(set(listed(self.data, name))) > 1
        ]
        faults += [
            repeated_parameter(name)
            for name in self.beside
            if name not in takes and name in self.data and len(self.data.getlist(name)) > 1
        ]
        reported = {fault.column for fault in faults}
        faults += [
            fault
            for fault in form_faults(self._sent)
            if fault.column in takes and fault.column not in reported
        ]
        return tuple(faults)

    def _not_taken(self) -> list[Fault]:
        """A refusal of each given option that the measure does not take."""
        if self.measure is None:
            return []
        takes = MEASURES[self.measure].options
        return [
            not_taken(name, self.measure)
            for name in OPTIONS
            if name not in takes and listed(self.data, name)
        ]


def parse_query(params: Mapping[str, Any], *, measure: Measure | None) -> EventQuery:
    """Turns the parameters of an address into a canonical question.

    measure: None for a list of rows, which takes filters only. Raises BadQuery with every fault at
    once: an unknown parameter or code (the nearest right one is named), a bad range, more than
    three names or a repeated one in group_by; an option, counting rule or grouping that the
    measure does not take (the measures that do are named). No value is ever repeated. A few queries
    for each dimension whose codes live in a table, none for the others, which a process remembers.
    """
    given = tuple((name, tuple(listed(params, name))) for name in params)
    if LOOKED_UP.isdisjoint(params):
        return _remembered(given, measure)
    return _parsed(given, measure)


LOOKED_UP = frozenset(
    ("effect", *(name for name, dimension in DIMENSIONS.items() if dimension.codelist in TABLES))
)
"""Parameters whose codes live in tables: what they take may change."""

QUESTIONS_KEPT = 512
"""So many questions are kept in a process: those of a dashboard, many times over."""

Given = tuple[tuple[str, tuple[str, ...]], ...]


def _parsed(given: Given, measure: Measure | None) -> EventQuery:
    data = QueryDict(mutable=True)
    for name, values in given:
        data.setlist(name, list(values))
    return EventFilterSet(data, Event.objects.none(), measure=measure).query()


@lru_cache(maxsize=QUESTIONS_KEPT)
def _remembered(given: Given, measure: Measure | None) -> EventQuery:
    """A question of parameters that mean the same at all times; what is refused is not kept."""
    return _parsed(given, measure)

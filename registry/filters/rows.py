"""Filters event rows by a question: for lists, change lists and exports."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet

from registry.filters.codes import NO, YES, group_members
from registry.models import Event, Implant
from registry.records import EventQuery, Window
from registry.vocabulary import NOT_RECORDED, AgeBand, Component, PumpModel, Seriousness

CRITERIA = {member.value: f"serious_{member.value.replace('-', '_')}" for member in Seriousness}
"""The column of each seriousness criterion, `none` among them."""

MODELS = ("pump_model", "catheter_model")


def filter_events(queryset: QuerySet[Event], query: EventQuery) -> QuerySet[Event]:
    """Keeps the events of the question, in any state; one query, without duplicate rows.

    Device and patient values are the implant's where the event has one, otherwise those reported
    with the event. A pump model also finds the events of that patient's
    catheters, and a catheter model those of the pumps, whenever they were implanted; statistics
    take only those that were in place together.
    """
    for dimension, values in query.where:
        queryset = queryset.filter(_condition(dimension, values))
    if query.years is not None:
        first, last = query.years
        if first is not None:
            queryset = queryset.filter(year__gte=first)
        if last is not None:
            queryset = queryset.filter(year__lte=last)
    if query.windows:
        queryset = queryset.filter(_any(_in_window(window) for window in query.windows))
    return queryset


def _condition(dimension: str, values: tuple[str, ...]) -> Q:
    """The condition for a row to have any of the values of a dimension."""
    if dimension in CONDITIONS:
        return CONDITIONS[dimension](values)
    if dimension in OF_THE_IMPLANT:
        path, reported = OF_THE_IMPLANT[dimension]
        recorded = Q(**_coded(path, values), implant__isnull=False)
        if reported is None:
            blank = Q(implant__isnull=True) if NOT_RECORDED in values else _nothing()
            return recorded | blank
        return recorded | Q(**_coded(reported, values), implant__isnull=True)
    return _among(COLUMNS.get(dimension, dimension), values)


OF_THE_IMPLANT: Mapping[str, tuple[str, str | None]] = {
    "drug": ("implant__drug", "drug"),
    "label_status": ("implant__label_status", None),
    "procedure": ("implant__procedure", None),
    "indication": ("implant__patient__indication", "indication"),
    "sex": ("implant__patient__sex", "sex"),
}
"""The column of a dimension on the implant, and on an event without one (None: no column)."""

COLUMNS = {
    "complication": "complication_id",
    "category": "complication__category_id",
    "site": "site__code",
    "country": "site__country",
}
"""Dimensions of the event or its site whose column has another name."""


def _coded(path: str, values: tuple[str, ...]) -> dict[str, list[str]]:
    """A lookup of codes in which "not recorded" is the empty text."""
    return {f"{path}__in": ["" if value == NOT_RECORDED else value for value in values]}


def _among(path: str, values: tuple[str, ...]) -> Q:
    return Q(**_coded(path, values))


def _any(conditions: object) -> Q:
    return reduce(or_, conditions, _nothing())  # type: ignore[call-overload]


def _nothing() -> Q:
    return Q(pk__in=[])


def _numbers(path: str) -> Callable[[tuple[str, ...]], Q]:
    """The condition for a column of whole numbers, whose blank is NULL."""

    def condition(values: tuple[str, ...]) -> Q:
        among = Q(**{f"{path}__in": [int(value) for value in values if value != NOT_RECORDED]})
        return among | Q(**{f"{path}__isnull": True}) if NOT_RECORDED in values else among

    return condition


def _in_window(window: Window) -> Q:
    from_start = Q(months_since_implant__gte=window.start)
    return (
        from_start if window.end is None else from_start & Q(months_since_implant__lte=window.end)
    )


def _no_criterion_recorded() -> Q:
    return Q(**dict.fromkeys(CRITERIA.values(), False))


def _criteria(values: tuple[str, ...]) -> Q:
    met = _any(Q(**{CRITERIA[value]: True}) for value in values if value != NOT_RECORDED)
    return met | _no_criterion_recorded() if NOT_RECORDED in values else met


def _serious(values: tuple[str, ...]) -> Q:
    answers = {
        YES: _criteria(tuple(set(CRITERIA) - {Seriousness.NONE.value})),
        NO: Q(serious_none=True),
        NOT_RECORDED: _no_criterion_recorded(),
    }
    return _any(answers[value] for value in values)


def _interventions(values: tuple[str, ...]) -> Q:
    codes = [value for value in values if value != NOT_RECORDED]
    done = Q(interventions__holds_any=codes) if codes else _nothing()
    return done | Q(interventions__isnull=True) if NOT_RECORDED in values else done


def _component(values: tuple[str, ...]) -> Q:
    """The implant's component; without an implant, the clock of the complication."""
    reported = Q(implant__isnull=True, complication__clock__in=values)
    return Q(implant__component__in=values) | reported


def _model(name: str) -> Callable[[tuple[str, ...]], Q]:
    """The condition for a pump or catheter model: of the implant, or of the patient's others."""

    def condition(values: tuple[str, ...]) -> Q:
        component = name.removesuffix("_model")
        of_patient = Implant.objects.filter(
            patient=OuterRef("implant__patient"), component=component, **_coded(name, values)
        )
        own = Q(implant__component=component, **_coded(f"implant__{name}", values))
        beside = Q(implant__isnull=False) & ~Q(implant__component=component) & Q(Exists(of_patient))
        return own | beside | Q(implant__isnull=True, **_coded(name, values))

    return condition


def _of_pump(name: str) -> Callable[[tuple[str, ...]], Q]:
    """The condition for where a pump lies: that of the event, or one of the patient's."""

    def condition(values: tuple[str, ...]) -> Q:
        pumps = Implant.objects.filter(
            patient=OuterRef("implant__patient"), component=Component.PUMP, **_coded(name, values)
        )
        is_pump = Q(implant__component=Component.PUMP)
        own = is_pump & Q(**_coded(f"implant__{name}", values))
        beside = Q(implant__isnull=False) & ~is_pump & Q(Exists(pumps))
        blank = Q(implant__isnull=True) if NOT_RECORDED in values else _nothing()
        return own | beside | blank

    return condition


def _pump_family(values: tuple[str, ...]) -> Q:
    models = [model.value for model in PumpModel if model.family.value in values]
    blanks = [NOT_RECORDED] if NOT_RECORDED in values else []
    return _model("pump_model")((*models, *blanks))


def _manufacturer(values: tuple[str, ...]) -> Q:
    """The maker of the component itself, found by its model."""
    found = [Q(pump_model="", catheter_model="")] if NOT_RECORDED in values else []
    of_implant = [
        Q(implant__isnull=False, implant__pump_model="", implant__catheter_model="") for _ in found
    ]
    for name in MODELS:
        made = group_members(name)
        models = [model for maker in values for model in made.get(maker, ())]
        found.append(Q(**{f"{name}__in": models}))
        of_implant.append(Q(**{f"implant__{name}__in": models}))
    return (Q(implant__isnull=True) & _any(found)) | _any(of_implant)


def _age_bands(values: tuple[str, ...]) -> Q:
    """The condition for the bands of statistics, of which one holds several that are entered."""
    entered = ["" for value in values if value == NOT_RECORDED]
    entered += [band.value for band in AgeBand if band.pooled.value in values]
    return Q(implant__isnull=False, implant__age_band__in=entered) | Q(
        implant__isnull=True, age_band__in=entered
    )


def _grouped(dimension: str) -> Callable[[tuple[str, ...]], Q]:
    """The condition for a group of a finer dimension: any of its members."""

    def condition(values: tuple[str, ...]) -> Q:
        members = group_members(dimension)
        codes = [code for value in values for code in members.get(value, ())]
        blanks = [NOT_RECORDED] if NOT_RECORDED in values else []
        return _condition(dimension, (*codes, *blanks))

    return condition


CONDITIONS: Mapping[str, Callable[[tuple[str, ...]], Q]] = {
    "severity": _numbers("severity"),
    "year": _numbers("year"),
    "implant_year": _numbers("implant__implant_year"),
    "window": _numbers("months_since_implant"),
    "serious": _serious,
    "seriousness": _criteria,
    "intervention": _interventions,
    "component": _component,
    "pump_model": _model("pump_model"),
    "catheter_model": _model("catheter_model"),
    "pump_family": _pump_family,
    "pump_site": _of_pump("pump_site"),
    "pump_plane": _of_pump("pump_plane"),
    "manufacturer": _manufacturer,
    "age_band": _age_bands,
    "age_group": _grouped("age_band"),
    "drug_class": _grouped("drug"),
    "indication_group": _grouped("indication"),
}
"""Dimensions with a condition of their own."""

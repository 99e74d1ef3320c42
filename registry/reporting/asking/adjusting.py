"""What comparisons and trends are adjusted for."""

from collections.abc import Iterable, Sequence

from registry.records import DIMENSIONS, EventQuery, Fault, Window

ADJUSTERS = (
    *("window", "year", "age_band", "sex", "indication_group"),
    *("pump_model", "catheter_model", "site"),
)
"""The dimensions that a comparison can be adjusted for."""

MOST_ADJUSTERS = 3

GROUPS = (
    *("pump_model", "pump_family", "pump_site", "pump_plane", "catheter_model", "manufacturer"),
    *("drug", "drug_class", "label_status", "procedure", "age_band", "age_group", "implant_year"),
    *("indication", "indication_group", "sex", "site", "country"),
    *("year", "period", "window"),
)
"""The dimensions whose values are compared: those that split exposure, on one clock."""

AGES = (
    Window(0, 3),
    Window(4, 12),
    *(Window(12 * year + 1, 12 * year + 12) for year in range(1, 10)),
    Window(121, None),
)
"""Months since implant as strata: hazards differ most early on, and near the end of a battery."""


def refused_of_groups(query: EventQuery) -> Iterable[Fault]:
    """What cannot be held alike, since the groups are made of it."""
    for name in query.adjust:
        if name in query.group_by:
            title = DIMENSIONS[name].title.lower()
            detail = f"The groups differ in {title}: adjust for something else."
            yield Fault("adjust", "bad-adjustment", detail)


def ages_within(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The strata of months since implant, cut to the windows that a question is filtered by."""
    if not windows:
        return AGES
    found = []
    for filtered in windows:
        for age in AGES:
            start = max(age.start, filtered.start)
            ends = [end for end in (age.end, filtered.end) if end is not None]
            if not ends or start <= min(ends):
                found.append(Window(start, min(ends) if ends else None))
    return tuple(found)

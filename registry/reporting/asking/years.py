"""The first calendar year that is shown on its own, and the current, unfinished one."""

from datetime import datetime

from django.conf import settings

from registry.disclosure.trees import YEARS_IN_PERIOD


def first_year() -> int:
    """The first calendar year shown on its own: the deployment's, or its period's first."""
    year: int = settings.REGISTRY_FIRST_YEAR
    return year - year % YEARS_IN_PERIOD


def running_year(as_of: datetime | None) -> int | None:
    """The calendar year in which the data end; None where it is over, or unknown."""
    if as_of is None or (as_of.month, as_of.day) == (12, 31):
        return None
    return as_of.year

"""The last calendar year of an answer's data that was over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def last_whole_year(meta: Mapping[str, Any]) -> int | None:
    """The year before that in which the data end, or that year on its last day; None without."""
    as_of = meta.get("data_as_of")
    if not as_of:
        return None
    day = datetime.fromisoformat(str(as_of))
    return day.year if (day.month, day.day) == (12, 31) else day.year - 1

"""Answers made by hand, for what pages make of them."""

from registry.answers.asking import Panel
from registry.records import EventQuery, Release
from registry.vocabulary import Measure

AS_OF = "2026-11-30T12:00:00+00:00"


def panel(measure, rows, *, query=None, **meta):
    """An answer of these rows."""
    about = {"profile": "exact", "data_as_of": AS_OF, "per": 1200, **meta}
    release = Release(meta=about, columns=(), rows=tuple(rows))
    return Panel(query or EventQuery(), measure, release=release)


def rates(rows, **meta):
    """Rates per 1,200 of their unit."""
    return panel(Measure.RATES, rows, **meta)


def rate(value, *, lower=None, upper=None, events=40, unit="pump-months", status="ok", **named):
    """One row of rates; limits a tenth away by default."""
    hidden = value is None
    return {
        "events": None if hidden else events,
        "exposure": None if hidden else 1000,
        "rate": value,
        "ci_lower": None if hidden else lower if lower is not None else 0.9 * value,
        "ci_upper": None if hidden else upper if upper is not None else 1.1 * value,
        "unit": unit,
        "status": status,
        **named,
    }

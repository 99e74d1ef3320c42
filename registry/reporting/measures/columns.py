"""Columns shared by several measures."""

from registry.records import Column
from registry.reporting.asking.spec import Question

COUNTED_EVENTS = Column("events", "integer", "measure", title="Events")
RATE = Column("rate", "number", "measure", title="Rate")
INTERVAL = (
    Column("ci_lower", "number", "interval", title="Lower limit"),
    Column("ci_upper", "number", "interval", title="Upper limit"),
)
STATUS = Column("status", "string", "status", title="Status")
HIDDEN_CELLS = Column("hidden_cells", "integer", "status", title="Hidden cells")
REASON = Column("reason", "string", "status", title="Why it is hidden")
RATE_COLUMNS = ("events", "exposure", "rate", "ci_lower", "ci_upper")
"""The columns of numbers that rows with a rate can be ordered by."""

CURVE_COLUMNS = ("time_months", "at_risk", "events", "estimate", "ci_lower", "ci_upper")
"""The columns of numbers that rows of curves can be ordered by."""


def curve_columns(estimate: str) -> tuple[Column, ...]:
    """The columns of a curve over months since implant. estimate: the title of its estimate."""
    return (
        Column("time_months", "integer", "measure", "months", "Months since implant"),
        Column("at_risk", "integer", "measure", title="At risk"),
        Column("events", "integer", "measure", title="First events"),
        Column("estimate", "number", "measure", title=estimate),
        *INTERVAL,
        STATUS,
    )


def exposure_column(question: Question) -> Column:
    """The column of exposure, with its unit where all rows share one."""
    units = question.units
    unit = units[0].value if len(units) == 1 else None
    return Column("exposure", "number", "measure", unit, "Exposure")


def protected_columns_of(question: Question) -> tuple[Column, ...]:
    """Columns with the number of hidden cells and the reason, added before the status."""
    *numbers, status = question.spec.columns(question)
    told = [column for column in numbers if column.name not in question.spec.never_protected]
    return (*told, HIDDEN_CELLS, REASON, status)

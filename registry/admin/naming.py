"""The admin's names for rows: the site's own key wherever there is one."""

from typing import Any

from registry.models import Implant


def name_of(row: Any) -> str:
    """The site's own key, else the start of the public id, else the row's own text."""
    if hasattr(row, "public_id") and hasattr(row, "source_id"):
        return row.source_id or f"{str(row.public_id)[:8]}…"
    return str(row)


def label_of(row: Any) -> str:
    """A row's name; for an implant also what distinguishes it from the patient's others."""
    if not isinstance(row, Implant):
        return name_of(row)
    model = row.get_pump_model_display() or row.get_catheter_model_display()
    known = (row.get_component_display(), model, str(row.implant_year))
    return f"{name_of(row)} ({', '.join(filter(None, known))})"

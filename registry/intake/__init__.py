"""THE DOOR IN: whatever is written to the registry is written here, under a seal."""

from registry.intake.catalogue import (
    CatalogueSummary,
    add_complication,
    change_complication,
    load_catalogue,
)
from registry.intake.devices import (
    change_exposure,
    change_implant,
    change_patient,
    declare_exposure,
    record_implant,
    record_patient,
)
from registry.intake.events import change_event, record_event
from registry.intake.files import ImportSummary, import_records
from registry.intake.importing import Counts, ImportRefused
from registry.intake.review import (
    accept_event,
    mark_duplicate,
    open_steps,
    recode_event,
    reject_event,
    reopen_event,
    submit_event,
    withdraw_event,
)
from registry.intake.sites import add_member, change_member, change_site, make_site

__all__ = [
    "CatalogueSummary",
    "Counts",
    "ImportRefused",
    "ImportSummary",
    "accept_event",
    "add_complication",
    "add_member",
    "change_complication",
    "change_event",
    "change_exposure",
    "change_implant",
    "change_member",
    "change_patient",
    "change_site",
    "declare_exposure",
    "import_records",
    "load_catalogue",
    "make_site",
    "mark_duplicate",
    "open_steps",
    "recode_event",
    "record_event",
    "record_implant",
    "record_patient",
    "reject_event",
    "reopen_event",
    "submit_event",
    "withdraw_event",
]

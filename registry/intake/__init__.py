"""THE DOOR IN: everything written to the registry is written here, under a seal."""

from registry.deidentify import missing_for_submission, readable_columns
from registry.intake.agreements import (
    ask_for_agreement,
    confirm_agreement,
    decline_agreement,
    end_agreement,
    grant_agreement,
    latest_last_day,
    open_decisions,
    remind_of_agreement,
    withdraw_agreement,
)
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
from registry.intake.duplicates import keep_apart, likely_duplicates
from registry.intake.events import change_event, record_event
from registry.intake.exporting import export_rows, site_to_export
from registry.intake.fault_tally import FaultKind, FaultTally
from registry.intake.files import (
    ImportSummary,
    JudgedRecords,
    import_records,
    judge_records,
    judging,
    store_judged,
)
from registry.intake.following import Followed, FollowUp, FollowUpRefused, follow_up
from registry.intake.importing import FAULTS_KEPT, Done, ImportCounts, ImportRefused, OnConflict
from registry.intake.one_time_codes import add_generator, remove_codes, renew_codes
from registry.intake.patient_batches import (
    JudgedPatients,
    SentPatient,
    judge_patients,
    store_patients,
    told_patients,
)
from registry.intake.people import change_person, make_person
from registry.intake.queries import (
    answer_query,
    close_query,
    foreseen_queries,
    judge_registry,
    may_close_queries,
    raise_query,
)
from registry.intake.redaction import (
    identifying_keys,
    redact_identifying_keys,
    redact_key,
    redact_rows_of_key,
    rows_of_key,
)
from registry.intake.relations import columns_not_kept
from registry.intake.review import (
    accept_event,
    discard_event,
    mark_duplicate,
    open_steps,
    recode_event,
    reject_event,
    reopen_event,
    return_event,
    submit_event,
    take_back_event,
    withdraw_event,
)
from registry.intake.role_proposals import (
    confirm_role,
    decline_role,
    needs_a_second,
    open_to_role,
    withdraw_role,
)
from registry.intake.rounds import RoundStanding, close_round, may_close, standings_of
from registry.intake.row_reading import AS_DOCUMENTED, Wording, catalogue_names
from registry.intake.sites import add_member, change_member, change_site, make_site
from registry.intake.systems import (
    ComponentReport,
    change_system,
    record_system,
    replace_implant,
)
from registry.intake.told import ToldRow, told_rows
from registry.intake.wordings import keep_words, may_keep_words, wording_of

__all__ = [
    "AS_DOCUMENTED",
    "FAULTS_KEPT",
    "CatalogueSummary",
    "ComponentReport",
    "Done",
    "FaultKind",
    "FaultTally",
    "FollowUp",
    "FollowUpRefused",
    "Followed",
    "ImportCounts",
    "ImportRefused",
    "ImportSummary",
    "JudgedPatients",
    "JudgedRecords",
    "OnConflict",
    "RoundStanding",
    "SentPatient",
    "ToldRow",
    "Wording",
    "accept_event",
    "add_complication",
    "add_generator",
    "add_member",
    "answer_query",
    "ask_for_agreement",
    "catalogue_names",
    "change_complication",
    "change_event",
    "change_exposure",
    "change_implant",
    "change_member",
    "change_patient",
    "change_person",
    "change_site",
    "change_system",
    "close_query",
    "close_round",
    "columns_not_kept",
    "confirm_agreement",
    "confirm_role",
    "declare_exposure",
    "decline_agreement",
    "decline_role",
    "discard_event",
    "end_agreement",
    "export_rows",
    "follow_up",
    "foreseen_queries",
    "grant_agreement",
    "identifying_keys",
    "import_records",
    "judge_patients",
    "judge_records",
    "judge_registry",
    "judging",
    "keep_apart",
    "keep_words",
    "latest_last_day",
    "likely_duplicates",
    "load_catalogue",
    "make_person",
    "make_site",
    "mark_duplicate",
    "may_close",
    "may_close_queries",
    "may_keep_words",
    "missing_for_submission",
    "needs_a_second",
    "open_decisions",
    "open_steps",
    "open_to_role",
    "raise_query",
    "readable_columns",
    "recode_event",
    "record_event",
    "record_implant",
    "record_patient",
    "record_system",
    "redact_identifying_keys",
    "redact_key",
    "redact_rows_of_key",
    "reject_event",
    "remind_of_agreement",
    "remove_codes",
    "renew_codes",
    "reopen_event",
    "replace_implant",
    "return_event",
    "rows_of_key",
    "site_to_export",
    "standings_of",
    "store_judged",
    "store_patients",
    "submit_event",
    "take_back_event",
    "told_patients",
    "told_rows",
    "withdraw_agreement",
    "withdraw_event",
    "withdraw_role",
    "wording_of",
]

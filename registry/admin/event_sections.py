"""The sections of an event's page: the questions of each, and when each applies."""

from collections.abc import Collection
from typing import Any

from django.conf import settings

from registry.admin.stored_values import is_blank
from registry.models import Event
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import DatePrecision

WHAT_AND_WHEN = (
    "site",
    "complication",
    "implant",
    "year",
    "month",
    "months_since_implant",
    "actuality",
    "source_id",
)
NOT_ON_FILE = ("component_model", "drug", "indication", "age_band", "sex")
"""Questions answered by the implant's row where there is one."""

Section = tuple[str, tuple[str, ...], str]

ENTRY: tuple[Section, ...] = (
    ("What and when", WHAT_AND_WHEN, ""),
    (
        "If the implant is not on file",
        NOT_ON_FILE,
        "If you named an implant above, leave these empty: its row has them.",
    ),
    (
        "How bad",
        ("severity", "seriousness", "outcome"),
        "Severity, seriousness by a regulatory criterion, and relatedness are three separate"
        " judgements.",
    ),
    (
        "Why",
        (
            "relatedness_device",
            "relatedness_procedure",
            "relatedness_drug",
            "relatedness_programming",
            "relatedness_disease",
            "root_cause",
            "caused_by",
        ),
        "",
    ),
    (
        "Run-up",
        (
            "detection",
            "days_since_procedure",
            "days_since_refill",
            "mri_24h",
            "alarm",
            "volume_discrepancy",
            "organism",
        ),
        "",
    ),
    ("Consequences", ("interventions",), ""),
)
"""The sections of the form: title, fields, and a description."""

FOLDED_ON_A_PHONE = frozenset({"Why", "Run-up", "Consequences"})
"""Sections that a plain event leaves empty: their heading stands for them on a narrow screen."""

FOLDABLE = "foldable"
"""The class of a section that a narrow screen folds until it is opened or answered."""

MATTERS_FOR: dict[str, tuple[str, ...]] = {
    "days_since_refill": (
        "infection",
        "pump",
        "programming-refill",
        "neurological",
        "drug-effect",
        "withdrawal",
        "death",
    ),
    "mri_24h": ("pump", "drug-effect", "withdrawal", "death"),
    "alarm": ("pump", "programming-refill", "drug-effect", "withdrawal", "catheter-occlusion"),
    "volume_discrepancy": ("catheter", "pump", "programming-refill", "drug-effect", "withdrawal"),
    "organism": (
        "infection",
        "reservoir-contamination",
        "meningitis-aseptic",
        "seroma-pocket",
        "wound-dehiscence",
        "skin-erosion",
        "explant-unplanned",
        "death",
    ),
}
"""Questions of the run-up with the categories or complications that they apply to; the others apply
to every event. A stored answer is shown whatever the complication."""

REVIEW = ("state", "reason", "reported_words", "public_id")
"""Fields of an event that the registry sets."""

IN_OTHER_WORDS = {
    "site": "site_code",
    "seriousness": "seriousness_words",
    "interventions": "interventions_words",
    "component_model": "model_words",
    "severity": "severity_words",
    "implant": "implant_words",
    "caused_by": "caused_by_words",
}
"""Fields of the form that a read-only page words differently."""


def kept_fields(names: tuple[str, ...]) -> list[str]:
    """The fields that this deployment keeps: months only with monthly date precision."""
    months = settings.REGISTRY_DATE_PRECISION == DatePrecision.MONTH
    return [name for name in names if months or name != "month"]


def name_read(column: str) -> str:
    """The field of a read-only page that shows a stored column."""
    if column in ("pump_model", "catheter_model"):
        column = "component_model"
    if column == "reported_complication":
        return "reported_words"
    return IN_OTHER_WORDS.get(column, column)


def sections_of(event: Event | None) -> list[tuple[str, dict[str, Any]]]:
    """The sections of a new event's form, or of a draft's."""
    sections: list[tuple[str, dict[str, Any]]] = []
    for title, names, description in ENTRY:
        options: dict[str, Any] = {"fields": kept_fields(names), "description": description}
        if names is NOT_ON_FILE:
            options["classes"] = ("not-on-file", *_closed(event))
        if title in FOLDED_ON_A_PHONE:
            options["classes"] = (FOLDABLE,)
        sections.append((title, options))
    if event is not None:
        sections[-1][1]["fields"].append("led_to")
        sections[0][1]["fields"].append("version")
        folded = {"classes": (FOLDABLE,)}
        sections.append(("Review", {"fields": REVIEW, **folded}))
        sections.append(("History", {"fields": ("history_words",), **folded}))
    return sections


def sections_read(
    event: Event, *, changed: Collection[str] = ()
) -> list[tuple[str, dict[str, Any]]]:
    """The sections of a read-only page: what was answered, and the blank questions folded.

    changed: columns that are shown in their place also where they are blank now. One query.
    """
    marked = {name_read(column) for column in changed}
    sections: list[tuple[str, dict[str, Any]]] = []
    blank: list[str] = []
    for title, names, _description in ENTRY:
        if names is NOT_ON_FILE and event.implant_id:
            continue
        asked = kept_fields(names)
        shown = [name for name in asked if _is_answered(event, name) or name_read(name) in marked]
        blank += [name for name in asked if name not in shown]
        fields = [IN_OTHER_WORDS.get(name, name) for name in shown]
        if title == "Consequences" and event.consequences.exists():
            fields.append("led_to")
        if fields:
            sections.append((title, {"fields": fields, "classes": ("reading",)}))
    review = [name for name in REVIEW if name != "reason" or event.reason]
    if blank:
        named = [DECLARED[RowKind.EVENT][name].title for name in blank]
        fields = [IN_OTHER_WORDS.get(name, name) for name in blank]
        folded = {"fields": fields, "classes": ("reading", "blank", "collapse")}
        sections.append((f"Not recorded: {', '.join(named)}", folded))
    sections.append(("Review", {"fields": review, "classes": ("reading",)}))
    sections.append(("History", {"fields": ("history_words",), "classes": ("reading",)}))
    return sections


def _is_answered(event: Event, name: str) -> bool:
    """Whether a question of the form has a stored answer."""
    columns = ("pump_model", "catheter_model") if name == "component_model" else (name,)
    return any(not is_blank(getattr(event, column)) for column in columns)


def _closed(event: Event | None) -> tuple[str, ...]:
    """A section that is collapsed while it has no answers."""
    answered = event is not None and any(_is_answered(event, name) for name in NOT_ON_FILE)
    return () if answered else ("collapse",)

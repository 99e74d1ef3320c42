"""The sections of an event's page: the questions of each, and when each applies."""

from typing import Any

from django.conf import settings

from registry.models import Event
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


def sections_of(event: Event | None, *, reading: bool) -> list[tuple[str, dict[str, Any]]]:
    """The sections of a new event's form, of a draft's, or of a read-only page."""
    sections: list[tuple[str, dict[str, Any]]] = []
    for title, names, description in ENTRY:
        fields = kept_fields(names)
        options: dict[str, Any] = {"fields": fields, "description": description}
        if names is NOT_ON_FILE:
            if reading and event is not None and event.implant_id:
                continue
            options["classes"] = ("not-on-file", *_closed(event, reading=reading))
        if reading:
            options["fields"] = [IN_OTHER_WORDS.get(name, name) for name in fields]
        sections.append((title, options))
    if event is not None:
        sections[-1][1]["fields"].append("led_to")
        if not reading:
            sections[0][1]["fields"].append("version")
        sections.append(("Review", {"fields": REVIEW}))
        sections.append(("History", {"fields": ("history_words",)}))
    return sections


def _closed(event: Event | None, *, reading: bool) -> tuple[str, ...]:
    """A section that is collapsed while it has no answers."""
    columns = ("pump_model", "catheter_model", *NOT_ON_FILE[1:])
    answered = event is not None and any(getattr(event, name) for name in columns)
    return () if reading or answered else ("collapse",)

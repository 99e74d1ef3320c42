"""The sections of an implant's form: alone, in its patient's system, or as a replacement."""

AT_IMPLANT = ("implant_year", "age_band", "procedure", "as_designed")
OF_A_PUMP = ("pump_site", "pump_plane")
DRUG = ("drug", "adjuncts", "label_status")
ENDED = ("months_followed", "exit_status", "refills", "procedures")
FOLLOW_UP = ("months_to_entry", *ENDED)

ENTRY = (
    ("Which component", {"fields": ("site", "patient", "implant", "component", "model")}),
    ("At implant", {"fields": ("sex", "indication", *AT_IMPLANT, *OF_A_PUMP)}),
    ("The drug", {"fields": DRUG}),
    ("Follow-up", {"fields": FOLLOW_UP}),
)
"""The sections of the form of one implant."""

_IN_OTHER_WORDS = {"adjuncts": "adjuncts_words"}

READING = (
    (
        "Which component",
        {
            "fields": (
                *("source_id", "site_code", "patient_key", "component", "model_words"),
                "public_id",
            )
        },
    ),
    ("At implant", {"fields": (*AT_IMPLANT, *OF_A_PUMP)}),
    ("The drug", {"fields": tuple(_IN_OTHER_WORDS.get(name, name) for name in DRUG)}),
    ENTRY[-1],
)
"""The sections of the read-only page of one implant."""

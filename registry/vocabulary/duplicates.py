"""Lists of possible duplicates: why two reports may be one event, and what was decided."""

from registry.vocabulary.code import Code


class AlikeReason(Code):
    """Why two reports may be of one event."""

    SAME_COMPLICATION = (
        "same-complication",
        "Same patient, same complication, at most a month apart",
        "The patient's row, the complication as reported or adjudicated, and the time agree.",
    )
    SAME_TIME = (
        "same-time",
        "Same patient, same category, month, grade and outcome",
        "The complications differ, but one is not named as the cause of the other.",
    )
    SAME_DETAILS = (
        "same-details",
        "Same complication, year, grade and device details, at most a month apart",
        "One of the reports names no implant on file, and three details or more agree.",
    )
    SAME_ANSWERS = (
        "same-answers",
        "Every answer is the same",
        "The reports differ by their keys alone.",
    )


class PairDecision(Code):
    """What somebody decided of a pair; blank while nobody has."""

    DIFFERENT = "different", "Different events", "A reviewer looked at both."
    NO_LONGER_ALIKE = "no-longer-alike", "No longer alike", "One of them was changed since."

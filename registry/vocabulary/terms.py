"""Other names of the catalogue's terms, and the populations of published figures."""

from __future__ import annotations

from registry.vocabulary.code import Code


class TermLanguage(Code):
    """A language that complications are searched in."""

    EN = "en", "English", "Terms in English."
    DE = "de", "German", "Terms in German; not yet read by a native clinician."
    FR = "fr", "French", "Terms in French; not yet read by a native clinician."
    NL = "nl", "Dutch", "Terms in Dutch; not yet read by a native clinician."


class ImdrfRelation(Code):
    """How an IMDRF term relates to a complication; only exact and narrower map back
    automatically."""

    EXACT = "exact", "Exact", "Both mean the same."
    NARROWER = "narrower", "Narrower", "The IMDRF term is a kind of the complication."
    BROADER = "broader", "Broader", "The IMDRF term holds more than the complication."
    SIGN = "sign", "Sign", "The IMDRF term is a sign of the complication."


class ImdrfRole(Code):
    """Which of a complication's IMDRF codes comes first."""

    PRIMARY = "primary", "Primary", "The code that reports of this complication carry."
    FURTHER = "further", "Further", "Another code that finds it."


class Therapy(Code):
    """The therapy of the patients of a published figure."""

    BACLOFEN = "baclofen", "Baclofen", "Intrathecal baclofen, mostly for spasticity."
    OPIOID = "opioid", "Opioid", "Intrathecal opioids."
    ZICONOTIDE = "ziconotide", "Ziconotide", "Intrathecal ziconotide."
    ANALGESIC = "analgesic", "Analgesic", "Intrathecal pain treatment of several kinds."
    MIXED = "mixed", "Mixed", "Pain and spasticity together."
    NOT_STATED = "not-stated", "Not stated", "The source does not say what was given."


class StudiedAges(Code):
    """The ages of the patients of a published figure."""

    PAEDIATRIC = "paediatric", "Paediatric", "Children and adolescents only."
    ADULT = "adult", "Adult", "Adults and older people only."
    MIXED = "mixed", "Mixed", "Children and adults together."
    NOT_STATED = "not-stated", "Not stated", "The source does not say how old they were."

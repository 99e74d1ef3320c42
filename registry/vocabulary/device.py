"""Pumps, catheters, and how they were placed.

In a magnetic field the motor of a SynchroMed stalls, and the valve of a Prometra can open.
"""

from __future__ import annotations

from registry.vocabulary.code import Code


class Component(Code):
    """The implanted component that a row, a clock or a denominator belongs to."""

    PUMP = "pump", "Pump", "The implanted pump with its reservoir."
    CATHETER = "catheter", "Catheter", "The catheter from pump to intrathecal space."


class FlowKind(Code):
    """Whether the flow can be changed after implant."""

    PROGRAMMABLE = "programmable", "Programmable", "The rate is set by telemetry."
    CONSTANT = "constant", "Constant flow", "The rate is fixed; dose follows concentration."
    UNKNOWN = "unknown", "Unknown", "Not known which."


class Manufacturer(Code):
    """Who made the component, under the name it was sold by."""

    MEDTRONIC = "medtronic", "Medtronic", "SynchroMed and IsoMed pumps; Ascenda, Indura catheters."
    FLOWONIX = "flowonix", "Flowonix", "Prometra pumps and their catheter."
    CODMAN = "codman", "Codman", "MedStream, Archimedes and 3000 pumps; SureStream catheter."
    INFUSAID = "infusaid", "Infusaid", "Early constant-flow pumps."
    TRICUMED = "tricumed", "Tricumed", "Siromedes and IP series pumps."
    OTHER = "other", "Other", "A maker not listed here."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class PumpFamily(Code):
    """Pump models that differ in reservoir volume only."""

    SYNCHROMED_8615_8618 = (
        "synchromed-8615-8618",
        "SynchroMed 8615 to 8618",
        "First SynchroMed generation.",
    )
    SYNCHROMED_EL = "synchromed-el", "SynchroMed EL", "Second SynchroMed generation."
    SYNCHROMED_II = "synchromed-ii", "SynchroMed II", "SynchroMed II with any reservoir."
    SYNCHROMED_III = "synchromed-iii", "SynchroMed III", "SynchroMed III with any reservoir."
    SYNCHROMED = "synchromed", "SynchroMed, generation not recorded", "Some SynchroMed pump."
    ISOMED = "isomed", "IsoMed", "Constant-flow pump driven by gas pressure."
    PROMETRA = "prometra", "Prometra", "First Prometra."
    PROMETRA_II = "prometra-ii", "Prometra II", "Prometra II with any reservoir."
    MEDSTREAM = "medstream", "MedStream", "Programmable pump driven by gas pressure."
    CODMAN_3000 = "codman-3000", "Codman 3000", "Constant-flow pump of the 3000 series."
    CODMAN_ARCHIMEDES = "codman-archimedes", "Codman Archimedes", "Constant-flow pump, Archimedes."
    INFUSAID = "infusaid", "Infusaid", "Constant-flow pump of the Infusaid series."
    SIROMEDES = "siromedes", "Tricumed Siromedes", "Programmable pump of the Siromedes series."
    TRICUMED_IP_SERIES = "tricumed-ip-series", "Tricumed IP series", "Constant-flow IP pump."
    OTHER = "other", "Other", "A pump not listed here."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class PumpModel(Code):
    """Model of an implanted pump; a number at the end is the reservoir in millilitres."""

    manufacturer: Manufacturer
    flow: FlowKind
    family: PumpFamily

    SYNCHROMED_8615_8618 = (
        "synchromed-8615-8618",
        "SynchroMed 8615 to 8618",
        "First SynchroMed generation, models 8615 to 8618.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_8615_8618,
    )
    SYNCHROMED_EL = (
        "synchromed-el",
        "SynchroMed EL",
        "Second SynchroMed generation, extended life.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_EL,
    )
    SYNCHROMED_II = (
        "synchromed-ii",
        "SynchroMed II, reservoir not recorded",
        "SynchroMed II whose reservoir volume is not recorded.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_II,
    )
    SYNCHROMED_II_20 = (
        "synchromed-ii-20",
        "SynchroMed II, 20 mL",
        "SynchroMed II with a 20 mL reservoir.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_II,
    )
    SYNCHROMED_II_40 = (
        "synchromed-ii-40",
        "SynchroMed II, 40 mL",
        "SynchroMed II with a 40 mL reservoir.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_II,
    )
    SYNCHROMED_III = (
        "synchromed-iii",
        "SynchroMed III, reservoir not recorded",
        "SynchroMed III whose reservoir volume is not recorded.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_III,
    )
    SYNCHROMED_III_20 = (
        "synchromed-iii-20",
        "SynchroMed III, 20 mL",
        "SynchroMed III with a 20 mL reservoir.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_III,
    )
    SYNCHROMED_III_40 = (
        "synchromed-iii-40",
        "SynchroMed III, 40 mL",
        "SynchroMed III with a 40 mL reservoir.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED_III,
    )
    SYNCHROMED = (
        "synchromed",
        "SynchroMed, generation not recorded",
        "A SynchroMed pump of unknown generation.",
        Manufacturer.MEDTRONIC,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SYNCHROMED,
    )
    ISOMED = (
        "isomed",
        "IsoMed",
        "Constant-flow pump driven by gas pressure.",
        Manufacturer.MEDTRONIC,
        FlowKind.CONSTANT,
        PumpFamily.ISOMED,
    )
    PROMETRA = (
        "prometra",
        "Prometra",
        "First Prometra, valve-gated, without a flow-activated safety valve.",
        Manufacturer.FLOWONIX,
        FlowKind.PROGRAMMABLE,
        PumpFamily.PROMETRA,
    )
    PROMETRA_II = (
        "prometra-ii",
        "Prometra II, reservoir not recorded",
        "Prometra II whose reservoir volume is not recorded.",
        Manufacturer.FLOWONIX,
        FlowKind.PROGRAMMABLE,
        PumpFamily.PROMETRA_II,
    )
    PROMETRA_II_20 = (
        "prometra-ii-20",
        "Prometra II, 20 mL",
        "Prometra II, valve-gated, with a 20 mL reservoir.",
        Manufacturer.FLOWONIX,
        FlowKind.PROGRAMMABLE,
        PumpFamily.PROMETRA_II,
    )
    PROMETRA_II_40 = (
        "prometra-ii-40",
        "Prometra II, 40 mL",
        "Prometra II, valve-gated, with a 40 mL reservoir.",
        Manufacturer.FLOWONIX,
        FlowKind.PROGRAMMABLE,
        PumpFamily.PROMETRA_II,
    )
    MEDSTREAM = (
        "medstream",
        "MedStream",
        "Programmable pump driven by gas pressure.",
        Manufacturer.CODMAN,
        FlowKind.PROGRAMMABLE,
        PumpFamily.MEDSTREAM,
    )
    CODMAN_3000 = (
        "codman-3000",
        "Codman 3000",
        "Constant-flow pump of the 3000 series.",
        Manufacturer.CODMAN,
        FlowKind.CONSTANT,
        PumpFamily.CODMAN_3000,
    )
    CODMAN_ARCHIMEDES = (
        "codman-archimedes",
        "Codman Archimedes",
        "Constant-flow pump of the Archimedes series.",
        Manufacturer.CODMAN,
        FlowKind.CONSTANT,
        PumpFamily.CODMAN_ARCHIMEDES,
    )
    INFUSAID = (
        "infusaid",
        "Infusaid",
        "Constant-flow pump of the Infusaid series.",
        Manufacturer.INFUSAID,
        FlowKind.CONSTANT,
        PumpFamily.INFUSAID,
    )
    SIROMEDES = (
        "siromedes",
        "Tricumed Siromedes",
        "Programmable pump of the Siromedes series.",
        Manufacturer.TRICUMED,
        FlowKind.PROGRAMMABLE,
        PumpFamily.SIROMEDES,
        False,
    )
    TRICUMED_IP_SERIES = (
        "tricumed-ip-series",
        "Tricumed IP series",
        "Constant-flow pump of the IP series.",
        Manufacturer.TRICUMED,
        FlowKind.CONSTANT,
        PumpFamily.TRICUMED_IP_SERIES,
        False,
    )
    OTHER_PROGRAMMABLE = (
        "other-programmable",
        "Other programmable pump",
        "A programmable pump not listed here.",
        Manufacturer.OTHER,
        FlowKind.PROGRAMMABLE,
        PumpFamily.OTHER,
    )
    OTHER_CONSTANT_FLOW = (
        "other-constant-flow",
        "Other constant-flow pump",
        "A constant-flow pump not listed here.",
        Manufacturer.OTHER,
        FlowKind.CONSTANT,
        PumpFamily.OTHER,
    )
    UNKNOWN = (
        "unknown",
        "Unknown",
        "Asked, and not known.",
        Manufacturer.UNKNOWN,
        FlowKind.UNKNOWN,
        PumpFamily.UNKNOWN,
    )

    def __init__(
        self,
        code: str,
        label: str,
        definition: str,
        manufacturer: Manufacturer,
        flow: FlowKind,
        family: PumpFamily,
        verified: bool = True,
    ) -> None:
        self.manufacturer = manufacturer
        self.flow = flow
        self.family = family
        if not verified:
            self.mark_unverified()


class CatheterModel(Code):
    """Model of an implanted intrathecal catheter."""

    manufacturer: Manufacturer

    ASCENDA = (
        "ascenda",
        "Ascenda",
        "Reinforced catheter, made to resist kinks.",
        Manufacturer.MEDTRONIC,
    )
    INDURA = "indura", "Indura", "Silicone catheter of the Indura family.", Manufacturer.MEDTRONIC
    INDURA_1P = (
        "indura-1p",
        "Indura 1P",
        "Silicone catheter in one piece from pump to tip.",
        Manufacturer.MEDTRONIC,
    )
    MEDTRONIC_TWO_PIECE = (
        "medtronic-two-piece",
        "Medtronic two-piece",
        "Silicone catheter in two pieces joined at the spine.",
        Manufacturer.MEDTRONIC,
    )
    MEDTRONIC_CATHETER = (
        "medtronic-catheter",
        "Medtronic catheter, model not recorded",
        "A Medtronic intrathecal catheter whose model is not recorded.",
        Manufacturer.MEDTRONIC,
    )
    SURESTREAM = "surestream", "SureStream", "Catheter sold with Codman pumps.", Manufacturer.CODMAN
    FLOWONIX_INTRATHECAL = (
        "flowonix-intrathecal",
        "Flowonix intrathecal catheter",
        "Catheter sold with Prometra pumps.",
        Manufacturer.FLOWONIX,
    )
    OTHER_SILICONE = (
        "other-silicone",
        "Other silicone catheter",
        "A silicone catheter not listed here.",
        Manufacturer.OTHER,
    )
    OTHER_POLYURETHANE = (
        "other-polyurethane",
        "Other polyurethane catheter",
        "A polyurethane catheter not listed here.",
        Manufacturer.OTHER,
    )
    HYBRID_NOT_AS_DESIGNED = (
        "hybrid-not-as-designed",
        "Hybrid, not as designed",
        "Pieces of different models or makers joined at revision; reported apart.",
        Manufacturer.OTHER,
    )
    UNKNOWN = "unknown", "Unknown", "Asked, and not known.", Manufacturer.UNKNOWN

    def __init__(self, code: str, label: str, definition: str, manufacturer: Manufacturer) -> None:
        self.manufacturer = manufacturer


class PlacingProcedure(Code):
    """The operation that placed the component."""

    PRIMARY_IMPLANT = "primary-implant", "Primary implant", "The patient's first system."
    REPLACEMENT = "replacement", "Replacement", "Took the place of a component of the same kind."
    REVISION = "revision", "Revision", "Placed while another part of the system was repaired."
    REIMPLANT = "reimplant", "Reimplant", "Placed after a time without a system."
    TRIAL = "trial", "Trial", "Placed to test the therapy."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class PumpSite(Code):
    """Where the pump lies."""

    ABDOMEN = "abdomen", "Abdomen", "In the wall of the abdomen."
    BUTTOCK = "buttock", "Buttock", "In the gluteal region."
    OTHER = "other", "Other", "At a place not listed here."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."


class PumpPlane(Code):
    """Which tissue plane holds the pump."""

    SUBCUTANEOUS = "subcutaneous", "Subcutaneous", "Between skin and fascia."
    SUBFASCIAL = "subfascial", "Subfascial", "Under the fascia."
    UNKNOWN = "unknown", "Unknown", "Asked, and not known."

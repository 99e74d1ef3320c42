"""What a snapshot holds, column by column: a column that is not listed here is not in its files.

Every column is a whole number or a flag. A code column holds a place in its list, which stands in
the manifest (`codes.py`); place 0 is "not recorded". Device time is counted in quarters of a month.
Other blanks: NULL where a number is not known, 0 in a bit set. Numbers that name rows
(`patient_no` ...) count up within one snapshot only and are derived from nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.vocabulary import AgeBand, Seriousness

SCHEMA_VERSION = 10
"""Raised whenever a column or the way it is derived changes; part of every snapshot's id."""

FIRST_DESIGN = 6
"""The last version whose releases were protected by the first design."""


class Kind(StrEnum):
    """How a column is stored; the value is its type in SQL."""

    CODE = "SMALLINT"
    NUMBER = "INTEGER"
    BITS = "BIGINT"
    FLAG = "BOOLEAN"


@dataclass(frozen=True, slots=True)
class SnapshotColumn:
    """One column: what it is called, how it is stored, what it means."""

    name: str
    kind: Kind
    meaning: str


def _columns(*listed: tuple[str, Kind, str]) -> tuple[SnapshotColumn, ...]:
    return tuple(SnapshotColumn(*column) for column in listed)


_KINDS = {
    Holds.CODE: Kind.CODE,
    Holds.CODES: Kind.BITS,
    Holds.GRADE: Kind.NUMBER,
    Holds.NUMBER: Kind.NUMBER,
    Holds.YEAR: Kind.NUMBER,
}
FROZEN_AS = {"interventions": "intervention"}
"""Declared columns that a snapshot calls by the name of their dimension."""


def frozen_columns(kind: RowKind) -> dict[str, SnapshotColumn]:
    """The declared columns of a kind of row that are frozen as they are, by their own names."""
    return {
        name: SnapshotColumn(FROZEN_AS.get(name, name), _KINDS[column.holds], column.heading.frozen)
        for name, column in DECLARED[kind].items()
        if column.heading.frozen
    }


_OF_EVENTS = frozen_columns(RowKind.EVENT)
_JUDGED = ("year", "months_since_implant", "severity")
"""Stand ahead of `serious`; the others follow it in the order of their declaration."""

_DEVICE_AND_PATIENT = _columns(
    ("site", Kind.CODE, "Code of the site"),
    ("country", Kind.CODE, "Country of the site, two letters"),
    ("component", Kind.CODE, "Pump or catheter; without an implant, the complication's clock"),
    ("pump_model", Kind.CODE, "Pump model at entry: its own, or the patient's at that time"),
    ("pump_family", Kind.CODE, "Family of that pump model"),
    ("pump_site", Kind.CODE, "Where the pump lies: its own, or the patient's pump at that time"),
    ("pump_plane", Kind.CODE, "Tissue plane of the pump: its own, or the patient's"),
    ("catheter_model", Kind.CODE, "Catheter model at entry: its own, or the patient's"),
    ("manufacturer", Kind.CODE, "Manufacturer of the component"),
    ("drug", Kind.CODE, "Drug at entry"),
    ("drug_class", Kind.CODE, "Class of the drug"),
    ("label_status", Kind.CODE, "Label status at entry"),
    ("procedure", Kind.CODE, "Procedure that placed the component"),
    ("age_band", Kind.CODE, "Age at implant; 80 and over is one band"),
    ("age_group", Kind.CODE, "Child, adult or older adult at implant"),
    (
        "implant_year",
        Kind.NUMBER,
        "Year of implant; dropped where somebody of 80 to 89 was followed for ten years",
    ),
    ("indication", Kind.CODE, "Why the system was implanted"),
    ("indication_group", Kind.CODE, "Group of the indication"),
    ("sex", Kind.CODE, "Sex"),
)

EVENTS = (
    *_columns(
        ("event_no", Kind.NUMBER, "Number of the event within this snapshot"),
        ("patient_no", Kind.NUMBER, "The patient, where an implant is named"),
        ("device_no", Kind.NUMBER, "The implant that the event names"),
        ("device_time", Kind.CODE, "Where the event lies in that implant's follow-up"),
        ("pump_no", Kind.NUMBER, "The patient's pump at that time"),
        ("pump_month", Kind.NUMBER, "Months since implant on that pump's clock"),
        ("pump_time", Kind.CODE, "Where the event lies in that pump's follow-up"),
        ("catheter_no", Kind.NUMBER, "The patient's catheter at that time"),
        ("catheter_month", Kind.NUMBER, "Months since implant on that catheter's clock"),
        ("catheter_time", Kind.CODE, "Where the event lies in that catheter's follow-up"),
        ("procedure_no", Kind.NUMBER, "The pump of a procedure up to 90 days before, by day band"),
        ("procedure_month", Kind.NUMBER, "Months since implant on that pump's clock"),
        ("episode", Kind.NUMBER, "Shared by events that one another caused"),
        ("cause_no", Kind.NUMBER, "The event that brought it about, where one is named"),
        ("complication", Kind.CODE, "Complication as adjudicated"),
        ("category", Kind.CODE, "Its category"),
        ("in_totals", Kind.FLAG, "Whether it counts without being named"),
    ),
    *(_OF_EVENTS[name] for name in _JUDGED),
    *_columns(("serious", Kind.CODE, "yes, no, or blank where no criterion was judged")),
    *(column for name, column in _OF_EVENTS.items() if name not in _JUDGED),
    *_columns(
        ("state", Kind.CODE, "State of the report"),
    ),
    *_DEVICE_AND_PATIENT,
)

IMPLANTS = (
    *_columns(
        ("device_no", Kind.NUMBER, "Number of the implant within this snapshot"),
        ("patient_no", Kind.NUMBER, "The patient"),
        ("sequence", Kind.NUMBER, "Which of the patient's pumps or catheters it is, from 1"),
        ("alone", Kind.FLAG, "Whether it is the patient's only eligible pump, or catheter"),
        ("months_to_entry", Kind.NUMBER, "Months since implant when follow-up began"),
        (
            "months_followed",
            Kind.NUMBER,
            "Months since implant up to which it counts, at most to "
            "its site's last closed follow-up round",
        ),
        (
            "round_number",
            Kind.NUMBER,
            "Its site's last closed follow-up round; -1 where it was "
            "entered since, blank where its site has closed none",
        ),
        (
            "counts",
            Kind.FLAG,
            "No where it should not have been followed, or was entered after "
            "its site's last closed round",
        ),
        ("time_from", Kind.NUMBER, "Start of device time, quarters of a month since implant"),
        ("time_to", Kind.NUMBER, "End of device time, in quarters; 1 where follow-up is 0"),
        ("procedures_at_start", Kind.NUMBER, "Procedures counted at the implantation, 0 or 1"),
        ("procedures_at_end", Kind.NUMBER, "Procedures counted at the end, 0 or 1"),
        ("origin", Kind.NUMBER, "Quarters from year 0 to the implant, in the middle of its year"),
        ("first_year", Kind.NUMBER, "First calendar year that holds any of its time"),
        ("first_quarters", Kind.NUMBER, "Device time within its first year"),
        ("last_year", Kind.NUMBER, "Last calendar year that holds any of its time"),
        ("last_quarters", Kind.NUMBER, "Device time within its last year, 0 where it has one year"),
    ),
    *frozen_columns(RowKind.IMPLANT).values(),
    *_DEVICE_AND_PATIENT,
)

EXPOSURES = (
    *_columns(
        ("exposure_no", Kind.NUMBER, "Number of the declaration within this snapshot"),
        ("site", Kind.CODE, "Code of the site"),
        ("country", Kind.CODE, "Country of the site, two letters"),
        ("year", Kind.NUMBER, "Calendar year"),
        ("component", Kind.CODE, "Pump or catheter"),
        ("pump_model", Kind.CODE, "Pump model, where declared by model"),
        ("pump_family", Kind.CODE, "Family of the pump model"),
        ("catheter_model", Kind.CODE, "Catheter model, where declared by model"),
        ("manufacturer", Kind.CODE, "Manufacturer of the model"),
    ),
    *frozen_columns(RowKind.EXPOSURE).values(),
    *_columns(
        ("counts", Kind.FLAG, "No where implants of that site and component give the year's time"),
    ),
)

RECORD_KEYS = _columns(
    ("device_key_30", Kind.BITS, "Record key of the implant, the upper 30 bits"),
    ("device_key_31", Kind.BITS, "Record key of the implant, the lower 31 bits"),
    ("patient_key_30", Kind.BITS, "Record key of the patient, the upper 30 bits"),
    ("patient_key_31", Kind.BITS, "Record key of the patient, the lower 31 bits"),
)
"""Columns that implants carry besides, where a snapshot is frozen with record keys.

They are on no list that can be asked, shown or described: only their sums over a node leave the
files, on their way to be perturbed.
"""

TABLES: dict[str, tuple[SnapshotColumn, ...]] = {
    "events": EVENTS,
    "implants": IMPLANTS,
    "exposures": EXPOSURES,
}
"""Every table of a snapshot with its columns, in the order in which they are stored."""

EVENT_SOURCE = (
    "public_id",
    "implant",
    "round_number",
    "accepted_at",
    "site",
    "complication",
    *_JUDGED,
    *(f"serious_{criterion.value.replace('-', '_')}" for criterion in Seriousness),
    *(
        name
        for name in DECLARED[RowKind.EVENT]
        if name == "caused_by" or (name in _OF_EVENTS and name not in (*_JUDGED, "seriousness"))
    ),
    "state",
    "pump_model",
    "catheter_model",
    "drug",
    "indication",
    "age_band",
    "sex",
)
"""What freezing an event needs, in the order of the rows fed to `freeze_rows`.

`implant` and `caused_by` are public ids; public ids stay outside the snapshot. `round_number`: how
many follow-up rounds its site had closed when it was reported. `accepted_at`: the day or instant of
its first acceptance, ISO 8601; no row of the snapshot holds it (`delays.py`).
"""

IMPLANT_SOURCE = (
    "public_id",
    "patient",
    "site",
    "component",
    "pump_model",
    "catheter_model",
    "implant_year",
    "age_band",
    "sex",
    "indication",
    "drug",
    "label_status",
    "procedure",
    "pump_site",
    "pump_plane",
    "months_to_entry",
    "months_followed",
    "round_number",
    "months_at_round",
    "followed_at_round",
    *frozen_columns(RowKind.IMPLANT),
)
"""What freezing an implant needs; `patient` is the patient's public id.

`round_number`: the last closed follow-up round of its site, ENTERED_SINCE where it was entered
after that, None where its site has closed none. The months and whether it was in follow-up then
are those of that round.
"""

ENTERED_SINCE = -1
"""The round of an implant that was entered after its site's last closed round."""

EXPOSURE_SOURCE = (
    "public_id",
    "site",
    "year",
    "component",
    "pump_model",
    "catheter_model",
    *frozen_columns(RowKind.EXPOSURE),
)
"""What freezing a declared exposure needs."""


def as_they_are(kind: RowKind, rows: str) -> str:
    """The columns of a statement that are frozen as they are; rows: what it calls the rows."""
    columns = frozen_columns(kind).items()
    return ", ".join(f"{rows}.{name} AS {column.name}" for name, column in columns)


def column(table: str, name: str) -> SnapshotColumn:
    """Find a listed column; the only way a column's name gets into a statement.

    Raises LookupError for whatever is not on the list.
    """
    for listed in TABLES[table]:
        if listed.name == name:
            return listed
    raise LookupError(f"The snapshot's {table} hold no such column.")


def columns_of(table: str, *, keyed: bool) -> tuple[SnapshotColumn, ...]:
    """The columns of a table's files; keyed: with the record keys, which implants carry."""
    return TABLES[table] + (RECORD_KEYS if keyed and table == "implants" else ())


def code_type(name: str) -> str:
    """What the list of a code column is called as a type, while rows are staged and derived."""
    return f"{name}_code"


ENTERED = {"age_band": AgeBand.codes()}
"""Columns whose rows are fed in codes of a finer list than the snapshot's."""


def fed_type(name: str) -> str:
    """The type of a code column as it is fed."""
    return f"entered_{code_type(name)}" if name in ENTERED else code_type(name)

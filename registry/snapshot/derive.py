"""What freezing works out from the rows as staged, in DuckDB's own SQL.

Codes are values of an enumeration in here and its numbers in the snapshot; months are whole, and
device time is counted in quarters of a month.

Three things hold here and nowhere else, and two in `followed`: devices, their ends and their
events count up to their site's last closed round, whenever they were heard of, and from the year
on that the site's implants count from, declared exposure before. An implant counts
as made in the middle of its year, so a month on one clock is a month on another (`origin`). An
event counts on the clock of the device it names, and on the clock of the other component that the
patient had at that time. And a patient who may have turned ninety during follow-up is kept without
the year of implant.

What is derived of a row depends on the rows of its patient, on the events that one another
caused, and on the terms; on nothing else. So the statements work on `raw_implants` and
`raw_events`, which hold either every staged row or whole patients of them, with all their events;
and on `raw_implant_keys` and `raw_patient_keys`, which hold the record keys of these at least.
"""

# ruff: noqa: S608 - the text is made of this module's constants and the schema's names

from registry.records import RowKind
from registry.snapshot.followed import (
    AFTER_FOLLOW_UP,
    AT_RISK,
    COUNTED,
    IMPLANTS_FROM,
    IN_DECLARED,
    INELIGIBLE,
    QUARTERS,
    YEAR,
    counted_place,
    is_at_risk,
    is_declared,
    is_late,
    place_of,
    quarters,
    until,
)
from registry.snapshot.procedures import ENDED_LAST, OPERATED, of_procedure
from registry.snapshot.schema import (
    Kind,
    SnapshotColumn,
    as_they_are,
    code_type,
    columns_of,
)
from registry.vocabulary import AgeBand, Component, Seriousness

AGED_BAND = AgeBand.AGE_80_89.value
MONTHS_TO_NINETY = 120
"""After so many a patient of the last band with an end may be over 89."""

_PUMP, _CATHETER = Component.PUMP.value, Component.CATHETER.value

CRITERIA = {criterion: f"serious_{criterion.value.replace('-', '_')}" for criterion in Seriousness}
"""The source column of each criterion of a serious event."""

_ORIGIN, _FROM, _TO = quarters("r")

# A patient's number is that of the first implant, and so stays when others are entered.
_DEVICES = f"""
CREATE TEMP TABLE devices AS
SELECT r.*, min(r.device_no) OVER (PARTITION BY r.patient) AS patient_no,
    {_ORIGIN} AS origin, {_FROM} AS time_from,
    CASE WHEN r.months_followed < 0 THEN {_FROM} ELSE {_TO} END AS time_to,
    {until("r.months_heard")} AS heard_to,
    row_number() OVER (
        PARTITION BY r.patient, r.component
        ORDER BY r.implant_year, r.exit_heard IN {ENDED_LAST}, r.months_heard, r.device_no
    ) AS sequence,
    r.counts AND sum(CASE WHEN r.counts THEN 1 ELSE 0 END) OVER (
        PARTITION BY r.patient, r.component
    ) = 1 AS alone,
    r.age_band = '{AGED_BAND}' AND r.months_heard >= {MONTHS_TO_NINETY} AS aged
FROM counted r
"""

# Every pump of a patient with every catheter, both ways.
_COUPLES = f"""
CREATE TEMP TABLE couples AS
SELECT d.implant, d.device_no, d.months_to_entry AS own_months_to_entry,
    d.months_followed AS own_months_followed, d.cut AS own_cut,
    d.declared_from AS own_declared_from, d.declared_to AS own_declared_to,
    d.round_number AS own_round_number, o.device_no AS other_no,
    o.component AS other_component,
    o.sequence AS other_sequence, (d.origin - o.origin) // {QUARTERS} AS months_ahead,
    o.origin + o.time_from > d.origin + d.time_from AS is_later,
    o.origin + o.time_from <= d.origin + d.heard_to
        AND o.origin + o.heard_to >= d.origin + d.time_from AS is_joint,
    o.months_to_entry, o.months_followed, o.declared_from, o.declared_to, o.cut, o.exit_status,
    o.pump_model, o.catheter_model, o.pump_site, o.pump_plane
FROM devices d
JOIN devices o ON o.patient = d.patient AND o.component <> d.component
"""

# The other component at this one's entry; where there is none, the first that overlaps later.
_PAIRED = """
SELECT device_no, pump_model, catheter_model, pump_site, pump_plane
FROM (
    SELECT device_no, pump_model, catheter_model, pump_site, pump_plane, row_number() OVER (
        PARTITION BY device_no
        ORDER BY is_later, CASE WHEN is_later THEN other_sequence ELSE -other_sequence END
    ) AS place
    FROM couples
    WHERE is_joint
) c
WHERE place = 1
"""


def _of_pump(name: str) -> str:
    """A column of pumps: an implant's own, or that of the patient's pump at that time."""
    paired = f"coalesce(p.{name}, '')"
    return f"(CASE WHEN d.component = '{_PUMP}' THEN d.{name} ELSE {paired} END)::{code_type(name)}"


_IMPLANTS = f"""
CREATE TEMP TABLE all_implants AS
SELECT d.device_no, d.patient_no, d.sequence, d.alone, d.months_to_entry, d.months_followed,
    d.counts, d.round_number, d.cut, d.declared_from, d.declared_to,
    d.time_from, d.time_to, d.at_start AS procedures_at_start, d.at_end AS procedures_at_end,
    d.kept_origin AS origin, d.first_year,
    least(d.kept_origin + d.time_to, {YEAR} * (d.first_year + 1)) - d.kept_origin - d.time_from
        AS first_quarters,
    d.last_year,
    CASE WHEN d.last_year > d.first_year THEN d.kept_origin + d.time_to - {YEAR} * d.last_year
         WHEN d.last_year IS NOT NULL THEN 0 END AS last_quarters,
    {as_they_are(RowKind.IMPLANT, "d")}, d.site, s.country, d.component,
    {_of_pump("pump_model")} AS pump_model, fp.parent AS pump_family,
    {_of_pump("pump_site")} AS pump_site, {_of_pump("pump_plane")} AS pump_plane,
    (CASE WHEN d.component = '{_CATHETER}' THEN d.catheter_model
          ELSE coalesce(p.catheter_model, '') END)::{code_type("catheter_model")}
        AS catheter_model,
    CASE WHEN d.component = '{_PUMP}' THEN pm.parent ELSE cm.parent END AS manufacturer,
    d.drug, dc.parent AS drug_class, d.label_status, d.procedure,
    ab.parent AS age_band, ag.parent AS age_group,
    CASE WHEN NOT d.aged THEN d.implant_year END AS implant_year,
    d.indication, ig.parent AS indication_group, d.sex,
    d.implant, d.patient
FROM (
    SELECT *, CASE WHEN NOT aged THEN origin END AS kept_origin,
        CASE WHEN NOT aged THEN (origin + time_from) // {YEAR} END AS first_year,
        CASE WHEN NOT aged THEN (origin + time_to + {YEAR} - 1) // {YEAR} - 1 END AS last_year
    FROM devices
) d
LEFT JOIN ({_PAIRED}) p USING (device_no)
LEFT JOIN sites s ON s.code = d.site
LEFT JOIN makers_of_pumps pm ON pm.code = d.pump_model
LEFT JOIN families_of_pumps fp ON fp.code = {_of_pump("pump_model")}
LEFT JOIN makers_of_catheters cm ON cm.code = d.catheter_model
LEFT JOIN classes_of_drugs dc ON dc.code = d.drug
LEFT JOIN groups_of_indications ig ON ig.code = d.indication
LEFT JOIN bands_of_ages ab ON ab.code = d.age_band
LEFT JOIN groups_of_ages ag ON ag.code = ab.parent
"""

# The patient's other component at the time of the event: the earliest of those in follow-up. An
# event outside the follow-up of the device it names counts in no device time, so on no other.
_CONCURRENT = f"""
CREATE TEMP TABLE concurrent AS
SELECT event_no, device_no, component, month,
    CASE WHEN {is_at_risk("p.month", "p.")} THEN {counted_place("p.")}
         ELSE {counted_place("p.", IN_DECLARED)} END AS place
FROM (
    SELECT o.*, row_number() OVER (PARTITION BY o.event_no ORDER BY o.sequence) AS number
    FROM (
        SELECT e.event_no, c.other_no AS device_no, c.other_component AS component,
            c.other_sequence AS sequence, c.months_to_entry, c.months_followed,
            c.declared_from, c.declared_to, c.exit_status,
            c.months_ahead + e.months_since_implant AS month
        FROM raw_events e
        JOIN couples c ON c.implant = e.implant
        WHERE {is_declared("e.months_since_implant", "c.own_")}
            OR {is_at_risk("e.months_since_implant", "c.own_")}
            AND NOT {is_late("e.months_since_implant", "c.own_")}
    ) o
    WHERE ({is_at_risk("o.month", "o.")} OR {is_declared("o.month", "o.")}) AND o.month >= 0
) p
WHERE number = 1
"""


_IN_FOLLOW_UP = f"'{AT_RISK}', '{IN_DECLARED}', '{INELIGIBLE}'"


def _of_procedure(of_pump: str, of_other: str, of_ended: str) -> str:
    """What is told of the procedure that an event in or after follow-up belongs to.

    Not of one that is in what its site declared.
    """
    place = place_of("e.months_since_implant", "i")
    placed = f"{place} IN ({_IN_FOLLOW_UP}, '{AFTER_FOLLOW_UP}')"
    counted = f"CASE WHEN {place} <> '{IN_DECLARED}' THEN {of_pump} END"
    return of_procedure(placed, counted, of_other, of_ended)


def _of_other(name: str) -> str:
    """A column of the concurrent pump, unless its procedures are in what the site declared."""
    return f"CASE WHEN o.place <> '{IN_DECLARED}' THEN o.{name} END"


def _clock(component: str) -> str:
    own = f"i.component = '{component}'"
    other = f"o.component = '{component}'"
    place = place_of("e.months_since_implant", "i")
    return f"""
    CASE WHEN {own} THEN i.device_no WHEN {other} THEN o.device_no END AS {component}_no,
    CASE WHEN {own} THEN e.months_since_implant WHEN {other} THEN o.month END
        AS {component}_month,
    CASE WHEN {other} THEN o.place
         WHEN {own} OR {place} NOT IN ({_IN_FOLLOW_UP}) THEN {place} ELSE '' END
        AS {component}_time,"""


_EVENTS = f"""
SELECT e.event_no, i.patient_no, i.device_no,
    {place_of("e.months_since_implant", "i")} AS device_time,
    {_clock(_PUMP)}
    {_clock(_CATHETER)}
    {_of_procedure("i.device_no", _of_other("device_no"), "p.device_no")} AS procedure_no,
    {_of_procedure("e.months_since_implant", _of_other("month"), "p.month")} AS procedure_month,
    coalesce(x.episode, e.event_no) AS episode, x.cause_no,
    e.complication, t.category, coalesce(t.in_totals, true) AS in_totals,
    CASE WHEN e.seriousness = 0 THEN '' WHEN e.seriousness & {1 << Seriousness.NONE.bit} <> 0
         THEN 'no' ELSE 'yes' END AS serious,
    {as_they_are(RowKind.EVENT, "e")}, e.state,
    e.site, s.country,
    coalesce(i.component, t.clock) AS component,
    coalesce(i.pump_model, e.pump_model) AS pump_model,
    CASE WHEN i.device_no IS NOT NULL THEN i.pump_family ELSE fp.parent END AS pump_family,
    i.pump_site, i.pump_plane,
    coalesce(i.catheter_model, e.catheter_model) AS catheter_model,
    CASE WHEN i.device_no IS NOT NULL THEN i.manufacturer
         WHEN t.clock = '{_PUMP}' THEN coalesce(pm.parent, cm.parent)
         ELSE coalesce(cm.parent, pm.parent) END AS manufacturer,
    coalesce(i.drug, e.drug) AS drug,
    CASE WHEN i.device_no IS NOT NULL THEN i.drug_class ELSE dc.parent END AS drug_class,
    i.label_status, i.procedure,
    CASE WHEN i.device_no IS NOT NULL THEN i.age_band ELSE ab.parent END AS age_band,
    CASE WHEN i.device_no IS NOT NULL THEN i.age_group ELSE ag.parent END AS age_group,
    i.implant_year,
    coalesce(i.indication, e.indication) AS indication,
    CASE WHEN i.device_no IS NOT NULL THEN i.indication_group ELSE ig.parent END
        AS indication_group,
    coalesce(i.sex, e.sex) AS sex
FROM raw_events e
LEFT JOIN all_implants i ON i.implant = e.implant
LEFT JOIN concurrent o ON o.event_no = e.event_no
LEFT JOIN operated p ON p.event_no = e.event_no
LEFT JOIN (FROM episodes WHERE event_no IN (SELECT event_no FROM raw_events)) x
    ON x.event_no = e.event_no
LEFT JOIN terms t ON t.code = e.complication
LEFT JOIN sites s ON s.code = e.site
LEFT JOIN makers_of_pumps pm ON pm.code = e.pump_model
LEFT JOIN families_of_pumps fp ON fp.code = e.pump_model
LEFT JOIN makers_of_catheters cm ON cm.code = e.catheter_model
LEFT JOIN classes_of_drugs dc ON dc.code = e.drug
LEFT JOIN groups_of_indications ig ON ig.code = e.indication
LEFT JOIN bands_of_ages ab ON ab.code = e.age_band
LEFT JOIN groups_of_ages ag ON ag.code = ab.parent
"""

_EXPOSURES = f"""
SELECT row_number() OVER (ORDER BY r.exposure) - 1 AS exposure_no,
    r.site, s.country, r.year, r.component, r.pump_model, fp.parent AS pump_family,
    r.catheter_model,
    coalesce(pm.parent, cm.parent) AS manufacturer,
    {as_they_are(RowKind.EXPOSURE, "r")},
    r.year < f.year AS counts
FROM staged_exposures r
JOIN implants_from f ON f.site = r.site AND f.component = r.component
LEFT JOIN sites s ON s.code = r.site
LEFT JOIN makers_of_pumps pm ON pm.code = r.pump_model
LEFT JOIN families_of_pumps fp ON fp.code = r.pump_model
LEFT JOIN makers_of_catheters cm ON cm.code = r.catheter_model
"""

IN_ORDER = (
    IMPLANTS_FROM,
    COUNTED,
    _DEVICES,
    "DROP VIEW counted",
    _COUPLES,
    _IMPLANTS,
    "DROP TABLE devices",  # makes room
    _CONCURRENT,
    OPERATED,
    "DROP TABLE couples",
)
"""What is worked out before the tables of the snapshot, each from those before it."""

AFTERWARDS = ("DROP TABLE concurrent", "DROP TABLE operated", "DROP TABLE all_implants")
"""What to leave behind when the rows are written."""

# The keys are joined first, and narrow: two joins of whole implants would hold each of them twice.
_KEYED_IMPLANTS = """
SELECT i.*, k.* EXCLUDE (device_no)
FROM all_implants i
JOIN (
    SELECT n.device_no, d.key_30 AS device_key_30, d.key_31 AS device_key_31,
        p.key_30 AS patient_key_30, p.key_31 AS patient_key_31
    FROM (SELECT device_no, implant, patient FROM all_implants) n
    LEFT JOIN raw_implant_keys d ON d.id = n.implant
    LEFT JOIN raw_patient_keys p ON p.id = n.patient
) k USING (device_no)
"""

YEARS = f"""
SELECT min(first) AS first, max(last) AS last FROM (
    SELECT min(year) AS first, max(year) AS last FROM frozen.events
    UNION ALL SELECT min(year), max(year) FROM frozen.exposures
    UNION ALL SELECT min(first_year), max((origin + time_to) // {YEAR}) FROM frozen.implants)
"""
"""The calendar years that hold an event or any device time."""


def rows_of(table: str, *, keyed: bool) -> str:
    """A statement that gives the derived rows of a table in its listed columns.

    keyed: with the record keys that implants carry besides.
    """
    source = {"events": _EVENTS, "implants": "SELECT * FROM all_implants", "exposures": _EXPOSURES}
    columns = columns_of(table, keyed=keyed)
    rows = _KEYED_IMPLANTS if keyed and table == "implants" else source[table]
    listed = ", ".join(f"{_stored(each)} AS {each.name}" for each in columns)
    return f"SELECT {listed} FROM ({rows}) r"


def _stored(listed: SnapshotColumn) -> str:
    """A code becomes its place in the list, 0 where there is none."""
    if listed.kind is Kind.CODE:
        place = f"enum_code({listed.name}::{code_type(listed.name)})"
        return f"coalesce({place}, 0)::{listed.kind.value}"
    return f"{listed.name}::{listed.kind.value}"

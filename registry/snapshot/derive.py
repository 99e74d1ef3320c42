"""What freezing works out from the rows as entered, in DuckDB's own SQL.

Codes are text in here and numbers in the snapshot; months are whole, and device time is counted
in quarters of a month.

Three things hold here and nowhere else. An implant counts as made in the middle of its year, so
a month on one clock is a month on another (`origin`). An event counts on the clock of the device
it names, and on the clock of the other component that the patient had at that time. And a patient
who may have turned ninety during follow-up is kept without the year of implant.
"""

# ruff: noqa: S608 - the text is made of this module's constants and the schema's names

from registry.snapshot.schema import TABLES, Kind, SnapshotColumn
from registry.vocabulary import AgeBand, Component, ExitStatus, Seriousness

AT_RISK = "at-risk"
BEFORE_ENTRY = "before-entry"
AFTER_FOLLOW_UP = "after-follow-up"
NO_MONTH = "no-month"

AGED_BAND = AgeBand.AGE_80_89.value
POOLED_BAND = AgeBand.AGE_90_PLUS.value
MONTHS_TO_POOLED_BAND = 120
_INELIGIBLE = ExitStatus.ELIGIBILITY_NOT_MET.value
QUARTERS = 4
"""Quarters of a month in a month: device time is counted in them."""
_YEAR = 12 * QUARTERS
_ENDED_LAST = ("", ExitStatus.ACTIVE.value)

CRITERIA = {criterion: f"serious_{criterion.value.replace('-', '_')}" for criterion in Seriousness}
"""The source column of each criterion of a serious event."""


def _bits() -> str:
    return " + ".join(
        f"CASE WHEN e.{name} THEN {1 << criterion.bit} ELSE 0 END"
        for criterion, name in CRITERIA.items()
    )


def _place(month: str, device: str) -> str:
    """Where a month lies in a device's follow-up: after entry and not after the end counts."""
    return f"""CASE
        WHEN {device}.device_no IS NULL THEN ''
        WHEN {month} IS NULL THEN '{NO_MONTH}'
        WHEN {month} > {device}.months_followed THEN '{AFTER_FOLLOW_UP}'
        WHEN {month} > {device}.months_to_entry OR {device}.months_to_entry = 0 THEN '{AT_RISK}'
        ELSE '{BEFORE_ENTRY}' END"""


_DEVICES = f"""
CREATE TABLE devices AS
SELECT r.*, d.device_no, p.patient_no,
    12 * r.implant_year + 6 AS origin_month,
    {QUARTERS} * (12 * r.implant_year + 6) AS origin,
    CASE WHEN r.component = '{Component.PUMP.value}' THEN '{Component.CATHETER.value}'
         ELSE '{Component.PUMP.value}' END AS other_component,
    {QUARTERS} * r.months_to_entry AS time_from,
    CASE WHEN r.months_followed = 0 THEN 1 ELSE {QUARTERS} * r.months_followed END AS time_to,
    row_number() OVER (
        PARTITION BY r.patient, r.component
        ORDER BY r.implant_year, r.exit_status IN {_ENDED_LAST}, r.months_followed, r.public_id
    ) AS sequence,
    r.exit_status <> '{_INELIGIBLE}' AND count(*) FILTER (r.exit_status <> '{_INELIGIBLE}') OVER (
        PARTITION BY r.patient, r.component
    ) = 1 AS alone,
    r.age_band = '{AGED_BAND}' AND r.months_followed >= {MONTHS_TO_POOLED_BAND} AS aged
FROM raw_implants r
JOIN (SELECT public_id, row_number() OVER (ORDER BY public_id) - 1 AS device_no
      FROM raw_implants) d USING (public_id)
JOIN (SELECT patient, row_number() OVER (ORDER BY patient) - 1 AS patient_no
      FROM (SELECT DISTINCT patient FROM raw_implants)) p USING (patient)
"""

# Every pump of a patient with every catheter, both ways.
_COUPLES = """
CREATE TABLE couples AS
SELECT d.device_no, o.device_no AS other_no, o.component AS other_component,
    o.sequence AS other_sequence, d.origin_month, o.origin_month AS other_origin_month,
    d.origin + d.time_from AS entry, d.origin + d.time_to AS finish,
    o.origin + o.time_from AS other_entry, o.origin + o.time_to AS other_finish,
    o.months_to_entry, o.months_followed, o.pump_model, o.catheter_model
FROM devices d
JOIN devices o ON o.patient_no = d.patient_no AND o.component = d.other_component
"""

# The other component at this one's entry; where there is none, the first that overlaps later.
_PAIRED = """
CREATE TABLE paired AS
SELECT device_no, pump_model, catheter_model
FROM couples
WHERE other_entry <= finish AND other_finish >= entry
QUALIFY row_number() OVER (
    PARTITION BY device_no
    ORDER BY other_entry > entry,
        CASE WHEN other_entry > entry THEN other_sequence ELSE -other_sequence END
) = 1
"""

# The calendar years of the implants whose year of implant is kept.
_YEARS = f"""
CREATE TABLE years AS
SELECT device_no, origin, (origin + time_from) // {_YEAR} AS first_year,
    (origin + time_to + {_YEAR} - 1) // {_YEAR} - 1 AS last_year
FROM devices
WHERE NOT aged
"""

_IMPLANTS = f"""
CREATE TABLE all_implants AS
SELECT d.device_no, d.patient_no, d.sequence, d.alone, d.months_to_entry, d.months_followed,
    d.time_from, d.time_to, y.origin, y.first_year,
    least(y.origin + d.time_to, {_YEAR} * (y.first_year + 1)) - y.origin - d.time_from
        AS first_quarters,
    y.last_year,
    CASE WHEN y.last_year > y.first_year THEN y.origin + d.time_to - {_YEAR} * y.last_year
         WHEN y.last_year IS NOT NULL THEN 0 END AS last_quarters,
    d.exit_status, d.refills, d.procedures,
    d.site, coalesce(s.country, '') AS country, d.component,
    CASE WHEN d.component = '{Component.PUMP.value}' THEN d.pump_model
         ELSE coalesce(p.pump_model, '') END AS pump_model,
    CASE WHEN d.component = '{Component.CATHETER.value}' THEN d.catheter_model
         ELSE coalesce(p.catheter_model, '') END AS catheter_model,
    coalesce(CASE WHEN d.component = '{Component.PUMP.value}' THEN pm.parent
                  ELSE cm.parent END, '') AS manufacturer,
    d.drug, coalesce(dc.parent, '') AS drug_class, d.label_status,
    CASE WHEN d.aged THEN '{POOLED_BAND}' ELSE d.age_band END AS age_band,
    CASE WHEN d.aged THEN NULL ELSE d.implant_year END AS implant_year,
    d.indication, coalesce(ig.parent, '') AS indication_group, d.sex,
    d.public_id, d.patient
FROM devices d
LEFT JOIN years y USING (device_no)
LEFT JOIN paired p USING (device_no)
LEFT JOIN sites s ON s.code = d.site
LEFT JOIN parents pm ON pm.list = 'pump_model' AND pm.code = d.pump_model
LEFT JOIN parents cm ON cm.list = 'catheter_model' AND cm.code = d.catheter_model
LEFT JOIN parents dc ON dc.list = 'drug' AND dc.code = d.drug
LEFT JOIN parents ig ON ig.list = 'indication' AND ig.code = d.indication
"""

_NUMBERED_EVENTS = """
CREATE TABLE numbered_events AS
SELECT public_id, row_number() OVER (ORDER BY public_id) - 1 AS event_no FROM raw_events
"""

CAUSES = """
SELECT n.event_no AS event_no, c.event_no AS cause_no
FROM raw_events e
JOIN numbered_events n USING (public_id)
JOIN numbered_events c ON c.public_id = e.caused_by
"""
"""Each event that another caused, and that other: what episodes are made of."""

# An event outside the follow-up of the device it names counts in no device time, so on no other.
_ELSEWHERE = f"""
CREATE TABLE elsewhere AS
SELECT e.public_id, c.other_no AS device_no, c.other_component AS component,
    c.other_sequence AS sequence, c.months_to_entry, c.months_followed,
    c.origin_month + e.months_since_implant - c.other_origin_month AS month
FROM raw_events e
JOIN devices d ON d.public_id = e.implant
JOIN couples c ON c.device_no = d.device_no
WHERE {_place("e.months_since_implant", "d")} = '{AT_RISK}'
"""

# The patient's other component at the time of the event: the earliest of those at risk.
_CONCURRENT = f"""
CREATE TABLE concurrent AS
SELECT o.public_id, o.device_no, o.component, o.month
FROM elsewhere o
WHERE {_place("o.month", "o")} = '{AT_RISK}' AND o.month >= 0
QUALIFY row_number() OVER (PARTITION BY o.public_id ORDER BY o.sequence) = 1
"""


def _clock(component: Component) -> str:
    own = f"d.component = '{component.value}'"
    other = f"o.component = '{component.value}'"
    place = _place("e.months_since_implant", "d")
    return f"""
    CASE WHEN {own} THEN d.device_no WHEN {other} THEN o.device_no END AS {component.value}_no,
    CASE WHEN {own} THEN e.months_since_implant WHEN {other} THEN o.month END
        AS {component.value}_month,
    CASE WHEN {other} THEN '{AT_RISK}'
         WHEN {own} OR {place} <> '{AT_RISK}' THEN {place} ELSE '' END AS {component.value}_time,"""


_EVENTS = f"""
CREATE TABLE all_events AS
SELECT n.event_no, d.patient_no, d.device_no,
    {_place("e.months_since_implant", "d")} AS device_time,
    {_clock(Component.PUMP)}
    {_clock(Component.CATHETER)}
    coalesce(x.episode, n.event_no) AS episode, c.event_no AS cause_no,
    e.complication, coalesce(t.category, '') AS category, coalesce(t.in_totals, true) AS in_totals,
    e.year, e.months_since_implant, e.severity,
    CASE WHEN {_bits()} = 0 THEN '' WHEN e.serious_none THEN 'no' ELSE 'yes' END AS serious,
    {_bits()} AS seriousness,
    e.relatedness_device, e.relatedness_procedure, e.relatedness_drug, e.relatedness_programming,
    e.relatedness_disease, e.outcome, coalesce(e.interventions, 0) AS intervention,
    e.root_cause, e.detection, e.days_since_procedure, e.actuality, e.state,
    e.site, coalesce(s.country, '') AS country,
    coalesce(i.component, t.clock, '') AS component,
    coalesce(i.pump_model, e.pump_model) AS pump_model,
    coalesce(i.catheter_model, e.catheter_model) AS catheter_model,
    coalesce(i.manufacturer,
        CASE WHEN t.clock = '{Component.PUMP.value}' THEN coalesce(pm.parent, cm.parent)
             ELSE coalesce(cm.parent, pm.parent) END, '') AS manufacturer,
    coalesce(i.drug, e.drug) AS drug, coalesce(i.drug_class, dc.parent, '') AS drug_class,
    coalesce(i.label_status, '') AS label_status,
    coalesce(i.age_band, e.age_band) AS age_band, i.implant_year,
    coalesce(i.indication, e.indication) AS indication,
    coalesce(i.indication_group, ig.parent, '') AS indication_group,
    coalesce(i.sex, e.sex) AS sex
FROM raw_events e
JOIN numbered_events n USING (public_id)
LEFT JOIN devices d ON d.public_id = e.implant
LEFT JOIN all_implants i ON i.device_no = d.device_no
LEFT JOIN numbered_events c ON c.public_id = e.caused_by
LEFT JOIN concurrent o ON o.public_id = e.public_id
LEFT JOIN episodes x ON x.event_no = n.event_no
LEFT JOIN terms t ON t.code = e.complication
LEFT JOIN sites s ON s.code = e.site
LEFT JOIN parents pm ON pm.list = 'pump_model' AND pm.code = e.pump_model
LEFT JOIN parents cm ON cm.list = 'catheter_model' AND cm.code = e.catheter_model
LEFT JOIN parents dc ON dc.list = 'drug' AND dc.code = e.drug
LEFT JOIN parents ig ON ig.list = 'indication' AND ig.code = e.indication
"""

_EXPOSURES = f"""
CREATE TABLE all_exposures AS
SELECT row_number() OVER (ORDER BY r.public_id) - 1 AS exposure_no,
    r.site, coalesce(s.country, '') AS country, r.year,
    r.component, r.pump_model, r.catheter_model,
    coalesce(pm.parent, cm.parent, '') AS manufacturer,
    r.devices, r.component_months, r.procedures, r.refills,
    NOT EXISTS (
        SELECT 1 FROM devices d
        WHERE d.site = r.site AND d.component = r.component
            AND d.exit_status <> '{_INELIGIBLE}'
            AND d.origin + d.time_to > {_YEAR} * r.year
            AND d.origin + d.time_from < {_YEAR} * (r.year + 1)
    ) AS counts
FROM raw_exposures r
LEFT JOIN sites s ON s.code = r.site
LEFT JOIN parents pm ON pm.list = 'pump_model' AND pm.code = r.pump_model
LEFT JOIN parents cm ON cm.list = 'catheter_model' AND cm.code = r.catheter_model
"""

BEFORE_EPISODES = (_DEVICES, _COUPLES, _PAIRED, _YEARS, _IMPLANTS, _NUMBERED_EVENTS)
AFTER_EPISODES = (_ELSEWHERE, _CONCURRENT, _EVENTS, _EXPOSURES)

YEARS = f"""
SELECT min(first) AS first, max(last) AS last FROM (
    SELECT min(year) AS first, max(year) AS last FROM all_events
    UNION ALL SELECT min(year), max(year) FROM all_exposures
    UNION ALL SELECT min(first_year), max((origin + time_to) // {_YEAR}) FROM all_implants)
"""
"""The calendar years that hold an event or any device time."""


def listed_columns(table: str) -> str:
    """The allow-listed columns of a table with their types, as a SELECT list.

    A code becomes its place in the list, which is a type of DuckDB's by then (`code_type`).
    """
    return ", ".join(f"{_stored(listed)} AS {listed.name}" for listed in TABLES[table])


def _stored(listed: SnapshotColumn) -> str:
    if listed.kind is Kind.CODE:
        return f"enum_code({listed.name}::{code_type(listed.name)})::{listed.kind.value}"
    return f"{listed.name}::{listed.kind.value}"


def code_type(name: str) -> str:
    """What the list of a code column is called as a type."""
    return f"{name}_code"

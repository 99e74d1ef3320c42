"""When the procedures of a device were, and which one an event belongs to, in DuckDB's own SQL.

Sites tell how many procedures a pump had since entry, and how soon after one an event came, as a
band of days; neither has a date.
"""

# ruff: noqa: S608 - the text is made of this module's constants

from collections.abc import Iterable

from registry.vocabulary import Component, ExitStatus

WITHIN_90_DAYS = ("0-7", "8-30", "31-60", "61-90")
"""The day bands in which an event belongs to a procedure."""

ENDED_LAST = ("", ExitStatus.ACTIVE.value)
"""The statuses of devices that are still followed: of one year they come last."""

_MONTHS_OF_90_DAYS = 3
_PUMP = Component.PUMP.value
_INELIGIBLE = ExitStatus.ELIGIBILITY_NOT_MET.value
_EXPLANTED = (ExitStatus.EXPLANT_ELECTIVE, ExitStatus.EXPLANTED_FOR_COMPLICATION)
_REPLACED = (ExitStatus.REPLACED_END_OF_SERVICE, ExitStatus.REPLACED_FOR_FAILURE)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


# The procedure that placed a device is at its start where it was followed from there, and its
# explant or replacement at its end, if so many were recorded. A replacement is the next device's
# start, where that is followed from its own.
WITH_DATED_PROCEDURES = f"""
SELECT s.*,
    coalesce(s.procedures > s.at_start AND NOT coalesce(s.is_start_of_next, false)
        AND s.exit_status IN ({_listed(_EXPLANTED + _REPLACED)}), false)::INTEGER AS at_end
FROM (
    SELECT r.*, coalesce(r.procedures > 0 AND r.months_to_entry = 0, false)::INTEGER AS at_start,
        r.exit_status IN ({_listed(_REPLACED)}) AND lead(
            r.procedures > 0 AND r.months_to_entry = 0 AND r.exit_status <> '{_INELIGIBLE}'
        ) OVER (
            PARTITION BY r.patient, r.component
            ORDER BY r.implant_year, r.exit_status IN {ENDED_LAST}, r.months_followed, r.device_no
        ) AS is_start_of_next
    FROM raw_implants r
) s
"""

# The pump whose procedure an event on a catheter belongs to by its day band, where no pump is at
# risk then: the last one that ended up to 90 days before.
OPERATED = f"""
CREATE TEMP TABLE operated AS
SELECT event_no, device_no, month
FROM (
    SELECT o.*, row_number() OVER (PARTITION BY o.event_no ORDER BY o.sequence DESC) AS place
    FROM (
        SELECT e.event_no, c.other_no AS device_no, c.other_sequence AS sequence,
            c.months_to_entry, c.months_followed, c.cut,
            c.months_ahead + e.months_since_implant AS month
        FROM raw_events e
        JOIN couples c ON c.implant = e.implant AND c.other_component = '{_PUMP}'
        WHERE e.days_since_procedure IN ({_listed(WITHIN_90_DAYS)})
    ) o
    WHERE o.month >= 0 AND (o.month > o.months_to_entry OR o.months_to_entry = 0)
        AND o.months_followed >= 0 AND o.month > o.months_followed AND NOT o.cut
        AND o.month <= o.months_followed + {_MONTHS_OF_90_DAYS}
) p
WHERE place = 1
"""


def of_procedure(placed: str, of_pump: str, of_other: str, of_ended: str) -> str:
    """By its day band alone, what is told of the procedure that an event belongs to, or NULL.

    placed: whether the event `e` is in or after follow-up. The others are of an event on a pump
    `i`; and of one on a catheter, with a pump `o` at risk, or with one that ended not long before.
    """
    return f"""CASE
        WHEN e.days_since_procedure NOT IN ({_listed(WITHIN_90_DAYS)}) OR NOT ({placed}) THEN NULL
        WHEN i.component = '{_PUMP}' THEN {of_pump}
        WHEN o.component = '{_PUMP}' THEN {of_other}
        ELSE {of_ended} END"""

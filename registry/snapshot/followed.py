"""Follow-up up to a site's last closed round, and where an event's month lies in it.

Pieces of DuckDB's own SQL. Codes are values of an enumeration in here; months are whole, and device
time is counted in quarters of a month.
"""

# ruff: noqa: S608 - the text is made of this module's constants and the schema's names

from registry.snapshot.procedures import WITH_DATED_PROCEDURES
from registry.snapshot.schema import ENTERED_SINCE
from registry.vocabulary import ExitStatus

AT_RISK = "at-risk"
BEFORE_ENTRY = "before-entry"
AFTER_FOLLOW_UP = "after-follow-up"
AFTER_LAST_ROUND = "after-last-round"
NO_MONTH = "no-month"
INELIGIBLE = "ineligible"
"""Where an event lies in the follow-up of a device."""

QUARTERS = 4
"""Quarters of a month in a month: device time is counted in them."""
YEAR = 12 * QUARTERS
"""Quarters of a month in a year."""

INELIGIBLE_STATUS = ExitStatus.ELIGIBILITY_NOT_MET.value
"""The end of a device that should not have been followed."""

_CUT = "(r.round_number > 0 AND r.followed_at_round)"
_AT_ROUND = f"coalesce({_CUT} AND r.months_followed >= r.months_at_round, false)"


def place_of(month: str, device: str) -> str:
    """Where the month of an event `e` lies in a device's follow-up.

    After entry and not after the end counts. On a device that should not have been followed it
    does not, and has a place of its own; so has what will count once another round is closed.
    """
    entry = f"{device}.months_to_entry"
    return f"""CASE
        WHEN {device}.device_no IS NULL THEN ''
        WHEN {month} IS NULL THEN '{NO_MONTH}'
        WHEN {is_at_risk(month, f"{device}.")} AND NOT {is_late(month, f"{device}.")}
            THEN {counted_place(f"{device}.")}
        WHEN {month} <= {entry} AND {entry} > 0 THEN '{BEFORE_ENTRY}'
        WHEN {device}.cut OR {device}.round_number = {ENTERED_SINCE} THEN '{AFTER_LAST_ROUND}'
        ELSE '{AFTER_FOLLOW_UP}' END"""


def is_at_risk(month: str, device: str) -> str:
    """Whether a month lies after entry and not after the end of a device's counted follow-up."""
    entry, followed = f"{device}months_to_entry", f"{device}months_followed"
    return f"({month} <= {followed} AND ({month} > {entry} OR {entry} = 0))"


def is_late(month: str, device: str) -> str:
    """Whether an event `e` of the very month of a round was reported after it was closed.

    Months are rounded: without this, half a month's events more would count than time.
    """
    return (
        f"({device}cut AND {month} = {device}months_followed "
        f"AND coalesce(e.round_number, 0) >= {device}round_number)"
    )


def counted_place(device: str) -> str:
    """The place of an event at risk: whether its device should have been followed."""
    status = f"{device}exit_status"
    return f"(CASE WHEN {status} = '{INELIGIBLE_STATUS}' THEN '{INELIGIBLE}' ELSE '{AT_RISK}' END)"


def quarters(implants: str) -> tuple[str, str, str]:
    """Quarters from year 0 to the implantation; and from it, where device time starts and ends."""
    return (
        f"{QUARTERS} * (12 * {implants}.implant_year + 6)",
        f"{QUARTERS} * {implants}.months_to_entry",
        until(f"{implants}.months_followed"),
    )


def _to_round(count: str) -> str:
    """Of a count since entry of a device in follow-up at its round, the even share up to that."""
    share = "(r.months_at_round - r.months_to_entry) / (r.months_followed - r.months_to_entry)"
    return (
        f"CASE WHEN {_CUT} AND r.months_followed > r.months_at_round "
        f"THEN CAST(round(({count}) * {share}) AS INTEGER) ELSE {count} END"
    )


def until(months: str) -> str:
    """Quarters at the end of so many months; a quarter where they are 0."""
    return f"CASE WHEN {months} = 0 THEN 1 ELSE {QUARTERS} * {months} END"


# A device in follow-up at its site's last closed round counts up to it, and is in follow-up still
# where its end was not before. One that was entered since is not at risk in any month.
COUNTED = f"""
CREATE TEMP VIEW counted AS
SELECT r.* REPLACE (
        CASE WHEN r.round_number = {ENTERED_SINCE} THEN -1
             WHEN {_CUT} THEN least(r.months_followed, r.months_at_round)
             ELSE r.months_followed END AS months_followed,
        CASE WHEN {_CUT} AND r.months_followed >= r.months_at_round
                AND r.exit_status NOT IN ('', '{INELIGIBLE_STATUS}')
             THEN '{ExitStatus.ACTIVE.value}' ELSE r.exit_status END AS exit_status,
        {_to_round("r.refills")} AS refills,
        r.at_start + {_to_round("r.procedures - r.at_start - r.at_end")}
            + CASE WHEN {_AT_ROUND} THEN 0 ELSE r.at_end END AS procedures,
        CASE WHEN {_AT_ROUND} THEN 0 ELSE r.at_end END AS at_end),
    r.months_followed AS months_heard, r.exit_status AS exit_heard,
    {_AT_ROUND} AS cut,
    r.exit_status <> '{INELIGIBLE_STATUS}' AND coalesce(r.round_number <> {ENTERED_SINCE}, true)
        AS counts
FROM ({WITH_DATED_PROCEDURES}) r
"""

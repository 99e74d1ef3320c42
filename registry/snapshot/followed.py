"""Follow-up from the year on that a site sends implants of, up to its last closed round; and where
an event's month lies in it.

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
IN_DECLARED = "declared"
"""Where an event lies in the follow-up of a device."""

QUARTERS = 4
"""Quarters of a month in a month: device time is counted in them."""
YEAR = 12 * QUARTERS
"""Quarters of a month in a year."""

INELIGIBLE_STATUS = ExitStatus.ELIGIBILITY_NOT_MET.value
"""The end of a device that should not have been followed."""

_CUT = "(r.round_number > 0 AND r.followed_at_round)"
_AT_ROUND = f"coalesce({_CUT} AND r.months_followed >= r.months_at_round, false)"
_END = f"""CASE WHEN r.round_number = {ENTERED_SINCE} THEN -1
    WHEN {_CUT} THEN least(r.months_followed, r.months_at_round)
    ELSE r.months_followed END"""
_SINCE = "12 * (f.year - r.implant_year) - 6"


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
        WHEN {is_declared(month, f"{device}.")} THEN {counted_place(f"{device}.", IN_DECLARED)}
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


def is_declared(month: str, device: str) -> str:
    """Whether a month of a device's follow-up lies before the year that its site's implants count
    from: its time is in what the site declared."""
    entry = f"{device}declared_from"
    return f"({month} <= {device}declared_to AND ({month} > {entry} OR {entry} = 0))"


def counted_place(device: str, place: str = AT_RISK) -> str:
    """The place of an event in follow-up: whether its device should have been followed."""
    status = f"{device}exit_status"
    return f"(CASE WHEN {status} = '{INELIGIBLE_STATUS}' THEN '{INELIGIBLE}' ELSE '{place}' END)"


def quarters(implants: str) -> tuple[str, str, str]:
    """Quarters from year 0 to the implantation; and from it, where device time starts and ends."""
    return (
        f"{QUARTERS} * (12 * {implants}.implant_year + 6)",
        f"{QUARTERS} * {implants}.months_to_entry",
        until(f"{implants}.months_followed"),
    )


def _counted(count: str) -> str:
    """Of a count over a device's follow-up, the even share of what is counted of that."""
    share = "(r.until - r.since) / (r.months_followed - r.months_to_entry)"
    return (
        "CASE WHEN NOT r.before AND r.until >= 0 "
        "AND (r.until < r.months_followed OR r.since > r.months_to_entry) "
        f"THEN CAST(round(({count}) * {share}) AS INTEGER) ELSE {count} END"
    )


def until(months: str) -> str:
    """Quarters at the end of so many months; a quarter where they are 0."""
    return f"CASE WHEN {months} = 0 THEN 1 ELSE {QUARTERS} * {months} END"


IMPLANTS_FROM = """
CREATE OR REPLACE TEMP TABLE implants_from AS
SELECT site, component, coalesce(w.year, d.last + 1) AS year
FROM (
    SELECT site, component, max(year) AS last FROM staged_exposures GROUP BY site, component
) d
FULL JOIN words w USING (site, component)
"""
"""From which year on a site's implants count: by its word, else after the last year it declared."""

# A device in follow-up at its site's last closed round counts up to it, and is in follow-up still
# where its end was not before. One that was entered since is not at risk in any month; no more is
# one that ended before the implants of its site count. One that was followed before enters then.
COUNTED = f"""
CREATE TEMP VIEW counted AS
SELECT r.* EXCLUDE (since, until) REPLACE (
        CASE WHEN r.before THEN r.months_to_entry ELSE r.since END AS months_to_entry,
        CASE WHEN r.before THEN -1 ELSE r.until END AS months_followed,
        CASE WHEN {_CUT} AND r.months_followed >= r.months_at_round
                AND r.exit_status NOT IN ('', '{INELIGIBLE_STATUS}')
             THEN '{ExitStatus.ACTIVE.value}' ELSE r.exit_status END AS exit_status,
        {_counted("r.refills")} AS refills,
        CASE WHEN r.since > 0 THEN 0 ELSE r.at_start END
            + {_counted("r.procedures - r.at_start - r.at_end")}
            + CASE WHEN {_AT_ROUND} THEN 0 ELSE r.at_end END AS procedures,
        CASE WHEN r.since > 0 THEN 0 ELSE r.at_start END AS at_start,
        CASE WHEN {_AT_ROUND} THEN 0 ELSE r.at_end END AS at_end),
    r.months_followed AS months_heard, r.exit_status AS exit_heard,
    r.months_to_entry AS declared_from,
    CASE WHEN r.since > r.months_to_entry THEN least(r.since, r.until) ELSE -1 END AS declared_to,
    {_AT_ROUND} AS cut,
    r.exit_status <> '{INELIGIBLE_STATUS}' AND NOT r.before
        AND coalesce(r.round_number <> {ENTERED_SINCE}, true) AS counts
FROM (
    SELECT r.*, {_END} AS until,
        greatest(r.months_to_entry, coalesce({_SINCE}, 0)) AS since,
        coalesce({_SINCE} > r.months_to_entry AND {_SINCE} >= {_END}, false) AS before
    FROM ({WITH_DATED_PROCEDURES}) r
    LEFT JOIN implants_from f ON f.site = r.site AND f.component = r.component
) r
"""

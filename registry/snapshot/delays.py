"""How long events took to be accepted, as counts by site and year that a manifest keeps."""

# ruff: noqa: S608 - the text is of this module's own names

import duckdb

from registry.vocabulary import State

SiteDelay = tuple[str, int, int, int]
"""Site, calendar year of events, whole months from its January to their acceptance, and how many
took so long."""

Delays = tuple[SiteDelay, ...]
"""In the order of sites, years and months."""

ACCEPTED_IN = "accepted_in"
"""The month, from year 0, in which an event was first accepted; blank where nobody knows."""

_DELAYS = f"""
SELECT e.site::VARCHAR AS site, e.year, greatest(e.{ACCEPTED_IN} - 12 * e.year, 0) AS months,
    count(*) AS n
FROM staged_events e
JOIN (SELECT site, min({ACCEPTED_IN}) // 12 AS first FROM staged_events GROUP BY site) s
    ON s.site = e.site
WHERE e.state = '{State.ACCEPTED}' AND e.{ACCEPTED_IN} IS NOT NULL AND e.year > s.first
GROUP BY ALL
ORDER BY ALL
"""


def delays_of(connection: duckdb.DuckDBPyConnection) -> Delays:
    """The delays of the accepted events that are staged, of the years in which their site reported.

    Those are the years after that of its first accepted event: what a site brings along from
    earlier years tells when it joined, not how long its reports take.
    """
    return tuple(connection.execute(_DELAYS).fetchall())

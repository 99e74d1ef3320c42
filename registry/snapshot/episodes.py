"""Numbers the episodes that staged events make where one caused another."""

import duckdb

_FIRST = """
CREATE OR REPLACE TEMP TABLE episodes AS
SELECT e.event_no::INTEGER AS event_no, c.event_no::INTEGER AS cause_no,
    c.event_no::INTEGER AS episode
FROM (SELECT event_no, caused_by FROM staged_events WHERE caused_by IS NOT NULL) e
JOIN staged_events c ON c.event = e.caused_by
"""

# Each step doubles how far back an event looks.
_FURTHER = """
CREATE TEMP TABLE further AS
SELECT e.event_no, e.cause_no, coalesce(c.episode, e.episode) AS episode
FROM episodes e LEFT JOIN episodes c ON c.event_no = e.episode
"""

_LEFT = "SELECT count(*) FROM episodes e JOIN episodes c ON c.event_no = e.episode"


def link_episodes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `episodes`: each event that another caused, that other, and the one that began it all.

    All by number. An event that no other caused begins an episode of its own, and is not listed.
    Raises ValueError where the causes run in a circle.
    """
    connection.execute(_FIRST)
    (count,) = connection.execute("SELECT count(*) FROM episodes").fetchall()[0]
    for _ in range(int(count).bit_length() + 1):
        if not connection.execute(_LEFT).fetchall()[0][0]:
            return
        connection.execute(_FURTHER)
        connection.execute("DROP TABLE episodes")
        connection.execute("ALTER TABLE further RENAME TO episodes")
    raise ValueError("caused_by: the causes of some events run in a circle; break it.")

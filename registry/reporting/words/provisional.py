"""Which numbers of an answer may still change, in words."""

from registry.records import EventQuery
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Question
from registry.vocabulary import SnapshotKind

WORKING = (
    "Provisional: from the working snapshot, which changes as reports come in. To cite an answer, "
    "ask a release."
)
BEHIND = (
    "The newest reports are missing: the registry has changed since the date of these data, and "
    "could not be frozen again."
)
RUNNING = (
    "Provisional: the year {year} was not over when the data ended, and reports of its last "
    "months still come in."
)
SO_FAR = (
    "Provisional: of {year}'s events about {percent} % are likely to be accepted so far, going by "
    "how long reports have taken."
)
UNMEASURED = (
    "Whether {year} is complete is not known: too few reports are on file to measure how long they "
    "take to be accepted."
)


def provisional(question: Question, frozen: Frozen) -> list[str]:
    """Sentences on provisional numbers: of a working snapshot, and of years that are still open.

    Also where data of today cannot be frozen. A trend leaves open years out and says that itself.
    In protected answers it depends on the question and the date of the data, which the answer
    shows, not on recorded data.
    """
    said = [WORKING] if frozen.kind is SnapshotKind.WORKING else []
    if frozen.cannot_follow:
        said.append(BEHIND)
    found, query = question.open_years, question.query
    if found.running and question.spec.runs_on and _tells(query, found.running):
        said.append(RUNNING.format(year=found.running))
    if question.spec.runs_on:
        said += [
            SO_FAR.format(year=each.year, percent=int(100 * each.share))
            for each in found.provisional
            if _tells(query, each.year)
        ]
    if found.last_over and _tells(query, found.last_over):
        said.append(UNMEASURED.format(year=found.last_over))
    return said


def _tells(query: EventQuery, year: int) -> bool:
    """Whether an answer is by calendar year, or of a time that ends with this one."""
    if {"year", "period"} & set(query.group_by) or str(year) in query.values("year"):
        return True
    periods = [value for value in query.values("period") if value[:4].isdigit()]
    if any(int(value[:4]) <= year <= int(value[-4:]) for value in periods):
        return True
    return query.years is not None and (query.years[1] is None or query.years[1] >= year)

"""The order of an answer's warnings: first those that can change what a reader decides."""

from collections.abc import Iterable

from registry.reporting.words.left_out import WITHOUT_ROUNDS
from registry.reporting.words.provisional import RUNNING, SO_FAR, WORKING
from registry.reporting.words.published import EARLY

FIRST = 3
"""So many warnings stand ahead of the others, at the most."""

_UP_TO_THE_YEAR = tuple(said.split("{", maxsplit=1)[0] for said in (RUNNING, SO_FAR))
DECISIVE = (
    WITHOUT_ROUNDS,
    *_UP_TO_THE_YEAR,
    "Freedom is cause-specific",
    EARLY,
    WORKING,
)
"""How the warnings begin that can change a decision, the strongest first: numbers that come out too
high or still change, an estimate taken for another, data that will not be the same tomorrow."""


def ranked(warnings: Iterable[str]) -> list[str]:
    """The warnings with the three strongest of DECISIVE first; the others in their own order."""
    said = list(dict.fromkeys(warnings))
    strong = sorted((warning for warning in said if _rank(warning) < len(DECISIVE)), key=_rank)[
        :FIRST
    ]
    return [*strong, *(warning for warning in said if warning not in strong)]


def _rank(warning: str) -> int:
    places = (place for place, start in enumerate(DECISIVE) if warning.startswith(start))
    return next(places, len(DECISIVE))

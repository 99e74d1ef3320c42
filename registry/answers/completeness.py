"""The completeness of an answer as a page shows it: a few lines beside the numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.dateformat import format as date_format

from registry.answers.numbers import HIDDEN, written
from registry.vocabulary import Profile


@dataclass(frozen=True, slots=True)
class CompletenessBlock:
    """What the data of an answer rest on. about: what the lines are of; lines: titles and words."""

    about: str
    lines: tuple[tuple[str, str], ...]


def completeness_of(meta: Mapping[str, Any]) -> CompletenessBlock | None:
    """The block of an answer; None where it says nothing of its completeness."""
    found = meta.get("completeness")
    if not found:
        return None
    exact = meta["profile"] == Profile.EXACT
    return CompletenessBlock(found["about"], tuple(_lines(found, exact=exact)))


def _lines(found: Mapping[str, Any], *, exact: bool) -> Iterator[tuple[str, str]]:
    follow_up, denominators = found["follow_up"], found["denominators"]
    missing = "none to follow" if exact else HIDDEN
    counted = ""
    if exact:
        counted = (
            f" ({written(follow_up['in_follow_up'])} in follow-up, {written(follow_up['lost'])} "
            f"lost, of {written(follow_up['devices'])} devices)"
        )
    closed = found["complete_to"]["sites_with_a_closed_round"]
    when = "at the last closed round" if closed else "when last heard of"
    yield f"In follow-up {when}", f"{_share(follow_up['share_in_follow_up'], missing)}{counted}"
    yield "Device time observed, of that possible", _share(follow_up["share_of_time"], missing)
    yield "Data complete to", _rounds(found["complete_to"])
    share = denominators["share_of_sites"]
    of_sites = f"{written(denominators['sites'])} of {written(denominators['of'])}"
    yield "Sites with a denominator", of_sites if share is None else f"{of_sites} ({whole(share)})"
    if denominators["share_of_time"] is not None:
        yield "Known device time in the denominators", whole(denominators["share_of_time"])
    for each in found["not_recorded"]:
        told = HIDDEN if not exact else "nothing counted"
        if each["share"] is not None:
            told = f"{whole(each['share'])} of {each['of']}"
        yield f"{each['title']} not recorded", told


def _share(share: float | None, missing: str) -> str:
    return missing if share is None else whole(share)


def _rounds(found: Mapping[str, Any]) -> str:
    """Up to when follow-up is complete: the days of the sites' last closed rounds."""
    closed, of = found["sites_with_a_closed_round"], found["of"]
    if not closed:
        return "no site has closed a follow-up round: rows count as they stand"
    first, last = day_in_words(found["first"]), day_in_words(found["last"])
    days = f"the round of {first}" if first == last else f"rounds of {first} to {last}"
    return f"{days}, closed by {written(closed)} of {written(of)} sites"


def day_in_words(day: str) -> str:
    """A day in words, as in `3 May 2026`."""
    return date_format(date.fromisoformat(day), "j F Y")


def whole(share: float) -> str:
    """A share in whole per cent; one that is neither none nor all is never told as such."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"
